"""From the logs of a workload's containers to what a subscriber gets: the last lines in order, then each that comes."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import NamedTuple

import structlog

from stores.logs import Item, Places
from workers.cluster.client import Cluster
from workers.cluster.errors import ClusterError, Temporary
from workers.logs.buffer import Buffer
from workers.logs.lines import Mask
from workers.logs.pods import Container, Pods, Run
from workers.logs.source import Place, Source, new_lines

PAUSE = (0.5, 10.0)
"""The first and the longest pause before a log is asked for again, in seconds."""
FLOOD_BYTES = 256 * 1024
FLOOD_SECONDS = 0.05
"""After so many bytes that nobody gets, others have their turn for so long."""

log = structlog.get_logger()


class _Seen(NamedTuple):
    """An item of the tail, and how far its container had been read before and with it."""

    item: Item
    source: Source
    before: Place | None
    place: Place | None


class Following:
    """Reads containers' logs into one subscription's buffer."""

    def __init__(self, cluster: Cluster, pods: Pods, buffer: Buffer, open_mask: Callable[[], Awaitable[Mask]]) -> None:
        self._cluster, self._pods, self._buffer = cluster, pods, buffer
        self._open_mask = open_mask
        """Asked before each log: a pod's secrets are in the database before the pod is there."""

    async def tail(self, sources: Sequence[Source], tail: int) -> Places:
        """Put the last lines of all of them together into the buffer; how far each had been read before those."""
        found = await asyncio.gather(*(self._tail_of(source, tail) for source in sources))
        seen = sorted((one for items in found for one in items), key=lambda one: one.item.at)
        lines = [number for number, one in enumerate(seen) if one.item.kind == "LINE"]
        first = 0 if tail > len(lines) else lines[-tail] if tail else len(seen)
        places: Places = {}
        for one in seen[:first]:
            places |= one.source.places_at(one.place)
        for one in reversed(seen[first:]):  # of each container, what was before its first
            places |= one.source.places_at(one.before)
        for one in seen[first:]:
            self._buffer.add(one.item, one.source.places_at(one.place))
        return places

    async def _tail_of(self, source: Source, tail: int) -> list[_Seen]:
        """Of both its runs, if there are two. What can't be read now is left to `follow`."""
        source.tail = tail
        seen: list[_Seen] = []
        container = self._pods.container(source.uid, source.name)
        try:
            for run in container.runs if container else ():
                if source.begun:
                    item = Item("NOTICE", _anew(source, container), _now(source), source.pod, source.name)
                    seen.append(_Seen(item, source, source.place, source.place))
                source.begun = run.id
                mask = await self._open_mask()
                async with aclosing(
                    new_lines(self._cluster, self._pods.namespace, source, run, tail=tail or 1)
                ) as lines:
                    async for at, raw in lines:
                        if at is None or source.place is None:
                            continue
                        item = Item("LINE", mask.shown(raw), at, source.pod, source.name)
                        before = source.place._replace(lines=source.place.lines - 1)
                        seen.append(_Seen(item, source, before, source.place))
                source.done = run.id if run.over else source.done
        except ClusterError as error:
            self._complain(source, error)
        return seen

    async def follow(self, source: Source) -> None:
        """Each line of all its runs, until its pod is gone."""
        while (container := self._pods.container(source.uid, source.name)) is not None:
            unread = source.unread(container.runs)
            if not unread:
                if container.waits:
                    self._buffer.say(source.key, _waits(source, container), source.pod, source.name)
                await self._pods.change()
                continue
            if source.begun not in ("", unread[0].id):
                self._buffer.notice(_anew(source, container), source.pod, source.name)
            source.begun = unread[0].id
            await self._read(source, unread[0].id)
            source.done = source.begun

    async def _read(self, source: Source, run_id: str) -> None:
        """One run to its end, however often the connection breaks, or until Kubernetes doesn't have it any more."""
        pause, known = PAUSE[0], source.place
        while (run := self._run(source, run_id)) is not None:
            try:
                await self._stream(source, run)
            except ClusterError as error:
                if run.over and not isinstance(error, Temporary) and error.status != 403:
                    return  # its log was removed
                if source.place != known:
                    pause = PAUSE[0]  # what breaks off is asked for again: nothing to tell of
                elif error.status is not None or pause > PAUSE[0]:
                    self._complain(source, error)
            else:
                if run.over:
                    return
                pause, run = PAUSE[0], self._run(source, run_id)
                if run is None or run.over:
                    continue  # it may have printed something after what broke
            await self._pods.change(pause)
            pause, known = min(2 * pause, PAUSE[1]), source.place

    def _run(self, source: Source, run_id: str) -> Run | None:
        container = self._pods.container(source.uid, source.name)
        return next((run for run in container.runs if run.id == run_id), None) if container else None

    async def _stream(self, source: Source, run: Run) -> None:
        mask, flood = await self._open_mask(), 0
        async with aclosing(new_lines(self._cluster, self._pods.namespace, source, run)) as lines:
            async for at, raw in lines:
                if at is None:
                    said = f"The node says: {mask.shown(raw)}"
                    self._buffer.say(source.key, said, source.pod, source.name)
                    continue
                self._buffer.unsay(source.key)
                if not self._buffer.full:
                    item = Item("LINE", mask.shown(raw), at, source.pod, source.name)
                    self._buffer.add(item, source.places_at(source.place))
                    continue
                self._buffer.leave_out(source.places_at(source.place))
                flood += len(raw)
                if flood > FLOOD_BYTES:
                    flood = 0
                    await asyncio.sleep(FLOOD_SECONDS)

    def _complain(self, source: Source, error: ClusterError) -> None:
        log.warning("logs.unreadable", pod=source.pod, container=source.name, error=error.message[:300])
        if error.status == 403:
            text = "Storefleet may not read logs in this cluster: its operator has to apply the roles of this version."
        else:
            text = f"The log of the pod {source.pod} can't be read now. Asking again."
        self._buffer.say(source.key, text, source.pod, source.name)


def _now(source: Source) -> int:
    """As late as what was read last, so that it comes just after that."""
    return source.place.at if source.place is not None else time.time_ns()


def _anew(source: Source, container: Container | None) -> str:
    codes = [run.exit_code for run in container.runs if run.id == source.begun] if container else []
    ended = f" (exit code {codes[0]})" if codes and codes[0] is not None else ""
    return f"The container {source.name} of the pod {source.pod} ended{ended} and started anew."


def _waits(source: Source, container: Container) -> str:
    if container.waits != "CrashLoopBackOff":
        return f"The container {source.name} of the pod {source.pod} waits to start: {container.waits}."
    code = container.runs[-1].exit_code if container.runs else None
    return (
        f"The container {source.name} of the pod {source.pod} keeps crashing (exit code {code}). "
        "Kubernetes starts it again in a while."
    )
