"""A store's life as real containers: READY because it sold something, through whatever happens to its node."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.flow.fleet import DELETE, Fleet
from tests.node.real import RealNode

JSON = dict[str, Any]
READY_SECONDS = 60.0


async def visit(fleet: Fleet, store: JSON, method: str = "GET", path: str = "/", body: Any = None) -> tuple[int, Any]:
    """As a browser would: by the store's address, through the ingress. Status and answer."""
    address = urlsplit(store["url"])
    url, headers = f"http://127.0.0.1:{address.port}{path}", {"Host": address.netloc}
    async with fleet.http.request(method, url, json=body, headers=headers) as answer:
        kind = answer.headers.get("Content-Type", "")
        return answer.status, await answer.json() if "json" in kind else await answer.text()


async def opens(fleet: Fleet, store: JSON) -> None:
    """The ingress takes a moment to listen after a reboot, and to hear of a route, or that a pod is back."""

    async def answers() -> bool:
        try:
            return "A jar of olives" in str((await visit(fleet, store))[1])
        except aiohttp.ClientConnectionError:
            return False

    await fleet.poll(answers, 30)


async def buy(fleet: Fleet, store: JSON) -> str:
    status, order = await visit(fleet, store, "POST", "/orders", {"sku": "olive", "email": "a@example.com"})
    assert status == 201
    key: str = order["key"]
    return key


async def pods(fleet: Fleet, namespace: str) -> dict[str, JSON]:
    """Those that are neither over nor leaving, by component."""
    _, found = await fleet.kubernetes("GET", f"/api/v1/namespaces/{namespace}/pods")
    return {
        item["metadata"]["labels"]["app.kubernetes.io/component"]: item
        for item in found["items"]
        if "deletionTimestamp" not in item["metadata"] and item["status"]["phase"] == "Running"
    }


async def made(fleet: Fleet, **given: Any) -> tuple[JSON, str]:
    """A sample store that is READY and opens, and its namespace."""
    store = await fleet.create(engine="SAMPLE", **given)
    await fleet.until(store["id"], "READY", READY_SECONDS)
    [row] = await fleet.sql("SELECT id FROM stores WHERE slug = $1", store["slug"])
    store = await fleet.store(store["id"])
    await opens(fleet, store)
    return store, f"store-{row['id']}"


def of_program(node: RealNode, program: str, word: str) -> list[int]:
    """Process ids, as seen from outside, of what runs inside with that word among its arguments."""
    return [process.pid for process in node.processes(program) if not word or word in process.cmdline()]


async def end(node: RealNode, program: str, word: str = "") -> int:
    """SIGKILL the one that there is: its process id."""
    [pid] = await asyncio.to_thread(of_program, node, program, word)
    os.kill(pid, signal.SIGKILL)
    return pid


async def crash(fleet: Fleet, node: RealNode, program: str, word: str = "") -> None:
    """SIGKILL it, and return when another runs."""
    before = await end(node, program, word)

    async def another() -> bool:
        return await asyncio.to_thread(of_program, node, program, word) not in ([], [before])

    await fleet.poll(another, 30)


async def lacks(fleet: Fleet, url: str) -> bool:
    return (await fleet.kubernetes("GET", url))[0] == 404


def is_another(fleet: Fleet, namespace: str, component: str, uid: str) -> Callable[[], Awaitable[bool]]:
    async def another() -> bool:
        pod = (await pods(fleet, namespace)).get(component)
        return pod is not None and pod["metadata"]["uid"] != uid

    return another


def volume_files(node: RealNode, claim: str) -> set[str]:
    """Of that claim; those of an earlier test's store may still be going."""
    return {path.name for path in (node.state / "node" / "volumes").glob(f"{claim}*")}


async def test_a_whole_life(fleet: Fleet, node: RealNode) -> None:
    store, namespace = await made(fleet)
    assert store["url"] == f"http://fig-olive.localhost:{node.ingress_port}"
    assert store["receipt"]["simulated"] is False
    assert [step["name"] for step in store["receipt"]["steps"]] == ["page", "order", "check", "clean"]
    assert "🫒 Fig &amp; Olive" in (await visit(fleet, store))[1]
    key = await buy(fleet, store)

    for component in ("web", "database"):  # a pod that somebody deletes
        pod = (await pods(fleet, namespace))[component]
        await fleet.kubernetes("DELETE", f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}")
        await fleet.poll(is_another(fleet, namespace, component, pod["metadata"]["uid"]), 90)
    await fleet.eventually(store["id"], seconds=60, status="READY", health="HEALTHY")
    await opens(fleet, store)
    assert (await visit(fleet, store, path=f"/orders/{key}"))[0] == 200

    before = {name: pod["metadata"]["uid"] for name, pod in (await pods(fleet, namespace)).items()}
    await crash(fleet, node, "kubelet")
    assert (await visit(fleet, store))[0] == 200  # containers don't need it to go on
    assert {name: pod["metadata"]["uid"] for name, pod in (await pods(fleet, namespace)).items()} == before

    await asyncio.to_thread(node.reboot)
    await fleet.eventually(store["id"], seconds=90, status="READY", health="HEALTHY")
    await opens(fleet, store)
    assert (await visit(fleet, store, path=f"/orders/{key}"))[0] == 200
    assert {name: pod["metadata"]["uid"] for name, pod in (await pods(fleet, namespace)).items()} == before

    _, volumes = await fleet.kubernetes("GET", "/api/v1/persistentvolumes")
    [volume] = [item for item in volumes["items"] if item["spec"]["claimRef"]["namespace"] == namespace]
    claim = volume["spec"]["claimRef"]["uid"]
    assert volume_files(node, claim) == {claim, f"{claim}.ext4"}
    await fleet.client().execute(DELETE, {"id": store["id"]})
    await fleet.until(store["id"], "DELETED", 120)
    gone = await fleet.store(store["id"])
    assert gone["deletion"] == {"namespace": namespace, "volumes": [volume["metadata"]["name"]], "leftovers": []}
    assert await lacks(fleet, f"/api/v1/namespaces/{namespace}")
    assert await lacks(fleet, f"/api/v1/persistentvolumes/{volume['metadata']['name']}")
    assert volume_files(node, claim) == set()
    status, page = await visit(fleet, store)  # now the platform answers there
    assert (status, "olives" in page) == (404, False)


async def test_a_crash_after_ready_is_told_and_passes(fleet: Fleet, node: RealNode) -> None:
    store, _ = await made(fleet)
    await crash(fleet, node, "python3", "serve")
    await end(node, "python3", "serve")  # the second time its restart waits, so that everybody can see it
    down = await fleet.eventually(store["id"], seconds=10, status="READY", health="DOWN")
    assert "web" in down["health"]["cause"]
    status, _ = await visit(fleet, store)
    assert status == 503
    await fleet.eventually(store["id"], seconds=60, status="READY", health="HEALTHY")
    await opens(fleet, store)
