"""`storefleet watch`: follow a store's events in the terminal until its status is steady."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cli import output
from cli.client import Client, ClientError

STORE = """
query ($slug: String!) { store(slug: $slug) {
  id slug name status url cause health { state cause }
  receipt { simulated totalMs steps { name ms } } steps { name status startedAt finishedAt }
} }
"""
EVENTS = """
subscription ($id: ID!, $after: String) { storeEvents(storeId: $id, after: $after) {
  cursor type status step { name status message } message at
} }
"""
STATUS = "query ($id: ID!) { store(id: $id) { status } }"
RECONNECT_SECONDS = 0.5
STEADY_STATUSES = ("READY", "SUSPENDED", "FAILED", "DELETED")
_STYLES = {"READY": "bold green", "FAILED": "bold red", "DELETED": "dim", "DELETING": "yellow"}


@dataclass
class Progress:
    """What the terminal has shown of a store's steps."""

    numbers: dict[str, int]
    """By step: its number, from 1."""
    titles: dict[str, str] = field(default_factory=dict)
    started: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, store: dict[str, Any]) -> "Progress":
        return cls({step["name"]: number for number, step in enumerate(store["steps"], start=1)})

    def show(self, event: dict[str, Any]) -> None:
        """Print an event. In a terminal, the line of a running step is overwritten by the next line."""
        step, at = event["step"], datetime.fromisoformat(event["at"])
        if event["type"] != "STEP":
            output.field(event["status"].lower(), event["message"], _STYLES.get(event["status"], "cyan"))
            return
        name = step["name"]
        number = f"step {self.numbers.get(name, 0)} of {len(self.numbers)}"
        if step["status"] == "RUNNING":
            seen = name in self.titles
            self.titles.setdefault(name, event["message"].rstrip("."))
            self.started.setdefault(name, at)
            if seen and event["message"].rstrip(".") != self.titles[name]:
                output.field(number, event["message"], "yellow")
            else:
                output.progress(number, self.titles[name])
        elif step["status"] == "SUCCEEDED":
            seconds = (at - self.started.get(name, at)).total_seconds()
            output.success(f"{number}   {self.titles.get(name, name)}", seconds)
        else:
            output.field(number, event["message"], "red")
            self.titles.pop(name, None)
            self.started.pop(name, None)


def show_receipt(receipt: dict[str, Any]) -> None:
    bought = ", ".join(f"{step['name']} {step['ms']} ms" for step in receipt["steps"])
    output.field("receipt", f"{receipt['totalMs']} ms: {bought}")


async def follow(client: Client, store: dict[str, Any], after: str | None = None) -> str:
    """Print a store's past and new events until its status is steady. Returns this status. Raises ClientError.

    `after`: the cursor of the last event to leave out.
    """
    progress, cursor = Progress.of(store), after
    while True:
        try:
            async for data in client.subscribe(EVENTS, {"id": store["id"], "after": cursor}):
                event = data["storeEvents"]
                steady = event["type"] == "STATUS" and event["status"] in STEADY_STATUSES
                if steady:  # the event may be old; asked before the cursor moves, so a failed request repeats the event
                    now = (await client.execute(STATUS, {"id": store["id"]}))["store"]
                    steady = now["status"] == event["status"]
                cursor = event["cursor"]
                progress.show(event)
                if steady:
                    return str(event["status"])
        except ClientError:
            if cursor is None:
                raise  # it never worked; with a cursor, the next subscription continues without a gap
            await asyncio.sleep(RECONNECT_SECONDS)


async def watch(client: Client, slug: str) -> int:
    """`storefleet watch SLUG`. Returns the exit code: 1 when the store is FAILED or doesn't exist, else 0."""
    store = (await client.execute(STORE, {"slug": slug}))["store"]
    if store is None:
        output.error(f"there is no store {slug!r} in your accounts")
        return 1
    output.echo(f"{store['name']}  {store['url']}", "bold")
    status = await follow(client, store)
    now = (await client.execute(STORE, {"slug": slug}))["store"]
    if now["health"] is not None:
        cause = now["health"]["cause"]
        output.field("health", now["health"]["state"] + (f": {cause}" if cause else ""))
    if now["receipt"] is not None and now["receipt"]["simulated"]:
        output.field("", "SIMULATED: its pods and the purchase are simulated", "yellow")
    return 1 if status == "FAILED" else 0
