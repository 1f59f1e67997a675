"""Concurrent visitors of a store: each requests a page without a pause, through the ingress controller."""

import asyncio
import math
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bench.shopper_load import CART_COOKIE, PAGES, PRODUCTS, STATIC_FILE
from bench.store_timings import CreatedStore, StoreOwner
from bench.system import percentile
from bench.tables import report, row, table
from workers.snapshot import component

JSON = dict[str, Any]
LOAD_SECONDS = 10.0
Visits = tuple[int, str, str, dict[str, str]]
"""(clients, name, path, headers)."""
Pages = tuple[tuple[str, str, dict[str, str]], ...]
"""(name, path, headers)."""
LOADED_PAGES: dict[str, Pages] = {
    "WOOCOMMERCE": (
        ("stored page", "/", {}),
        ("page that WordPress makes", "/", CART_COOKIE),
        ("static file", STATIC_FILE, {}),
    ),
    "MEDUSA": (
        ("home page", "/", {}),
        ("product", PAGES["MEDUSA"][1], {}),
        ("Store API: products", PRODUCTS["MEDUSA"], {}),
    ),
}
"""By engine."""
MORE_VISITS: dict[str, list[Visits]] = {
    "WOOCOMMERCE": [(4, "stored shop page", "/shop/", {}), (4, "stored product page", PAGES["WOOCOMMERCE"][1], {})],
    "MEDUSA": [],
}


@dataclass
class PageLoad:
    """Responses with status 200: their rate in a second, and the milliseconds to each first byte. And all others."""

    rate: float
    took: list[float]
    failed: Counter[str]
    """By status, or by name of the error."""


async def load_page(
    session: aiohttp.ClientSession, url: str, path: str, clients: int, seconds: float, more: dict[str, str]
) -> PageLoad:
    """So many clients request a path without a pause. `more`: headers."""
    address, took, failed = urlsplit(url), list[float](), Counter[str]()
    headers = {"Host": address.netloc, "Accept-Encoding": "gzip", **more}
    end = (started := time.monotonic()) + seconds

    async def visit() -> None:
        sent = time.perf_counter()
        try:
            async with session.get(f"http://127.0.0.1:{address.port}{path}", headers=headers) as answer:
                first_byte = (time.perf_counter() - sent) * 1000
                await answer.read()
        except aiohttp.ClientError as error:
            failed[type(error).__name__] += 1
        else:
            if answer.status == 200:
                took.append(first_byte)
            else:
                failed[str(answer.status)] += 1

    async def visitor() -> None:
        while time.monotonic() < end:
            await visit()

    await asyncio.gather(*(visitor() for _ in range(clients)))
    return PageLoad(len(took) / (time.monotonic() - started), took, failed)


async def measure_concurrent_visitors(
    owner: StoreOwner, created: CreatedStore, engine: str, key: dict[str, str]
) -> list[JSON]:
    """LOADED_PAGES for 1 to 64 visitors without a pause. `key`: a header for the Store API."""
    known = len(owner.health_changes(created))
    table("visitors", "what", "responses/s", "first byte p50", "p99, milliseconds", "failed", "changes of health")
    measured = []
    visits: list[Visits] = [(clients, *page) for clients in (1, 4, 16, 64) for page in LOADED_PAGES[engine]]
    visits += MORE_VISITS[engine]
    async with aiohttp.ClientSession() as session:
        for clients, what, path, headers in visits:
            load = await load_page(session, created.url, path, clients, LOAD_SECONDS, {**headers, **key})
            changes = owner.health_changes(created)[known:]
            p50, p99 = (percentile(load.took, share) if load.took else math.nan for share in (0.5, 0.99))
            failed = ", ".join(f"{number}: {why}" for why, number in load.failed.items()) or "none"
            row(str(clients), what, f"{load.rate:.1f}", f"{p50:.1f}", f"{p99:.0f}", failed, "; ".join(changes))
            measured.append(
                {"clients": clients, "what": what, "rate": load.rate, "p50": p50, "p99": p99}
                | {"failed": load.failed, "health": changes}
            )
    items, _ = await owner.watch.cluster.list("Pod", created.namespace)
    for pod in items:
        restarts = sum(container["restartCount"] for container in pod["status"]["containerStatuses"])
        report(f"restarts of {component(pod)}: {restarts}")
    return measured
