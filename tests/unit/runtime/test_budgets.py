"""Budgets refill evenly, admit while anything is left, and are forgotten when they are full."""

from runtime.budgets import WINDOW_SECONDS, Budget, Budgets

TOKEN = Budget("token:1", 600, shared=True)
ACCOUNT = Budget("account:1", 1200, shared=True)
ADDRESS = Budget("address:203.0.113.1", 60)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_budget_admits_until_it_is_used_up_and_refills_evenly() -> None:
    clock = Clock()
    budgets = Budgets(clock)
    assert (budgets.lowest([TOKEN]).remaining, budgets.lowest([TOKEN]).reset_seconds) == (600, 0)
    budgets.charge([TOKEN], 599)
    assert budgets.lowest([TOKEN]).retry_after is None
    budgets.charge([TOKEN], 11)
    balance = budgets.lowest([TOKEN])
    assert (balance.remaining, balance.retry_after, balance.reset_seconds) == (0, 2, 61)
    clock.now = 1.0
    assert budgets.lowest([TOKEN]).retry_after == 1
    clock.now = 1.1
    assert budgets.lowest([TOKEN]).retry_after is None
    clock.now = 1000.0
    assert budgets.lowest([TOKEN]).remaining == 600


def test_nobody_waits_longer_than_a_window() -> None:
    budgets = Budgets(Clock())
    budgets.charge([ADDRESS], 10**6)
    assert budgets.lowest([ADDRESS]).retry_after == WINDOW_SECONDS + 1


def test_the_budget_that_is_used_up_first_counts() -> None:
    budgets = Budgets(Clock())
    budgets.charge([Budget("token:2", 10**6), ACCOUNT], 1100)
    budgets.charge([TOKEN, ACCOUNT], 90)
    assert (budgets.lowest([TOKEN, ACCOUNT]).kind, budgets.lowest([TOKEN, ACCOUNT]).remaining) == ("account", 10)
    assert [balance.remaining for balance in budgets.balances([TOKEN, ACCOUNT])] == [510, 10]


def test_full_budgets_are_forgotten() -> None:
    clock = Clock()
    budgets = Budgets(clock)
    budgets.charge([ADDRESS], 30)
    clock.now = 29.0
    budgets.forget_full()
    assert len(budgets._counts) == 1
    clock.now = 31.0
    budgets.forget_full()
    assert len(budgets._counts) == 0
