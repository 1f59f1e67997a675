"""The synthetic shopper: buys something over HTTP as anybody would, checks it, and removes it again."""

import http.client
import itertools
import json
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shop.serve import PROOF_HEADER

RECEIPT = Path("/dev/termination-log")
WAIT_SECONDS = 300.0
"""For the shop to open: what its installation may take. Below the Job's deadline."""


NO_ANSWER = (OSError, http.client.HTTPException, ValueError)


class Failed(Exception):
    """One line that names the step; it is shown to the owner."""


def prove() -> None:
    """Waits until the shop is open, and leaves the receipt. Raises Failed."""
    _wait()
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


def _wait() -> None:
    """Short tries: packets to a Service that leads nowhere yet may be lost. Now and then one with patience."""
    deadline = time.monotonic() + WAIT_SECONDS
    for tries in itertools.count(1):
        try:
            status, _ = _ask("GET", "/readyz", None, 0.3 if tries % 20 else 5)
            why = f"it answers {status}"
        except NO_ANSWER as error:
            status, why = 0, str(error)
        if status == 200:
            return
        if time.monotonic() > deadline:
            raise Failed(f"the shop did not open in {WAIT_SECONDS:g} seconds: {why}")
        time.sleep(0.05)


def _step(steps: list[dict[str, Any]], name: str, method: str, path: str, body: Any = None) -> str:
    """What the shop answers."""
    began = time.monotonic()
    try:
        status, text = _ask(method, path, body, 10)
    except NO_ANSWER as error:
        raise Failed(f"the step {name} failed: {error}") from None
    if status >= 400:
        raise Failed(f"the step {name} failed: the shop answered {status}")
    steps.append({"name": name, "ms": round((time.monotonic() - began) * 1000)})
    print(json.dumps(steps[-1]))
    return text


def _ask(method: str, path: str, body: Any, timeout: float) -> tuple[int, str]:
    """Status and text. Raises NO_ANSWER."""
    headers = {"Host": urlsplit(os.environ["STORE_URL"]).netloc, PROOF_HEADER: os.environ["PROOF_TOKEN"]}
    content = json.dumps(body).encode() if body is not None else None
    connection = http.client.HTTPConnection(urlsplit(os.environ["STORE_SERVICE"]).netloc, timeout=timeout)
    try:
        connection.request(method, path, content, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
