"""The synthetic shopper: buys something over HTTP as anybody would, checks it, and removes it again."""

import http.client
import json
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shop.serve import PROOF_HEADER

RECEIPT = Path("/dev/termination-log")


class Failed(Exception):
    """One line that names the step; it is shown to the owner."""


def prove() -> None:
    """Leaves the receipt. Raises Failed."""
    steps: list[dict[str, Any]] = []
    page = _step(steps, "page", "GET", "/")
    if "<h1>" not in page:
        raise Failed("the step page failed: it isn't the shop's")
    order = _step(steps, "order", "POST", "/orders", {"sku": "olive", "email": "proof@example.com"})
    path = f"/orders/{json.loads(order)['key']}"
    _step(steps, "check", "GET", path)
    _step(steps, "clean", "DELETE", path)
    receipt = {"simulated": False, "totalMs": sum(step["ms"] for step in steps), "steps": steps}
    RECEIPT.write_text(json.dumps(receipt))


def _step(steps: list[dict[str, Any]], name: str, method: str, path: str, body: Any = None) -> str:
    """What the shop answers."""
    began = time.monotonic()
    headers = {"Host": urlsplit(os.environ["STORE_URL"]).netloc, PROOF_HEADER: os.environ["PROOF_TOKEN"]}
    content = json.dumps(body).encode() if body is not None else None
    connection = http.client.HTTPConnection(urlsplit(os.environ["STORE_SERVICE"]).netloc, timeout=10)
    try:
        connection.request(method, path, content, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Failed(f"the step {name} failed: {error}") from None
    finally:
        connection.close()
    if answer.status >= 400:
        raise Failed(f"the step {name} failed: the shop answered {answer.status}")
    steps.append({"name": name, "ms": round((time.monotonic() - began) * 1000)})
    print(json.dumps(steps[-1]))
    return text
