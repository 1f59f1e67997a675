"""A suspended store as real containers: no process runs, visitors read that it is paused, and its orders are kept."""

from tests.node.real_node import RealNode
from tests.node.stores import buy, create_ready_store, pods, process_ids, visit, wait_until_open
from tests.support.harness import JSON, Harness
from tests.support.suspension import resume_store, suspend_store
from tests.support.waiting import wait_until


async def test_a_store_is_suspended_and_resumed(harness: Harness, node: RealNode) -> None:
    store, namespace = await create_ready_store(harness)
    key = await buy(harness, store)
    assert process_ids(node, "python3", "serve")

    await suspend_store(harness, store["id"])
    await harness.wait_for_store(store["id"], status="SUSPENDED")
    assert await pods(harness, namespace) == {}
    assert (process_ids(node, "python3", "serve"), process_ids(node, "mariadbd", "")) == ([], [])

    async def says_that_it_is_paused() -> bool:
        status, page = await visit(harness, store)
        return status == 503 and "is closed for now" in str(page)

    await wait_until(says_that_it_is_paused)  # a moment later: the ingress learns that the route is gone

    await resume_store(harness, store["id"])
    resumed: JSON = await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    assert resumed["receipt"]["simulated"] is False
    await wait_until_open(harness, store)
    assert (await visit(harness, store, path=f"/orders/{key}"))[0] == 200
