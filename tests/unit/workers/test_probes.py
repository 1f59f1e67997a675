"""A worker's probes: ready while its loops succeed, hung when one of them ends no round."""

import pytest

from workers.probes import HUNG_SECONDS, READY_SECONDS, START, Probes


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_worker_that_waits_is_alive_and_not_ready(clock: Clock) -> None:
    probes = Probes(clock)
    assert (probes.not_ready(), probes.hung()) == ("the worker starts", None)
    probes.problem = "no schema"
    assert probes.not_ready() == "no schema"
    clock.now += HUNG_SECONDS + 1
    assert probes.hung() == "start has hung for 121 s"
    probes.beat(START)
    assert probes.hung() is None


def test_every_loop_must_succeed_lately(clock: Clock) -> None:
    probes = Probes(clock)
    probes.started("work_loop", "informer")
    probes.beat("work_loop")
    assert probes.not_ready() == "informer hasn't succeeded yet"
    probes.beat("informer")
    assert (probes.not_ready(), probes.hung()) == (None, None)
    clock.now += READY_SECONDS + 1
    probes.beat("informer")
    probes.beat("work_loop", succeeded=False)  # as without a database
    assert (probes.not_ready(), probes.hung()) == ("work_loop succeeded last 31 s ago", None)
    clock.now += HUNG_SECONDS
    probes.beat("informer")
    assert probes.hung() is None
    clock.now += 1
    assert probes.hung() == "work_loop has hung for 121 s"


def test_other_tasks_dont_count(clock: Clock) -> None:
    probes = Probes(clock)
    probes.started("work_loop")
    probes.beat("maintenance", succeeded=False)
    probes.beat("work_loop")
    assert probes.not_ready() is None
