"""A WooCommerce store as real containers: it is READY because it sold something, and then it sells."""

from tests.flow.fleet import JSON, Fleet
from tests.flow.test_drift import do
from tests.flow.test_stores_way import run_cron
from tests.node.conftest import NEEDS_PLUGIN
from tests.node.real import RealNode
from tests.node.shoppers import Shopping, ask, opened, opens, rows
from tests.node.test_life import is_another, pods

pytestmark = NEEDS_PLUGIN
REVEAL = "mutation ($id: ID!) { revealAdminCredentials(input: {id: $id}) { credentials { username password } } }"
DUE = (
    "SELECT action_id FROM wp_actionscheduler_actions WHERE status = 'pending' AND scheduled_date_gmt < UTC_TIMESTAMP()"
)


async def credentials(fleet: Fleet, store: JSON) -> tuple[str, str]:
    """What the owner signs in with."""
    revealed = await fleet.client().execute(REVEAL, {"id": store["id"]})
    given = revealed["revealAdminCredentials"]["credentials"]
    return given["username"], given["password"]


async def test_a_shop_sells_lets_its_owner_in_and_outlives_its_pods(fleet: Fleet, node: RealNode) -> None:
    store, namespace = await opened(fleet, name="🫒 Fig & Olive „日本“", language="de-DE")
    assert store["receipt"]["simulated"] is False
    names = [step["name"] for step in store["receipt"]["steps"]]
    assert names == ["boot", "shop", "product", "cart", "checkout", "order", "cancel", "clean"]
    page = (await ask(fleet, store, "GET", "/"))[2]
    assert [sign for sign in ("🫒 Fig &amp; Olive „日本“", 'lang="de-DE"') if sign not in page] == []
    shop = Shopping(fleet, store)
    await shop.buy()
    await works_in_the_background(fleet, node, namespace)

    username, password = await credentials(fleet, store)
    form = {"log": username, "pwd": password, "testcookie": "1"}
    cookie = {"Cookie": "wordpress_test_cookie=WP%20Cookie%20check"}
    status, headers, _ = await ask(fleet, store, "POST", "/wp-login.php", data=form, headers=cookie)
    assert (status, headers["Location"].endswith("/wp-admin/")) == (302, True)
    form["pwd"] += "x"
    assert (await ask(fleet, store, "POST", "/wp-login.php", data=form, headers=cookie))[0] == 200

    for component in ("web", "database"):
        pod = (await pods(fleet, namespace))[component]
        await fleet.kubernetes("DELETE", f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}")
        await fleet.poll(is_another(fleet, namespace, component, pod["metadata"]["uid"]), 90)
    await fleet.eventually(store["id"], seconds=90, status="READY", health="HEALTHY")
    await opens(fleet, store)
    await shop.buy()
    assert shop.numbers == sorted(shop.numbers)
    assert (shop.refusals, shop.cut) == ([], [])


async def works_in_the_background(fleet: Fleet, node: RealNode, namespace: str) -> None:
    """What WooCommerce put off until later the CronJob does; one of its Jobs is made now, rather than waited for."""
    due = [action for [action] in await rows(fleet, node, namespace, DUE)]
    assert due
    job = await run_cron(fleet, namespace, 60)
    now = dict(await rows(fleet, node, namespace, "SELECT action_id, status FROM wp_actionscheduler_actions"))
    assert {now[action] for action in due} == {"complete"}
    await do(fleet, "DELETE", f"{job}?propagationPolicy=Background")
