"""The chart on a real node: the platform runs in the cluster under its own account, and creates stores there."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import expect

from sandbox.images import build_images
from sandbox.kubernetes.binaries import Report
from tests.node.installation import IMAGES, NAME, NAMESPACE, PASSWORD, Installation
from tests.node.real_node import RealNode
from tests.support.browser import NewPage
from tests.support.helm import HelmError, build
from tests.support.kubernetes_server import Server
from tests.support.waiting import HANG_SECONDS, eventually

CREATE = (
    'mutation { createStore(input: {name: "Outlives", engine: SAMPLE}) { store { id url } userErrors { message } } }'
)
STORE = "query ($id: ID!) { store(id: $id) { status url } }"
DELETE = "mutation ($id: ID!) { deleteStore(input: {id: $id}) { userErrors { message } } }"


@pytest.fixture(scope="module")
def installation(report: Report, programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The release, on a node of its own: the other tests' node leads requests without a store out of the cluster."""
    archives = build_images(IMAGES, report)
    node = RealNode(tmp_path_factory.mktemp("chart") / "state", tuple(archives))
    node.start()
    try:
        helm = replace(build(tmp_path_factory.mktemp("helm")), kubeconfig=node.kubeconfig)
        installation = Installation(node, helm, Server(node.kubeconfig))
        installation.server.create_namespace(NAMESPACE)
        installation.apply()
        yield installation
    finally:
        node.stop()


def answers(installation: Installation, url: str, text: str) -> bool:
    try:
        return text in installation.visit(url)[1]
    except OSError:
        return False


def status(installation: Installation, token: str, store: dict[str, Any]) -> str:
    return str(installation.graphql(token, STORE, id=store["id"])["store"]["status"])


def test_helm_tests_the_release(installation: Installation) -> None:
    """It creates a store, buys something in it, and deletes it."""
    output = installation.helm.run("test", NAME, "--namespace", NAMESPACE, "--timeout", "5m")
    assert re.search(r"Phase:\s+Succeeded", output)
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods"
    [pod] = installation.server.names(f"{pods}?labelSelector=app.kubernetes.io/component=smoke-test")
    log = str(installation.server.call("GET", f"{pods}/{pod}/log"))
    assert "createStore → Smoke test" in log
    assert "receipt" in log
    assert [name for name in installation.server.names("/api/v1/namespaces") if name.startswith("store-")] == []


async def test_the_first_owner_signs_in_and_sees_a_store_become_ready(
    installation: Installation, new_page: NewPage
) -> None:
    """As the notes of the chart say, in a real browser. The page changes by itself, over a WebSocket."""
    await asyncio.to_thread(installation.storefleet, "users", "add", "ada@example.com", standard_input=PASSWORD)
    token = (await asyncio.to_thread(installation.storefleet, "tokens", "create", "ada@example.com")).strip()
    link = await asyncio.to_thread(installation.storefleet, "users", "link", "ada@example.com")
    observed = await new_page()
    page = observed.page
    await page.goto(link.strip())
    await expect(page.get_by_role("link", name=re.compile("^Create (a )?store")).first).to_be_visible()
    store = (await asyncio.to_thread(installation.graphql, token, CREATE))["createStore"]["store"]
    await page.get_by_role("link", name="Outlives").first.click()
    shop = page.get_by_role("link", name=re.compile("Open the shop"))
    await expect(shop).to_have_attribute("href", re.compile(f"^{store['url']}"), timeout=HANG_SECONDS * 1000)
    assert await asyncio.to_thread(eventually, lambda: answers(installation, store["url"], "A jar of olives"))
    assert observed.console_errors == []
    assert observed.failed_requests == []


def test_a_host_without_a_store_gets_the_status_page(installation: Installation) -> None:
    port = installation.node.ingress_port
    code, text = installation.visit(f"http://nothing-here.localhost:{port}/")
    assert (code, "<title>" in text) == (404, True)


def test_a_bad_upgrade_leaves_the_old_release_serving(installation: Installation) -> None:
    deployments = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
    with pytest.raises(HelmError):
        installation.apply("--set", "image.tag=missing", wait=("--wait", "--timeout", "20s"))
    for item in installation.server.call("GET", deployments)["items"]:
        assert item["status"]["availableReplicas"] == 1, item["metadata"]["name"]
    assert installation.visit(f"{installation.url}/readyz")[0] == 200
    installation.helm.run("rollback", NAME, "--namespace", NAMESPACE, "--wait", "--timeout", "3m")
    assert installation.visit(f"{installation.url}/readyz")[0] == 200


def test_stores_outlive_the_release(installation: Installation) -> None:
    """They sell while the platform is away, and a new installation with the same database manages them again."""
    installation.storefleet("users", "add", "grace@example.com", standard_input=PASSWORD)
    token = installation.storefleet("tokens", "create", "grace@example.com").strip()
    payload = installation.graphql(token, CREATE)["createStore"]
    assert payload["userErrors"] == []
    store = payload["store"]
    assert eventually(lambda: status(installation, token, store) == "READY")
    assert eventually(lambda: answers(installation, store["url"], "A jar of olives"))

    installation.uninstall()
    assert answers(installation, store["url"], "A jar of olives")
    installation.apply()
    assert status(installation, token, store) == "READY"
    assert answers(installation, store["url"], "A jar of olives")
    assert installation.graphql(token, DELETE, id=store["id"])["deleteStore"]["userErrors"] == []
    assert eventually(lambda: status(installation, token, store) == "DELETED")
