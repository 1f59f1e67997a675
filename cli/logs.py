"""`storefleet logs`: follow a store's logs in the terminal until Ctrl-C."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from cli import output
from cli.client import Client, ClientError

STORE = "query ($slug: String!) { store(slug: $slug) { id name status } }"
# With --url the API may have the release 0.1.0, which knows only `workload`. After the next release: `component`.
LOGS = """
subscription ($id: ID!, $component: String!, $tail: Int!) {
storeLogs(storeId: $id, workload: $component, tail: $tail) {
  kind line at pod container
} }
"""
OVERLAP = 500
"""Number of past lines that are requested after a reconnect, to find lines that were missed."""
RECONNECT_SECONDS = 0.5
MAX_FAILURES = 20
"""Failures in a row, without a line between them, after which `follow` gives up."""
Line = dict[str, Any]


async def follow(client: Client, store_id: str, slug: str, component: str, tail: int) -> AsyncIterator[Line]:
    """Yield each line once until the store is deleted; subscribe again when a subscription ends or breaks.

    Yields dicts with kind, line, at, pod and container. Raises ClientError.
    """
    newest: dict[tuple[str, str], str] = {}
    failures = MAX_FAILURES
    while True:
        known = dict(newest)
        try:
            lines = client.subscribe(LOGS, {"id": store_id, "component": component, "tail": tail})
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
            if failures > MAX_FAILURES:
                raise  # it never worked, or it has stopped working
        tail = OVERLAP if newest else tail
        await asyncio.sleep(RECONNECT_SECONDS)


async def logs(client: Client, slug: str, component: str, tail: int) -> int:
    """`storefleet logs SLUG [COMPONENT]`. Returns the exit code: 0 when the store is deleted, 1 when there is none."""
    store = (await client.execute(STORE, {"slug": slug}))["store"]
    if store is None:
        output.error(f"there is no store {slug!r} in your accounts")
        return 1
    output.echo(f"{store['name']}  {component}", "bold")
    source = None
    async for line in follow(client, store["id"], slug, component, tail):
        if line["pod"] is not None and (line["pod"], line["container"]) != source:
            source = (line["pod"], line["container"])
            output.field("", " ".join(filter(None, source)), "dim")
        at = datetime.fromisoformat(line["at"]).astimezone()
        output.field(f"{at:%H:%M:%S}", line["line"], "yellow" if line["kind"] == "NOTICE" else "")
    return 0
