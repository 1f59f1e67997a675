"""The proof: a synthetic shopper that creates an order over HTTP, checks it, and deletes it."""

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
"""Time for the installation to finish. Less than the Job's activeDeadlineSeconds."""
REQUEST_ERRORS = (OSError, http.client.HTTPException, ValueError)


class ProofError(Exception):
    """Its message is one line that names the failed step; it is shown to the owner."""


def prove() -> None:
    """Wait until the shop is ready, buy, and write the receipt. Raises ProofError."""
    _wait_until_ready()
    steps: list[dict[str, Any]] = []
    page = _step(steps, "page", "GET", "/")
    if "<h1>" not in page:
        raise ProofError("the step page failed: it isn't the shop's")
    order = _step(steps, "order", "POST", "/orders", {"sku": "olive", "email": "proof@example.com"})
    path = f"/orders/{json.loads(order)['key']}"
    _step(steps, "check", "GET", path)
    _step(steps, "clean", "DELETE", path)
    receipt = {"simulated": False, "totalMs": sum(step["ms"] for step in steps), "steps": steps}
    RECEIPT.write_text(json.dumps(receipt))


def _wait_until_ready() -> None:
    """Short timeouts: packets to a Service without endpoints may be dropped. Every 20th attempt has a long one."""
    deadline = time.monotonic() + WAIT_SECONDS
    for attempt in itertools.count(1):
        try:
            status, _ = _request("GET", "/readyz", None, 0.3 if attempt % 20 else 5)
            why = f"it answers {status}"
        except REQUEST_ERRORS as error:
            status, why = 0, str(error)
        if status == 200:
            return
        if time.monotonic() > deadline:
            raise ProofError(f"the shop did not open in {WAIT_SECONDS:g} seconds: {why}")
        time.sleep(0.05)


def _step(steps: list[dict[str, Any]], name: str, method: str, path: str, body: Any = None) -> str:
    """Send one request and record its duration. Returns the response's body. Raises ProofError."""
    began = time.monotonic()
    try:
        status, text = _request(method, path, body, 10)
    except REQUEST_ERRORS as error:
        raise ProofError(f"the step {name} failed: {error}") from None
    if status >= 400:
        raise ProofError(f"the step {name} failed: the shop answered {status}")
    steps.append({"name": name, "ms": round((time.monotonic() - began) * 1000)})
    print(json.dumps(steps[-1]))
    return text


def _request(method: str, path: str, body: Any, timeout: float) -> tuple[int, str]:
    """The response's status and body. Raises REQUEST_ERRORS."""
    headers = {"Host": urlsplit(os.environ["STORE_URL"]).netloc, PROOF_HEADER: os.environ["PROOF_TOKEN"]}
    content = json.dumps(body).encode() if body is not None else None
    connection = http.client.HTTPConnection(urlsplit(os.environ["STORE_SERVICE"]).netloc, timeout=timeout)
    try:
        connection.request(method, path, content, headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()
