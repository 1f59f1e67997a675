"""A Storefleet on this machine as in production: separate processes, and a simulated cluster without waiting times."""

import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil

from accounts.actors import hash_credential
from cli.demo_cluster import SIMULATED_PROGRAMS
from cli.migrate import upgrade
from runtime.sealing import generate_key
from sandbox.ports import free_port
from sandbox.postgres import start_postgres
from sandbox.processes import Child, start
from sandbox.valkey import start_valkey

ROOT = Path(__file__).resolve().parent.parent
TOKEN_PREFIX = "sf_bench-"  # an account's token is this and the account's number


@dataclass
class System:
    """A running Storefleet."""

    url: str
    database_url: str
    api: Child
    workers: list[Child]
    metrics: list[int]
    """Ports of the workers' metrics."""
    servers: dict[str, int]
    """Process ids of PostgreSQL and Valkey."""
    another_api: Callable[[Path], str]
    """Starts an API process with the code of another clone, on the same database; returns its URL."""


@contextmanager
def system(
    workers: int, kubeconfig: Path | None = None, port: int | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[System]:
    """A running Storefleet with that many worker processes, until the end of the block; then everything is removed.

    `kubeconfig`: of the workers' account on a real cluster; None: a simulated cluster. `port`: of the API; None: a free
    port. `settings`: additional environment variables.
    """
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="storefleet-bench-")))
        postgres = start_postgres(data)
        stack.callback(postgres.stop)
        valkey = start_valkey(data)
        stack.callback(valkey.stop)
        upgrade(postgres.url)
        port = port or free_port()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("STOREFLEET_")},
            "STOREFLEET_DATABASE_URL": postgres.url,
            "STOREFLEET_REDIS_URL": valkey.url,
            "STOREFLEET_ADMIN_KEYS": generate_key("a1"),
            "STOREFLEET_WORKER_KEYS": generate_key("w1"),
            "STOREFLEET_ENVIRONMENT": "production" if kubeconfig else "development",
            "STOREFLEET_KUBECONFIG": str(kubeconfig or data / "kubeconfig"),
            "STOREFLEET_PORT": str(port),
            "STOREFLEET_STORE_QUOTA": "10000",
            "STOREFLEET_CREATIONS_PER_HOUR": "100000",
            "STOREFLEET_MAX_WEBSOCKETS_PER_ADDRESS": "10000",  # all clients have one address here
            "STOREFLEET_POINTS_PER_MINUTE": "1000000",  # the clients here never pause
            "STOREFLEET_ACCOUNT_POINTS_PER_MINUTE": "1000000",
            "STOREFLEET_LOG_LEVEL": "warning",
            **(settings or {}),
        }

        def process(name: str, *command: str | Path, root: Path = ROOT, **more: str) -> Child:
            argv = [sys.executable, "-m", *command]
            child = start(name, argv, log=data / "logs" / f"{name}.log", cwd=root, env={**environment, **more})
            stack.callback(child.stop)
            return child

        if kubeconfig is None:
            options = ("--kubeconfig", data / "kubeconfig", "--programs", SIMULATED_PROGRAMS, "--speed", "inf")
            process("simulator", "sandbox.simulator", *options)
            until((data / "kubeconfig").exists)
        api = process("api", "cli", "api")
        metrics = [free_port() for _ in range(workers)]
        created = [
            process(f"worker-{number}", "cli", "worker", STOREFLEET_METRICS_PORT=str(at))
            for number, at in enumerate(metrics)
        ]

        def another_api(root: Path) -> str:
            at = free_port()
            process("another-api", "cli", "api", root=root, STOREFLEET_PORT=str(at))
            until(partial(listens, at))
            return f"http://127.0.0.1:{at}"

        for at in (port, *metrics):
            until(partial(listens, at))
        time.sleep(2)  # until the informer has listed
        servers = {"postgres": postgres.pid, "valkey": valkey.pid}
        yield System(f"http://127.0.0.1:{port}", postgres.url, api, created, metrics, servers, another_api)


def until(condition: Callable[[], bool]) -> None:
    """Waits at most 30 s. Raises TimeoutError."""
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the system didn't start")
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Whether a server listens on the port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def listening_pid(url: str) -> int:
    """The process that listens on the URL's port."""
    found = [item for item in psutil.net_connections("tcp") if item.status == "LISTEN" and item.pid]
    return next(int(item.pid) for item in found if item.laddr.port == urlsplit(url).port)


def memory_mib(child: Child) -> float:
    """The process's unique set size in MiB."""
    return float(psutil.Process(child.pid).memory_full_info().uss / 2**20)


async def accounts(database_url: str, number: int) -> None:
    """Create that many accounts, each with a user, a token and an event stream."""
    connection = await asyncpg.connect(database_url)
    try:
        for index in range(number):
            async with connection.transaction():
                user, account = await connection.fetchrow("SELECT gen_random_uuid(), gen_random_uuid()")
                await connection.execute(
                    "INSERT INTO users (id, email, password_hash) VALUES ($1, $2, '')", user, f"{index}@x.example"
                )
                await connection.execute("INSERT INTO accounts (id, name) VALUES ($1, $2)", account, str(index))
                await connection.execute(
                    "INSERT INTO memberships (account_id, user_id, role) VALUES ($1, $2, 'owner')", account, user
                )
                await connection.execute("INSERT INTO account_streams (account_id) VALUES ($1)", account)
                await connection.execute(
                    "INSERT INTO api_tokens (id, account_id, created_by, name, token_hash, scopes)"
                    " VALUES (gen_random_uuid(), $1, $2, 'bench', $3, '{read,write}')",
                    account, user, hash_credential(f"{TOKEN_PREFIX}{index}"),
                )  # fmt: skip
    finally:
        await connection.close()


def percentile(values: list[float], share: float) -> float:
    """The percentile of the values; `share` is between 0 and 1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
