"""`storefleet demo`: start everything on this machine as in production, and create a store over the API.

The main thread starts the processes: the kernel kills them when the thread that started them ends.
"""

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import output
from cli.client import ClientError
from cli.demo_chart import install_platform
from cli.demo_cluster import DemoCluster, choose_cluster
from cli.demo_dashboard import show_link, start_build
from cli.kubeconfig import KubeconfigError
from cli.migrate import upgrade
from cli.walkthrough import run_walkthrough
from runtime.listening_socket import PortInUseError, bind_socket
from runtime.sealing import generate_key
from sandbox.data_folder import SandboxError, lock_data_folder
from sandbox.files import write_private
from sandbox.helm import public_url
from sandbox.postgres import start_postgres
from sandbox.processes import Child, start
from sandbox.valkey import start_valkey
from stores.database_roles import RoleUrls

HOST = "127.0.0.1"
START_SECONDS = 30.0
CLUSTER_SECONDS = 240.0
"""Seconds that a cluster may take to start or to stop; a real node that imports images is the slowest."""
MAX_RESTARTS = 5


class DemoError(Exception):
    """The demo can't continue. The message is one line that says why and what to do."""


@dataclass(frozen=True)
class DemoState:
    """Keys and sign-in data that a data folder keeps from one run to the next."""

    admin_keys: str
    worker_keys: str
    email: str
    password: str

    @classmethod
    def load(cls, data: Path) -> "DemoState":
        """Read the state, or create it at the first run; mode 0600. Raises DemoError when it can't be read."""
        path = data / "demo.json"
        if not path.exists():
            state = cls(generate_key("a1"), generate_key("w1"), "demo@storefleet.test", secrets.token_urlsafe(12))
            write_private(path, json.dumps(state.__dict__))
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise DemoError(f"{path} can't be read ({error}); remove the folder, or use DATA=…") from None


def demo(
    port: int,
    data: Path,
    *,
    once: bool,
    dashboard: bool,
    cluster: str,
    speed: str,
    engine: str | None,
    plugin: Path | None,
    platform: str = "processes",
) -> int:
    """Run the demo. Returns the exit code: 0 after READY (and Ctrl-C), else 1.

    `once`: stop after READY, without the dashboard. `dashboard`: build it. `cluster`: see CLUSTERS. `engine`: of
    the store; None: the cluster's default. `plugin`: WooCommerce's zip file, for a node. `platform`: see PLATFORMS.
    """
    for number in (signal.SIGTERM, signal.SIGINT):  # shells start background jobs with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            try:
                return _run(
                    stack,
                    port,
                    data,
                    once=once,
                    dashboard=dashboard,
                    cluster=choose_cluster(cluster, data.absolute(), port, engine, plugin, platform),
                    speed=speed,
                )
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not interrupt the cleanup
    except (SandboxError, PortInUseError, DemoError, ClientError, KubeconfigError) as error:
        output.error(str(error))
        return 1


def _run(
    stack: ExitStack, port: int, data: Path, *, once: bool, dashboard: bool, cluster: DemoCluster, speed: str
) -> int:
    started = time.perf_counter()
    bind_socket(HOST, port).close()  # check first: a taken port is the most common problem
    data = lock_data_folder(data)
    state = DemoState.load(data)
    output.echo("Storefleet: online stores on Kubernetes, one click each", "bold")
    if cluster.stores_port is not None:
        return _run_chart(stack, data, state, cluster, cluster.stores_port, once)
    with _timed("PostgreSQL"):
        postgres = start_postgres(data)
        stack.callback(postgres.stop)
    with _timed("Valkey"):
        valkey = start_valkey(data)
        stack.callback(valkey.stop)
    if cluster.command:
        options = cluster.prepare(_report)
        with _timed(cluster.title):
            _start_cluster(
                stack, data, [*cluster.command, *options, *(["--speed", speed] if cluster.simulated_api else [])]
            )
    with _timed("Database schema"):
        roles = RoleUrls(*(postgres.url_of("postgres", f"storefleet_{name}") for name in RoleUrls._fields))
        upgrade(postgres.url, roles)
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.environ.get("HOME", "/"),
        "STOREFLEET_ENVIRONMENT": "development",
        "STOREFLEET_REDIS_URL": valkey.url,
        "STOREFLEET_ADMIN_KEYS": state.admin_keys,
        "STOREFLEET_HOST": HOST,
        "STOREFLEET_PORT": str(port),
        "STOREFLEET_SIGN_UP": "open",
        "STOREFLEET_BASE_DOMAIN": "localhost",
        **cluster.environment,
        "STOREFLEET_LOG_FORMAT": "console",
        **{name: value for name, value in os.environ.items() if name.startswith(("COVERAGE_", "PYTHONPATH"))},
    }
    worker_only = {
        "STOREFLEET_DATABASE_URL": roles.worker,
        "STOREFLEET_WORKER_KEYS": state.worker_keys,
        "STOREFLEET_KUBECONFIG": str(cluster.kubeconfig),
    }
    if cluster.context is not None:
        worker_only["STOREFLEET_KUBE_CONTEXT"] = cluster.context
    with _timed("API and worker processes"):
        processes = [
            SupervisedProcess("api", data, {**environment, "STOREFLEET_DATABASE_URL": roles.api}),
            SupervisedProcess("worker", data, {**environment, **worker_only}),
        ]
        for process in processes:
            process.start()
            stack.callback(process.stop)
        _wait_for_api(port, processes)
    builder = start_build(data) if dashboard and not once else None
    if builder is not None:
        stack.callback(builder.stop)
    output.echo()
    job = run_walkthrough(f"http://{HOST}:{port}", state.email, state.password, data, roles.api, cluster)
    if not asyncio.run(_supervise(job, processes)):
        output.error(f"the store didn't become READY; see the logs in {data / 'logs'}")
        return 1
    output.echo(f"\nFrom nothing to READY in {time.perf_counter() - started:.1f} s.", "dim")
    if once:
        return 0

    def restart_ended() -> None:
        for process in processes:
            process.restart_if_ended()

    try:
        if builder is not None:
            show_link(builder, f"http://{HOST}:{port}", state.email, roles.api, restart_ended)
        output.echo(f"Serving at http://{HOST}:{port} until Ctrl-C.", "bold")
        while True:
            time.sleep(0.2)
            restart_ended()
    except KeyboardInterrupt:
        output.echo("\nStopping.", "dim")
        return 0


def _report(line: str) -> None:
    output.echo(f"  {line}", "dim")


def _run_chart(stack: ExitStack, data: Path, state: DemoState, cluster: DemoCluster, port: int, once: bool) -> int:
    """The platform in the cluster: a browser, the walkthrough and the shops use the ingress controller."""
    url = public_url(port)
    options = cluster.prepare(_report)
    with _timed(cluster.title):
        _start_cluster(stack, data, [*cluster.command, *options])
    with _timed("Chart"):
        install_platform(cluster.kubeconfig, data / "helm", port, _report)
    output.echo()
    if not asyncio.run(run_walkthrough(url, state.email, state.password, data, None, cluster)):
        output.error("the store didn't become READY; see its events in the dashboard")
        return 1
    if once:
        return 0
    output.echo(f"\nThe dashboard is at {url} until Ctrl-C.", "bold")
    try:
        while True:
            time.sleep(0.2)
    except KeyboardInterrupt:
        output.echo("\nStopping.", "dim")
        return 0


def _start_cluster(stack: ExitStack, data: Path, command: list[str]) -> None:
    """Start a module of the sandbox, and wait for its line of JSON: then the Kubernetes API is ready."""
    name = command[0].rpartition(".")[2]
    log = data / "logs" / f"{name}.log"
    child = start(name, [sys.executable, "-m", *command], log=log, cwd=Path(__file__).resolve().parent.parent)
    stack.callback(child.stop, CLUSTER_SECONDS)
    deadline = time.monotonic() + CLUSTER_SECONDS
    while not any(line.startswith("{") and '"server"' in line for line in child.log_tail()):
        if child.wait(0.02) is not None or time.monotonic() > deadline:
            raise DemoError(f"the {name} can't start: {_last_line(child)} (log: {log})")


@dataclass
class SupervisedProcess:
    """An API or worker process. It is started again when it ends, up to MAX_RESTARTS times."""

    name: str
    data: Path
    environment: dict[str, str]
    restarts: int = 0
    child: Child | None = None

    def start(self) -> None:
        root = Path(__file__).resolve().parent.parent
        log = self.data / "logs" / f"{self.name}.log"
        self.child = start(self.name, [sys.executable, "-m", "cli", self.name], log=log, cwd=root, env=self.environment)

    def restart_if_ended(self) -> None:
        """Start it again if it has ended. Raises DemoError after MAX_RESTARTS."""
        if self.child is None or self.child.returncode is None:
            return
        if self.restarts == MAX_RESTARTS:
            raise DemoError(f"the {self.name} process ended {MAX_RESTARTS + 1} times; see {self.child.log}")
        self.restarts += 1
        output.field(self.name, "the process ended; it is started again", "yellow")
        self.start()

    def stop(self) -> None:
        if self.child is not None:
            self.child.stop()


async def _supervise(job: Coroutine[Any, Any, bool], processes: list[SupervisedProcess]) -> bool:
    """Run `job`, and start processes again that end meanwhile. Returns the job's result. Raises DemoError."""
    running = asyncio.ensure_future(job)
    while not running.done():
        await asyncio.wait({running}, timeout=0.2)
        for process in processes:
            process.restart_if_ended()
    return running.result()


def _wait_for_api(port: int, processes: list[SupervisedProcess]) -> None:
    deadline = time.monotonic() + START_SECONDS
    with socket.socket() as probe:
        while probe.connect_ex((HOST, port)) != 0:
            for child in (process.child for process in processes if process.child is not None):
                if child.wait(0.02) is not None:
                    raise DemoError(f"the {child.name} process can't start: {_last_line(child)} (log: {child.log})")
            if time.monotonic() > deadline:
                raise DemoError(f"the API doesn't answer after {START_SECONDS:g} s; see {processes[0].data / 'logs'}")


def _last_line(child: Child) -> str:
    lines = child.log_tail()
    return lines[-1] if lines else "no output"


@contextmanager
def _timed(what: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    output.success(what, time.perf_counter() - started)
