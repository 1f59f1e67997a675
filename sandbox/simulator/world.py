"""What the API and the controllers share: the objects, the clock, the faults, and the queue of what to look at next."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sandbox.simulator.clock import Clock, Pace
from sandbox.simulator.faults import Fault, Faults, Name, Subject, subject_of
from sandbox.simulator.kinds import NAMESPACE, Kind, Manifest
from sandbox.simulator.logs import Logs
from sandbox.simulator.objects import Key, Objects

TURN = 0.005
"""Seconds the controllers work before the requests have their turn."""


@dataclass(slots=True)
class Stage:
    """What an object waits for, and whether the time is over."""

    name: str
    over: bool = False


class World:
    """Everything there is. Controllers are level-triggered: `look` is called for an object soon after each wake."""

    def __init__(self, objects: Objects, clock: Clock, faults: Faults) -> None:
        self.objects = objects
        self.clock = clock
        self.faults = faults
        self.logs = Logs()
        self.look: Callable[[Key], None] = lambda key: None
        self._waking: dict[Key, None] = {}
        self._running = False
        self._stages: dict[Key, dict[str, Stage]] = {}

    def wake(self, key: Key) -> None:
        """Have that object looked at soon; again before that is no more."""
        self._waking[key] = None
        if not self._running:
            self._running = True
            asyncio.get_running_loop().call_soon(self._run)

    def wake_all(self, *kinds: Kind) -> None:
        for kind in kinds:
            for key, _ in self.objects.everywhere(kind):
                self.wake(key)

    def wait(self, key: Key, stage: str, seconds: float, *, topic: str = "", pace: Pace = "delay") -> bool:
        """Whether the object has been in that stage for so long; if not, it is woken when it has.

        In each topic an object is in one stage at a time: naming another begins anew.
        """
        stages = self._stages.setdefault(key, {})
        current = stages.get(topic)
        if current is None or current.name != stage:
            current = stages[topic] = Stage(stage)
            self.clock.call_later(seconds, partial(self._end, key, topic, current), pace=pace)
        return current.over

    def retry(self, key: Key, seconds: float) -> None:
        """Have the object looked at again after a while, because something could not be done."""
        if self.wait(key, "retry", seconds, topic="retry", pace="retry"):
            self.forget(key, "retry")
            self.wait(key, "retry", seconds, topic="retry", pace="retry")

    def _end(self, key: Key, topic: str, stage: Stage) -> None:
        stage.over = True
        if self._stages.get(key, {}).get(topic) is stage:
            self.wake(key)

    def forget(self, key: Key, topic: str | None = None) -> None:
        """The object is in no stage any more, in that topic or all."""
        if topic is None:
            self._stages.pop(key, None)
        else:
            self._stages.get(key, {}).pop(topic, None)

    def fault(self, manifest: Manifest, kinds: tuple[str, ...], *names: Name) -> Fault | None:
        """The first of those faults that an object has."""
        return self.faults.find(self.subject(manifest, *kinds), *names) if self.faults.rows else None

    def subject(self, manifest: Manifest, *kinds: str, verbs: tuple[str, ...] = ()) -> Subject:
        """An object as a fault sees it; without a store's label of its own it has its namespace's."""
        subject = subject_of(manifest, *kinds, verbs=verbs)
        if not subject.store and subject.namespace:
            namespace = self.objects.manifest(NAMESPACE, "", subject.namespace)
            subject.store = subject_of(namespace or {}).store
        return subject

    def _run(self) -> None:
        end = time.monotonic() + TURN
        try:
            while self._waking and time.monotonic() < end:
                key = next(iter(self._waking))
                del self._waking[key]
                self.look(key)
        finally:
            self._running = bool(self._waking)
            if self._running:
                asyncio.get_running_loop().call_soon(self._run)
