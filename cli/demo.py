"""`storefleet demo`: everything on this machine, started as in production, and the main job over the front door.

The main thread starts the processes, since they die with the thread that started them.
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

from cli import screen
from cli.client import ClientError
from cli.kubeconfig import KubeconfigError
from cli.main_job import do_main_job
from cli.migrate import upgrade
from cli.place import Place, place_of
from runtime.listener import PortTaken, bind
from runtime.sealing import new_key
from sandbox.folder import SandboxError, hold
from sandbox.postgres import start_postgres
from sandbox.processes import Child, start
from sandbox.valkey import start_valkey

HOST = "127.0.0.1"
START_SECONDS = 30.0
CLUSTER_SECONDS = 240.0
"""How long a cluster may take to start or to end: a real node that imports its images takes longest."""
RESTARTS = 5


class DemoError(Exception):
    """The demo can't go on; one line that says why and what to do."""


@dataclass(frozen=True)
class Kept:
    """What a data folder keeps from one run to the next."""

    admin_keys: str
    worker_keys: str
    email: str
    password: str

    @classmethod
    def of(cls, data: Path) -> "Kept":
        """Made at the first run, readable by its owner only. Raises DemoError when it can't be read."""
        path = data / "demo.json"
        if not path.exists():
            kept = cls(new_key("a1"), new_key("w1"), "demo@storefleet.test", secrets.token_urlsafe(12))
            unfinished = path.with_suffix(".new")
            with open(unfinished, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                json.dump(kept.__dict__, file)
            unfinished.replace(path)
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise DemoError(f"{path} can't be read ({error}); remove the folder, or use DATA=…") from None


def demo(port: int, data: Path, *, once: bool, cluster: str, speed: str, plugin: Path | None) -> int:
    """The exit code: 0 after READY (and Ctrl-C), 1 when it didn't come to that."""
    for number in (signal.SIGTERM, signal.SIGINT):  # a shell starts what it runs in the background deaf to SIGINT
        signal.signal(number, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            try:
                return _run(
                    stack, port, data, once=once, place=place_of(cluster, data.absolute(), port, plugin), speed=speed
                )
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # what was started is now ended in order
    except (SandboxError, PortTaken, DemoError, ClientError, KubeconfigError) as error:
        screen.failed(str(error))
        return 1


def _run(stack: ExitStack, port: int, data: Path, *, once: bool, place: Place, speed: str) -> int:
    began = time.perf_counter()
    bind(HOST, port).close()  # before anything is started: a taken port is the commonest trouble
    data = hold(data)
    kept = Kept.of(data)
    screen.say("Storefleet: online stores on Kubernetes, one click each", "bold")
    with _timed("PostgreSQL"):
        postgres = start_postgres(data)
        stack.callback(postgres.stop)
    with _timed("Valkey"):
        valkey = start_valkey(data)
        stack.callback(valkey.stop)
    if place.words:
        more = place.prepare(lambda line: screen.say(f"  {line}", "dim"))
        with _timed(place.title):
            _cluster(stack, data, [*place.words, *more, *(["--speed", speed] if place.simulated else [])])
    with _timed("Database schema"):
        upgrade(postgres.url_of("postgres"))
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.environ.get("HOME", "/"),
        "STOREFLEET_ENVIRONMENT": "development",
        "STOREFLEET_DATABASE_URL": postgres.url,
        "STOREFLEET_REDIS_URL": valkey.url,
        "STOREFLEET_ADMIN_KEYS": kept.admin_keys,
        "STOREFLEET_HOST": HOST,
        "STOREFLEET_PORT": str(port),
        "STOREFLEET_SIGN_UP": "open",
        "STOREFLEET_BASE_DOMAIN": "localhost",
        **place.environment,
        "STOREFLEET_LOG_FORMAT": "console",
        **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
    }
    worker_only = {"STOREFLEET_WORKER_KEYS": kept.worker_keys, "STOREFLEET_KUBECONFIG": str(place.kubeconfig)}
    if place.context is not None:
        worker_only["STOREFLEET_KUBE_CONTEXT"] = place.context
    with _timed("API and worker processes"):
        parts = [Part("api", data, environment), Part("worker", data, {**environment, **worker_only})]
        for part in parts:
            part.start()
            stack.callback(part.stop)
        _wait_for_api(port, parts)
    screen.say()
    job = do_main_job(f"http://{HOST}:{port}", kept.email, kept.password, data, postgres.url, place)
    if not asyncio.run(_while_kept_running(job, parts)):
        screen.failed(f"the store didn't become READY; see the logs in {data / 'logs'}")
        return 1
    screen.say(f"\nFrom nothing to READY in {time.perf_counter() - began:.1f} s.", "dim")
    if once:
        return 0
    screen.say(f"Serving at http://{HOST}:{port} until Ctrl-C.", "bold")
    try:
        while True:
            time.sleep(0.2)
            for part in parts:
                part.keep_running()
    except KeyboardInterrupt:
        screen.say("\nStopping.", "dim")
        return 0


def _cluster(stack: ExitStack, data: Path, words: list[str]) -> None:
    """A process of the sandbox that says in a line of JSON that its Kubernetes API serves."""
    name = words[0].rpartition(".")[2]
    log = data / "logs" / f"{name}.log"
    child = start(name, [sys.executable, "-m", *words], log=log, cwd=Path(__file__).resolve().parent.parent)
    stack.callback(child.stop, CLUSTER_SECONDS)
    deadline = time.monotonic() + CLUSTER_SECONDS
    while not any(line.startswith("{") and '"server"' in line for line in child.last_words()):
        if child.wait(0.02) is not None or time.monotonic() > deadline:
            raise DemoError(f"the {name} can't start: {_reason(child)} (log: {log})")


@dataclass
class Part:
    """A process of ours that is started again when it ends, as Kubernetes would; not for ever."""

    name: str
    data: Path
    environment: dict[str, str]
    restarts: int = 0
    child: Child | None = None

    def start(self) -> None:
        root = Path(__file__).resolve().parent.parent
        log = self.data / "logs" / f"{self.name}.log"
        self.child = start(self.name, [sys.executable, "-m", "cli", self.name], log=log, cwd=root, env=self.environment)

    def keep_running(self) -> None:
        """Raises DemoError when it has ended too often."""
        if self.child is None or self.child.returncode is None:
            return
        if self.restarts == RESTARTS:
            raise DemoError(f"the {self.name} process ends again and again; see {self.child.log}")
        self.restarts += 1
        screen.line(self.name, "the process ended; it is started again, and goes on where it was", "yellow")
        self.start()

    def stop(self) -> None:
        if self.child is not None:
            self.child.stop()


async def _while_kept_running(job: Coroutine[Any, Any, bool], parts: list[Part]) -> bool:
    """The job's result. Raises what it raises, and DemoError."""
    running = asyncio.ensure_future(job)
    while not running.done():
        await asyncio.wait({running}, timeout=0.2)
        for part in parts:
            part.keep_running()
    return running.result()


def _wait_for_api(port: int, parts: list[Part]) -> None:
    deadline = time.monotonic() + START_SECONDS
    with socket.socket() as knock:
        while knock.connect_ex((HOST, port)) != 0:
            for child in (part.child for part in parts if part.child is not None):
                if child.wait(0.02) is not None:
                    raise DemoError(f"the {child.name} process can't start: {_reason(child)} (log: {child.log})")
            if time.monotonic() > deadline:
                raise DemoError(f"the API doesn't answer after {START_SECONDS:g} s; see {parts[0].data / 'logs'}")


def _reason(child: Child) -> str:
    words = child.last_words()
    return words[-1] if words else "it said nothing"


@contextmanager
def _timed(what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    screen.done(what, time.perf_counter() - began)
