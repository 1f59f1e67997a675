"""What hostile clients cost: the latency of a normal client beside each attack, and what the API spends on a refusal.

Part of `make bench`. An attack is a process of its own: `python -m bench.attacks NAME URL` attacks until it is ended.
"""

import asyncio
import itertools
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from graphql import get_introspection_query

from bench.system import ROOT, TOKEN_PREFIX, System, memory_mib, percentile
from bench.tables import row, table
from cli.client import Access, Client
from runtime.budgets import Balance
from schema.build import schema

SECONDS = 10.0
"""How long the normal client is measured beside each attack."""
HOSTILE_REQUESTS = 2000
SIGN_INS = 40
VIEWER = "{ viewer { user { email } accounts { name } } }"
LEVELS = 17
BOMB = "{ ...F0 } " + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(LEVELS))
DOCUMENTS = {
    "fragments that double, 17 levels": BOMB + f" fragment F{LEVELS} on Query {{ __typename }}",
    "280 equal fields": "{" + " __typename" * 280 + "}",
    "200 aliases": "{" + " ".join(f"a{n}: viewer {{ user {{ id }} }}" for n in range(200)) + "}",
    "introspection, nested in lists": "{ __schema { types { fields { type { fields { name } } } } } }",
    "the standard introspection": get_introspection_query(),
}


async def _post_documents(url: str, session: aiohttp.ClientSession, query: str) -> None:
    for number in itertools.count():
        async with session.post(f"{url}/graphql", json={"query": f"{query} # {number}"}) as response:
            await response.read()


async def _fragments(url: str, session: aiohttp.ClientSession) -> None:
    await _post_documents(url, session, DOCUMENTS["fragments that double, 17 levels"])


async def _equal_fields(url: str, session: aiohttp.ClientSession) -> None:
    await _post_documents(url, session, DOCUMENTS["280 equal fields"])


async def _introspection(url: str, session: aiohttp.ClientSession) -> None:
    await _post_documents(url, session, get_introspection_query())


async def _pings(url: str, session: aiohttp.ClientSession) -> None:
    while True:
        with suppress(ConnectionError, aiohttp.ClientError):
            async with _socket(url, session) as socket:
                await socket.send_json({"type": "connection_init"})
                for _ in range(20_000):
                    await socket.send_str('{"type":"ping"}')


async def _unread_answers(url: str, session: aiohttp.ClientSession) -> None:
    while True:
        with suppress(ConnectionError, aiohttp.ClientError):
            async with _socket(url, session) as socket:
                await socket.send_json({"type": "connection_init"})
                for number in range(200):
                    payload = {"query": get_introspection_query()}
                    await socket.send_json({"id": str(number), "type": "subscribe", "payload": payload})
                await asyncio.sleep(SECONDS)


async def _huge_headers(url: str, _session: aiohttp.ClientSession) -> None:
    address = urlsplit(url)
    while True:
        with suppress(ConnectionError, aiohttp.ClientError):
            _, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
            for _ in range(1000):
                writer.write(b"X-Padding: " + b"x" * 42_000 + b"\r\n")
                await writer.drain()


async def _sign_ins(url: str, session: aiohttp.ClientSession) -> None:
    async def sign_in(number: int) -> None:
        body = {"email": f"{number}@x.example", "password": "wrong password"}
        headers = {"X-Forwarded-For": f"203.0.{number // 250 % 250}.{number % 250}"}
        async with session.post(f"{url}/auth/sign-in", json=body, headers=headers) as response:
            await response.read()

    for start in itertools.count(step=SIGN_INS):
        await asyncio.gather(*(sign_in(start + number) for number in range(SIGN_INS)))


Attack = Callable[[str, aiohttp.ClientSession], Awaitable[None]]
ATTACKS: dict[str, Attack] = {
    "fragments that double": _fragments,
    "equal fields": _equal_fields,
    "introspection with changing text": _introspection,
    "20,000 pings on a WebSocket": _pings,
    "200 answers that nobody reads": _unread_answers,
    "headers of 42 MB": _huge_headers,
    f"{SIGN_INS} sign-ins at once": _sign_ins,
}


def _socket(url: str, session: aiohttp.ClientSession) -> Any:
    return session.ws_connect(f"{url}/graphql".replace("http", "ws", 1), protocols=("graphql-transport-ws",))


@contextmanager
def _attacking(name: str, url: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "bench.attacks", name, url], cwd=ROOT)
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def _latencies(instance: System) -> str:
    """p50 / p99 of a normal client that reads, one request after the other."""
    async with aiohttp.ClientSession() as session:
        client, took = Client(session, Access(instance.url, f"{TOKEN_PREFIX}0")), []
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            started = time.perf_counter()
            await client.execute(VIEWER)
            took.append((time.perf_counter() - started) * 1000)
            await asyncio.sleep(0.01)
    return f"{percentile(took, 0.5):.0f} / {percentile(took, 0.99):.0f} ms"


async def _hostile_requests(instance: System) -> None:
    """HOSTILE_REQUESTS documents, each other text, of all kinds; ten of each address, within its budget."""
    async with aiohttp.ClientSession() as session:
        for number, query in zip(range(HOSTILE_REQUESTS), itertools.cycle(DOCUMENTS.values()), strict=False):
            address, body = {"X-Forwarded-For": f"203.0.113.{number // 10}"}, {"query": f"{query} # {number}"}
            async with session.post(f"{instance.url}/graphql", json=body, headers=address) as response:
                await response.read()


async def _refusal(query: str) -> tuple[str, str]:
    """The answer to a document, and the milliseconds of the event loop that it takes (the median of five)."""
    context: Any = SimpleNamespace(
        actor=None,
        points_per_request=1000,
        shows_schema=True,
        only_trusted=None,
        charge=lambda _: Balance("address", 1, 1),
    )
    took = []
    for number in range(5):
        started = time.process_time()
        result: Any = await schema.execute(f"{query} # {number}", context_value=context)
        took.append((time.process_time() - started) * 1000)
    answer = result.errors[0].extensions["code"] if result.errors else "answered"
    return answer, f"{percentile(took, 0.5):.0f} ms"


def measure(instance: System) -> None:
    """Print the tables. `up` has at least one account."""
    table("document", "answer", "event loop")
    for name, query in DOCUMENTS.items():
        row(name, *asyncio.run(_refusal(query)))
    before = memory_mib(instance.api)
    asyncio.run(_hostile_requests(instance))
    table("memory of the API (USS)", "figure")
    row(f"growth over {HOSTILE_REQUESTS} hostile requests", f"{memory_mib(instance.api) - before:.1f} MiB")
    table("a normal client beside", "p50 / p99")
    row("nobody", asyncio.run(_latencies(instance)))
    for name in ATTACKS:
        with _attacking(name, instance.url):
            row(name, asyncio.run(_latencies(instance)))


async def attack(name: str, url: str) -> None:
    """Attack until the process is ended."""
    async with aiohttp.ClientSession() as session:
        await ATTACKS[name](url, session)


if __name__ == "__main__":
    asyncio.run(attack(*sys.argv[1:]))
