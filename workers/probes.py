"""What a worker's liveness and readiness probes answer: fed by its loops, read by the monitoring port.

/readyz: the worker has started, and each loop succeeded lately; so a rollout of a worker that doesn't work stops.
/healthz: no loop hangs. A database that doesn't answer makes a worker unready, and doesn't restart it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

READY_SECONDS = 30.0
"""How old the last success of a loop may be. Loops succeed every 2 s."""
HUNG_SECONDS = 120.0
"""How old the last round of a loop may be. All that a round waits for has a timeout of at most 40 s."""

START = "start"
"""The loop that waits for the admission policy and the schema."""


@dataclass
class _Loop:
    round_at: float
    """When its last round ended, in seconds of the clock."""
    success_at: float | None = None


class Probes:
    """When the loops of a worker ended their last round, and when one succeeded. Any thread may read it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._loops = {START: _Loop(clock())}
        self.problem: str | None = None
        """What the worker waits for before it starts."""

    def started(self, *loops: str) -> None:
        """From now on, these loops count."""
        self._loops = {name: _Loop(self._clock()) for name in loops}
        self.problem = None

    def beat(self, name: str, *, succeeded: bool = True) -> None:
        """A round of the loop has ended. Loops that don't count are ignored."""
        if loop := self._loops.get(name):
            loop.round_at = self._clock()
            if succeeded:
                loop.success_at = loop.round_at

    def not_ready(self) -> str | None:
        """Why the worker isn't ready, or None."""
        if START in self._loops:
            return self.problem or "the worker starts"
        for name, loop in self._loops.items():
            if loop.success_at is None:
                return f"{name} hasn't succeeded yet"
            if (age := self._clock() - loop.success_at) > READY_SECONDS:
                return f"{name} succeeded last {age:.0f} s ago"
        return None

    def hung(self) -> str | None:
        """Which loop hangs, or None."""
        for name, loop in self._loops.items():
            if (age := self._clock() - loop.round_at) > HUNG_SECONDS:
                return f"{name} has hung for {age:.0f} s"
        return None
