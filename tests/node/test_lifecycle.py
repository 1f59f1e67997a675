"""The lifecycle of a sample store in real containers, with killed processes and a node that reboots."""

import asyncio
import os
import signal

from tests.node.real_node import RealNode
from tests.node.stores import (
    buy,
    create_ready_store,
    is_replaced,
    pods,
    process_ids,
    visit,
    wait_until_open,
)
from tests.support.harness import DELETE, Harness
from tests.support.stores import is_gone
from tests.support.waiting import wait_until


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
    assert await is_gone(harness, f"/api/v1/namespaces/{namespace}")
    assert await is_gone(harness, f"/api/v1/persistentvolumes/{volume['metadata']['name']}")
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
