"""What goes on while the platform is upgraded: subscribers that resume, and a client that repeats its mutations."""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp

from tests.node.installation import Installation
from tests.support.waiting import HANG_SECONDS

SUBSCRIBE = "subscription ($after: String) { accountEvents(after: $after) { cursor status at store { name } } }"
CREATE = """
mutation ($name: String!, $key: String!) {
  createStore(input: {name: $name, engine: SAMPLE, idempotencyKey: $key}) { store { id } userErrors { message } }
}
"""
JSON = dict[str, Any]
RETRYABLE = {"BUSY", "UNAVAILABLE"}
"""Error codes after which a client subscribes again."""


@dataclass
class UpgradeLoad:
    """Subscribers of one account, all from the same cursor, and mutations."""

    installation: Installation
    token: str
    seen: list[list[JSON]] = field(default_factory=list)
    """By subscriber: the events, in the order of arrival."""
    logs: list[list[tuple[float, str]]] = field(default_factory=list)
    """By subscriber: what happened to its connections, and when."""
    latest: tuple[float, str] = (0, "")
    """The greatest delay from an event to its arrival, in seconds, and what its subscriber did in that time."""
    mutations: list[float] = field(default_factory=list)
    """Seconds that each mutation took, with its repetitions."""
    repeated: int = 0
    """Mutations without an answer, which were sent again with the same idempotency key."""

    def headers(self) -> dict[str, str]:
        return {"Host": self.installation.url.removeprefix("http://"), "Authorization": f"Bearer {self.token}"}

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.installation.node.ingress_port}/graphql"

    async def listen(self, http: aiohttp.ClientSession, after: str | None = None) -> None:
        """One subscriber: connects again whenever its socket ends, after the last event. Runs until it is cancelled."""
        events: list[JSON] = []
        self.seen.append(events)
        log: list[tuple[float, str]] = []
        self.logs.append(log)
        while True:
            log.append((time.time(), "connects"))
            try:
                async with http.ws_connect(
                    f"ws://{self.address}", protocols=("graphql-transport-ws",), headers=self.headers(), heartbeat=20
                ) as socket:
                    await self._receive(socket, events, events[-1]["cursor"] if events else after, log)
                    log.append((time.time(), f"closed with {socket.close_code}"))
            except (aiohttp.ClientError, TimeoutError) as error:
                log.append((time.time(), repr(error)))
            await asyncio.sleep(random.uniform(0, 1))  # as clients do, so that not all of them come at once

    async def _receive(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        events: list[JSON],
        after: str | None,
        log: list[tuple[float, str]],
    ) -> None:
        await socket.send_json({"type": "connection_init"})
        async for frame in socket:
            message = json.loads(frame.data)
            if message["type"] != "next":
                log.append((time.time(), frame.data))
            if message["type"] == "connection_ack":
                payload = {"query": SUBSCRIBE, "variables": {"after": after}}
                await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
            elif message["type"] == "next":
                assert "errors" not in message["payload"], message
                event = message["payload"]["data"]["accountEvents"]
                events.append(event)
                committed = datetime.fromisoformat(event["at"]).timestamp()
                delay = time.time() - committed
                if delay > self.latest[0]:
                    self.latest = (delay, _text(log, committed))
            elif message["type"] == "error":
                # as clients do, if the code says that it may be tried again
                assert {error["extensions"]["code"] for error in message["payload"]} <= RETRYABLE, message
                return

    def behind(self, cursor: str) -> list[str]:
        """The logs of the subscribers that haven't got this event."""
        return [
            _text(log, time.time())
            for events, log in zip(self.seen, self.logs, strict=True)
            if all(event["cursor"] != cursor for event in events)
        ]

    async def create(self, http: aiohttp.ClientSession, name: str) -> str:
        """Creates the store of that name, or finds it: the name is the idempotency key. Returns its id."""
        began = time.monotonic()
        while True:
            body = {"query": CREATE, "variables": {"name": name, "key": name}}
            try:
                async with http.post(f"http://{self.address}", json=body, headers=self.headers()) as response:
                    if response.status == 200:
                        answer = await response.json()
                        break
            except (aiohttp.ClientError, TimeoutError):
                pass
            self.repeated += 1
            assert time.monotonic() - began < HANG_SECONDS, f"{name} wasn't created"
            await asyncio.sleep(0.1)
        self.mutations.append(time.monotonic() - began)
        assert "errors" not in answer, answer
        payload = answer["data"]["createStore"]
        assert payload["userErrors"] == []
        identifier: str = payload["store"]["id"]
        return identifier

    async def keep_creating(self, http: aiohttp.ClientSession, name: str) -> None:
        """Repeats one mutation, which acts once. Runs until it is cancelled."""
        [first] = {await self.create(http, name)}
        while True:
            assert await self.create(http, name) == first
            await asyncio.sleep(0.2)


def _text(log: list[tuple[float, str]], now: float) -> str:
    """The log's last lines; times in seconds from `now`."""
    return "\n".join(f"{at - now:6.1f} s  {what}" for at, what in log[-20:])
