"""Installs the workers' service account once per session, on the API server that STOREFLEET_TEST_KUBECONFIG names."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.cluster.platform import Platform, install
from tests.support.helm import Helm, build


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    return install(tmp_path_factory.mktemp("platform"))


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """A real Helm without a cluster, built from its Go module the first time."""
    return build(tmp_path_factory.mktemp("helm"))
