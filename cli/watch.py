"""Following a store in the terminal, from its first event until it rests."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cli import screen
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
AT_REST = ("READY", "SUSPENDED", "FAILED", "DELETED")
_STYLES = {"READY": "bold green", "FAILED": "bold red", "DELETED": "dim", "DELETING": "yellow"}


@dataclass
class Progress:
    """What was shown of a store's way so far."""

    position: dict[str, int]
    """Each step's number, from 1."""
    titles: dict[str, str] = field(default_factory=dict)
    began: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, store: dict[str, Any]) -> "Progress":
        return cls({step["name"]: number for number, step in enumerate(store["steps"], start=1)})

    def show(self, event: dict[str, Any]) -> None:
        """One event: a line, or for a step that goes on (in a terminal) a line that is written over."""
        step, at = event["step"], datetime.fromisoformat(event["at"])
        if event["type"] != "STEP":
            screen.line(event["status"].lower(), event["message"], _STYLES.get(event["status"], "cyan"))
            return
        name = step["name"]
        number = f"step {self.position.get(name, 0)} of {len(self.position)}"
        if step["status"] == "RUNNING":
            again = name in self.titles
            self.titles.setdefault(name, event["message"].rstrip("."))
            self.began.setdefault(name, at)
            if again and event["message"].rstrip(".") != self.titles[name]:
                screen.line(number, event["message"], "yellow")
            else:
                screen.pending(number, self.titles[name])
        elif step["status"] == "SUCCEEDED":
            seconds = (at - self.began.get(name, at)).total_seconds()
            screen.done(f"{number}   {self.titles.get(name, name)}", seconds)
        else:
            screen.line(number, event["message"], "red")
            self.titles.pop(name, None)
            self.began.pop(name, None)


async def follow(client: Client, store: dict[str, Any]) -> str:
    """Show a store's history and what happens, until it rests; its status then. Raises ClientError."""
    progress, cursor = Progress.of(store), None
    while True:
        try:
            async for data in client.subscribe(EVENTS, {"id": store["id"], "after": cursor}):
                event = data["storeEvents"]
                rests = event["type"] == "STATUS" and event["status"] in AT_REST
                if rests:  # it may have been long ago; asked first, so that an event comes again if nobody answers
                    now = (await client.execute(STATUS, {"id": store["id"]}))["store"]
                    rests = now["status"] == event["status"]
                cursor = event["cursor"]
                progress.show(event)
                if rests:
                    return str(event["status"])
        except ClientError:
            if cursor is None:
                raise  # it never worked; after that, the cursor lets us go on without a gap
            await asyncio.sleep(RECONNECT_SECONDS)


async def watch(client: Client, slug: str) -> int:
    """`storefleet watch SLUG`: 0 when the store ends READY or DELETED, 1 when FAILED or there is none."""
    store = (await client.execute(STORE, {"slug": slug}))["store"]
    if store is None:
        screen.failed(f"there is no store {slug!r} in your accounts")
        return 1
    screen.say(f"{store['name']}  {store['url']}", "bold")
    status = await follow(client, store)
    now = (await client.execute(STORE, {"slug": slug}))["store"]
    if now["health"] is not None:
        cause = now["health"]["cause"]
        screen.line("health", now["health"]["state"] + (f": {cause}" if cause else ""))
    if now["receipt"] is not None and now["receipt"]["simulated"]:
        screen.line("", "SIMULATED: its pods and the purchase are simulated", "yellow")
    return 1 if status == "FAILED" else 0
