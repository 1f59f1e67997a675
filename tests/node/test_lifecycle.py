"""The lifecycle of a sample store in real containers, with killed processes and a node that reboots."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.node.real_node import RealNode
from tests.support.harness import DELETE, Harness
from tests.support.waiting import wait_until

JSON = dict[str, Any]
READY_SECONDS = 60.0


async def visit(
    harness: Harness, store: JSON, method: str = "GET", path: str = "/", body: Any = None
) -> tuple[int, Any]:
    """A request to the store's URL through the ingress: status, and the body as JSON or text."""
    address = urlsplit(store["url"])
    url, headers = f"http://127.0.0.1:{address.port}{path}", {"Host": address.netloc}
    async with harness.http.request(method, url, json=body, headers=headers) as answer:
        kind = answer.headers.get("Content-Type", "")
        return answer.status, await answer.json() if "json" in kind else await answer.text()


async def wait_until_open(harness: Harness, store: JSON) -> None:
    """Waits until the page opens: the ingress learns of routes and pods with a delay."""

    async def answers() -> bool:
        try:
            return "A jar of olives" in str((await visit(harness, store))[1])
        except aiohttp.ClientConnectionError:
            return False

    await wait_until(answers)


async def buy(harness: Harness, store: JSON) -> str:
    status, order = await visit(harness, store, "POST", "/orders", {"sku": "olive", "email": "a@example.com"})
    assert status == 201
    key: str = order["key"]
    return key


async def pods(harness: Harness, namespace: str) -> dict[str, JSON]:
    """Component -> its running pod, without pods that are being deleted."""
    _, found = await harness.kubernetes_request("GET", f"/api/v1/namespaces/{namespace}/pods")
    return {
        item["metadata"]["labels"]["app.kubernetes.io/component"]: item
        for item in found["items"]
        if "deletionTimestamp" not in item["metadata"] and item["status"]["phase"] == "Running"
    }


async def create_ready_store(harness: Harness, **given: Any) -> tuple[JSON, str]:
    """Creates a sample store, waits until it is READY and opens. Returns it with its namespace."""
    store = await harness.create_store(engine="SAMPLE", **given)
    await harness.wait_for_status(store["id"], "READY")
    [row] = await harness.sql("SELECT id FROM stores WHERE slug = $1", store["slug"])
    store = await harness.get_store(store["id"])
    await wait_until_open(harness, store)
    return store, f"store-{row['id']}"


def process_ids(node: RealNode, program: str, word: str) -> list[int]:
    """Ids of the node's processes of that program with the word among their arguments."""
    return [process.pid for process in node.processes(program) if not word or word in process.cmdline()]


async def kill_process(node: RealNode, program: str, word: str = "") -> int:
    """Sends SIGKILL to the only process of that program. Returns its id."""
    [pid] = await asyncio.to_thread(process_ids, node, program, word)
    os.kill(pid, signal.SIGKILL)
    return pid


async def kill_and_wait(harness: Harness, node: RealNode, program: str, word: str = "") -> None:
    """Sends SIGKILL, and waits until another process runs."""
    before = await kill_process(node, program, word)

    async def another() -> bool:
        return await asyncio.to_thread(process_ids, node, program, word) not in ([], [before])

    await wait_until(another)


async def is_deleted(harness: Harness, url: str) -> bool:
    return (await harness.kubernetes_request("GET", url))[0] == 404


def is_replaced(harness: Harness, namespace: str, component: str, uid: str) -> Callable[[], Awaitable[bool]]:
    async def another() -> bool:
        pod = (await pods(harness, namespace)).get(component)
        return pod is not None and pod["metadata"]["uid"] != uid

    return another


def volume_files(node: RealNode, claim: str) -> set[str]:
    """The files of the claim's volume."""
    return {path.name for path in (node.state / "node" / "volumes").glob(f"{claim}*")}


async def test_a_whole_life(harness: Harness, node: RealNode) -> None:
    store, namespace = await create_ready_store(harness)
    assert store["url"] == f"http://fig-olive.localhost:{node.ingress_port}"
    assert store["receipt"]["simulated"] is False
    assert [step["name"] for step in store["receipt"]["steps"]] == ["page", "order", "check", "clean"]
    assert "🫒 Fig &amp; Olive" in (await visit(harness, store))[1]
    key = await buy(harness, store)

    for component in ("web", "database"):
        pod = (await pods(harness, namespace))[component]
        await harness.kubernetes_request("DELETE", f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}")
        await wait_until(is_replaced(harness, namespace, component, pod["metadata"]["uid"]))
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    await wait_until_open(harness, store)
    assert (await visit(harness, store, path=f"/orders/{key}"))[0] == 200

    before = {name: pod["metadata"]["uid"] for name, pod in (await pods(harness, namespace)).items()}
    await kill_and_wait(harness, node, "kubelet")
    assert (await visit(harness, store))[0] == 200  # containers run without the kubelet
    assert {name: pod["metadata"]["uid"] for name, pod in (await pods(harness, namespace)).items()} == before

    await asyncio.to_thread(node.reboot)
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    await wait_until_open(harness, store)
    assert (await visit(harness, store, path=f"/orders/{key}"))[0] == 200
    assert {name: pod["metadata"]["uid"] for name, pod in (await pods(harness, namespace)).items()} == before

    _, volumes = await harness.kubernetes_request("GET", "/api/v1/persistentvolumes")
    [volume] = [item for item in volumes["items"] if item["spec"]["claimRef"]["namespace"] == namespace]
    claim = volume["spec"]["claimRef"]["uid"]
    assert volume_files(node, claim) == {claim, f"{claim}.ext4"}
    await harness.client().execute(DELETE, {"id": store["id"]})
    await harness.wait_for_status(store["id"], "DELETED")
    gone = await harness.get_store(store["id"])
    assert gone["deletion"] == {"namespace": namespace, "volumes": [volume["metadata"]["name"]], "leftovers": []}
    assert await is_deleted(harness, f"/api/v1/namespaces/{namespace}")
    assert await is_deleted(harness, f"/api/v1/persistentvolumes/{volume['metadata']['name']}")
    assert volume_files(node, claim) == set()
    status, page = await visit(harness, store)  # the page of the platform
    assert (status, "olives" in page) == (404, False)


async def test_a_crash_after_ready_is_told_and_passes(harness: Harness, node: RealNode) -> None:
    store, _ = await create_ready_store(harness)
    await kill_and_wait(harness, node, "python3", "serve")
    await kill_process(node, "python3", "serve")  # its second restart has a back-off, so that DOWN is observed
    down = await harness.wait_for_store(store["id"], status="READY", health="DOWN")
    assert "web" in down["health"]["cause"]
    status, _ = await visit(harness, store)
    assert status == 503
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    await wait_until_open(harness, store)
