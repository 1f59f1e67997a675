"""Kubernetes quantities, as the simulator and the real node's provisioner read them."""

from decimal import Decimal

import pytest

from sandbox.simulator.errors import ApiError
from sandbox.simulator.quantities import parse_quantity


@pytest.mark.parametrize(
    ("quantity", "value"),
    [("1Gi", 2**30), ("1.5Mi", 3 * 2**19), ("2G", 2 * 10**9), ("17", 17), ("500m", Decimal("0.5")), (2, 2)],
)
def test_a_quantity_is_a_number_with_a_unit(quantity: str | int, value: int | Decimal) -> None:
    assert parse_quantity(quantity) == value


@pytest.mark.parametrize("quantity", ["", "Gi", "1 Gi", "1Xi", "one"])
def test_other_text_is_refused(quantity: str) -> None:
    with pytest.raises(ApiError, match="quantities must match"):
        parse_quantity(quantity)
