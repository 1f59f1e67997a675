"""Plans have quantities that Kubernetes and MySQL can parse, and no plan has less than the one before."""

import re
from dataclasses import fields
from itertools import pairwise

import pytest

from runtime.setting_types import PLAN_NAMES
from sandbox.simulator.quantities import parse_quantity
from stores.plans import DEFAULT_PLAN, PLANS, Plan

QUANTITIES = [field.name for field in fields(Plan) if field.name not in ("name", "database_buffer_pool")]


def test_the_default_is_the_first_and_plans_go_by_their_names() -> None:
    assert next(iter(PLANS)) == DEFAULT_PLAN
    assert [plan.name for plan in PLANS.values()] == list(PLANS)
    assert tuple(PLANS) == PLAN_NAMES


@pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))
def test_quantities_are_kubernetes_own(plan: Plan) -> None:
    for name in QUANTITIES:
        assert re.fullmatch(r"[1-9]\d*m?" if name.endswith("cpu") else r"[1-9]\d*[MG]i", getattr(plan, name)), name


@pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))
def test_the_buffer_pool_leaves_the_database_room(plan: Plan) -> None:
    assert re.fullmatch(r"[1-9]\d*[MG]", plan.database_buffer_pool)
    mysql = parse_quantity(plan.database_buffer_pool + "i")  # MySQL's M is 2**20, too
    assert 0.2 <= mysql / parse_quantity(plan.database_memory) <= 0.5


def test_a_larger_plan_is_nowhere_smaller() -> None:
    """A disk can't shrink; a change to a larger plan must be possible."""
    for small, large in pairwise(PLANS.values()):
        sizes = [(parse_quantity(getattr(small, name)), parse_quantity(getattr(large, name))) for name in QUANTITIES]
        assert all(less < more for less, more in sizes)
