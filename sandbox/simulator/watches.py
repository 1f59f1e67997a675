"""The response to a watch: a stream of events that begins at the caller's resource version."""

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
from sandbox.simulator.objects import ObjectStore, Watcher, watch_event
from sandbox.simulator.selectors import Selector

BOOKMARK_SECONDS = 5.0
"""Seconds between two bookmarks; about 60 for a real API server."""


class WatchResponse(Response):
    """Streams the changes of one kind."""

    def __init__(
        self, objects: ObjectStore, kind: Kind, namespace: str, selector: Selector | None, query: Mapping[str, str]
    ) -> None:
        super().__init__(media_type="application/json")
        self.objects = objects
        self.kind = kind
        self.namespace = namespace
        self.selector = selector
        self.version = query.get("resourceVersion", "")
        self.bookmarks = query.get("allowWatchBookmarks", "").lower() in ("1", "true")
        # without timeoutSeconds a watch ends after 30 to 60 minutes, as on a real API server
        self.seconds = float(query.get("timeoutSeconds") or random.uniform(1800, 3600))  # noqa: S311  # no secret
        if not self.version.isdecimal() and self.version:
            raise bad_request(f"invalid resource version: {self.version!r}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        changed = asyncio.Event()
        watcher = Watcher(self.kind, self.namespace, self.selector, changed.set)
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-cache, private")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        disconnect_task = asyncio.create_task(_wait_for_disconnect(receive, watcher))
        self.objects.watchers[self.kind].add(watcher)
        try:
            self._queue_backlog(watcher)
            await self._stream(send, watcher, changed)
        except ApiError as error:
            line = b'{"type":"ERROR","object":%s}\n' % json.dumps(error.status()).encode()
            await send({"type": "http.response.body", "body": line})
        finally:
            self.objects.watchers[self.kind].discard(watcher)
            disconnect_task.cancel()

    def _queue_backlog(self, watcher: Watcher) -> None:
        """Queue the existing objects, or the changes since the caller's version."""
        if self.version in ("", "0"):
            for _, stored in self.objects.list_sorted(self.kind, self.namespace or None, self.selector):
                watcher.pending.append(watch_event("ADDED", self.kind, stored.body))
        else:
            for change in self.objects.changes_since(self.kind, int(self.version)):
                watcher.send(change)

    async def _stream(self, send: Send, watcher: Watcher, changed: asyncio.Event) -> None:
        end = time.monotonic() + self.seconds
        mark = time.monotonic() + BOOKMARK_SECONDS
        while not watcher.dropped:
            changed.clear()
            if watcher.pending:
                pending, watcher.pending = watcher.pending, []
                await send({"type": "http.response.body", "body": b"".join(pending), "more_body": True})
                continue
            now = time.monotonic()
            if now >= end:
                await send({"type": "http.response.body", "body": self._bookmark()})
                return
            if self.bookmarks and now >= mark:
                mark = now + BOOKMARK_SECONDS
                await send({"type": "http.response.body", "body": self._bookmark(), "more_body": True})
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), min(end, mark if self.bookmarks else end) - now)
        # a return without the last chunk makes the server cut the connection: a dropped watch

    def _bookmark(self) -> bytes:
        if not self.bookmarks:
            return b""
        return watch_event("BOOKMARK", self.kind, b'{"metadata":{"resourceVersion":"%d"}}' % self.objects.version)


async def _wait_for_disconnect(receive: Receive, watcher: Watcher) -> None:
    """End the stream when the client disconnects."""
    while (await receive())["type"] != "http.disconnect":
        pass
    watcher.drop()
