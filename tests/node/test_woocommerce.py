"""A WooCommerce store as real containers: it is READY because it sold something, and then it sells."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.flow.fleet import Fleet
from tests.node.conftest import PLUGIN
from tests.node.test_life import is_another, pods

pytestmark = pytest.mark.skipif(PLUGIN is None, reason="needs WOOCOMMERCE_ZIP=/path/to/woocommerce.zip")
JSON = dict[str, Any]
REVEAL = "mutation ($id: ID!) { revealAdminCredentials(input: {id: $id}) { credentials { username password } } }"
ADDRESS = {
    "first_name": "Ada",
    "last_name": "Byron",
    "address_1": "Unter den Linden 1",
    "city": "Berlin",
    "postcode": "10117",
    "country": "DE",
    "email": "ada@example.com",
}


async def ask(fleet: Fleet, store: JSON, method: str, path: str, **more: Any) -> tuple[int, Any, Any]:
    """By the store's address, through the ingress: status, headers, and what was answered."""
    address = urlsplit(store["url"])
    url, headers = f"http://127.0.0.1:{address.port}{path}", {"Host": address.netloc, **more.pop("headers", {})}
    async with fleet.http.request(method, url, headers=headers, allow_redirects=False, **more) as answer:
        kind = answer.headers.get("Content-Type", "")
        return answer.status, answer.headers, await answer.json() if "json" in kind else await answer.text()


async def buy(fleet: Fleet, store: JSON) -> int:
    """The sample product, with cash on delivery, as a shopper without an account: the order's number."""
    api = "/wp-json/wc/store/v1"
    _, headers, _ = await ask(fleet, store, "GET", f"{api}/cart")
    cart = {"Cart-Token": headers["Cart-Token"]}
    _, _, [product] = await ask(fleet, store, "GET", f"{api}/products?sku=storefleet-sample")
    choice = {"id": product["id"], "quantity": 1}
    assert (await ask(fleet, store, "POST", f"{api}/cart/add-item", json=choice, headers=cart))[0] == 201
    order = {"billing_address": ADDRESS, "payment_method": "cod"}
    status, _, bought = await ask(fleet, store, "POST", f"{api}/checkout", json=order, headers=cart)
    assert (status, bought["status"]) == (200, "processing"), bought
    number: int = bought["order_id"]
    return number


async def opens(fleet: Fleet, store: JSON) -> None:
    async def answers() -> bool:
        return "Sample product" in str((await ask(fleet, store, "GET", "/"))[2])

    await fleet.poll(answers, 30)


async def test_a_shop_sells_lets_its_owner_in_and_outlives_its_pods(fleet: Fleet) -> None:
    store = await fleet.create(name="Fig & Olive „日本“")
    await fleet.until(store["id"], "READY", 120)
    store = await fleet.store(store["id"])
    assert store["receipt"]["simulated"] is False
    names = [step["name"] for step in store["receipt"]["steps"]]
    assert names == ["boot", "shop", "product", "cart", "checkout", "order", "cancel", "clean"]

    await opens(fleet, store)
    assert "Fig &amp; Olive „日本“" in (await ask(fleet, store, "GET", "/"))[2]
    first = await buy(fleet, store)

    revealed = await fleet.client().execute(REVEAL, {"id": store["id"]})
    given = revealed["revealAdminCredentials"]["credentials"]
    form = {"log": given["username"], "pwd": given["password"], "testcookie": "1"}
    cookie = {"Cookie": "wordpress_test_cookie=WP%20Cookie%20check"}
    status, headers, _ = await ask(fleet, store, "POST", "/wp-login.php", data=form, headers=cookie)
    assert (status, headers["Location"].endswith("/wp-admin/")) == (302, True)
    form["pwd"] += "x"
    assert (await ask(fleet, store, "POST", "/wp-login.php", data=form, headers=cookie))[0] == 200

    [row] = await fleet.sql("SELECT id FROM stores WHERE slug = $1", store["slug"])
    namespace = f"store-{row['id']}"
    for component in ("web", "database"):
        pod = (await pods(fleet, namespace))[component]
        await fleet.kubernetes("DELETE", f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}")
        await fleet.poll(is_another(fleet, namespace, component, pod["metadata"]["uid"]), 90)
    await fleet.eventually(store["id"], seconds=90, status="READY", health="HEALTHY")
    await opens(fleet, store)
    assert await buy(fleet, store) > first
