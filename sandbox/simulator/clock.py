"""Simulated time: how long things take, and when they are due, at a speed that can be set at any moment."""

import asyncio
import heapq
import math
import time
from collections.abc import Callable
from itertools import count
from typing import Literal

RETRY_FLOOR = 0.05
"""Real seconds between two tries of something that fails: an infinite speed must not mean a busy loop."""

SCHEDULE = 0.3
PULL = 0.8
INIT = 0.3
"""Each init container."""
READY = {"StatefulSet": 2.0, "Deployment": 0.8}
"""From the start of a service's containers until they are ready, by what owns the pod."""
BODY = {"install": 2.0, "proof": 0.6, "rotate": 0.4}
"""What the program of a Job takes, by its component."""
BODY_OTHERWISE = 0.5
JOB_NOTICED = 2.0
"""From the end of a Job's pod to the Job's condition, as seen on a real node."""
CRASH = 0.3
"""How long a container that crashes runs."""
BACK_OFF = (1.0, 8.0)
"""First and longest pause before a crashed container, a failed pull or a failed Job is tried again."""
FAILED_CREATE = 1.0
"""Between two tries to make a pod that may not be made."""
KILL = 0.4
"""From the SIGTERM of a pod until it is gone."""
BIND = 0.2
"""From a claim to its volume, and from a released volume to its removal."""
TERMINATE = 1.5
"""From the deletion of a namespace until its contents go."""
RECOUNT = 0.2
"""Between two counts of a quota's use."""

Pace = Literal["delay", "retry", "deadline"]
"""At infinite speed a delay is nothing, a retry takes RETRY_FLOOR, and a deadline is as long as it says."""


class Clock:
    """Runs callbacks after simulated seconds. `speed` is simulated seconds a second; infinity makes all delays zero."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._origin = (0.0, time.monotonic())
        self._delays: list[tuple[float, int, Callable[[], None]]] = []
        self._deadlines: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()
        self._timer: asyncio.Handle | None = None

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._origin = (self.now(), time.monotonic())
        self._speed = speed
        self._arm()

    def now(self) -> float:
        """Simulated seconds since the start; at infinite speed they pass as real ones do."""
        simulated, real = self._origin
        return simulated + (time.monotonic() - real) * self._rate()

    def call_later(self, seconds: float, callback: Callable[[], None], pace: Pace = "delay") -> None:
        """Call back after that many simulated seconds; with what `pace` says of high speeds."""
        endless = math.isinf(self._speed)
        if pace == "retry":
            seconds = RETRY_FLOOR if endless else max(seconds, RETRY_FLOOR * self._speed)
        queue = self._deadlines if pace == "deadline" or (pace == "retry" and endless) else self._delays
        heapq.heappush(queue, (self.now() + seconds, next(self._number), callback))
        self._arm()

    def stop(self) -> None:
        """Call nothing back any more."""
        self._delays.clear()
        self._deadlines.clear()
        self._arm()

    def _rate(self) -> float:
        return 1.0 if math.isinf(self._speed) else self._speed

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waits = [(queue[0][0] - self.now()) / rate for queue, rate in self._queues() if queue]
        if waits:
            delay, loop = min(waits), asyncio.get_running_loop()
            self._timer = loop.call_later(delay, self._fire) if delay > 0 else loop.call_soon(self._fire)

    def _queues(self) -> list[tuple[list[tuple[float, int, Callable[[], None]]], float]]:
        """Both queues with the speed each is worked off at."""
        return [(self._delays, self._speed), (self._deadlines, self._rate())]

    def _fire(self) -> None:
        self._timer = None
        now, ready = self.now(), []
        for queue, rate in self._queues():
            while queue and (math.isinf(rate) or queue[0][0] <= now):
                ready.append(heapq.heappop(queue)[2])
        for callback in ready:
            callback()
        self._arm()
