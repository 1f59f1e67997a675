"""What the web server of a MedusaJS shop answers to pages of other origins, and how it ends."""

import http.client
import json
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from tests.node.containers import Containers, Image
from tests.node.medusa_owners import Client
from tests.node.medusa_shops import ENV, MedusaShops
from tests.node.page_visits import enter_network
from tests.node.shops import HOST

URL = ENV["STORE_URL"]
SIBLING = URL.replace("fig", "plum")
SECURE_URL = "https://fig.shops.example.com"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
FILE = '--b\r\nContent-Disposition: form-data; name="files"; filename="a.html"\r\n\r\n<script></script>\r\n--b--\r\n'
FOREIGN = [
    {"Origin": SIBLING},
    {"Origin": "null"},
    {"Origin": SIBLING, "Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Origin": URL, "Sec_Fetch_Site": "cross-site"},
]
OWN = [{}, {"Origin": URL}, {"Origin": URL, "Sec_Fetch_Site": "same-origin"}, {"Sec_Fetch_Site": "none"}]


def test_pages_of_other_origins_change_nothing(new_medusa_shop: MedusaShops) -> None:
    """Also pages of the same site, as the shops of other merchants are: their requests have the owner's cookie."""
    shop = new_medusa_shop().install()
    owner = Client(shop.serve())
    owner.open_session(owner.sign_in())
    [variant, *_] = shop.server.sql("SELECT id FROM product_variant", shop.name)
    for number, headers in enumerate([*FOREIGN, *OWN]):
        requests = {
            "/cart": (f"action=add&variant={variant}&quantity=1", FORM, 303),
            "/admin/uploads": (FILE, MULTIPART, 200),
            "/admin/customers": (f"email=ada-{number}%40example.com", FORM, 200),
        }
        for path, (body, kind, allowed) in requests.items():
            status, _, text = owner.send(path, "POST", body, Content_Type=kind, **headers)
            assert status == (403 if headers in FOREIGN else allowed), (path, headers, text)
    assert len(shop.server.sql("SELECT id FROM customer", shop.name)) == len(OWN)
    assert len(shop.server.sql("SELECT id FROM cart", shop.name)) == len(OWN)
    assert len(list(shop.uploads.iterdir())) == len(OWN)

    # reading is free for all, and no other site frames the admin
    for path in ("/", "/app", "/admin/orders", "/static/none"):
        _, found, _ = owner.send(path, Origin=SIBLING, Sec_Fetch_Site="same-site")
        assert (found["X-Frame-Options"], found["X-Content-Type-Options"]) == ("SAMEORIGIN", "nosniff"), path
        assert found.get("Access-Control-Allow-Origin") in (None, URL), path


def test_browsers_may_use_the_apis_from_the_shops_own_origin_alone(new_medusa_shop: MedusaShops) -> None:
    client = Client(new_medusa_shop().install().serve())
    for path, method in {"/admin/orders": "GET", "/store/products": "GET", "/auth/session": "POST"}.items():
        for origin, allowed in {URL: URL, SIBLING: None}.items():
            headers = {"Origin": origin, "Access_Control_Request_Method": method}
            status, found, _ = client.send(path, "OPTIONS", **headers)
            assert (status, found.get("Access-Control-Allow-Origin")) == (204, allowed), (path, origin)


def test_with_https_no_other_shop_can_set_a_cookie_of_this_one(new_medusa_shop: MedusaShops) -> None:
    """Not even where TLS ends before the cluster: X-Forwarded-Proto is `http` there, or isn't sent."""
    shop = new_medusa_shop().install()
    host = SECURE_URL.removeprefix("https://")
    owner = Client(shop.serve(STORE_URL=SECURE_URL), host)
    [variant, *_] = shop.server.sql("SELECT id FROM product_variant", shop.name)
    for proto in ({}, {"X_Forwarded_Proto": "http"}, {"X_Forwarded_Proto": "https"}):
        owner.headers = {**proto, "Origin": SECURE_URL}
        session = owner.open_session(owner.sign_in())
        body = f"action=add&variant={variant}&quantity=1"
        _, headers, _ = owner.send("/cart", "POST", body, Content_Type=FORM)
        for cookie, name in ((session, "__Host-session"), (headers["Set-Cookie"], "__Host-cart")):
            words = cookie.split("; ")
            assert words[0].startswith(f"{name}="), cookie
            assert {"Path=/", "HttpOnly", "Secure", "SameSite=Lax"} <= set(words), cookie
            assert "Domain" not in cookie
        assert owner.send("/admin/orders")[0] == 200
        cart = headers["Set-Cookie"].partition(";")[0]
        assert variant_is_shown(owner.send("/cart", Cookie=cart)[2])
        tossed = cart.removeprefix("__Host-")
        assert not variant_is_shown(owner.send("/cart", Cookie=tossed)[2])
        status, headers, _ = owner.send("/auth/session", "DELETE")
        assert (status, headers["Set-Cookie"].partition("=")[0]) == (200, "__Host-session")


def variant_is_shown(page: str) -> bool:
    return "Sample product" in page


def test_a_stopped_server_ends_well_although_clients_keep_their_connections_busy(new_medusa_shop: MedusaShops) -> None:
    web = new_medusa_shop().install().serve()
    clients = 6
    answered = threading.Barrier(clients + 1)

    def visit(_: int) -> int:
        """Visits one page after the other, until the connection is closed. Returns the last status."""
        last = 0
        with closing(http.client.HTTPConnection("127.0.0.1", 8080, timeout=60)) as connection:
            connection.connect()
            connection.auto_open = False
            while True:
                try:
                    connection.request("GET", "/", headers={"Host": HOST})
                    answer = connection.getresponse()
                    answer.read()
                except (http.client.HTTPException, OSError):
                    return last
                if last == 0:
                    answered.wait(60)
                last = answer.status

    with ThreadPoolExecutor(clients, initializer=enter_network, initargs=(web.network,)) as pool:
        visits = [pool.submit(visit, number) for number in range(clients)]
        answered.wait(60)
        assert web.stop(signal.SIGTERM, seconds=60) == 0, web.log
        assert [done.result() for done in visits] == [200] * clients


def test_no_telemetry_is_collected(containers: Containers, medusa_image: Image) -> None:
    script = (
        "const { Store } = require('@medusajs/telemetry');"
        "const store = new Store(); store.addEvent({ type: 'test' });"
        "console.log(JSON.stringify(store.getQueueCount()));"
    )
    container = containers.start(medusa_image, "node", "-e", script, env={}, mounts={})
    assert container.wait() == 0, container.log
    assert json.loads(container.log.strip().splitlines()[-1]) == 0
