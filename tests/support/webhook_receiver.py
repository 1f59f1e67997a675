"""A receiver of webhooks: an HTTP server on this machine that answers as a test says."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio
from aiohttp import web
from standardwebhooks import Webhook

from schema.ids import decode_event_cursor


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content

    @property
    def seq(self) -> int:
        """The number of the event; 0 for a test."""
        cursor = decode_event_cursor(self.headers["webhook-id"])
        return cursor[1] if cursor is not None else 0

    def is_signed_by(self, secret: str) -> bool:
        """Raises WebhookVerificationError if it isn't."""
        Webhook(secret).verify(self.body, self.headers)
        return True


async def accept(_received: Received) -> web.Response:
    return web.Response(status=204)


@dataclass
class Receiver:
    """Where the requests of each path go. `answers`: by path; the default is to accept."""

    url: str
    received: list[Received] = field(default_factory=list)
    answers: dict[str, Callable[[Received], Awaitable[web.StreamResponse]]] = field(default_factory=dict)

    def seqs(self, path: str = "/") -> list[int]:
        """The numbers of the events that came, in order."""
        return [item.seq for item in self.received if item.path == path]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        item = Received(request.path, headers, (await request.read()).decode())
        self.received.append(item)
        return await self.answers.get(request.path, accept)(item)


@asynccontextmanager
async def run_receiver() -> AsyncIterator[Receiver]:
    """A receiver until the end of the block."""
    receiver = Receiver("")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver._handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


async def hang(_received: Received) -> web.Response:
    """Until the client leaves."""
    await asyncio.Event().wait()
    raise AssertionError


def answer(status: int, **headers: str) -> Callable[[Received], Awaitable[web.StreamResponse]]:
    """What answers with the status."""

    async def respond(_received: Received) -> web.Response:
        return web.Response(status=status, headers=headers)

    return respond


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with run_receiver() as receiver:
        yield receiver


async def came(receiver: Receiver) -> bool:
    return bool(receiver.received)
