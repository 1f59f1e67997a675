"""Two web pods of a store at the same time, as during an update: what one of them changes, the other shows next."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from yarl import URL

from tests.node.page_visits import Answer, enter_network, send
from tests.node.plugin import NEEDS_PLUGIN
from tests.node.process_inspection import processes_of_pods
from tests.node.real_node import RealNode
from tests.node.shoppers import API, create_open_store, credentials, sign_in
from tests.node.stores import pods
from tests.support.harness import JSON, Harness
from tests.support.stores import object_path, request_object
from tests.support.waiting import eventually, wait_until

pytestmark = NEEDS_PLUGIN
PRODUCT = "/product/storefleet-sample/"
Visit = Callable[..., Answer]


async def add_web_pod(harness: Harness, namespace: str) -> JSON:
    """Another pod of the Deployment's template, which no ReplicaSet adopts. Returns it when it is ready."""
    deployment = await request_object(harness, "GET", object_path(namespace, "deployments", "web"))
    template = deployment["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": template["spec"]}
    pod["metadata"] = {**template["metadata"], "name": "web-second"}
    collection = f"/api/v1/namespaces/{namespace}/pods"
    status, answer = await harness.kubernetes_request("POST", collection, pod)
    assert status == 201, answer
    found: JSON = {}

    async def ready() -> bool:
        nonlocal found
        found = await request_object(harness, "GET", f"{collection}/web-second")
        conditions = found["status"].get("conditions", ())
        return any(row["type"] == "Ready" and row["status"] == "True" for row in conditions)

    await wait_until(ready)
    return found


@asynccontextmanager
async def visits_to(node: RealNode, pod: JSON, host: str) -> AsyncIterator[Visit]:
    """A function that sends a request to this pod, from its own network."""
    processes = await asyncio.to_thread(processes_of_pods, node, "apache2", {pod["metadata"]["uid"]})
    network = Path(f"/proc/{processes[0].pid}/ns/net")
    with ThreadPoolExecutor(1, initializer=enter_network, initargs=(network,)) as pool:
        yield lambda *args, **given: pool.submit(partial(send, *args, Host=host, **given)).result()


def is_stored(pod: Visit) -> bool:
    """Whether the answer comes from the pod's page cache."""
    return pod(PRODUCT).cached


async def test_what_one_pod_changes_the_other_shows_next(harness: Harness, node: RealNode) -> None:
    store, namespace = await create_open_store(harness)
    first, second = (await pods(harness, namespace))["web"], await add_web_pod(harness, namespace)
    session = await sign_in(harness, store, *await credentials(harness, store))
    assert session is not None
    host = URL(store["url"]).authority
    async with visits_to(node, first, host) as one, visits_to(node, second, host) as other:
        owner = {"Cookie": session, "Content-Type": "application/json"}
        owner["X-WP-Nonce"] = one("/wp-admin/admin-ajax.php?action=rest-nonce", Cookie=session).text
        [product] = json.loads(one(f"{API}/products").text)
        price = 20
        for writer, reader in ((one, other), (other, one)) * 3:
            for pod in (writer, reader):
                assert await asyncio.to_thread(eventually, partial(is_stored, pod))
            price += 1
            body = json.dumps({"regular_price": str(price)})
            changed = writer(f"/wp-json/wc/v3/products/{product['id']}", "POST", body=body, **owner)
            assert changed.status == 200, changed.text
            for pod in (reader, writer):
                page = pod(PRODUCT)
                assert (page.cached, f"{price}.00" in page.text) == (False, True)
