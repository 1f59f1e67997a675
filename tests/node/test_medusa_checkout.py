"""The checkout of a MedusaJS shop: shipping, prices and taxes, addresses, and forms that are sent twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.node.medusa_shops import MedusaShops
from tests.node.medusa_visits import ADDRESS, Owner, Visitor, text_of, total_of, wait_for_text

ORDERS = 'SELECT count(*) FROM "order"'


def test_the_owners_products_are_sold_with_the_shipping_that_they_need(new_medusa_shop: MedusaShops) -> None:
    """The admin's form for products doesn't require a shipping profile."""
    shop = new_medusa_shop().install()
    web = shop.serve()
    owner = Owner.of(web)
    bulky, nowhere = owner.add_shipping_profile("Bulky"), owner.add_shipping_profile("Nowhere")
    owner.add_shipping_option("Carrier", bulky, amount=30)
    owner.add_shipping_option("Carrier upstairs", bulky, amount=40)
    [standard] = [profile for profile in owner.list("shipping-profiles") if profile["type"] == "default"]
    owner.add_shipping_option("Without a price in euros", standard["id"], currency="usd")
    owner.add_product("Stocked", stock=9)
    owner.add_product("Simple")
    owner.add_product("Heavy", shipping_profile_id=bulky)
    owner.add_product("Stuck", shipping_profile_id=nowhere)

    visitor = Visitor(web)
    visitor.add("stocked")
    page = text_of(visitor.get("/checkout"))
    assert "Delivery Standard shipping €5.00 Payment" in page
    assert "Total €12.50" in visitor.buy()

    visitor.add("simple")
    assert "Standard shipping" not in text_of(visitor.get("/checkout"))
    assert "Total €7.50" in visitor.buy()

    visitor.add("stocked")
    visitor.add("heavy")
    page = text_of(visitor.get("/checkout"))
    assert "Delivery: Stocked Standard shipping €5.00 Delivery: Heavy Carrier €30.00 Carrier upstairs €40.00" in page
    assert "Total €50.00" in page
    [upstairs] = [option["id"] for option in owner.list("shipping-options") if option["name"] == "Carrier upstairs"]
    changed = visitor.order(**{f"shipping_{bulky}": upstairs})
    assert "The total has changed." in text_of(changed)
    assert "Total €60.00" in visitor.buy(**{f"shipping_{bulky}": upstairs})

    visitor.add("simple")
    visitor.add("stocked")
    lines = visitor.get("/cart").text.split('name="line" value="')[1:]
    [line] = {line.partition('"')[0] for line in lines[2:]}
    visitor.post("/cart", {"action": "set", "line": line, "quantity": "0"})
    page = text_of(visitor.get("/checkout"))
    assert "Simple" in page
    assert "Total €7.50" in page
    visitor.add("stuck")
    refused = visitor.order()
    assert refused.status == 422
    assert "Not everything in the cart can be delivered to this address at the moment." in text_of(refused)
    assert shop.server.sql(ORDERS, shop.name) == ["3"]


def test_a_checkout_that_is_sent_twice_is_one_order(new_medusa_shop: MedusaShops) -> None:
    shop = new_medusa_shop().install()
    web = shop.serve()
    visitor = Visitor(web)
    for _ in range(3):
        visitor.add("sample-product")
        cookie = visitor.cookie
        form = {**ADDRESS, "total": total_of(visitor.get("/checkout"))}
        with ThreadPoolExecutor(2) as pool:
            sent = [pool.submit(Visitor(web, cookie).post, "/checkout", form) for _ in range(2)]
        answers = [answer.result() for answer in sent]
        [order] = {answer.headers.get("Location", answer.text) for answer in answers}
        assert order.startswith("/orders/")
        # the answer was lost: the browser still has the cookie
        lost = Visitor(web, cookie).post("/checkout", form)
        assert (lost.status, lost.headers.get("Location")) == (303, order)
        for path in ("/checkout", "/cart"):
            found = Visitor(web, cookie).get(path)
            assert (found.status, found.headers.get("Location")) == (303, order)
        visitor.cookie = ""
    assert shop.server.sql(ORDERS, shop.name) == ["3"]
    assert " 500 " not in web.log


@pytest.mark.parametrize("country", ["DE", "US"])
def test_a_price_is_the_same_on_all_pages(new_medusa_shop: MedusaShops, country: str) -> None:
    """In Germany it includes the tax; in the United States the cart adds it, by the state."""
    included = country == "DE"
    currency = "EUR" if included else "USD"
    shop = new_medusa_shop().install(STORE_COUNTRY=country, STORE_CURRENCY=currency)
    web = shop.serve()
    owner, visitor = Owner.of(web), Visitor(web)
    [region] = owner.list("tax-regions")
    rate = {"name": "Tax", "rate": 19 if included else 7.25, "code": "tax"}
    if included:
        owner.send("POST", "/admin/tax-rates", {**rate, "tax_region_id": region["id"], "is_default": True})
    else:
        state = {"country_code": "us", "province_code": "us-ca", "parent_id": region["id"], "default_tax_rate": rate}
        owner.send("POST", "/admin/tax-regions", state)
    sign = "€" if included else "$"
    for path in ("/", "/products/sample-product"):
        assert f"{sign}19.00" in text_of(visitor.get(path))
    visitor.add("sample-product")
    page = text_of(visitor.get("/cart"))
    assert f"{sign}19.00 Subtotal {sign}19.00 Shipping {sign}5.00 Total {sign}24.00" in page
    if included:
        assert f"Includes tax of {sign}3.83" in page
        ordered = visitor.order()
        assert "Total €24.00 Includes tax of €3.83" in visitor.order_of(ordered)
        [found] = owner.list("orders")
        order = owner.send("GET", f"/admin/orders/{found['id']}")["order"]
        [payment] = order["payment_collections"][0]["payments"]
        owner.send("POST", f"/admin/payments/{payment['id']}/capture", {})
        owner.send("POST", f"/admin/payments/{payment['id']}/refund", {"amount": 10})
        assert "Refunded -€10.00 Total €14.00 Includes tax of €3.83" in visitor.order_of(ordered)
        return
    california = {"country_code": "us", "postal_code": "94103", "city": "San Francisco"}
    refused = visitor.order(**california)
    assert 'id="wrong-province"' in refused.text
    california["province"] = "us-ca"
    assert "Taxes $1.74 Total $25.74" in text_of(visitor.order(**california))
    page = visitor.buy(**california)
    assert "Subtotal $19.00 Shipping $5.00 Taxes $1.74 Total $25.74" in page
    assert "94103 San Francisco, California United States" in page

    # addresses of Hong Kong have no postal code
    owner.add_product("Download")
    [sold] = owner.list("regions")
    owner.send("POST", f"/admin/regions/{sold['id']}", {"countries": ["us", "hk"]})
    visitor.add("download")
    wait_for_text(visitor, "/checkout", "Hong Kong")
    assert "Hong Kong" in visitor.buy(country_code="hk", postal_code="", city="Kowloon")
    visitor.add("download")
    assert 'id="wrong-postal_code"' in visitor.order(**california | {"postal_code": ""}).text


def test_what_visitors_write_into_forms_and_addresses(new_medusa_shop: MedusaShops) -> None:
    shop = new_medusa_shop().install()
    web = shop.serve()
    visitor = Visitor(web)
    for path in ("/products/%00", "/orders/%00", "/%00"):
        assert visitor.get(path).status == 404, path
    refused = visitor.post("/cart", {"action": "add", "variant": "\0", "handle": "sample-product\0"})
    assert (refused.status, refused.headers["Location"]) == (303, "/products/sample-product?refused")
    visitor.add("sample-product")
    for wrong in ("ada", "ada@example", "ada@[1]", "ada b@example.com"):
        answer = visitor.order(email=wrong)
        assert (answer.status, 'id="wrong-email"' in answer.text) == (422, True), wrong
    for payment in ("pp_of_yesterday", ""):
        answer = visitor.order(payment=payment)
        assert "Please choose how to pay." in text_of(answer)
    assert shop.server.sql(ORDERS, shop.name) == ["0"]
    assert "ada@xn--bcher-kva.de" in visitor.buy(email="ada@bücher.de", city="Ber\0lin")
