"""Running the simulator: cluster state, controllers, and an HTTP server on 127.0.0.1."""

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
from sandbox.simulator.cluster_state import ClusterState
from sandbox.simulator.controllers import start_controllers
from sandbox.simulator.faults import Faults
from sandbox.simulator.journal import Journal
from sandbox.simulator.kinds import BY_NAME, NAMESPACE, Manifest
from sandbox.simulator.objects import Key, ObjectStore
from sandbox.simulator.pods import NODE_NAME
from sandbox.simulator.programs import Programs
from sandbox.simulator.statuses import condition, merge_conditions
from sandbox.simulator.writes import DEFAULT_CLASS_ANNOTATION, create

START_SECONDS = 10.0
GRACE_SECONDS = 1.0
"""How long unfinished requests may take at shutdown."""


@dataclass
class Simulator:
    """A running simulator."""

    url: str
    token: str
    cluster: ClusterState


class _Server(uvicorn.Server):
    """A uvicorn server with an event for its start, and without signal handlers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.started_event = asyncio.Event()
        self.stop_event = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.started_event.set()

    async def main_loop(self) -> None:
        """Replaces uvicorn's tick every 0.1 s, which serves limits and headers that aren't used here."""
        await self.stop_event.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Replaces uvicorn's shutdown, which takes at least 0.1 s. The watches must have been dropped before."""
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

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]  # uvicorn types its method as a generator
        return nullcontext()


def new_cluster(speed: float, journal: Journal | None, programs: Programs) -> ClusterState:
    """The cluster of the journal, or a new one with the default objects; its controllers are started.

    Resource versions begin at the current time: a version of an earlier cluster is never valid. Needs a running loop.
    """
    saved = journal.load() if journal else None
    objects = saved or ObjectStore(int(time.time() * 1000))
    cluster = ClusterState(objects, Clock(speed), Faults(), programs)
    if journal is not None:
        journal.start(objects)
    if saved is None:
        _create_default_objects(cluster)
    start_controllers(cluster)
    return cluster


def _create_default_objects(cluster: ClusterState) -> None:
    for name in ("default", "kube-system"):
        create(cluster, NAMESPACE, "", {"metadata": {"name": name}})
    storage = {"provisioner": "simulated", "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}
    for kind, annotation, content in (
        ("StorageClass", DEFAULT_CLASS_ANNOTATION, {**storage, "allowVolumeExpansion": True}),
        ("IngressClass", "ingressclass.kubernetes.io/is-default-class", {"spec": {"controller": "simulated/ingress"}}),
    ):
        metadata = {"name": "simulated", "annotations": {annotation: "true"}}
        create(cluster, BY_NAME[kind], "", {"metadata": metadata, **content})
    node = create(cluster, BY_NAME["Node"], "", {"metadata": {"name": NODE_NAME}}).manifest
    ready = merge_conditions([], condition("Ready", status=True, reason="KubeletReady"))
    size = {"cpu": "1000", "memory": "4000Gi", "pods": "100000"}
    status: Manifest = {"capacity": size, "allocatable": size, "conditions": ready}
    cluster.objects.put(Key(BY_NAME["Node"], "", NODE_NAME), {**node, "status": status})


@asynccontextmanager
async def run_simulator(
    *,
    speed: float = 1.0,
    port: int = 0,
    kubeconfig: Path | None = None,
    state: Path | None = None,
    programs: Programs | None = None,
) -> AsyncIterator[Simulator]:
    """Run a simulator in this process until the block ends.

    Port 0 means the port of the kubeconfig's earlier run if that port is free, or else any free port. Raises OSError
    when another port is in use.
    """
    saved = kubeconfigs.read(kubeconfig) if kubeconfig else None
    token = saved.token if saved else secrets.token_urlsafe(32)
    listening_socket = _bind_socket(port, saved)
    journal = Journal(state) if state else None
    cluster = new_cluster(speed, journal, programs or {})
    logging.getLogger("uvicorn.error").addFilter(_is_unexpected)
    config = uvicorn.Config(
        build_app(cluster, token),
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        timeout_keep_alive=75,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve([listening_socket]))
    try:
        await asyncio.wait_for(server.started_event.wait(), START_SECONDS)
        url = f"http://127.0.0.1:{listening_socket.getsockname()[1]}"
        if kubeconfig is not None:
            kubeconfigs.write(kubeconfig, url, token)
        yield Simulator(url, token, cluster)
    finally:
        server.stop_event.set()
        for watchers in cluster.objects.watchers.values():
            for watcher in watchers:
                watcher.drop()
        for stream in cluster.logs.streams:
            stream.drop()
        await serving
        listening_socket.close()
        cluster.clock.stop()
        if journal is not None:
            journal.close()


def _is_unexpected(record: logging.LogRecord) -> bool:
    """A logging filter: a dropped watch isn't an error here."""
    return "without completing response" not in record.getMessage()


def _bind_socket(port: int, saved: kubeconfigs.SavedServer | None) -> socket.socket:
    if port == 0 and saved is not None:
        with suppress(OSError):  # another process uses the port now
            return _bind_port(saved.port)
    return _bind_port(port)


def _bind_port(port: int) -> socket.socket:
    listening_socket = socket.socket(proto=socket.IPPROTO_TCP)  # asyncio sets TCP_NODELAY only for this protocol number
    listening_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening_socket.bind(("127.0.0.1", port))
    except OSError:
        listening_socket.close()
        raise
    return listening_socket
