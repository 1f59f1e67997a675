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
from sandbox.kubernetes.binaries import Say
from sandbox.kubernetes.control_plane import free_port
from sandbox.kubernetes.node.launcher import Options, prepare
from tests.cluster.platform import Platform, install
from tests.flow.fleet import Fleet, fleet
from tests.node.containers import Containers, Image, unpack
from tests.node.databases import start_database
from tests.node.real import RealNode
from tests.node.shops import Shops, shops

PLUGIN = os.environ.get("WOOCOMMERCE_ZIP")
"""WooCommerce as a zip file, which no package has; without it the image has WordPress alone, and no shop can sell."""
NEEDS_PLUGIN = pytest.mark.skipif(PLUGIN is None, reason="needs WOOCOMMERCE_ZIP=/path/to/woocommerce.zip")


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Say:
    """Past pytest, which would keep it: what is built once takes minutes, and somebody waits."""
    capturing = pytestconfig.pluginmanager.getplugin("capturemanager")
    assert capturing is not None

    def past(line: str) -> None:
        with capturing.global_and_fixture_disabled():
            print(line, flush=True)

    return past


@pytest.fixture(scope="session")
def archives(say: Say) -> dict[str, Path]:
    """The images' archives by name, built from Debian packages where they aren't there yet."""
    names = ("pause", "mariadb", "sample", "woocommerce")
    if PLUGIN is None:
        made = build_images(names, say, arguments={"WOOCOMMERCE_VERSION": "none"})
    else:
        made = build_images(names, say, files={"WOOCOMMERCE_ZIP": Path(PLUGIN)})
    return dict(zip(names, made, strict=True))


@pytest.fixture(scope="session")
def programs(say: Say) -> None:
    """Those of a node, built where they aren't there yet."""
    prepare(Options(), say)


@pytest.fixture(scope="session")
def node(archives: dict[str, Path], programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealNode]:
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
        languages=("en-US", "de-DE", "ar"),
        failure_patience=12.0,  # the cluster's warnings are read after 10
    ) as made:
        yield made
        for row in await made.sql("SELECT id FROM stores"):
            await made.kubernetes("DELETE", f"/api/v1/namespaces/store-{row['id']}")


@pytest.fixture(scope="session")
def mariadb_image(archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Image:
    return unpack(archives["mariadb"], tmp_path_factory.mktemp("layout"), tmp_path_factory.mktemp("root"))


@pytest.fixture(scope="session")
def woocommerce_image(archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Image:
    return unpack(archives["woocommerce"], tmp_path_factory.mktemp("layout"), tmp_path_factory.mktemp("root"))


@pytest.fixture
def containers(tmp_path: Path) -> Iterator[Containers]:
    containers = Containers(tmp_path / "containers")
    yield containers
    containers.end()


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """For a database, empty."""
    disk = tmp_path / "disk"
    disk.mkdir()
    os.chown(disk, 10001, 10001)
    return disk


@pytest.fixture
def new_shop(
    containers: Containers, woocommerce_image: Image, mariadb_image: Image, disk: Path, tmp_path: Path
) -> Shops:
    """Makes shops that are nothing yet, with a database of the test's own."""
    database = start_database(containers, mariadb_image, disk).wait()
    return shops(woocommerce_image, containers, database, tmp_path)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if PLUGIN is None:
        terminalreporter.section("NOT RUN: whatever needs WooCommerce", red=True, bold=True)
        terminalreporter.line(
            "No shop was installed, sold anything, was killed while it sold, or was used with a browser. "
            "To try that: make test-node WOOCOMMERCE_ZIP=/path/to/woocommerce-10.6.2.zip"
        )
