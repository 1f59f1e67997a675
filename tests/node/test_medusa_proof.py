"""The proof of a MedusaJS shop: with the owner's settings, beside visitors and orders, and only with its token."""

import json
import threading
import time

from tests.node.containers import Container
from tests.node.medusa_shops import ENV, MedusaShop, MedusaShops
from tests.node.medusa_visits import Owner, Visitor, wait_for_text
from tests.node.shops import HOST

PATH = "/storefleet/proof"
ORDER_THAT_WAITS_FOR_THE_PROOF = """
BEGIN; INSERT INTO "order" (id, currency_code) VALUES ('order_of_somebody', 'eur');
DO $$ BEGIN FOR i IN 1..300 LOOP
  EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted);
  PERFORM pg_sleep(0.1);
END LOOP; END $$; COMMIT
"""
DISCONNECT = """
CREATE FUNCTION disconnect() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
CREATE TRIGGER disconnect BEFORE UPDATE ON provider_identity EXECUTE FUNCTION disconnect()
"""


def prove(shop: MedusaShop) -> None:
    code, last = shop.run("prove")
    assert (code, last[:1]) == (0, "{"), last
    assert json.loads(last)["simulated"] is False


def request(web: Container, token: str | None) -> int:
    headers = {"Host": HOST, "Content_Type": "application/json"}
    if token is not None:
        headers["X_Storefleet_Proof"] = token
    return web.request(PATH, "POST", "{}", **headers)[0]


def test_it_passes_with_the_owners_settings_while_the_shop_can_sell(new_medusa_shop: MedusaShops) -> None:
    shop = new_medusa_shop().install()
    web = shop.serve()
    owner, visitor = Owner.of(web), Visitor(web)
    promotion = {
        "code": "ALL",
        "type": "standard",
        "status": "active",
        "is_automatic": True,
        "application_method": {"type": "percentage", "target_type": "order", "value": 50, "currency_code": "eur"},
    }
    owner.send("POST", "/admin/promotions", promotion)
    for option in owner.list("shipping-options"):
        owner.send("DELETE", f"/admin/shipping-options/{option['id']}")
    [store], [germany] = owner.list("stores"), owner.list("regions")
    currencies = [{"currency_code": "jpy", "is_default": True}, {"currency_code": "eur"}]
    owner.send("POST", f"/admin/stores/{store['id']}", {"supported_currencies": currencies})
    japan = {"name": "Japan", "currency_code": "jpy", "countries": ["jp"], "payment_providers": []}
    japan = owner.send("POST", "/admin/regions", japan)["region"]
    owner.send("POST", f"/admin/stores/{store['id']}", {"default_region_id": japan["id"]})
    prove(shop)
    assert visitor.get("/").status == 200

    for region in (japan, germany):
        owner.send("DELETE", f"/admin/regions/{region['id']}")
    closed = "This shop can&#39;t sell anything at the moment."
    wait_for_text(visitor, "/", closed)
    for path in ("/", "/cart", "/products/sample-product"):
        page = visitor.get(path)
        assert (page.status, closed in page.text) == (503, True), path
    cause = (
        "The shop can't sell: it has no region, or no default sales channel. Choose them in the admin, under Settings."
    )
    assert shop.run("prove") == (1, cause)


def test_nobody_else_can_start_it_or_see_its_product(new_medusa_shop: MedusaShops) -> None:
    shop = new_medusa_shop().install()
    web = shop.serve()
    for token in (None, "", "q" * 32, ENV["STORE_PROOF_TOKEN"] + "p"):
        assert request(web, token) == 404, token
    assert shop.server.sql("SELECT count(*) FROM product", shop.name) == ["1"]
    started = shop.start("prove")
    while '"step":"product"' not in started.log:
        assert started.process.poll() is None, started.log
        time.sleep(0.01)
    assert Visitor(web).get("/products/storefleet-proof").status == 404
    assert "Storefleet proof" not in Visitor(web).get("/").text
    assert started.wait() == 0


def test_three_at_once_and_a_first_order_meanwhile(new_medusa_shop: MedusaShops) -> None:
    shop = new_medusa_shop().install()
    web = shop.serve()
    before = shop.settled_counts()
    proofs = [shop.start("prove") for _ in range(3)]
    assert [proof.wait(180) for proof in proofs] == [0, 0, 0], [proof.log for proof in proofs]
    assert shop.settled_counts() == before

    order = threading.Thread(target=shop.server.sql, args=(ORDER_THAT_WAITS_FOR_THE_PROOF, shop.name))
    order.start()
    prove(shop)
    order.join()
    visitor = Visitor(web)
    visitor.add("sample-product")
    visitor.buy()
    numbers = shop.server.sql('SELECT display_id FROM "order"', shop.name)
    assert len(set(numbers)) == 2, numbers
    # a proof's order is nobody's
    assert web.log.count(" was placed.") == 1


def test_a_lost_connection_is_the_cause_not_what_follows_from_it(new_medusa_shop: MedusaShops) -> None:
    shop = new_medusa_shop().install()
    shop.server.sql(DISCONNECT, shop.name)
    rotation = shop.start("rotate", STORE_ADMIN_PASSWORD="another")
    assert rotation.wait() == 1
    assert "terminating connection due to administrator command" in rotation.log
    assert rotation.log.strip().splitlines()[-1] == "The database does not answer."


def test_a_page_is_not_quoted_as_a_cause(new_medusa_shop: MedusaShops) -> None:
    shop = new_medusa_shop().install()
    shop.serve()
    shop.server.sql("ALTER TABLE product_variant RENAME TO moved", shop.name)
    assert shop.run("prove") == (1, "The shop's home page does not open: 500")
