"""The position in one container's log, and the lines after it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from stores.log_protocol import Positions
from workers.cluster.client import Cluster
from workers.logs.lines import NANOSECONDS, parse_timestamp, split_lines
from workers.logs.pods import ContainerRun


class LogPosition(NamedTuple):
    """All lines older than `at` were read, and of the lines printed exactly at `at` the first `lines`.

    Kubernetes' `sinceTime` has a resolution of one second. With a position no line is lost or read twice.
    """

    at: int
    """Nanoseconds since 1970."""
    lines: int
    run: str
    """The id of the ContainerRun that was being read."""


@dataclass
class ContainerLog:
    """The log of one container of a pod, and how far it was read."""

    uid: str
    """The pod's UID."""
    pod: str
    """The pod's name."""
    name: str
    """The container's name."""
    position: LogPosition | None = None
    started_run: str = ""
    """The id of the last run that reading began with."""
    finished_run: str = ""
    """The id of the last run that was read to its end."""
    tail: int | None = None
    """With no position yet: how many of the last lines are read first. None: all lines."""

    @classmethod
    def resume(cls, uid: str, pod: str, name: str, positions: Positions | None) -> "ContainerLog":
        """At the position that `positions` has for this container, if there is one."""
        source = cls(uid, pod, name)
        if found := (positions or {}).get(source.key):
            source.position = LogPosition(*found)
            source.started_run = source.position.run
        return source

    @property
    def key(self) -> str:
        """Identifies the container in Positions."""
        return f"{self.uid}/{self.name}"

    def positions_at(self, position: LogPosition | None) -> Positions:
        """The position in the form in which it is sent to the API process."""
        return {} if position is None else {self.key: list(position)}

    def unread_runs(self, runs: Sequence[ContainerRun]) -> Sequence[ContainerRun]:
        """The runs that were not read to their end, oldest first."""
        for number, run in enumerate(runs):
            if run.id == self.finished_run:
                return runs[number + 1 :]
        for number, run in enumerate(runs):
            if run.id == self.started_run:
                return runs[number:]
        return runs


async def read_new_lines(
    cluster: Cluster, namespace: str, source: ContainerLog, run: ContainerRun, *, tail: int | None = None
) -> AsyncGenerator[tuple[int | None, bytes], None]:
    """Each line after the source's position, as (nanoseconds since 1970, text); the position moves with each line.

    The time is None for messages of the kubelet itself. A run that hasn't terminated is followed. With `tail`, only
    the last lines are read, independent of the position. Raises the errors of Cluster.logs.
    """
    query = {"container": source.name, "timestamps": "true", **({"previous": "true"} if run.previous else {})}
    known = source.position if tail is None else None
    if tail is not None:
        query["tailLines"] = str(tail)
    elif known is not None:
        query["sinceTime"] = f"{datetime.fromtimestamp(known.at // NANOSECONDS, UTC):%Y-%m-%dT%H:%M:%SZ}"
    elif source.tail is not None:
        query["tailLines"] = str(source.tail)
    follow = tail is None and not run.terminated
    skip = known.lines if known is not None else 0
    async with aclosing(cluster.logs(namespace, source.pod, query, follow=follow)) as chunks:
        async for line in split_lines(chunks):
            at, text = parse_timestamp(line)
            if at is None:
                yield None, text
                continue
            if known is not None:
                if at < known.at:
                    continue
                if at == known.at and skip:
                    skip -= 1
                    continue
                known = None
            last = source.position
            source.position = LogPosition(at, 1 + (last.lines if last is not None and last.at == at else 0), run.id)
            yield at, text
