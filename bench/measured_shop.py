"""A WooCommerce shop in containers, each with half a CPU, and visits of it (root)."""

import json
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from bench.shopper_load import CART_COOKIE, SKU
from tests.node.containers import Container, Containers, unpack
from tests.node.databases import start_database
from tests.node.page_visits import Answer, enter_network, send
from tests.node.shoppers import API
from tests.node.shops import INSTALL, Mounts, Shop, shop_factory
from tests.node.wordpress import admin

GROUPS = Path("/sys/fs/cgroup")
CPU_PERIOD, CPU_QUOTA = 100_000, 50_000
PAGES = {
    "home page": "/",
    "product": f"/product/{SKU}/",
    "cart": "/cart/",
    "checkout": "/checkout/",
    "Store API: cart": f"{API}/cart",
    "Store API: products": f"{API}/products",
    "dashboard": "/wp-admin/",
    "orders": "/wp-admin/admin.php?page=wc-orders",
    "products": "/wp-admin/edit.php?post_type=product",
    "new product": "/wp-admin/post-new.php?post_type=product",
    "settings": "/wp-admin/admin.php?page=wc-settings",
}
"""The first six as a shopper with a cart, the others as the owner."""


@dataclass
class Measured:
    """A running shop, and what was measured."""

    shop: Shop
    web: Container
    pool: ThreadPoolExecutor
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    """By page."""
    took: dict[str, list[tuple[float, float, float]]] = field(default_factory=dict)
    """By page: milliseconds to the first byte, of CPU of the web server, and of CPU of the database."""

    def send(self, path: str, method: str = "GET", **given: Any) -> Answer:
        return self.pool.submit(partial(send, path, method, **given)).result()

    def visit(self, name: str) -> None:
        """Measures a visit."""
        web, database = cpu(self.web), cpu(self.shop.database.container)
        answer, seconds = self.pool.submit(timed, PAGES[name], self.headers[name]).result()
        assert answer.status == 200, (name, answer.status, dict(answer.headers))
        spent = cpu(self.web) - web, cpu(self.shop.database.container) - database
        self.took.setdefault(name, []).append((seconds * 1000, spent[0] * 1000, spent[1] * 1000))

    def log_in(self) -> None:
        """Sets the headers of all pages: a shopper with something in the cart, and the owner."""
        token = self.send(f"{API}/cart").headers["Cart-Token"]
        [product] = json.loads(self.send(f"{API}/products").text)
        cart = {"Cart-Token": token, "Content-Type": "application/json"}
        body = json.dumps({"id": product["id"], "quantity": 1})
        assert self.send(f"{API}/cart/add-item", "POST", body=body, **cart).status == 201
        added = self.send(f"/?add-to-cart={product['id']}")
        cookies = "; ".join(part.partition(";")[0] for part in added.headers["Set-Cookie"].split(", ") if "=" in part)
        owner = {name.replace("_", "-"): value for name, value in admin(self.web).items()}
        for number, name in enumerate(PAGES):
            shopper = cart if PAGES[name].startswith(API) else {"Cookie": f"{cookies}; {CART_COOKIE['Cookie']}"}
            self.headers[name] = shopper if number < 6 else owner


def timed(path: str, headers: Mapping[str, str]) -> tuple[Answer, float]:
    started = time.perf_counter()
    answer = send(path, **headers)
    return answer, time.perf_counter() - started


def cpu(container: Container) -> float:
    """Seconds that the container has used."""
    for path, unit in (("cpuacct/{}/cpuacct.usage", 1e9), ("{}/cpu.stat", 1e6)):
        file = GROUPS / path.format(container.name)
        if file.exists():
            return int(re.findall(r"\d+", file.read_text())[0]) / unit
    raise LookupError(container.name)


def memory(container: Container) -> float:
    """MiB of its processes (proportional set size: shared pages count once)."""
    first = psutil.Process(container.pid)
    return float(sum(process.memory_full_info().pss for process in [first, *first.children(recursive=True)])) / 2**20


def limit_cpu(container: Container) -> None:
    """Half a CPU, as the web pods of the small plan have."""
    assert container.pid
    old = GROUPS / "cpu" / container.name
    if old.exists():
        (old / "cpu.cfs_period_us").write_text(str(CPU_PERIOD))
        (old / "cpu.cfs_quota_us").write_text(str(CPU_QUOTA))
    else:
        (GROUPS / container.name / "cpu.max").write_text(f"{CPU_QUOTA} {CPU_PERIOD}")


@contextmanager
def running_shop(folder: Path, archives: Sequence[Path], mounts: Mounts | None = None) -> Iterator[Measured]:
    """An installed shop with its web server. `archives`: of the images of the database and of WooCommerce."""
    folder.mkdir()
    images = []
    for name, archive in zip(("mariadb", "woocommerce"), archives, strict=True):
        for part in ("layout", "root"):
            (folder / f"{name}-{part}").mkdir()
        images.append(unpack(archive, folder / f"{name}-layout", folder / f"{name}-root"))
    containers, data = Containers(folder / f"containers-{folder.name}"), folder / "data"
    data.mkdir()
    os.chown(data, 10001, 10001)
    folder.chmod(0o755)
    try:
        database = start_database(containers, images[0], data).wait()
        limit_cpu(database.container)
        shop = shop_factory(images[1], containers, database, folder)()
        shop.install(INSTALL, mounts=mounts)
        web = shop.serve(mounts=mounts)
        limit_cpu(web)
        with ThreadPoolExecutor(1, initializer=enter_network, initargs=(web.network,)) as pool:
            measured = Measured(shop, web, pool)
            measured.log_in()
            yield measured
    finally:
        containers.stop()
