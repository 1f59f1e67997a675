"""The chart on a real node: the platform runs in the cluster under its own account, and creates stores there."""

import asyncio
import functools
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from playwright.async_api import expect

from sandbox.images import build_images
from sandbox.kubernetes.binaries import Report
from sandbox.kubernetes.node.ingress import GATEWAY
from sandbox.kubernetes.node.ingress import NAMESPACE as GATEWAY_NAMESPACE
from tests.node.installation import IMAGES, NAME, NAMESPACE, PASSWORD, Installation
from tests.node.real_node import RealNode
from tests.node.upgrade_load import UpgradeLoad
from tests.support.browser import NewPage
from tests.support.helm import HelmError, build
from tests.support.kubernetes_server import Server
from tests.support.waiting import HANG_SECONDS, eventually, wait_until

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


SUBSCRIBERS = 200
UNREACHABLE_DATABASE = (
    "--set-json",
    'extraEnv=[{"name": "STOREFLEET_DATABASE_LISTEN_URL", "value": "postgresql://nobody@127.0.0.1:1/none"}]',
)
"""Migrations use this URL, and the new pods, too."""


async def is_true(value: bool) -> bool:
    return value


def cursors(events: list[dict[str, Any]]) -> list[str]:
    return [event["cursor"] for event in events]


def ready_stores(events: list[dict[str, Any]]) -> list[str]:
    """Names of the stores that are READY."""
    return sorted({event["store"]["name"] for event in events if event["status"] == "READY"})


def answers(installation: Installation, url: str, text: str) -> bool:
    try:
        return text in installation.visit(url)[1]
    except OSError:
        return False


def accepted_routes(installation: Installation) -> int:
    """HTTPRoutes of the release that the Gateway accepts."""
    found = installation.server.call("GET", f"/apis/gateway.networking.k8s.io/v1/namespaces/{NAMESPACE}/httproutes")
    parents = [parent for item in found["items"] for parent in item.get("status", {}).get("parents", [])]
    conditions = [condition for parent in parents for condition in parent["conditions"]]
    return sum(condition["type"] == "Accepted" and condition["status"] == "True" for condition in conditions)


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


def test_the_gateway_leads_to_the_platform(installation: Installation) -> None:
    """HTTPRoutes in the place of the Ingresses."""
    kept = f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/ingresses"
    parents = json.dumps([{"namespace": GATEWAY_NAMESPACE, "name": GATEWAY, "sectionName": "http"}])
    routes = ("--set", "httpRoute.enabled=true", "--set-json", f"httpRoute.parentRefs={parents}")
    installation.apply(*routes, "--set", "ingress.enabled=false")
    assert installation.server.names(kept) == set()
    assert eventually(lambda: accepted_routes(installation) == 2)
    assert eventually(lambda: answers(installation, f"{installation.url}/", "<title>Storefleet"))
    nowhere = f"http://nothing-here.localhost:{installation.node.ingress_port}/"
    assert eventually(lambda: answers(installation, nowhere, "<title>"))
    installation.apply()
    assert len(installation.server.names(kept)) == 2
    assert eventually(lambda: answers(installation, f"{installation.url}/", "<title>Storefleet"))


def test_a_bad_upgrade_leaves_the_old_release_serving(installation: Installation) -> None:
    deployments = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
    with pytest.raises(HelmError):
        installation.apply("--set", "image.tag=missing", wait=("--wait", "--timeout", "20s"))
    for item in installation.server.call("GET", deployments)["items"]:
        assert item["status"]["availableReplicas"] == 1, item["metadata"]["name"]
    assert installation.visit(f"{installation.url}/readyz")[0] == 200
    installation.helm.run("rollback", NAME, "--namespace", NAMESPACE, "--wait", "--timeout", "3m")
    assert installation.visit(f"{installation.url}/readyz")[0] == 200


async def test_an_upgrade_under_load_loses_nothing(installation: Installation) -> None:
    """With two pods of each kind: no event is lost or doubled, and each mutation is done once, also in a rollback."""
    two = ("--set", "api.replicas=2", "--set", "worker.replicas=2", "--set", "api.drainSeconds=2")
    await asyncio.to_thread(installation.apply, *two)
    await asyncio.to_thread(installation.storefleet, "users", "add", "mary@example.com", standard_input=PASSWORD)
    token = (await asyncio.to_thread(installation.storefleet, "tokens", "create", "mary@example.com")).strip()
    load = UpgradeLoad(installation, token)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as http:
        names = ["Before", "Upgrade", "Rollback"]
        ids = {names[0]: await load.create(http, names[0])}
        first = asyncio.create_task(load.listen(http))
        await wait_until(lambda: is_true(bool(load.seen and load.seen[0])))
        start = load.seen[0][0]["cursor"]
        background = [first, *(asyncio.create_task(load.listen(http, start)) for _ in range(SUBSCRIBERS))]
        background.append(asyncio.create_task(load.keep_creating(http, names[0])))
        try:
            again = ("--set-string", "api.podAnnotations.upgrade=1", "--set-string", "worker.podAnnotations.upgrade=1")
            upgrade = asyncio.to_thread(installation.apply, *two, *again)
            ids[names[1]], _ = await asyncio.gather(load.create(http, names[1]), upgrade)
            rollback = ("rollback", NAME, "--namespace", NAMESPACE, "--wait", "--timeout", "3m")
            back = asyncio.to_thread(installation.helm.run, *rollback)
            ids[names[2]], _ = await asyncio.gather(load.create(http, names[2]), back)
            bad = functools.partial(
                installation.apply, *two, *UNREACHABLE_DATABASE, wait=("--wait", "--timeout", "20s")
            )
            with pytest.raises(HelmError):
                await asyncio.to_thread(bad)
            await load.create(http, names[0])  # the old release serves while the migration fails
            await asyncio.to_thread(installation.helm.run, *rollback)
            await wait_until(lambda: is_true(ready_stores(load.seen[0]) == sorted(names)))
            # all of them get as far as the first one, which has every event so far
            last = load.seen[0][-1]["cursor"]
            assert await asyncio.to_thread(eventually, lambda: not load.behind(last)), load.behind(last)[0]
        finally:
            for task in background:
                task.cancel()
            ended = await asyncio.gather(*background, return_exceptions=True)
            assert [error for error in ended if not isinstance(error, asyncio.CancelledError)] == []
    expected = cursors(load.seen[0])[1:]
    expected = expected[: expected.index(last) + 1]
    assert len(set(expected)) == len(expected)
    for events in load.seen[1:]:
        assert cursors(events)[: len(expected)] == expected
    # one store for each key, and old and new workers changed none that was ready
    stores = installation.graphql(token, "{ stores(first: 50) { nodes { name } } }")["stores"]["nodes"]
    assert sorted(store["name"] for store in stores) == sorted(names)
    assert "UPDATING" not in {event["status"] for event in load.seen[0]}
    for identifier in ids.values():
        installation.graphql(token, DELETE, id=identifier)
    print(f"\nupgrade under load: the latest event came after {load.latest[0]:.1f} s:\n{load.latest[1]}")
    print(f"the slowest of {len(load.mutations)} mutations: {max(load.mutations):.1f} s; {load.repeated} were repeated")


def test_a_medusa_store_sells(installation: Installation) -> None:
    """Created by the platform in the cluster, under its own service account."""
    installation.storefleet("users", "add", "katherine@example.com", standard_input=PASSWORD)
    token = installation.storefleet("tokens", "create", "katherine@example.com").strip()
    store = installation.graphql(token, CREATE.replace("SAMPLE", "MEDUSA"))["createStore"]["store"]
    assert eventually(lambda: status(installation, token, store) == "READY")
    assert eventually(lambda: answers(installation, store["url"], "Sample product"))
    installation.graphql(token, DELETE, id=store["id"])
    assert eventually(lambda: status(installation, token, store) == "DELETED")


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
