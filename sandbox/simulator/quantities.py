"""Kubernetes quantities: `500m`, `1Gi`, `2`."""

import re
from decimal import Decimal
from functools import cache

from sandbox.simulator.errors import bad_request

QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?")
FACTORS = {
    "m": Decimal("0.001"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTP", 1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTP", 1)},
}


def parse_quantity(text: str | int | float) -> Decimal:
    """The value of a quantity. Raises ApiError 400 for a malformed quantity."""
    return _parse(str(text))


@cache
def _parse(text: str) -> Decimal:
    found = QUANTITY.fullmatch(text)
    if found is None:
        raise bad_request(f"quantities must match the regular expression: {text!r}")
    return Decimal(found[1]) * FACTORS.get(found[2], Decimal(1))


def format_quantity(value: Decimal) -> str:
    """As in the status of a quota: an integer, or thousandths with the suffix m."""
    return str(int(value)) if value == int(value) else f"{int(value * 1000)}m"
