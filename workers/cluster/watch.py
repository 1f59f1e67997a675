"""List, then watch, for ever: how a process follows the objects of one kind without polling.

kubernetes_asyncio's own Watch retries a 410 with the same version and never lists again; this one does.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from stores.engines import Manifest
from workers.cluster.client import Cluster
from workers.cluster.errors import ClusterError, Gone, Temporary

WATCH_SECONDS = 300
"""After which the API server ends a watch in order; jittered, so that watches don't all end at once."""
SILENCE_SECONDS = 75.0
"""A connection is dead when not even a bookmark came; API servers send one a minute."""
BACK_OFF = (0.1, 5.0)
"""The first and the longest pause after an error, in seconds, before jitter; longer only if the API asks for it."""
STEADY_SECONDS = 5.0
"""A watch that lasted so long was no failure: the pause after it is the first again."""

log = structlog.get_logger()


async def reflect(
    cluster: Cluster,
    kind: str,
    labels: str,
    *,
    namespace: str | None = None,
    on_list: Callable[[Sequence[Manifest]], None],
    on_event: Callable[[str, Manifest], None],
) -> None:
    """Call `on_list` with all objects after each (re)list and `on_event(type, object)` with each change since.

    Of all namespaces, unless one is named. Types are ADDED, MODIFIED and DELETED. Never returns; errors are retried
    with a growing, jittered pause, and the watch goes on from where it was unless that version is gone.
    """
    version: str | None = None
    errors = 0
    while True:
        began = time.monotonic()
        try:
            if version is None:
                items, version = await cluster.list(kind, namespace, labels)
                on_list(items)
            version, errors = await _watch(cluster, kind, labels, namespace, version, on_event), 0
            await asyncio.sleep(BACK_OFF[0])  # a proxy may end every watch at once
        except _Broken as broken:
            worked = broken.version != version or time.monotonic() - began > STEADY_SECONDS
            version, errors = broken.version, 1 if worked else errors + 1
            await _pause(kind, errors, broken.why, broken.retry_after)
        except ClusterError as error:
            version, errors = None if isinstance(error, Gone) else version, errors + 1
            await _pause(kind, errors, error.message, getattr(error, "retry_after", None))


class _Broken(Exception):
    """A watch ended out of order, after having seen `version`."""

    def __init__(self, version: str, why: str, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.version = version
        self.why = why
        self.retry_after = retry_after


async def _watch(
    cluster: Cluster,
    kind: str,
    labels: str,
    namespace: str | None,
    version: str,
    on_event: Callable[[str, Manifest], None],
) -> str:
    seconds = int(WATCH_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311  # jitter, not a secret
    query = {
        "labelSelector": labels,
        "resourceVersion": version,
        "allowWatchBookmarks": "true",
        "timeoutSeconds": str(seconds),
    }
    try:
        async with cluster.watch(kind, query, SILENCE_SECONDS, namespace) as events:
            async for event in events:
                item: dict[str, Any] = event["object"]
                if event["type"] == "ERROR":
                    if item.get("code") == 410:
                        raise Gone(item.get("message", ""), 410, "Expired")
                    raise _Broken(version, str(item.get("message")))
                version = item["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    on_event(event["type"], item)
    except Temporary as error:
        raise _Broken(version, error.message, error.retry_after) from error
    return version


async def _pause(kind: str, errors: int, why: str, retry_after: float | None) -> None:
    first, longest = BACK_OFF
    wait = min(longest, first * 2 ** min(errors - 1, 10)) * random.uniform(0.5, 1)  # noqa: S311  # jitter, not a secret
    wait = max(wait, min(retry_after or 0, 60))
    log.warning("watch.broken", kind=kind, error=why, errors=errors, again_in=round(wait, 3))
    await asyncio.sleep(wait)
