"""The Kubernetes API that the contract is tested on: a simulated one of the test's own, or one named from outside.

With STOREFLEET_TEST_KUBECONFIG the same tests run against that API server; with STOREFLEET_TEST_IMAGE as well, an image
with a shell that its nodes can run, so do those whose containers must really run.
"""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.simulator.server import Simulator, running
from tests.contract.objects import REAL, a_namespace
from tests.unit.simulator_client import Client, connected
from workers.cluster.client import Cluster, connect

SPEED = 20.0
"""So that what takes time still does."""


@dataclass(frozen=True)
class Server:
    """An API server; `simulator` is None for a real one."""

    kubeconfig: Path
    simulator: Simulator | None


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    if REAL:
        yield Server(Path(os.environ["STOREFLEET_TEST_KUBECONFIG"]), None)
        return
    async with running(speed=SPEED, kubeconfig=tmp_path / "kubeconfig") as simulator:
        yield Server(tmp_path / "kubeconfig", simulator)


@pytest.fixture
async def cluster(server: Server) -> AsyncIterator[Cluster]:
    async with connect(server.kubeconfig) as connected_to:
        yield connected_to


@pytest.fixture
async def namespace(cluster: Cluster) -> AsyncIterator[str]:
    """The name of the test's own, which is also the value of its objects' label."""
    async with a_namespace(cluster) as name:
        yield name


@pytest.fixture
def simulator(server: Server) -> Simulator:
    """For what only the simulation can be told to do."""
    if server.simulator is None:
        pytest.skip("a real API server can't be told to fail (STOREFLEET_TEST_KUBECONFIG names one)")
    return server.simulator


@pytest.fixture
async def controls(simulator: Simulator) -> AsyncIterator[Client]:
    """The simulation's own paths: faults, dropped watches, forgotten history."""
    async with connected(simulator.url, simulator.token) as client:
        yield client
        await client.faults()  # what hangs may end


@pytest.fixture
def containers() -> None:
    """For what only containers that run can show."""
    if REAL and "STOREFLEET_TEST_IMAGE" not in os.environ:
        pytest.skip("needs STOREFLEET_TEST_IMAGE, an image with a shell that the cluster's nodes can run")
