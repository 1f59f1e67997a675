"""A worker's health: ready while its loops succeed, hung when one of them ends no round."""

import pytest

from workers.health import HUNG_SECONDS, READY_SECONDS, START, Health


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_worker_that_waits_is_alive_and_not_ready(clock: Clock) -> None:
    health = Health(clock)
    assert (health.not_ready(), health.hung()) == ("the worker starts", None)
    health.problem = "no schema"
    assert health.not_ready() == "no schema"
    clock.now += HUNG_SECONDS + 1
    assert health.hung() == "start hangs since 121 s"
    health.beat(START)
    assert health.hung() is None


def test_every_loop_must_succeed_lately(clock: Clock) -> None:
    health = Health(clock)
    health.started("work_loop", "informer")
    health.beat("work_loop")
    assert health.not_ready() == "informer hasn't succeeded yet"
    health.beat("informer")
    assert (health.not_ready(), health.hung()) == (None, None)
    clock.now += READY_SECONDS + 1
    health.beat("informer")
    health.beat("work_loop", succeeded=False)  # as without a database
    assert (health.not_ready(), health.hung()) == ("work_loop succeeded last 31 s ago", None)
    clock.now += HUNG_SECONDS
    health.beat("informer")
    assert health.hung() is None
    clock.now += 1
    assert health.hung() == "work_loop hangs since 121 s"


def test_other_tasks_dont_count(clock: Clock) -> None:
    health = Health(clock)
    health.started("work_loop")
    health.beat("maintenance", succeeded=False)
    health.beat("work_loop")
    assert health.not_ready() is None
