"""The first day of a new WooCommerce shop: what visitors and the owner find, in its language, and which links exist."""

import html
import json
import re
import signal
import zlib
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from tests.node.containers import Container
from tests.node.plugin import NEEDS_PLUGIN
from tests.node.shoppers import API
from tests.node.shops import HOST, INSTALL, Mounts, Shop, Shops
from tests.node.wordpress import TOKEN, admin, call_rest, php

pytestmark = NEEDS_PLUGIN
LINK = re.compile(r"""<(?:a|link|img|script)\b[^>]*?\s(?:href|src)=["']([^"'#]+)""")
ENGLISH = (
    "Chosen with care",
    "See all products",
    "From our shop",
    "What is new",
    "How to order",
    "Enter your address",
    "We pack your order",
    "Sample product",
    "This is an example",
)
"""Texts of ours in a new shop's pages."""
LEGAL = "array_filter(array_map('Storefleet\\MuPlugin\\page_id', ['terms', 'privacy', 'refund_returns', 'imprint']))"
PUBLISH = f"foreach ({LEGAL} as $id) {{ wp_publish_post($id); }}"
STATUS = "admin.php?page=wc-status"
ADMIN = "define('WP_ADMIN', true);"
SETTINGS = """[
    get_option('woocommerce_prices_include_tax'), get_option('woocommerce_specific_ship_to_countries'),
    array_values(array_map(
        fn ($zone) => [$zone['zone_locations'][0]->code, array_column($zone['shipping_methods'], 'id')],
        WC_Shipping_Zones::get_zones(),
    )),
]"""


def read(server: Container, path: str) -> tuple[int, str]:
    """Follows redirects within the shop."""
    for _ in range(3):
        status, headers, text = server.request(path, Host=HOST)
        if status not in (301, 302):
            break
        path = headers["Location"].removeprefix(f"http://{HOST}")
    return status, text


def crawl(server: Container) -> tuple[dict[str, int], dict[str, str]]:
    """All addresses of the shop that pages lead to, from the home page on: status by path, and the pages themselves."""
    found, pages, left = {}, {}, ["/"]
    while left:
        path = left.pop()
        if path in found:
            continue
        status, text = read(server, path)
        found[path] = status
        if "<html" in text[:500] and "/wp-json/" not in path:
            pages[path] = text
            links = [urlsplit(urljoin(f"http://{HOST}{path}", html.unescape(link))) for link in LINK.findall(text)]
            left += [f"{link.path}?{link.query}".rstrip("?") for link in links if link.netloc == HOST]
    return found, pages


def visible(page: str) -> str:
    """The text of a page's body."""
    body = re.sub(r"<(script|style|template|noscript)\b.*?</\1>", "", page.partition("<body")[2], flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", " ", body))


def navigation(page: str) -> list[str]:
    return re.findall(r'wp-block-navigation-item__label">([^<]+)', page)


def test_a_new_shop_looks_finished_and_has_no_dead_link(new_shop: Shops) -> None:
    server = new_shop().install(INSTALL).serve()
    home = server.request("/", Host=HOST)[2]
    for sign in ("<h1", "Fig &amp; Olive", "See all products", "Sample product", "How to order", "10,00", "monogram"):
        assert sign in home, sign
    assert navigation(home) == ["Shop", "How to order", "Shop", "My account", "Cart"]  # no draft
    drafts = php(server, f"array_map('get_post_status', array_values({LEGAL}))")
    assert drafts == ["draft"] * 4

    php(server, "1", PUBLISH)
    found, pages = crawl(server)
    assert {path: status for path, status in found.items() if status != 200} == {}
    paths = "/", "/shop/", "/cart/", "/my-account/", "/product/storefleet-sample/", "/imprint/", "/returns/"
    assert set(paths) <= set(pages)
    assert navigation(pages["/"])[-4:] == ["Terms and conditions", "Privacy policy", "Returns", "Imprint"]
    for path, page in pages.items():
        for word in ("Twenty Twenty-Five", "WordPress", "Lorem", "Storefleet", "Uncategorized"):
            assert word not in visible(page), (path, word)
    assert '<link rel="icon"' in home
    status, headers, _ = server.request("/favicon.ico", Host=HOST)
    assert (status, headers["Location"].endswith("/monogram.png")) == (302, True)


@pytest.mark.parametrize(
    ("locale", "title", "words"),
    [
        ("de_DE", "Öl & Feige", ("Alle Produkte ansehen", "So bestellen Sie", "Beispielprodukt")),
        ("ar", "متجر التين", ("متجر التين",)),
    ],
)
def test_a_shop_has_one_language(
    new_shop: Shops, languages: Mounts, locale: str, title: str, words: tuple[str, ...]
) -> None:
    env = {"STORE_LOCALE": locale, "STORE_TITLE": title}
    server = new_shop().install(INSTALL, env, languages).serve(env, languages)
    text = visible(server.request("/", Host=HOST)[2])
    assert [word for word in words if word not in text] == []
    home = text if locale == "de_DE" else text.replace("Sample product", "")  # the sample is an example in English
    assert [word for word in ENGLISH if word in home] == []
    assert len(php(server, f"array_values({LEGAL})")) == 4
    if locale == "de_DE":
        imprint = php(server, "get_post(Storefleet\\MuPlugin\\page_id('imprint'))->post_content")
        assert f"<p>{html.escape(title)}</p>" in imprint
        assert "owner@example.com" in imprint


@pytest.mark.parametrize(
    ("country", "setup", "settings", "legal"),
    [
        ("DE", "ready", ["yes", ["DE"], [["DE", ["free_shipping"]]]], 4),
        ("US", "wizard", ["no", ["US"], [["US", ["free_shipping"]]]], 3),
        ("JP", "ready", ["yes", ["JP"], [["JP", ["free_shipping"]]]], 4),
    ],
)
def test_settings_are_those_of_the_country(
    new_shop: Shops, country: str, setup: str, settings: list[object], legal: int
) -> None:
    server = new_shop().install(INSTALL, {"STORE_COUNTRY": country, "STORE_SETUP": setup}).serve()
    assert php(server, SETTINGS) == settings
    assert "See all products" in server.request("/", Host=HOST)[2]  # also where WooCommerce's wizard comes
    assert len(php(server, f"array_values({LEGAL})")) == legal


def payment_methods(server: Container) -> list[str]:
    [product] = json.loads(server.request(f"{API}/products", Host=HOST)[2])
    token = server.request(f"{API}/cart", Host=HOST)[1]["Cart-Token"]
    more = {"Host": HOST, "Content_Type": "application/json", "Cart_Token": token}
    cart = server.request(f"{API}/cart/add-item", "POST", json.dumps({"id": product["id"], "quantity": 1}), **more)
    found: list[str] = json.loads(cart[2])["payment_methods"]
    return found


def left(server: Container) -> list[str]:
    """The open tasks of WooCommerce's task list, the only one that the owner sees."""
    lists = "rest_do_request(new WP_REST_Request('GET', '/wc-admin/onboarding/tasks'))->get_data()"
    [setup] = [item for item in php(server, lists, "wp_set_current_user(1);", ADMIN) if item["isVisible"]]
    assert setup["id"] == "setup"
    return [task["id"].removeprefix("storefleet_") for task in setup["tasks"] if not task["isComplete"]]


def test_the_owner_learns_what_is_left_and_where(new_shop: Shops) -> None:
    shop = new_shop().install(INSTALL)
    server = shop.serve()
    owner = admin(server)
    assert left(server) == ["product", "sample", "legal", "withdrawal", "bank", "tax", "shipping", "logo"]
    assert payment_methods(server) == ["cod"]
    for page, words in (
        ("index.php", ("Your shop sells. What is left for you", "Enter your bank account")),
        ("admin.php?page=wc-settings&tab=checkout", ("your account",)),
        ("admin.php?page=wc-settings&tab=email", ("This shop can&#039;t send mail", "This shop can't send mail")),
        *((page, ("come from the platform",)) for page in ("themes.php", "site-health.php", "plugins.php", STATUS)),
    ):
        status, _, text = server.request(f"/wp-admin/{page}", **owner)
        assert (status, any(word in text for word in words)) == (200, True), page
    for path in ("extensions", "marketing"):
        assert f"wc-admin&#038;path=/{path}" not in text
    assert "edit.php?post_type=shop_coupon" in text
    assert text.count("was not tried. Pages of this shop call no other servers.") == 2
    assert "Contact your hosting provider" not in text

    accounts = [{"account_name": "Fig", "iban": "DE02 1203 0000 0000 2020 51"}]
    php(server, f"update_option('woocommerce_bacs_accounts', json_decode('{json.dumps(accounts)}', true))")
    assert payment_methods(server) == ["bacs", "cod"]
    php(server, "1", PUBLISH)
    [link] = re.findall(r'example\. <a href="([^"]+)">Delete it', server.request("/wp-admin/", **owner)[2])
    address = urlsplit(html.unescape(link))
    assert server.request(f"{address.path}?{address.query}", **owner)[0] == 302
    assert json.loads(server.request(f"{API}/products", Host=HOST)[2]) == []
    assert left(server) == ["product", "withdrawal", "tax", "shipping", "logo"]
    assert "is an example" not in server.request("/wp-admin/edit.php?post_type=product", **owner)[2]


def test_an_owner_who_leaves_the_wizard_has_an_open_shop(new_shop: Shops) -> None:
    shop = new_shop().install(INSTALL, {"STORE_SETUP": "wizard", "STORE_COUNTRY": "US", "STORE_CURRENCY": "USD"})
    server = shop.serve(TOKEN)
    owner = admin(server)
    for page in ("", "admin.php?page=wc-admin"):
        assert server.request(f"/wp-admin/{page}", **owner)[0] == 302  # to the wizard
    # what the wizard does at its end, and when it is skipped
    assert call_rest(server, owner, "/wc-admin/launch-your-store/initialize-coming-soon", "POST") is True
    call_rest(server, owner, "/wc-admin/onboarding/profile", "POST", {"skipped": True})
    assert "Sample product" in server.request("/", Host=HOST)[2]
    code, last = shop.run(("/opt/storefleet/run", "prove"), {**TOKEN, "STORE_SERVICE": "http://127.0.0.1:8080"})
    assert code == 0, last
    tasks = ["product", "sample", "legal", "bank", "tax", "shipping", "logo"]
    assert left(server) == tasks
    # the owner's choice
    call_rest(server, owner, "/wc-admin/options", "POST", {"woocommerce_coming_soon": "yes"})
    assert "Sample product" not in server.request("/", Host=HOST)[2]
    assert left(server) == ["open", *tasks]
    dashboard = server.request("/wp-admin/index.php", **owner)[2]
    assert ("Your shop is closed" in dashboard, "tab=site-visibility" in dashboard) == (True, True)


def test_one_picture_replaces_the_monogram_in_both_places(new_shop: Shops) -> None:
    server = new_shop().install(INSTALL).serve()
    owner = admin(server)
    monogram = call_rest(server, owner, "/wp/v2/settings")["site_logo"]
    add = "wp_insert_attachment(['post_mime_type' => 'image/png', 'post_status' => 'inherit'], '{}.png')"
    pictures = [php(server, add.format(name)) for name in ("one", "two")]
    for first, other in (("site_icon", "site_logo"), ("site_logo", "site_icon")):
        for picture in pictures:
            call_rest(server, owner, "/wp/v2/settings", "POST", {first: picture})
        found = call_rest(server, owner, "/wp/v2/settings")
        # the second picture is in one place: there was no monogram any more
        assert (found[first], found[other]) == (pictures[1], pictures[0])
        assert "logo" not in left(server)
        php(server, f"[update_option('site_icon', {monogram}), update_option('site_logo', {monogram})]")
        assert "logo" in left(server)


def files_of_pictures(shop: Shop) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in shop.uploads.glob("[!.]*.*") if "placeholder" not in path.name}


def test_a_repeated_installation_changes_nothing_of_the_owners(new_shop: Shops) -> None:
    shop = new_shop().install(INSTALL)
    before = files_of_pictures(shop)
    assert len(before) == 5
    shop.sql("UPDATE wp_posts SET post_content = 'Ours', post_title = 'Start' WHERE post_name = 'home'")
    shop.sql("UPDATE wp_options SET option_value = '0' WHERE option_name IN ('site_icon', 'site_logo')")
    assert json.loads(shop.run(INSTALL)[1])["done"] == "nothing to install"
    assert shop.sql("SELECT post_title, post_content FROM wp_posts WHERE post_name = 'home'") == [("Start", "Ours")]
    assert shop.sql("SELECT option_value FROM wp_options WHERE option_name = 'site_icon'") == [("0",)]
    assert files_of_pictures(shop) == before


def test_a_shop_has_the_palette_of_its_name(new_shop: Shops) -> None:
    files = sorted((Path(__file__).parents[2] / "images/woocommerce/theme/styles").glob("*.json"))
    shown = []
    for title in ("Fig", "Fig & Öl"):
        server = new_shop().install(INSTALL, {"STORE_TITLE": title}).serve()
        style = json.loads(files[zlib.crc32(title.encode()) % len(files)].read_text())
        colors = {color["slug"]: color["color"] for color in style["settings"]["color"]["palette"]}
        home = server.request("/", Host=HOST)[2]
        shown.append(dict(re.findall(r"--wp--preset--color--(accent-\d|base|contrast): (#\w+);", home)))
        assert shown[-1].items() >= {name: colors[name] for name in ("accent-1", "base", "contrast")}.items()
        server.stop(signal.SIGKILL)
    assert shown[0] != shown[1]


def test_each_name_has_a_monogram(new_shop: Shops) -> None:
    pictures = []
    for title in ("Fig", "fig", "Olive", "無花果"):
        shop = new_shop().install(INSTALL, {"STORE_TITLE": title})
        pictures.append((shop.uploads / "monogram.png").read_bytes())
        assert pictures[-1][:8] == b"\x89PNG\r\n\x1a\n"
        assert len(pictures[-1]) < 20_000
    assert len(set(pictures)) >= 3
