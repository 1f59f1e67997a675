"""One container's log: how far it has been read, and what is new in it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from stores.logs import Places
from workers.cluster.client import Cluster
from workers.logs.lines import SECOND, stamped, whole_lines
from workers.logs.pods import Run


class Place(NamedTuple):
    """All that was printed before `at` is known, and of what was printed just then the first `lines`.

    That way a log can be asked for again, by the second, and no line is lost or read twice.
    """

    at: int
    lines: int
    run: str


@dataclass
class Source:
    """A container of a pod."""

    uid: str
    pod: str
    name: str
    place: Place | None = None
    begun: str = ""
    """The last run of which reading began."""
    done: str = ""
    """The last run that was read to its end."""
    tail: int | None = None
    """Of how many lines reading begins when there is no place yet; None: of all."""

    @classmethod
    def known(cls, uid: str, pod: str, name: str, places: Places | None) -> "Source":
        """As far as it was read before."""
        source = cls(uid, pod, name)
        if found := (places or {}).get(source.key):
            source.place = Place(*found)
            source.begun = source.place.run
        return source

    @property
    def key(self) -> str:
        return f"{self.uid}/{self.name}"

    def places_at(self, place: Place | None) -> Places:
        """The place for who goes on."""
        return {} if place is None else {self.key: list(place)}

    def unread(self, runs: Sequence[Run]) -> Sequence[Run]:
        """Those that were not read to their end, the older first."""
        for number, run in enumerate(runs):
            if run.id == self.done:
                return runs[number + 1 :]
        for number, run in enumerate(runs):
            if run.id == self.begun:
                return runs[number:]
        return runs


async def new_lines(
    cluster: Cluster, namespace: str, source: Source, run: Run, *, tail: int | None = None
) -> AsyncGenerator[tuple[int | None, bytes], None]:
    """Each line after the source's place, which moves on with it: when it was printed, and what it says.

    None in place of the time: the node's own words. A run that isn't over is followed; with `tail`, only its last
    lines are read, wherever the place is. Raises what Cluster.logs raises.
    """
    query = {"container": source.name, "timestamps": "true", **({"previous": "true"} if run.previous else {})}
    known = source.place if tail is None else None
    if tail is not None:
        query["tailLines"] = str(tail)
    elif known is not None:
        query["sinceTime"] = f"{datetime.fromtimestamp(known.at // SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"
    elif source.tail is not None:
        query["tailLines"] = str(source.tail)
    follow = tail is None and not run.over
    left = known.lines if known is not None else 0
    async with aclosing(cluster.logs(namespace, source.pod, query, follow=follow)) as pieces:
        async for line in whole_lines(pieces):
            at, text = stamped(line)
            if at is None:
                yield None, text
                continue
            if known is not None:
                if at < known.at:
                    continue
                if at == known.at and left:
                    left -= 1
                    continue
                known = None
            last = source.place
            source.place = Place(at, 1 + (last.lines if last is not None and last.at == at else 0), run.id)
            yield at, text
