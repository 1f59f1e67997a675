"""The answer to a watch: a stream of lines that begins where the caller's list ended."""

import asyncio
import json
import random
import time
from collections.abc import Mapping
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.simulator.errors import ApiError, bad_request
from sandbox.simulator.kinds import Kind
from sandbox.simulator.objects import Objects, Watcher, event
from sandbox.simulator.selectors import Selector

BOOKMARK = 5.0
"""Seconds between two bookmarks; a real API server takes about 60."""


class Watch(Response):
    """Streams the changes of one kind."""

    def __init__(
        self, objects: Objects, kind: Kind, namespace: str, selector: Selector | None, query: Mapping[str, str]
    ) -> None:
        super().__init__(media_type="application/json")
        self.objects = objects
        self.kind = kind
        self.namespace = namespace
        self.selector = selector
        self.version = query.get("resourceVersion", "")
        self.bookmarks = query.get("allowWatchBookmarks", "").lower() in ("1", "true")
        # a caller who names no end gets one between half an hour and an hour, as from a real API server
        self.seconds = float(query.get("timeoutSeconds") or random.uniform(1800, 3600))  # noqa: S311  # no secret
        if not self.version.isdecimal() and self.version:
            raise bad_request(f"invalid resource version: {self.version!r}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wake = asyncio.Event()
        watcher = Watcher(self.kind, self.namespace, self.selector, wake.set)
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-cache, private")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        listening = asyncio.create_task(_until_gone(receive, watcher))
        self.objects.watchers[self.kind].add(watcher)
        try:
            self._begin(watcher)
            await self._stream(send, watcher, wake)
        except ApiError as error:
            line = b'{"type":"ERROR","object":%s}\n' % json.dumps(error.status()).encode()
            await send({"type": "http.response.body", "body": line})
        finally:
            self.objects.watchers[self.kind].discard(watcher)
            listening.cancel()

    def _begin(self, watcher: Watcher) -> None:
        """What came before now: all there is, or what changed since the caller's version."""
        if self.version in ("", "0"):
            for _, stored in self.objects.listed(self.kind, self.namespace or None, self.selector):
                watcher.lines.append(event("ADDED", self.kind, stored.body))
        else:
            for change in self.objects.since(self.kind, int(self.version)):
                watcher.tell(change)

    async def _stream(self, send: Send, watcher: Watcher, wake: asyncio.Event) -> None:
        end = time.monotonic() + self.seconds
        mark = time.monotonic() + BOOKMARK
        while not watcher.dropped:
            wake.clear()
            if watcher.lines:
                lines, watcher.lines = watcher.lines, []
                await send({"type": "http.response.body", "body": b"".join(lines), "more_body": True})
                continue
            now = time.monotonic()
            if now >= end:
                await send({"type": "http.response.body", "body": self._bookmark()})
                return
            if self.bookmarks and now >= mark:
                mark = now + BOOKMARK
                await send({"type": "http.response.body", "body": self._bookmark(), "more_body": True})
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), min(end, mark if self.bookmarks else end) - now)
        # returning without an end makes the server cut the connection: a dropped watch

    def _bookmark(self) -> bytes:
        if not self.bookmarks:
            return b""
        return event("BOOKMARK", self.kind, b'{"metadata":{"resourceVersion":"%d"}}' % self.objects.version)


async def _until_gone(receive: Receive, watcher: Watcher) -> None:
    """End the stream when its reader has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    watcher.drop()
