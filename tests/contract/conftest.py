"""The Kubernetes API under test: a simulator, or the API server that STOREFLEET_TEST_KUBECONFIG names.

STOREFLEET_TEST_IMAGE names an image with a shell for the real server's nodes; without it the tests that need running
containers are skipped there.
"""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.demo_cluster import SIMULATED_PROGRAMS
from sandbox.simulator.programs import load_programs
from sandbox.simulator.server import Simulator, run_simulator
from tests.contract.objects import REAL, temporary_namespace
from tests.support.simulator_client import Client, connected
from workers.cluster.client import Cluster, connect

PROGRAMS = load_programs(SIMULATED_PROGRAMS)
SPEED = 20.0
"""Finite, so that every stage of an object can be observed."""


@dataclass(frozen=True)
class Server:
    """An API server; `simulator` is None for a real server."""

    kubeconfig: Path
    simulator: Simulator | None


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    if REAL:
        yield Server(Path(os.environ["STOREFLEET_TEST_KUBECONFIG"]), None)
        return
    async with run_simulator(speed=SPEED, kubeconfig=tmp_path / "kubeconfig", programs=PROGRAMS) as simulator:
        yield Server(tmp_path / "kubeconfig", simulator)


@pytest.fixture
async def cluster(server: Server) -> AsyncIterator[Cluster]:
    async with connect(server.kubeconfig) as connected_to:
        yield connected_to


@pytest.fixture
async def namespace(cluster: Cluster) -> AsyncIterator[str]:
    """A new namespace; its name is also the value of the label LABEL of its objects."""
    async with temporary_namespace(cluster) as name:
        yield name


@pytest.fixture
def simulator(server: Server) -> Simulator:
    """For tests that inject faults into the simulator."""
    if server.simulator is None:
        pytest.skip("needs fault injection, which a real API server doesn't have (STOREFLEET_TEST_KUBECONFIG is set)")
    return server.simulator


@pytest.fixture
async def controls(simulator: Simulator) -> AsyncIterator[Client]:
    """The simulator's own endpoints: faults, dropped watches, compaction."""
    async with connected(simulator.url, simulator.token) as client:
        yield client
        await client.faults()  # releases hanging requests


@pytest.fixture
def containers() -> None:
    """For tests that need containers that really run."""
    if REAL and "STOREFLEET_TEST_IMAGE" not in os.environ:
        pytest.skip("needs STOREFLEET_TEST_IMAGE, an image with a shell that the cluster's nodes can run")
