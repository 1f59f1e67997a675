"""`python -m bench.shop_pages --woocommerce-zip FILE`: a WooCommerce shop in containers with half a CPU (root).

For each kind of page: the time to the first byte, and the CPU time of the web server and of the database. With
`--before CLONE`, the shop of an earlier commit's image in turns with this one's. Then a visit pattern is replayed
against the page cache.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from bench.shopper_load import CART_COOKIE, SKU
from bench.system import ROOT
from bench.tables import report, row, table
from sandbox.images import build_images
from tests.node.containers import Container, Containers, unpack
from tests.node.databases import start_database
from tests.node.page_visits import Answer, enter_network, send
from tests.node.shoppers import API, ORDER
from tests.node.shops import HOST, INSTALL, Mounts, Shop, shop_factory
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
VISITS, EDITS, SHOPPERS, BUYERS = 300, 3, 0.1, 0.03
"""Of the replayed pattern: page views, changes of a price, and shares of visitors with a cart and with an order."""
SEED = 19


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


def measure_pages(shops: Mapping[str, Measured], rounds: int) -> None:
    """Visits each page of all shops in turns; the first two visits aren't counted."""
    for number in range(rounds + 2):
        for name in PAGES:
            order = list(shops.values())
            for shop in order if number % 2 else order[::-1]:
                shop.visit(name)
    for shop in shops.values():
        shop.took = {name: took[2:] for name, took in shop.took.items()}
    table("page", *(f"{name}: first byte, CPU of web, of the database" for name in shops))
    for name in PAGES:
        figures = []
        for shop in shops.values():
            first, web, database = (median(values) for values in zip(*shop.took[name], strict=True))
            figures.append(f"{first:.0f}, {web:.0f}, {database:.0f} ms")
        row(name, *figures)
    row(
        "memory of web and of the database",
        *(f"{memory(shop.web):.0f}, {memory(shop.shop.database.container):.0f} MiB" for shop in shops.values()),
    )


def measure_in_browser(shop: Measured, pictures: Path | None) -> None:
    """Pages as a browser loads them: on a desktop, and on a phone with a slow network and a quarter of the CPU."""
    argv = ["nsenter", "-t", str(shop.web.pid), "-n", "--", sys.executable, "-m", "bench.shop_vitals", f"http://{HOST}"]
    argv += ["--pictures", str(pictures)] if pictures else []
    done = subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    table("page", "device", "first byte", "first paint", "largest paint", "blocked", "layout shift", "requests", "kB")
    for found in json.loads(done.stdout):
        times = [f"{found[name]:.0f} ms" for name in ("first_byte", "first_paint", "largest_paint", "blocking")]
        rest = (f"{found['shift']:.3f}", found["requests"], f"{found['kilobytes']:.0f}")
        row(found["page"], found["device"], *times, *rest)


def visit_pattern(chance: random.Random) -> Iterator[list[str]]:
    """The paths of one visitor after another: the home page or a link first, then some more pages."""
    pages = ("/", "/shop/", f"/product/{SKU}/", "/product-category/uncategorized/", "/my-account/")
    while True:
        paths = chance.choices(pages, (4, 3, 6, 1, 0), k=1)
        paths += chance.choices(pages, (3, 4, 6, 1, 0.5), k=min(7, int(chance.expovariate(0.5))))
        yield paths


def replay(shop: Measured) -> None:
    """Replays visits: most of visitors who only look, some with a cart, a few orders, and changes by the owner."""
    chance = random.Random(SEED)
    pattern, seen, views = visit_pattern(chance), Counter[str](), 0
    [product] = json.loads(shop.send(f"{API}/products").text)
    body, kind = json.dumps({"id": product["id"], "quantity": 1}), {"Content-Type": "application/json"}
    edits = {VISITS * number // EDITS for number in range(1, EDITS)}
    while views < VISITS:
        kind_of_visitor = chance.random()
        cart: dict[str, str] = {}
        for number, path in enumerate(paths := next(pattern)):
            answer = shop.send(path, **cart)
            views += 1
            group = "with a cart" if cart else "without a cart"
            seen[group] += 1
            seen[f"{group}, stored"] += answer.cached
            if views in edits:
                price = f"wc_get_product({product['id']})"
                code = f"require 'wp-load.php'; $p = {price}; $p->set_regular_price('{views}'); $p->save();"
                assert shop.web.exec("php", "-r", code).returncode == 0
            if number == len(paths) // 2 and kind_of_visitor < SHOPPERS:
                cart = dict(CART_COOKIE)
        if kind_of_visitor < BUYERS:
            token = {"Cart-Token": shop.send(f"{API}/cart").headers["Cart-Token"], **kind}
            assert shop.send(f"{API}/cart/add-item", "POST", body=body, **token).status == 201
            assert shop.send(f"{API}/checkout", "POST", body=json.dumps(ORDER), **token).status == 200
            seen["orders"] += 1
    stored = seen["without a cart, stored"]
    table("replayed visits", "page views", "from the page cache")
    row("all", views, f"{stored / views:.0%}")
    row("of visitors without a cart", seen["without a cart"], f"{stored / seen['without a cart']:.0%}")
    row(f"orders meanwhile; changes of a price: {len(edits)}", seen["orders"], "")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.shop_pages", description=__doc__)
    parser.add_argument("--woocommerce-zip", type=Path, required=True, help="WooCommerce's plugin as a zip file")
    parser.add_argument("--before", type=Path, help="a clone of an earlier commit")
    parser.add_argument("--pictures", type=Path, help="a folder for pictures of the shop's pages")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    names, files = ("mariadb", "woocommerce"), {"WOOCOMMERCE_ZIP": options.woocommerce_zip.resolve()}
    archives = {"now": list(build_images(names, report, files=files))}
    if options.before:
        archives["before"] = build_images_of(options.before, names, files)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="storefleet-bench-")))
        folder.chmod(0o755)
        shops = {name: stack.enter_context(running_shop(folder / name, made)) for name, made in archives.items()}
        measure_in_browser(shops["now"], options.pictures)
        measure_pages(shops, options.rounds)
        replay(shops["now"])


def build_images_of(clone: Path, names: Sequence[str], files: Mapping[str, Path]) -> list[Path]:
    """Archives of the images of another clone, built by its own code."""
    argv = [sys.executable, "-m", "sandbox.images", *names, "--bases", "debian", "--archives"]
    argv += [word for name, path in files.items() for word in ("--file", f"{name}={path}")]
    done = subprocess.run(argv, cwd=clone, check=True, stdout=subprocess.PIPE, text=True)
    return [Path(line) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    main()
