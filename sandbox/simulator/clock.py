"""Simulated time: how long each step takes, and a clock whose speed can be changed at any moment."""

import asyncio
import heapq
import math
import time
from collections.abc import Callable
from itertools import count
from typing import Literal

MIN_RETRY_SECONDS = 0.05
"""Real seconds between two retries: at infinite speed a failing operation must not become a busy loop."""

SCHEDULE_SECONDS = 0.3
PULL_SECONDS = 0.8
INIT_SECONDS = 0.3
"""Each init container."""
READY_SECONDS = {"StatefulSet": 2.0, "Deployment": 0.8}
"""From the start of a pod's containers until the pod is ready, by the kind of the pod's owner."""
JOB_COMPLETION_SECONDS = 2.0
"""From the end of a Job's pod to the Job's condition, as measured on a real node."""
CRASH_SECONDS = 0.3
"""How long a crashing container runs."""
BACKOFF_SECONDS = (1.0, 8.0)
"""First and longest delay before a crashed container, a failed image pull or a failed Job is retried."""
CREATE_RETRY_SECONDS = 1.0
"""Between two attempts to create an object that the API refuses."""
KILL_SECONDS = 0.4
"""From the SIGTERM of a pod until the pod is removed."""
BIND_SECONDS = 0.2
"""From a claim to its bound volume, and from a released volume to its removal."""
NAMESPACE_DELETION_SECONDS = 1.5
"""From the deletion of a namespace until its contents are deleted."""
QUOTA_SYNC_SECONDS = 0.2
"""Between two calculations of a quota's usage."""

TimerMode = Literal["delay", "retry", "deadline"]
"""At infinite speed a delay is 0 s, a retry is MIN_RETRY_SECONDS, and a deadline keeps its length in real seconds."""


class Clock:
    """Runs callbacks after simulated seconds. `speed` is simulated seconds per real second, or infinity."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._epoch = (0.0, time.monotonic())
        self._delays: list[tuple[float, int, Callable[[], None]]] = []
        self._deadlines: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()
        self._timer: asyncio.Handle | None = None

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._epoch = (self.now(), time.monotonic())
        self._speed = speed
        self._set_timer()

    def now(self) -> float:
        """Simulated seconds since the start; at infinite speed they are real seconds."""
        simulated, real = self._epoch
        return simulated + (time.monotonic() - real) * self._effective_speed()

    def call_later(self, seconds: float, callback: Callable[[], None], mode: TimerMode = "delay") -> None:
        """Run the callback after that many simulated seconds; `mode` decides what an infinite speed means."""
        infinite = math.isinf(self._speed)
        if mode == "retry":
            seconds = MIN_RETRY_SECONDS if infinite else max(seconds, MIN_RETRY_SECONDS * self._speed)
        queue = self._deadlines if mode == "deadline" or (mode == "retry" and infinite) else self._delays
        heapq.heappush(queue, (self.now() + seconds, next(self._number), callback))
        self._set_timer()

    def stop(self) -> None:
        """Cancel all callbacks."""
        self._delays.clear()
        self._deadlines.clear()
        self._set_timer()

    def _effective_speed(self) -> float:
        return 1.0 if math.isinf(self._speed) else self._speed

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waits = [(queue[0][0] - self.now()) / rate for queue, rate in self._queues() if queue]
        if waits:
            delay, loop = min(waits), asyncio.get_running_loop()
            self._timer = loop.call_later(delay, self._fire) if delay > 0 else loop.call_soon(self._fire)

    def _queues(self) -> list[tuple[list[tuple[float, int, Callable[[], None]]], float]]:
        """Both queues, each with its speed."""
        return [(self._delays, self._speed), (self._deadlines, self._effective_speed())]

    def _fire(self) -> None:
        self._timer = None
        now, ready = self.now(), []
        for queue, rate in self._queues():
            while queue and (math.isinf(rate) or queue[0][0] <= now):
                ready.append(heapq.heappop(queue)[2])
        for callback in ready:
            callback()
        self._set_timer()
