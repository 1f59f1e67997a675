"""Fixtures: one real node per session, with the workers' account; API and worker for each test that uses `harness`."""

import os

os.environ["STOREFLEET_ENGINES"] = "workers.engines.sample,workers.engines.woocommerce,workers.engines.medusa"
# before anything imports the schema, which names the engines

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from runtime.settings import ClusterProfile
from sandbox.images import build_images
from sandbox.kubernetes.binaries import Report
from sandbox.kubernetes.node.launcher import NodeOptions, prepare
from sandbox.ports import free_port
from tests.cluster.platform import Platform, install
from tests.node.containers import Containers, Image, unpack
from tests.node.databases import start_database
from tests.node.medusa_shops import medusa_image, new_medusa_shop, postgres_image, postgres_server
from tests.node.page_visits import second_server, server, visit, visitors
from tests.node.plugin import PLUGIN
from tests.node.real_node import RealNode
from tests.node.shops import Mounts, Shops, shop_factory
from tests.node.wordpress import content, languages, name_server, shop
from tests.support.browser import browser, new_page
from tests.support.harness import Harness, run_harness

__all__ = [  # fixtures
    "browser",
    "content",
    "languages",
    "medusa_image",
    "name_server",
    "new_medusa_shop",
    "new_page",
    "postgres_image",
    "postgres_server",
    "second_server",
    "server",
    "shop",
    "visit",
    "visitors",
]


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Report:
    """Prints progress past pytest's capturing: the first build takes minutes."""
    capturing = pytestconfig.pluginmanager.getplugin("capturemanager")
    assert capturing is not None

    def print_line(line: str) -> None:
        with capturing.global_and_fixture_disabled():
            print(line, flush=True)

    return print_line


@pytest.fixture(scope="session")
def archives(report: Report) -> dict[str, Path]:
    """Image name -> OCI archive, built from Debian packages if it isn't cached."""
    names = ("pause", "mariadb", "postgres", "valkey", "sample", "medusa", "woocommerce")
    if PLUGIN is None:
        made = build_images(names, report, arguments={"WOOCOMMERCE_VERSION": "none"})
    else:
        made = build_images(names, report, files={"WOOCOMMERCE_ZIP": Path(PLUGIN)})
    return dict(zip(names, made, strict=True))


@pytest.fixture(scope="session")
def programs(report: Report) -> None:
    """Builds the node's programs if they aren't cached."""
    prepare(NodeOptions(), report)


@pytest.fixture(scope="session")
def node(archives: dict[str, Path], programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealNode]:
    """The session's node."""
    node = RealNode(tmp_path_factory.mktemp("node") / "state", tuple(archives.values()), free_port())
    node.start()
    yield node
    node.stop()


@pytest.fixture(scope="session")
def platform(node: RealNode, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    os.environ["STOREFLEET_TEST_KUBECONFIG"] = str(node.kubeconfig)
    return install(tmp_path_factory.mktemp("platform"))


@pytest.fixture
def changes(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Changes of the cluster profile, from `@pytest.mark.parametrize("changes", [{…}], indirect=True)`."""
    given: dict[str, Any] = getattr(request, "param", {})
    return given


@pytest_asyncio.fixture(name="harness")
async def harness_fixture(
    node: RealNode, platform: Platform, database_url: str, redis_url: str, tmp_path: Path, changes: dict[str, Any]
) -> AsyncIterator[Harness]:
    """API and worker on the node; deletes the stores' namespaces after the test."""
    port = node.https_port if changes.get("store_scheme") == "https" else node.ingress_port
    given: dict[str, Any] = {
        "store_port": port,
        "database_image": "mariadb:debian",
        "postgres_image": "postgres:debian",
        "valkey_image": "valkey/valkey:debian",
    } | changes
    profile = ClusterProfile(**given)
    async with run_harness(
        database_url,
        redis_url,
        tmp_path,
        cluster=(platform.account, platform.admin),
        profile=profile,
        port=node.platform_port or 0,
        languages=("en-US", "de-DE", "ar"),
        failure_patience=12.0,  # warning events are read after 10 s
    ) as made:
        yield made
        for row in await made.sql("SELECT id FROM stores"):
            await made.kubernetes_request("DELETE", f"/api/v1/namespaces/store-{row['id']}")


@pytest.fixture(scope="session")
def unpack_image(archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Image]:
    """Unpacks the image of that name."""
    return lambda name: unpack(archives[name], tmp_path_factory.mktemp("layout"), tmp_path_factory.mktemp("root"))


@pytest.fixture(scope="session")
def mariadb_image(unpack_image: Callable[[str], Image]) -> Image:
    return unpack_image("mariadb")


@pytest.fixture(scope="session")
def woocommerce_image(unpack_image: Callable[[str], Image]) -> Image:
    return unpack_image("woocommerce")


@pytest.fixture
def containers(tmp_path: Path) -> Iterator[Containers]:
    containers = Containers(tmp_path / "containers")
    yield containers
    containers.stop()


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """An empty folder for a database."""
    disk = tmp_path / "disk"
    disk.mkdir()
    os.chown(disk, 10001, 10001)
    return disk


@pytest.fixture
def new_shop(
    containers: Containers, woocommerce_image: Image, mariadb_image: Image, disk: Path, tmp_path: Path
) -> Shops:
    """Returns shops that aren't installed yet, with a database for the test."""
    database = start_database(containers, mariadb_image, disk).wait()
    return shop_factory(woocommerce_image, containers, database, tmp_path)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if PLUGIN is None:
        terminalreporter.section("NOT RUN: tests that need WooCommerce", red=True, bold=True)
        terminalreporter.line(
            "No WooCommerce shop was installed, and no order was placed in one. "
            "To run them: make test-node WOOCOMMERCE_ZIP=/path/to/woocommerce-10.6.2.zip"
        )


@pytest.fixture
def hosts(tmp_path: Path) -> Mounts:
    """/etc/hosts with the name of a mail server in the cluster."""
    file = tmp_path / "hosts"
    file.write_text("127.0.0.1 localhost relay.mail.svc\n")
    return {"/etc/hosts": file}
