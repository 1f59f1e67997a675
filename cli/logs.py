"""Following what a store's containers print, in the terminal, until Ctrl-C."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from cli import screen
from cli.client import Client, ClientError

STORE = "query ($slug: String!) { store(slug: $slug) { id name status } }"
LOGS = """
subscription ($id: ID!, $workload: String!, $tail: Int!) { storeLogs(storeId: $id, workload: $workload, tail: $tail) {
  kind line at pod container
} }
"""
OVERLAP = 500
"""Lines that are asked for when it goes on, to find those that came meanwhile."""
RECONNECT_SECONDS = 0.5
TRIES = 20
"""In a row without a line; then it is given up."""
Line = dict[str, Any]


async def follow(client: Client, store_id: str, slug: str, workload: str, tail: int) -> AsyncIterator[Line]:
    """Each line once, through ends and breaks of the subscription, until the store is deleted. Raises ClientError."""
    newest: dict[tuple[str, str], str] = {}
    failures = TRIES
    while True:
        known = dict(newest)
        try:
            lines = client.subscribe(LOGS, {"id": store_id, "workload": workload, "tail": tail})
            async for data in lines:
                line, failures = data["storeLogs"], 0
                if line["kind"] == "LINE":
                    source = line["pod"], line["container"]
                    if line["at"] <= known.get(source, ""):
                        continue
                    newest[source] = line["at"]
                yield line
            if (await client.execute(STORE, {"slug": slug}))["store"]["status"] == "DELETED":
                return
        except ClientError:
            failures += 1
            if failures > TRIES:
                raise  # it never worked, or does so no longer
        tail = OVERLAP if newest else tail
        await asyncio.sleep(RECONNECT_SECONDS)


async def logs(client: Client, slug: str, workload: str, tail: int) -> int:
    """`storefleet logs SLUG WORKLOAD`: 0 when the store is deleted meanwhile, 1 when there is none."""
    store = (await client.execute(STORE, {"slug": slug}))["store"]
    if store is None:
        screen.failed(f"there is no store {slug!r} in your accounts")
        return 1
    screen.say(f"{store['name']}  {workload}", "bold")
    source = None
    async for line in follow(client, store["id"], slug, workload, tail):
        if line["pod"] is not None and (line["pod"], line["container"]) != source:
            source = (line["pod"], line["container"])
            screen.line("", " ".join(filter(None, source)), "dim")
        at = datetime.fromisoformat(line["at"]).astimezone()
        screen.line(f"{at:%H:%M:%S}", line["line"], "yellow" if line["kind"] == "NOTICE" else "")
    return 0
