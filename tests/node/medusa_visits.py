"""Visitors and the owner of a MedusaJS shop in a container: the storefront's forms, and the admin's API."""

import json
import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.node.containers import Container
from tests.node.medusa_owners import Client
from tests.node.page_visits import Answer
from tests.node.shops import HOST

JSON = dict[str, Any]
FORM = "application/x-www-form-urlencoded"
ADDRESS = {
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Byron",
    "address_1": "Unter den Linden 1",
    "postal_code": "10117",
    "city": "Berlin",
    "country_code": "de",
    "payment": "pp_system_default",
}


@dataclass
class Visitor:
    """A browser: it keeps the shop's cookie."""

    web: Container
    cookie: str = ""

    def get(self, path: str) -> Answer:
        return self._keep(Answer(*self.web.request(path, Host=HOST, Cookie=self.cookie)))

    def post(self, path: str, form: JSON) -> Answer:
        headers = {"Host": HOST, "Cookie": self.cookie, "Content_Type": FORM}
        return self._keep(Answer(*self.web.request(path, "POST", urlencode(form), **headers)))

    def _keep(self, answer: Answer) -> Answer:
        if "Set-Cookie" in answer.headers:
            self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return answer

    def add(self, handle: str, quantity: int = 1) -> None:
        """Puts a product's first variant into the cart."""
        variant = re.findall(r'name="variant" value="(\w+)"', self.get(f"/products/{handle}").text)[0]
        form = {"action": "add", "variant": variant, "quantity": quantity, "handle": handle}
        answer = self.post("/cart", form)
        assert (answer.status, answer.headers["Location"]) == (303, "/cart"), answer

    def order(self, **changes: str) -> Answer:
        """Sends the checkout's form with the total that its page shows."""
        return self.post("/checkout", {**ADDRESS, "total": total_of(self.get("/checkout")), **changes})

    def buy(self, **changes: str) -> str:
        """Orders what is in the cart. Returns the text of the order's page."""
        return self.order_of(self.order(**changes))

    def order_of(self, answer: Answer) -> str:
        assert answer.status == 303, answer
        assert answer.headers["Location"].startswith("/orders/"), answer
        return text_of(self.get(answer.headers["Location"]))


def total_of(page: Answer) -> str:
    [total] = re.findall(r'name="total" value="([^"]+)"', page.text)
    return str(total)


def text_of(page: Answer) -> str:
    """The page's text without its elements."""
    assert page.status in (200, 422), page
    return " ".join(re.sub(r"<[^>]*>", " ", page.text.partition("<main")[2]).split())


@dataclass
class Owner:
    """The owner, who uses the admin's API."""

    client: Client

    @classmethod
    def of(cls, web: Container) -> "Owner":
        client = Client(web)
        client.headers["Authorization"] = f"Bearer {client.sign_in()}"
        return cls(client)

    def send(self, method: str, path: str, body: JSON | None = None) -> JSON:
        status, _, answer = self.client.send(path, method, body)
        assert status == 200, (method, path, status, answer)
        found: JSON = json.loads(answer)
        return found

    def list(self, noun: str, **filters: str) -> list[JSON]:
        """`noun`: as in the path."""
        found: list[JSON] = self.send("GET", f"/admin/{noun}?{urlencode(filters)}")[noun.replace("-", "_")]
        return found

    def add_product(self, title: str, price: float = 7.5, *, stock: int | None = None, **more: Any) -> None:
        """With a handle that is its title in lower case. `stock`: None if the shop doesn't count it."""
        [region] = self.list("regions", limit="1")
        variant = {
            "title": "1 l",
            "options": {"Size": "1 l"},
            "prices": [{"currency_code": region["currency_code"], "amount": price}],
            "manage_inventory": stock is not None,
        }
        [channel] = self.list("sales-channels")
        product = {
            "title": title,
            "handle": title.lower(),
            "status": "published",
            "options": [{"title": "Size", "values": ["1 l"]}],
            "variants": [variant],
            "sales_channels": [{"id": channel["id"]}],
            **more,
        }
        self.send("POST", "/admin/products", product)
        if stock is not None:
            [item] = [
                item
                for item in self.list("inventory-items", limit="99")
                if item["title"] == "1 l" and not item["location_levels"]
            ]
            [location] = self.list("stock-locations")
            level = {"location_id": location["id"], "stocked_quantity": stock}
            self.send("POST", f"/admin/inventory-items/{item['id']}/location-levels", level)

    def add_shipping_option(self, name: str, profile: str, currency: str = "eur", amount: float = 5) -> None:
        [standard] = [option for option in self.list("shipping-options") if option["name"] == "Standard shipping"]
        option = {
            "name": name,
            "service_zone_id": standard["service_zone_id"],
            "shipping_profile_id": profile,
            "provider_id": "manual_manual",
            "price_type": "flat",
            "type": {"label": name, "description": name, "code": name.lower()},
            "prices": [{"currency_code": currency, "amount": amount}],
        }
        self.send("POST", "/admin/shipping-options", option)

    def add_shipping_profile(self, name: str) -> str:
        made = self.send("POST", "/admin/shipping-profiles", {"name": name, "type": name})
        return str(made["shipping_profile"]["id"])


def wait_for_text(visitor: Visitor, path: str, text: str) -> None:
    """The shop's settings show after two seconds."""
    deadline = time.monotonic() + 30
    while text not in (page := visitor.get(path)).text:
        assert time.monotonic() < deadline, page
        time.sleep(0.2)
