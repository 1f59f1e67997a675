"""The state that the API and the controllers share: objects, clock, faults, logs, and the controllers' work queue."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sandbox.simulator.clock import Clock, TimerMode
from sandbox.simulator.faults import Fault, FaultName, Faults, FaultSubject, fault_subject
from sandbox.simulator.kinds import NAMESPACE, Kind, Manifest
from sandbox.simulator.logs import Logs
from sandbox.simulator.objects import Key, ObjectStore
from sandbox.simulator.programs import Programs

MAX_DRAIN_SECONDS = 0.005
"""How long the controllers work before requests are handled again."""


@dataclass(slots=True)
class StageTimer:
    """What an object waits for, and whether the time has passed."""

    name: str
    fired: bool = False


class ClusterState:
    """The state of the cluster. Controllers are level-triggered: `sync_handler` runs for each enqueued object."""

    def __init__(self, objects: ObjectStore, clock: Clock, faults: Faults, programs: Programs) -> None:
        self.objects = objects
        self.clock = clock
        self.faults = faults
        self.programs = programs
        self.logs = Logs(programs)
        self.sync_handler: Callable[[Key], None] = lambda key: None
        self._queue: dict[Key, None] = {}
        self._draining = False
        self._timers: dict[Key, dict[str, StageTimer]] = {}

    def enqueue(self, key: Key) -> None:
        """Add the object to the work queue; a queued object isn't added twice."""
        self._queue[key] = None
        if not self._draining:
            self._draining = True
            asyncio.get_running_loop().call_soon(self._drain_queue)

    def enqueue_all(self, *kinds: Kind) -> None:
        for kind in kinds:
            for key, _ in self.objects.all_of_kind(kind):
                self.enqueue(key)

    def timer_elapsed(
        self, key: Key, stage: str, seconds: float, *, timer: str = "", mode: TimerMode = "delay"
    ) -> bool:
        """Whether the object has been in that stage for that long. If not, it is enqueued when it has.

        Each named timer of an object is in one stage at a time: another stage restarts the timer.
        """
        timers = self._timers.setdefault(key, {})
        current = timers.get(timer)
        if current is None or current.name != stage:
            current = timers[timer] = StageTimer(stage)
            self.clock.call_later(seconds, partial(self._fire, key, timer, current), mode=mode)
        return current.fired

    def requeue_after(self, key: Key, seconds: float) -> None:
        """Enqueue the object again after that many seconds, because a write was refused."""
        if self.timer_elapsed(key, "retry", seconds, timer="retry", mode="retry"):
            self.reset_timers(key, "retry")
            self.timer_elapsed(key, "retry", seconds, timer="retry", mode="retry")

    def _fire(self, key: Key, timer: str, stage: StageTimer) -> None:
        stage.fired = True
        if self._timers.get(key, {}).get(timer) is stage:
            self.enqueue(key)

    def reset_timers(self, key: Key, timer: str | None = None) -> None:
        """Stop that timer of the object, or all its timers."""
        if timer is None:
            self._timers.pop(key, None)
        else:
            self._timers.get(key, {}).pop(timer, None)

    def fault(self, manifest: Manifest, kinds: tuple[str, ...], *names: FaultName) -> Fault | None:
        """The first active fault with one of these names that matches the object."""
        return self.faults.find(self.subject(manifest, *kinds), *names) if self.faults.active else None

    def subject(self, manifest: Manifest, *kinds: str, verbs: tuple[str, ...] = ()) -> FaultSubject:
        """The object as something to match faults with; it inherits the labels of its namespace."""
        subject = fault_subject(manifest, *kinds, verbs=verbs)
        if subject.namespace:
            namespace = self.objects.manifest(NAMESPACE, "", subject.namespace)
            subject.labels = {**fault_subject(namespace or {}).labels, **subject.labels}
        return subject

    def _drain_queue(self) -> None:
        end = time.monotonic() + MAX_DRAIN_SECONDS
        try:
            while self._queue and time.monotonic() < end:
                key = next(iter(self._queue))
                del self._queue[key]
                self.sync_handler(key)
        finally:
            self._draining = bool(self._queue)
            if self._draining:
                asyncio.get_running_loop().call_soon(self._drain_queue)
