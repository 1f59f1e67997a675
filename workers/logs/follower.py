"""Reading the logs of a component's containers: first the last lines of all, ordered by time, then each new line."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import NamedTuple

import structlog

from stores.log_protocol import LogItem, Positions
from workers.cluster.client import Cluster
from workers.cluster.errors import ClusterError, TransientError
from workers.logs.buffer import Buffer
from workers.logs.lines import SecretMasker
from workers.logs.pods import ContainerRun, ContainerState, PodWatcher
from workers.logs.source import ContainerLog, LogPosition, read_new_lines

BACKOFF_SECONDS = (0.5, 10.0)
"""The first and the longest pause before a log is requested again."""
YIELD_BYTES = 256 * 1024
YIELD_SECONDS = 0.05
"""After reading YIELD_BYTES that are dropped, reading pauses for so long, and other containers are read."""

log = structlog.get_logger()


class _TailItem(NamedTuple):
    """An item of the tail, and its container's position before and after it."""

    item: LogItem
    source: ContainerLog
    before: LogPosition | None
    after: LogPosition | None


class LogFollower:
    """Reads containers' logs into one subscription's buffer."""

    def __init__(
        self,
        cluster: Cluster,
        pods: PodWatcher,
        buffer: Buffer,
        load_masker: Callable[[], Awaitable[SecretMasker]],
    ) -> None:
        self._cluster, self._pods, self._buffer = cluster, pods, buffer
        self._load_masker = load_masker
        """Called before each request for a log: a pod's secrets are in the database before the pod exists."""

    async def tail(self, sources: Sequence[ContainerLog], tail: int) -> Positions:
        """Queue the last `tail` lines of all sources together. Returns the positions before these lines."""
        found = await asyncio.gather(*(self._tail_of(source, tail) for source in sources))
        merged = sorted((entry for items in found for entry in items), key=lambda entry: entry.item.at)
        lines = [number for number, entry in enumerate(merged) if entry.item.kind == "LINE"]
        first = 0 if tail > len(lines) else lines[-tail] if tail else len(merged)
        positions: Positions = {}
        for entry in merged[:first]:
            positions |= entry.source.positions_at(entry.after)
        for entry in reversed(merged[first:]):  # of each container, the position before its first item
            positions |= entry.source.positions_at(entry.before)
        for entry in merged[first:]:
            self._buffer.add(entry.item, entry.source.positions_at(entry.after))
        return positions

    async def _tail_of(self, source: ContainerLog, tail: int) -> list[_TailItem]:
        """The last lines of both runs, if there are two. A log that can't be read now is left to `follow`."""
        source.tail = tail
        found: list[_TailItem] = []
        container = self._pods.container(source.uid, source.name)
        try:
            for run in container.runs if container else ():
                if source.started_run:
                    notice = _restarted_text(source, container)
                    item = LogItem("NOTICE", notice, _notice_time(source), source.pod, source.name)
                    found.append(_TailItem(item, source, source.position, source.position))
                source.started_run = run.id
                masker = await self._load_masker()
                async with aclosing(
                    read_new_lines(self._cluster, self._pods.namespace, source, run, tail=tail or 1)
                ) as lines:
                    async for at, raw in lines:
                        if at is None or source.position is None:
                            continue
                        item = LogItem("LINE", masker.mask(raw), at, source.pod, source.name)
                        before = source.position._replace(lines=source.position.lines - 1)
                        found.append(_TailItem(item, source, before, source.position))
                source.finished_run = run.id if run.terminated else source.finished_run
        except ClusterError as error:
            self._report_error(source, error)
        return found

    async def follow(self, source: ContainerLog) -> None:
        """Queue each line of all runs of the container. Returns when its pod is deleted."""
        while (container := self._pods.container(source.uid, source.name)) is not None:
            unread = source.unread_runs(container.runs)
            if not unread:
                if container.waiting_reason:
                    self._buffer.notify_once(source.key, _waiting_text(source, container), source.pod, source.name)
                await self._pods.wait_for_change()
                continue
            if source.started_run not in ("", unread[0].id):
                self._buffer.notice(_restarted_text(source, container), source.pod, source.name)
            source.started_run = unread[0].id
            await self._read(source, unread[0].id)
            source.finished_run = source.started_run

    async def _read(self, source: ContainerLog, run_id: str) -> None:
        """Read one run to its end, through broken connections, or until Kubernetes has removed it."""
        pause, reached = BACKOFF_SECONDS[0], source.position
        while (run := self._run(source, run_id)) is not None:
            try:
                await self._stream(source, run)
            except ClusterError as error:
                if run.terminated and not isinstance(error, TransientError) and error.status != 403:
                    return  # its log was removed
                if source.position != reached:
                    pause = BACKOFF_SECONDS[0]  # the stream broke after some lines: request it again without a notice
                elif error.status is not None or pause > BACKOFF_SECONDS[0]:
                    self._report_error(source, error)
            else:
                if run.terminated:
                    return
                pause, run = BACKOFF_SECONDS[0], self._run(source, run_id)
                if run is None or run.terminated:
                    continue  # it may have printed more lines after the stream ended
            await self._pods.wait_for_change(pause)
            pause, reached = min(2 * pause, BACKOFF_SECONDS[1]), source.position

    def _run(self, source: ContainerLog, run_id: str) -> ContainerRun | None:
        container = self._pods.container(source.uid, source.name)
        return next((run for run in container.runs if run.id == run_id), None) if container else None

    async def _stream(self, source: ContainerLog, run: ContainerRun) -> None:
        masker, dropped_bytes = await self._load_masker(), 0
        async with aclosing(read_new_lines(self._cluster, self._pods.namespace, source, run)) as lines:
            async for at, raw in lines:
                if at is None:
                    text = f"The node says: {masker.mask(raw)}"
                    self._buffer.notify_once(source.key, text, source.pod, source.name)
                    continue
                self._buffer.clear_notice(source.key)
                if not self._buffer.full:
                    item = LogItem("LINE", masker.mask(raw), at, source.pod, source.name)
                    self._buffer.add(item, source.positions_at(source.position))
                    continue
                self._buffer.drop(source.positions_at(source.position))
                dropped_bytes += len(raw)
                if dropped_bytes > YIELD_BYTES:
                    dropped_bytes = 0
                    await asyncio.sleep(YIELD_SECONDS)

    def _report_error(self, source: ContainerLog, error: ClusterError) -> None:
        log.warning("logs.unreadable", pod=source.pod, container=source.name, error=error.message[:300])
        if error.status == 403:
            text = "Storefleet may not read logs in this cluster: its operator has to apply the roles of this version."
        else:
            text = f"The log of the pod {source.pod} can't be read now. Asking again."
        self._buffer.notify_once(source.key, text, source.pod, source.name)


def _notice_time(source: ContainerLog) -> int:
    """The time of the line that was read last: the notice is sorted directly behind it."""
    return source.position.at if source.position is not None else time.time_ns()


def _restarted_text(source: ContainerLog, container: ContainerState | None) -> str:
    codes = [run.exit_code for run in container.runs if run.id == source.started_run] if container else []
    ended = f" (exit code {codes[0]})" if codes and codes[0] is not None else ""
    return f"The container {source.name} of the pod {source.pod} ended{ended} and started again."


def _waiting_text(source: ContainerLog, container: ContainerState) -> str:
    if container.waiting_reason != "CrashLoopBackOff":
        return f"The container {source.name} of the pod {source.pod} waits to start: {container.waiting_reason}."
    code = container.runs[-1].exit_code if container.runs else None
    return (
        f"The container {source.name} of the pod {source.pod} keeps crashing (exit code {code}). "
        "Kubernetes starts it again in a while."
    )
