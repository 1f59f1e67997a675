"""`make bench-comparison`: the API beside graphql-yoga and mercurius, on the same Postgres and data, in one run.

`python -m bench.comparison CLONE` also measures the API of another clone.

Each server is one process. The servers of Node.js (bench/node_servers) have resolvers that a program of this kind would
have: SQL through pg, prepared; the token is checked by one statement at each request; createStore runs the statements
of ours. They have no points, limits, error codes or request ids.
"""

import asyncio
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import psutil
import uvloop

from bench.system import TOKEN_PREFIX, System, accounts, listening_pid, listens, system, until
from bench.tables import report, row, table
from sandbox.ports import free_port

FOLDER = Path(__file__).parent / "node_servers"
STORES = 200
ROUNDS = 3
SECONDS = 4
CONNECTIONS = 16
WARM_UP_SECONDS = 2
INSERT_STORES = """
INSERT INTO stores (id, account_id, name, slug, engine, release, plan, admin_email, country, currency, cluster,
                    created_at)
SELECT gen_random_uuid(), id, 'Store ' || n, 'bench-' || n, 'woocommerce', '2026.11', 'small', 'a@x.example',
       'US', 'USD', 'elsewhere', now() - n * interval '1 minute'
FROM accounts, generate_series(1, $1::int) AS n WHERE name = '0'
"""
PAGE = "pageInfo { hasNextPage endCursor }"
TWELVE = "id slug name engine release plan adminEmail country currency status url createdAt"
CREATE = "mutation Create($input: CreateStoreInput!) { createStore(input: $input) { store { id name status url } } }"


@dataclass(frozen=True)
class Operation:
    """What a client sends. The executor alone answers it if `include` is there: such documents aren't compiled."""

    name: str
    query: str
    variables: dict[str, Any]

    def body(self, *, compiled: bool = True) -> str:
        query = self.query if compiled else self.query.replace("name", "name @include(if: true)", 1)
        return json.dumps({"query": query, "variables": self.variables})


OPERATIONS = [
    Operation("viewer", "query Viewer { viewer { user { id email } accounts { id name role } } }", {}),
    *(
        Operation(
            f"stores(first: 50), {count} fields",
            f"query Stores($first: Int!) {{ stores(first: $first) {{ nodes {{ {fields} }} {PAGE} }} }}",
            {"first": 50},
        )
        for count, fields in ((4, "id name status url"), (12, TWELVE))
    ),
    Operation("createStore", CREATE, {"input": {"name": "NAME", "engine": "WOOCOMMERCE", "plan": "SMALL"}}),
]
NAMES = ("Storefleet, executor alone", "Storefleet", "graphql-yoga", "mercurius")


@dataclass
class Server:
    """A server under load."""

    name: str
    url: str
    pid: int
    compiled: bool = True


@contextmanager
def _node_server(name: str, script: str, database_url: str) -> Iterator[Server]:
    port = free_port()
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "NODE_ENV": "production", "PORT": str(port)}
    environment |= {"DATABASE_URL": database_url}
    process = subprocess.Popen(["node", script], cwd=FOLDER, env=environment)
    try:
        until(partial(listens, port))
        yield Server(name, f"http://127.0.0.1:{port}/graphql", process.pid)
    finally:
        process.kill()
        process.wait()


def _load(server: Server, operation: Operation, account: int, seconds: int) -> dict[str, float]:
    """Requests a second, p50 and p99 in milliseconds, and milliseconds of the server's CPU for a request."""
    options = {
        "url": server.url,
        "token": f"{TOKEN_PREFIX}{account}",
        "body": operation.body(compiled=server.compiled),
        "connections": CONNECTIONS,
        "seconds": seconds,
    }
    process = psutil.Process(server.pid)
    before = process.cpu_times()
    done = subprocess.run(
        ["node", "load.js", json.dumps(options)], cwd=FOLDER, check=True, stdout=subprocess.PIPE, text=True
    )
    after = process.cpu_times()
    figures: dict[str, float] = json.loads(done.stdout)
    assert not figures["failed"], (server, operation, figures)
    cpu = after.user + after.system - before.user - before.system
    return {**figures, "cpu": cpu * 1000 / max(1, figures["rate"] * seconds)}


async def _answer(server: Server, operation: Operation) -> Any:
    headers = {"Authorization": f"Bearer {TOKEN_PREFIX}0", "Content-Type": "application/json"}
    body = operation.body(compiled=server.compiled)
    async with aiohttp.request("POST", server.url, data=body, headers=headers) as response:
        return (await response.json())["data"]


def measure(instance: System, before: Path | None) -> None:
    """Print a table for each operation. The servers take turns. `before`: another clone, whose API is measured, too."""
    with ExitStack() as stack:
        api = f"{instance.url}/graphql"
        servers = [
            Server(NAMES[0], api, instance.api.pid, compiled=False),
            Server(NAMES[1], api, instance.api.pid),
            *(
                stack.enter_context(_node_server(name, script, instance.database_url))
                for name, script in ((NAMES[2], "yoga.js"), (NAMES[3], "mercurius.js"))
            ),
        ]
        if before is not None:
            url = instance.another_api(before)
            servers.insert(0, Server("Storefleet before", f"{url}/graphql", listening_pid(url)))
        account = 0
        for operation in OPERATIONS:
            creates = operation.query.startswith("mutation")
            if not creates:
                answers = [asyncio.run(_answer(server, operation)) for server in servers]
                assert all(answer == answers[0] for answer in answers), answers
            found: dict[str, list[dict[str, float]]] = {server.name: [] for server in servers}
            for seconds in (WARM_UP_SECONDS, *[SECONDS] * ROUNDS):
                for server in servers:
                    account += creates  # creations of one account take longer the more stores it has
                    found[server.name].append(_load(server, operation, account if creates else 0, seconds))
                    report(f"{operation.name}, {server.name}: {found[server.name][-1]}")
            _print(operation, {name: rounds[1:] for name, rounds in found.items()})


def _print(operation: Operation, found: dict[str, list[dict[str, float]]]) -> None:
    """`found`: the rounds of each server."""
    table(operation.name, "requests/s", "of mercurius", "p50", "p99", "CPU of the server for a request")
    middle = {
        name: {key: statistics.median(figures[key] for figures in rounds) for key in rounds[0]}
        for name, rounds in found.items()
    }
    for name, figures in middle.items():
        ratio = figures["rate"] / middle[NAMES[-1]]["rate"]
        latencies = (f"{figures[key]:.0f} ms" for key in ("p50", "p99"))
        row(name, f"{figures['rate']:.0f}", f"{ratio:.2f}", *latencies, f"{figures['cpu']:.2f} ms")


async def _prepare(database_url: str) -> None:
    await accounts(database_url, 1 + (1 + len(NAMES)) * (1 + ROUNDS))
    connection = await asyncpg.connect(database_url)
    await connection.execute(INSERT_STORES, STORES)
    await connection.execute("ANALYZE")
    await connection.close()


def main() -> None:
    if not (FOLDER / "node_modules").exists():
        sys.exit(f"Install the servers of Node.js first: npm ci --prefix {FOLDER.relative_to(Path.cwd())}")
    points = dict.fromkeys(("STOREFLEET_POINTS_PER_MINUTE", "STOREFLEET_ACCOUNT_POINTS_PER_MINUTE"), "1000000000")
    with system(workers=0, settings=points) as instance:
        uvloop.run(_prepare(instance.database_url))
        measure(instance, Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None)


if __name__ == "__main__":
    main()
