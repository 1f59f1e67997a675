"""The simulation as something that runs: a world, its controllers, and a server on a port of 127.0.0.1."""

import asyncio
import logging
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from sandbox.simulator import kubeconfig as kubeconfigs
from sandbox.simulator.api import build_app
from sandbox.simulator.clock import Clock
from sandbox.simulator.controllers import attach
from sandbox.simulator.faults import Faults
from sandbox.simulator.journal import Journal
from sandbox.simulator.kinds import BY_NAME, NAMESPACE, Manifest
from sandbox.simulator.objects import Key, Objects
from sandbox.simulator.pods import NODE
from sandbox.simulator.statuses import condition, conditions
from sandbox.simulator.world import World
from sandbox.simulator.writes import DEFAULT_CLASS, create

START_SECONDS = 10.0
GRACE_SECONDS = 1.0
"""How long an unfinished answer has at the end."""


@dataclass
class Simulator:
    """A running simulation."""

    url: str
    token: str
    world: World


class _Listener(uvicorn.Server):
    """A server that says when it is up, and leaves the signals to whom they belong."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()
        self.ending = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def main_loop(self) -> None:
        """Instead of a tick every 0.1 s, which is there for limits and headers nobody needs here."""
        await self.ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Uvicorn's own takes 0.1 s at least; the watches must have been dropped before this."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(int(GRACE_SECONDS / 0.001)):
            if not self.server_state.connections and not self.server_state.tasks:
                break
            await asyncio.sleep(0.001)
        for task in self.server_state.tasks:
            task.cancel()

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]  # uvicorn types its own as a generator
        return nullcontext()


def new_world(speed: float = 1.0, journal: Journal | None = None) -> World:
    """A cluster with what every cluster has, or the one of the journal; its controllers are at work.

    Versions begin at the time, so that those of an earlier cluster are never taken for ours. Needs a running loop.
    """
    kept = journal.load() if journal else None
    objects = kept or Objects(int(time.time() * 1000))
    world = World(objects, Clock(speed), Faults())
    if journal is not None:
        journal.keep(objects)
    if kept is None:
        _furnish(world)
    attach(world)
    return world


def _furnish(world: World) -> None:
    for name in ("default", "kube-system"):
        create(world, NAMESPACE, "", {"metadata": {"name": name}})
    storage = {"provisioner": "simulated", "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}
    for kind, annotation, content in (
        ("StorageClass", DEFAULT_CLASS, {**storage, "allowVolumeExpansion": True}),
        ("IngressClass", "ingressclass.kubernetes.io/is-default-class", {"spec": {"controller": "simulated/ingress"}}),
    ):
        metadata = {"name": "simulated", "annotations": {annotation: "true"}}
        create(world, BY_NAME[kind], "", {"metadata": metadata, **content})
    node = create(world, BY_NAME["Node"], "", {"metadata": {"name": NODE}}).manifest
    ready = conditions([], condition("Ready", status=True, reason="KubeletReady"))
    size = {"cpu": "1000", "memory": "4000Gi", "pods": "100000"}
    status: Manifest = {"capacity": size, "allocatable": size, "conditions": ready}
    world.objects.write(Key(BY_NAME["Node"], "", NODE), {**node, "status": status})


@asynccontextmanager
async def running(
    *,
    speed: float = 1.0,
    port: int = 0,
    kubeconfig: Path | None = None,
    state: Path | None = None,
) -> AsyncIterator[Simulator]:
    """Run a simulation in this process until the block ends.

    Port 0 is the port an earlier run wrote into the kubeconfig, if that is free, or any. Raises OSError when another
    port is taken.
    """
    known = kubeconfigs.read(kubeconfig) if kubeconfig else None
    token = known.token if known else secrets.token_urlsafe(32)
    listening = _listen(port, known)
    journal = Journal(state) if state else None
    world = new_world(speed, journal)
    logging.getLogger("uvicorn.error").addFilter(_expected)
    config = uvicorn.Config(
        build_app(world, token),
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        timeout_keep_alive=75,
    )
    server = _Listener(config)
    serving = asyncio.create_task(server.serve([listening]))
    try:
        await asyncio.wait_for(server.up.wait(), START_SECONDS)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        if kubeconfig is not None:
            kubeconfigs.write(kubeconfig, url, token)
        yield Simulator(url, token, world)
    finally:
        server.ending.set()
        for watchers in world.objects.watchers.values():
            for watcher in watchers:
                watcher.drop()
        for reader in world.logs.readers:
            reader.drop()
        await serving
        listening.close()
        world.clock.stop()
        if journal is not None:
            journal.close()


def _expected(record: logging.LogRecord) -> bool:
    """A dropped watch is no error here."""
    return "without completing response" not in record.getMessage()


def _listen(port: int, known: kubeconfigs.Known | None) -> socket.socket:
    if port == 0 and known is not None:
        with suppress(OSError):  # someone else has it by now
            return _bound(known.port)
    return _bound(port)


def _bound(port: int) -> socket.socket:
    listening = socket.socket(proto=socket.IPPROTO_TCP)  # asyncio looks at it before it sets TCP_NODELAY
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError:
        listening.close()
        raise
    return listening
