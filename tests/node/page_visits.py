"""Visitors and writers of a shop in the network of its containers: many requests, some at the same time."""

import ctypes
import fcntl
import http.client
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from tests.node.containers import Container
from tests.node.shops import HOST, PHP_SCRIPTS, WEB, Shop
from tests.node.wordpress import TOKEN, php

CLONE_NEWNET = 0x40000000
PORT = "8080"
CLIENTS = 4
GENERATION = ".page-generation"
CONFIGURATION = "/opt/storefleet/server/httpd.conf"
MU_PLUGINS = "/var/www/html/wp-content/mu-plugins"
MOUNTS = {f"{MU_PLUGINS}/{name}": PHP_SCRIPTS / name for name in ("page-writer.php", "page-troubles.php")}
PAGE = (
    "wp_insert_post(['post_type' => 'page', 'post_status' => 'publish', 'post_name' => 'told', 'post_title' => 'Told'])"
)
UNCACHED = {"Cookie": "plugin=1"}
"""A cookie that the cache doesn't know: WordPress makes the page."""


def enter_network(network: Path) -> None:
    """Moves the calling thread into a container's network namespace; the process' other threads stay."""
    with network.open() as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str
    cookies: str = ""
    """Those that it sets, as the next request sends them."""

    @property
    def cached(self) -> bool:
        return "hit" in self.headers.get("Cache-Status", "")


def send(path: str, method: str = "GET", port: str = PORT, body: str | bytes | None = None, **headers: str) -> Answer:
    """A request from the current network. Status 0: the server closed the connection without an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
    try:
        connection.request(method, path, body, {"Host": HOST} | headers)
        answer = connection.getresponse()
        cookies = "; ".join(each.partition(";")[0] for each in answer.headers.get_all("Set-Cookie", []))
        return Answer(answer.status, dict(answer.getheaders()), answer.read().decode(errors="replace"), cookies)
    except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
        return Answer(0, {}, "")
    finally:
        connection.close()


@dataclass
class Field:
    """Something that a page shows: the values that were written, in order, and what visitors saw."""

    name: str
    path: str
    pattern: str
    written: int = 0
    """The latest value whose write was answered."""
    tried: int = 0
    seen: int = 0
    """The latest value that a visitor saw."""
    ports: Iterator[str] = field(default_factory=lambda: cycle([PORT]))
    """Of the web servers, which get the requests in turns."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, how: str) -> None:
        """By one writer at a time."""
        self.tried += 1
        if self.send(how):
            self.written = self.tried

    def send(self, how: str) -> bool:
        """Returns whether the write was answered."""
        order = json.dumps({"field": self.name, "value": self.tried, "how": how})
        answer = send("/", "POST", next(self.ports), **{"X-Test-Write": order})
        if how.startswith("killed"):
            assert answer.status == 0, answer
            return False
        assert (answer.status, answer.text) == (200, "written"), answer
        return True

    def value(self, text: str) -> int:
        """What the page shows."""
        found = re.search(self.pattern, text)
        return int(found[1]) if found else 0

    def visit(self, **headers: str) -> Answer:
        """The page shows no value older than those that were written or seen before the request."""
        with self.lock:
            oldest = max(self.written, self.seen)
        answer = send(self.path, port=next(self.ports), **headers)
        assert answer.status == 200, answer
        value = self.value(answer.text)
        assert oldest <= value <= self.tried, (self.name, oldest, value, self.tried, answer.headers, time.time())
        with self.lock:
            self.seen = max(self.seen, value)
        return answer


@dataclass
class Sale(Field):
    """A price that falls twice for each write: to the new regular price, and two seconds later to that of the sale."""

    def write(self, how: str) -> None:
        self.tried += 2
        if self.send(how):
            self.written = self.tried - 1
        time.sleep(2)
        if not how.startswith("killed"):
            self.written = self.tried
        self.visit()  # so that nobody still changes the price at the next write

    def value(self, text: str) -> int:
        return 500 - int(prices(text)[-1])


SHOWN = re.compile(r'<del.*?</ins>|<span class="woocommerce-Price-amount.*?</span>', re.DOTALL)
PRICE = re.compile(r'<span class="woocommerce-Price-amount amount"><bdi>(\d+),00')


def prices(text: str) -> list[str]:
    """The price of the page's own product: the one that is struck, and the one to pay."""
    found = SHOWN.search(text.split("<main", 1)[1])
    return PRICE.findall(found[0]) if found else []


@pytest.fixture
def server(shop: Shop) -> Container:
    server = shop.serve(TOKEN, MOUNTS)
    assert php(server, PAGE) > 0
    return server


@pytest.fixture
def second_server(shop: Shop, server: Container, visitors: ThreadPoolExecutor, tmp_path: Path) -> str:
    """A second web server of the shop, with its own pages, as a second pod has. Returns its port."""
    settings, port = tmp_path / "httpd.conf", "8090"
    first = (shop.image.root / CONFIGURATION.lstrip("/")).read_text()
    settings.write_text(first.replace("Listen 8080", f"Listen {port}").replace("Listen 8081\n", ""))
    second = shop.start(WEB, TOKEN, {**MOUNTS, CONFIGURATION: settings})
    deadline = time.monotonic() + 20
    while not visitors.submit(answers, port).result():
        assert time.monotonic() < deadline, second.log
        time.sleep(0.05)
    return port


def answers(port: str) -> bool:
    try:
        return send("/readyz", port=port).status == 200
    except ConnectionRefusedError:
        return False


@pytest.fixture
def visitors(server: Container) -> Iterator[ThreadPoolExecutor]:
    """Threads in the server's network."""
    with ThreadPoolExecutor(CLIENTS, initializer=enter_network, initargs=(server.network,)) as pool:
        yield pool


Visit = Callable[..., Answer]


@pytest.fixture
def visit(visitors: ThreadPoolExecutor) -> Visit:
    return lambda *args, **headers: visitors.submit(send, *args, **headers).result()


def warm(visit: Visit, path: str, **given: Any) -> Answer:
    """A later visit: the first ones of a shop write derived data, and each write ends the generation."""
    for _ in range(4):
        answer = visit(path, **given)
    return answer


def generation(shop: Shop) -> str:
    """Dashes while it is closed."""
    return (shop.uploads / GENERATION).read_text()[:16]


def age(shop: Shop) -> None:
    """It was found a minute ago that a writer had been killed."""
    with (shop.uploads / GENERATION).open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        state, writers, until, since = file.read().split()
        file.seek(0)
        file.write(f"{state} {writers} {max(0, int(until) - 60):010} {since}")
