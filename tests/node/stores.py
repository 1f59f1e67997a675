"""Stores on the real node, as the tests use them: over the ingress, by their pods, and through failures."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.node.real_node import RealNode
from tests.support.harness import JSON, RETRY, Harness
from tests.support.waiting import hang_limit, wait_until


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


def is_replaced(harness: Harness, namespace: str, component: str, uid: str) -> Callable[[], Awaitable[bool]]:
    async def another() -> bool:
        pod = (await pods(harness, namespace)).get(component)
        return pod is not None and pod["metadata"]["uid"] != uid

    return another


async def create_store(harness: Harness, engine: str = "SAMPLE") -> tuple[JSON, str]:
    """Creates a store. Returns it with its namespace."""
    store = await harness.create_store(engine=engine)
    [row] = await harness.sql("SELECT id FROM stores WHERE slug = $1", store["slug"])
    return store, f"store-{row['id']}"


async def wait_for_failure(harness: Harness, store: JSON) -> str:
    """Waits for FAILED. Returns the cause, which is also the failed step's message."""
    failed = await harness.wait_for_store(store["id"], status="FAILED")
    assert [step["message"] for step in failed["steps"] if step["status"] == "FAILED"] == [failed["cause"]]
    cause: str = failed["cause"]
    return cause


async def retry(harness: Harness, store: JSON) -> None:
    done = (await harness.client().execute(RETRY, {"id": store["id"]}))["retryStore"]
    assert done == {"store": {"status": "PROVISIONING"}, "userErrors": []}


async def retry_until_ready(harness: Harness, store: JSON) -> None:
    """Retries, and asserts that the store gets READY without another failure."""
    cursor = (await harness.get_store(store["id"]))["eventCursor"]
    await retry(harness, store)
    async with hang_limit():
        async for event in harness.store_events(store["id"], cursor):
            assert event["status"] != "FAILED", event["message"]
            if event["status"] == "READY":
                break
    ready = await harness.get_store(store["id"])
    assert (ready["cause"], ready["health"]["state"]) == (None, "HEALTHY")
