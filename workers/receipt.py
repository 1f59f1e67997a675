"""The receipt of a proof, as its pod writes it. Pure."""

import json
from typing import Any


def parse_receipt(message: str) -> dict[str, Any] | None:
    """`{simulated, totalMs, steps: [{name, ms}]}` from a proof pod's termination message; None if malformed."""
    try:
        content = json.loads(message)
        return {
            "simulated": content["simulated"] is not False,  # if in doubt, the purchase was simulated
            "totalMs": _milliseconds(content["totalMs"]),
            "steps": [_receipt_step(item) for item in content["steps"]],
        }
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _receipt_step(content: Any) -> dict[str, Any]:
    """Raises ValueError for a name that the database or a screen can't take."""
    name = str(content["name"])
    if not name.isprintable():
        raise ValueError
    return {"name": name, "ms": _milliseconds(content["ms"])}


def _milliseconds(content: Any) -> int:
    """Raises ValueError for a number outside GraphQL's Int."""
    number = int(content)
    if not 0 <= number < 2**31:
        raise ValueError
    return number
