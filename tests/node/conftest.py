"""One real node a session, with the platform's account, and a Storefleet on it for each test that asks for one."""

import os

os.environ["STOREFLEET_ENGINES"] = "workers.engines.sample,workers.engines.woocommerce,workers.engines.medusa"
# before anything imports the schema, which names the engines

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from runtime.settings import ClusterProfile
from sandbox.images import build_images
from sandbox.kubernetes.control_plane import free_port
from tests.cluster.platform import Platform, install
from tests.flow.fleet import Fleet, fleet
from tests.node.real import RealNode

PLUGIN = os.environ.get("WOOCOMMERCE_ZIP")
"""WooCommerce as a zip file, which no package has; without it stores of that engine aren't tried."""


@pytest.fixture(scope="session")
def archives() -> dict[str, Path]:
    """The images' archives by name, built from Debian packages where they aren't there yet."""
    names = ("pause", "mariadb", "sample", *(("woocommerce",) if PLUGIN else ()))
    files = {"WOOCOMMERCE_ZIP": Path(PLUGIN)} if PLUGIN else {}
    return dict(zip(names, build_images(names, print, files=files), strict=True))


@pytest.fixture(scope="session")
def node(archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealNode]:
    """Up until the session ends, unless a test reboots it."""
    node = RealNode(tmp_path_factory.mktemp("node") / "state", tuple(archives.values()), free_port())
    node.start()
    yield node
    node.end()


@pytest.fixture(scope="session")
def platform(node: RealNode, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    os.environ["STOREFLEET_TEST_KUBECONFIG"] = str(node.kubeconfig)
    return install(tmp_path_factory.mktemp("platform"))


@pytest.fixture
def changes(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What `@pytest.mark.parametrize("changes", [{…}], indirect=True)` gives: other than the profile's own values."""
    given: dict[str, Any] = getattr(request, "param", {})
    return given


@pytest_asyncio.fixture(name="fleet")
async def a_fleet(
    node: RealNode, platform: Platform, database_url: str, redis_url: str, tmp_path: Path, changes: dict[str, Any]
) -> AsyncIterator[Fleet]:
    """API and worker at work on the node; the stores that a test left are removed."""
    port = node.https_port if changes.get("store_scheme") == "https" else node.ingress_port
    given: dict[str, Any] = {"store_port": port, "database_image": "mariadb:debian"} | changes
    profile = ClusterProfile(**given)
    async with fleet(
        database_url,
        redis_url,
        tmp_path,
        cluster=(platform.account, platform.admin),
        profile=profile,
        port=node.platform_port or 0,
        failure_patience=12.0,  # the cluster's warnings are read after 10
    ) as made:
        yield made
        for row in await made.sql("SELECT id FROM stores"):
            await made.kubernetes("DELETE", f"/api/v1/namespaces/store-{row['id']}")
