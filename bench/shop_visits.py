"""Visits of a WooCommerce shop as they mix: which of them the page cache answers, and what ends its pages.

Visitors who look, shoppers with carts and orders, a customer who signs in, an owner who edits a product, and the
CronJob, with pauses: a page ends by its age, too.
"""

import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from bench.measured_shop import Measured
from bench.tables import row, table
from tests.node.page_visits import Answer
from tests.node.shoppers import API, ORDER

PRODUCTS = 20
PER_SECOND = 1.0
"""Page views, by chance. That is a busy hour of a small shop."""
SHOPPERS, BUYERS = 0.1, 0.03
"""Shares of the visitors who fill a cart, and who order."""
CRON_SECONDS, HEARTBEAT_SECONDS = 300, 10
"""Between two runs of the CronJob, and between two requests of an open editor."""
EDITOR, SIGN_IN, PRICES = (0.35, 0.55), 0.25, (0.15, 0.6, 0.8)
"""When the owner opens and closes an editor, when a customer signs in, and when prices change: shares of the time."""
SEED = 20
SHOWN = 3
"""Statements of a request."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CUSTOMER = {"log": "ada", "pwd": "the password of Ada", "testcookie": "1"}
ADD_PRODUCTS = f"""
require 'wp-load.php';
$categories = array_map(fn ($name) => wp_insert_term($name, 'product_cat')['term_id'], ['Oil', 'Fruit', 'Jars']);
foreach (range(1, {PRODUCTS}) as $number) {{
    $product = new WC_Product_Simple();
    $product->set_name("Product {{$number}}");
    $product->set_slug("product-{{$number}}");
    $product->set_regular_price((string) $number);
    $product->set_category_ids([$categories[$number % 3]]);
    $product->set_virtual(true);
    $product->save();
    $ids[] = $product->get_id();
}}
wc_create_new_customer('ada@example.com', '{CUSTOMER["log"]}', '{CUSTOMER["pwd"]}');
echo json_encode($ids);
"""


def visit_pattern(chance: random.Random) -> Iterator[list[str]]:
    """The paths of one visitor after another: the home page or a link first, then some more pages."""
    products = [f"/product/product-{number}/" for number in range(1, PRODUCTS + 1)]
    pages = ["/", "/shop/", "/product-category/oil/", "/product-category/fruit/", *products]
    favourites = [1 / number for number in range(1, PRODUCTS + 1)]
    while True:
        paths = chance.choices(pages, [4, 2, 0.5, 0.5, *(2 * weight for weight in favourites)], k=1)
        paths += chance.choices(
            pages, [1, 2, 0.5, 0.5, *(2 * weight for weight in favourites)], k=min(7, int(chance.expovariate(0.5)))
        )
        yield paths


@dataclass
class Replay:
    """Visits of a shop, and what was seen."""

    shop: Measured
    seconds: float
    products: list[int] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    owner: dict[str, str] = field(default_factory=dict)
    editor: dict[str, str] = field(default_factory=dict)
    """The heartbeat of the owner's open editor."""

    def run(self) -> None:
        added = self.shop.web.exec("php", "-r", ADD_PRODUCTS)
        assert added.returncode == 0, added.stderr
        self.products = json.loads(added.stdout)
        self.owner = self.shop.headers["dashboard"]
        writes = self.shop.shop.uploads / ".bench-writes"
        writes.write_text("")
        writes.chmod(0o666)
        due, visitors = self.events(), visit_pattern(self.chance)
        began = time.monotonic()
        while (now := time.monotonic() - began) < self.seconds:
            while due and due[0][0] <= now:
                self.do(due.pop(0)[1])
            self.visitor(next(visitors))
        self.report()

    def events(self) -> list[tuple[float, str]]:
        opened, closed = (share * self.seconds for share in EDITOR)
        moments = [(share * self.seconds, "a changed price") for share in PRICES]
        moments += [(SIGN_IN * self.seconds, "a customer's sign-in"), (opened, "the editor")]
        beats = int((closed - opened) / HEARTBEAT_SECONDS)
        moments += [(opened + beat * HEARTBEAT_SECONDS, "a heartbeat") for beat in range(1, beats + 1)]
        runs = int(self.seconds / CRON_SECONDS)
        moments += [((run + 0.5) * CRON_SECONDS, "the CronJob") for run in range(runs)]
        return sorted(moments)

    def do(self, what: str) -> None:
        self.seen[what] += 1
        match what:
            case "a changed price":
                product, price = self.chance.choice(self.products), self.chance.randrange(5, 50)
                code = f"$p = wc_get_product({product}); $p->set_regular_price('{price}'); $p->save();"
                assert self.shop.web.exec("php", "-r", f"require 'wp-load.php'; {code}").returncode == 0
            case "the CronJob":
                assert self.shop.web.exec("php", "wp-cron.php").returncode == 0
            case "a customer's sign-in":
                cookie = {"Cookie": "wordpress_test_cookie=WP%20Cookie%20check"}
                answer = self.shop.send("/wp-login.php", "POST", body=urlencode(CUSTOMER), **FORM, **cookie)
                assert answer.status == 302, answer
                self.fill_cart(self.products[0], {"Cookie": answer.cookies})
            case "the editor":
                path = f"/wp-admin/post.php?post={self.products[1]}&action=edit"
                page = self.shop.send(path, **self.owner).text
                [nonce] = re.findall(r'heartbeatSettings = {"nonce":"(\w+)"', page)
                lock = {"data[wp-refresh-post-lock][post_id]": str(self.products[1])}
                self.editor = {"action": "heartbeat", "_nonce": nonce, "screen_id": "product", **lock}
            case "a heartbeat":
                path = "/wp-admin/admin-ajax.php"
                assert self.shop.send(path, "POST", body=urlencode(self.editor), **FORM, **self.owner).status == 200

    def visitor(self, paths: list[str]) -> None:
        """One visitor's pages, one after the other."""
        kind = self.chance.random()
        cart: dict[str, str] = {}
        for number, path in enumerate(paths):
            time.sleep(self.chance.expovariate(PER_SECOND))
            answer = self.shop.send(path, **cart)
            assert answer.status == 200, (path, answer)
            group = "of shoppers with a cart" if cart else "of visitors without a cart"
            self.seen[group] += 1
            self.seen[f"{group}, stored"] += answer.cached
            if number == len(paths) // 2 and kind < SHOPPERS:
                cart = {"Cookie": self.fill_cart(self.chance.choice(self.products), {}).cookies}
        if cart and kind < BUYERS:
            token = {
                "Nonce": self.shop.send(f"{API}/cart", **cart).headers["Nonce"],
                "Content-Type": "application/json",
            }
            answer = self.shop.send(f"{API}/checkout", "POST", body=json.dumps(ORDER), **token, **cart)
            assert answer.status == 200, answer
            self.seen["an order"] += 1

    def fill_cart(self, product: int, headers: dict[str, str]) -> Answer:
        self.seen["a filled cart"] += 1
        answer = self.shop.send(f"/?add-to-cart={product}", **headers)
        assert answer.cookies, answer
        return answer

    def report(self) -> None:
        table("replayed visits", "page views", "from the page cache")
        groups = ("of visitors without a cart", "of shoppers with a cart")
        views, stored = (sum(self.seen[group + suffix] for group in groups) for suffix in ("", ", stored"))
        row(f"all, in {self.seconds:.0f} s", views, f"{stored / views:.0%}")
        for group in groups:
            row(group, self.seen[group], f"{self.seen[f'{group}, stored'] / max(1, self.seen[group]):.0%}")
        table("meanwhile", "times")
        for what, times in sorted(self.seen.items()):
            if what.startswith(("a ", "an ", "the ")):
                row(what, times)
        print_writes(self.shop)


def print_writes(shop: Measured) -> None:
    """Which requests ended the generation, and with which statements."""
    found: Counter[tuple[str, str]] = Counter()
    for line in (shop.shop.uploads / ".bench-writes").read_text().splitlines():
        path, statements = json.loads(line)
        shown = ", ".join(statements[:SHOWN]) + (f" and {len(statements) - SHOWN} more" if statements[SHOWN:] else "")
        found[re.sub(r"product-\d+", "product-N", path), shown] += 1
    table("what ended the generation", "statements", "times")
    for (path, statements), times in found.most_common():
        row(path, statements, times)
