"""List, then watch, without end (client-go: Reflector.ListAndWatch): follows the objects of one kind without polling.

kubernetes_asyncio's own Watch retries after a 410 with the same resourceVersion; this one lists again.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from runtime.jitter import jitter
from stores.engines import Manifest
from workers.backoff import backoff_seconds
from workers.cluster.client import Cluster
from workers.cluster.errors import ClusterError, Gone, TransientError

WATCH_TIMEOUT = 300
"""Seconds after which the API server ends a watch (timeoutSeconds), before jitter."""
WATCH_IDLE_TIMEOUT = 75.0
"""Seconds without data after which a connection is dead: API servers send a bookmark each minute."""
BACKOFF_SECONDS = (0.1, 5.0)
"""The first and the longest pause after an error, before jitter. Retry-After can ask for a longer pause."""
BACKOFF_RESET_SECONDS = 5.0
"""After a watch that lasted so long, the next pause is the first again."""

log = structlog.get_logger()


async def list_and_watch(
    cluster: Cluster,
    kind: str,
    labels: str,
    *,
    namespace: str | None = None,
    on_list: Callable[[Sequence[Manifest]], None],
    on_event: Callable[[str, Manifest], None],
) -> None:
    """Call `on_list` with all objects after each list, and `on_event(type, object)` with each change after that.

    `labels`: the label selector. `namespace`: None for all. Types are ADDED, MODIFIED and DELETED. Never returns:
    errors are retried with exponential backoff and jitter, from the last resourceVersion unless that has expired.
    """
    resource_version: str | None = None
    errors = 0
    while True:
        began = time.monotonic()
        try:
            if resource_version is None:
                items, resource_version = await cluster.list(kind, namespace, labels)
                on_list(items)
            resource_version = await _watch(cluster, kind, labels, namespace, resource_version, on_event)
            errors = 0
            await asyncio.sleep(BACKOFF_SECONDS[0])  # a proxy may end every watch at once
        except _WatchInterrupted as interrupted:
            worked = (
                interrupted.resource_version != resource_version or time.monotonic() - began > BACKOFF_RESET_SECONDS
            )
            resource_version, errors = interrupted.resource_version, 1 if worked else errors + 1
            await _back_off(kind, errors, interrupted.message, interrupted.retry_after)
        except ClusterError as error:
            resource_version, errors = None if isinstance(error, Gone) else resource_version, errors + 1
            await _back_off(kind, errors, error.message, getattr(error, "retry_after", None))


class _WatchInterrupted(Exception):
    """A watch ended with an error. `resource_version`: of the last event before it."""

    def __init__(self, resource_version: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.resource_version = resource_version
        self.message = message
        self.retry_after = retry_after


async def _watch(
    cluster: Cluster,
    kind: str,
    labels: str,
    namespace: str | None,
    resource_version: str,
    on_event: Callable[[str, Manifest], None],
) -> str:
    seconds = int(WATCH_TIMEOUT * jitter(0.8, 1.2))
    query = {
        "labelSelector": labels,
        "resourceVersion": resource_version,
        "allowWatchBookmarks": "true",
        "timeoutSeconds": str(seconds),
    }
    try:
        async with cluster.watch(kind, query, WATCH_IDLE_TIMEOUT, namespace) as events:
            async for event in events:
                item: dict[str, Any] = event["object"]
                if event["type"] == "ERROR":
                    if item.get("code") == 410:
                        raise Gone(item.get("message", ""), 410, "Expired")
                    raise _WatchInterrupted(resource_version, str(item.get("message")))
                resource_version = item["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    on_event(event["type"], item)
    except TransientError as error:
        raise _WatchInterrupted(resource_version, error.message, error.retry_after) from error
    return resource_version


async def _back_off(kind: str, errors: int, message: str, retry_after: float | None) -> None:
    wait = backoff_seconds(errors, *BACKOFF_SECONDS, retry_after)
    log.warning("watch.interrupted", kind=kind, error=message, errors=errors, retry_in=round(wait, 3))
    await asyncio.sleep(wait)
