"""A WooCommerce store in real containers: it gets READY and sells."""

from tests.node.plugin import NEEDS_PLUGIN
from tests.node.real_node import RealNode
from tests.node.shoppers import ShoppingSession, create_open_store, credentials, rows, send_request, wait_until_open
from tests.node.stores import is_replaced, pods
from tests.support.harness import Harness
from tests.support.stores import request_object, run_cron_job
from tests.support.waiting import wait_until

pytestmark = NEEDS_PLUGIN
DUE = (
    "SELECT action_id FROM wp_actionscheduler_actions WHERE status = 'pending' AND scheduled_date_gmt < UTC_TIMESTAMP()"
)
COMPLETE = "SELECT action_id FROM wp_actionscheduler_actions WHERE status = 'complete'"


async def test_a_shop_sells_lets_its_owner_in_and_outlives_its_pods(harness: Harness, node: RealNode) -> None:
    store, namespace = await create_open_store(harness, name="🫒 Fig & Olive „日本“")
    assert store["receipt"]["simulated"] is False
    names = [step["name"] for step in store["receipt"]["steps"]]
    assert names == ["boot", "shop", "cache", "product", "cart", "checkout", "order", "cancel", "clean"]
    page = (await send_request(harness, store, "GET", "/"))[2]
    assert [sign for sign in ("🫒 Fig &amp; Olive „日本“", 'lang="en-US"') if sign not in page] == []
    shop = ShoppingSession(harness, store)
    await shop.buy()
    await runs_scheduled_actions(harness, node, namespace)

    username, password = await credentials(harness, store)
    form = {"log": username, "pwd": password, "testcookie": "1"}
    cookie = {"Cookie": "wordpress_test_cookie=WP%20Cookie%20check"}
    status, headers, _ = await send_request(harness, store, "POST", "/wp-login.php", data=form, headers=cookie)
    assert (status, headers["Location"].endswith("/wp-admin/")) == (302, True)
    form["pwd"] += "x"
    assert (await send_request(harness, store, "POST", "/wp-login.php", data=form, headers=cookie))[0] == 200

    for component in ("web", "database"):
        pod = (await pods(harness, namespace))[component]
        await harness.kubernetes_request("DELETE", f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}")
        await wait_until(is_replaced(harness, namespace, component, pod["metadata"]["uid"]))
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    await wait_until_open(harness, store)
    await shop.buy()
    assert shop.numbers == sorted(shop.numbers)
    assert (shop.refusals, shop.interrupted) == ([], [])


async def runs_scheduled_actions(harness: Harness, node: RealNode, namespace: str) -> None:
    """The CronJob runs WooCommerce's scheduled actions. The test creates one of its Jobs now.

    A Job of the CronJob itself may run at the same time: then it has claimed the actions, and no Job waits for another.
    """
    due = {action for [action] in await rows(harness, node, namespace, DUE)}
    job = await run_cron_job(harness, namespace)

    async def all_are_complete() -> bool:
        complete = {action for [action] in await rows(harness, node, namespace, COMPLETE)}
        return bool(complete) and due <= complete

    await wait_until(all_are_complete)
    await request_object(harness, "DELETE", f"{job}?propagationPolicy=Background")
