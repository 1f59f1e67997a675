"""Visitors and writers of a shop in the network of its containers: many requests, some at the same time."""

import ctypes
import http.client
import json
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from tests.node.shops import HOST

CLONE_NEWNET = 0x40000000
PORT = "8080"
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
        order = json.dumps({"field": self.name, "value": self.tried, "how": how})
        answer = send("/", "POST", next(self.ports), **{"X-Test-Write": order})
        if how.startswith("killed"):
            assert answer.status == 0, answer
        else:
            assert (answer.status, answer.text) == (200, "written"), answer
            self.written = self.tried

    def visit(self, **headers: str) -> Answer:
        """The page shows no value older than those that were written or seen before the request."""
        with self.lock:
            oldest = max(self.written, self.seen)
        answer = send(self.path, port=next(self.ports), **headers)
        assert answer.status == 200, answer
        found = re.search(self.pattern, answer.text)
        value = int(found[1]) if found else 0
        assert oldest <= value <= self.tried, (self.name, oldest, value, self.tried, answer.headers, time.time())
        with self.lock:
            self.seen = max(self.seen, value)
        return answer
