"""A shop with a full disk: a full database disk empties no cart, and a full uploads disk is told and closes nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.containers import Container, Containers, Image
from tests.node.databases import start_database
from tests.node.disks import file_system, fill_disk, full_disk
from tests.node.plugin import NEEDS_PLUGIN, PLUGIN
from tests.node.real_node import RealNode
from tests.node.shoppers import API, ORDER, ShoppingSession, create_open_store, send_request, wait_until_open
from tests.node.shops import HOST, INSTALL, UPLOADS, Shop, Shops
from tests.node.wordpress import INSTALL_COMMAND, TOKEN, php
from tests.support.harness import Harness
from tests.support.stores import resync, run_cron_job, wait_for_health_cause

ROW = (
    "INSERT INTO wp_woocommerce_sessions (session_key, session_value, session_expiry) VALUES (LEFT(UUID(), 32), {}, 1)"
)
ROUNDS = 5
CRON = ("/opt/storefleet/run", "cron")
UPLOAD = (
    f"copy('{UPLOADS}/small.txt', '/tmp/small.txt'); wp_set_current_user(1);"
    "require_once ABSPATH . 'wp-admin/includes/admin.php';"
    "$id = media_handle_sideload(['name' => 'note.txt', 'tmp_name' => '/tmp/small.txt', 'error' => 0, 'size' => 1]);"
)
ATTACHMENTS = "SELECT post_title FROM wp_posts WHERE post_type = 'attachment' AND post_title = 'note'"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own for the database."""
    folder = tmp_path / "disk"
    folder.mkdir()
    with file_system(folder, tmp_path / "disk.ext4"):
        yield folder


@pytest.fixture
def shop(new_shop: Shops, tmp_path: Path) -> Iterator[Shop]:
    """An installed shop with a file system of its own for its uploads."""
    shop = new_shop()
    with file_system(shop.uploads, tmp_path / "uploads.ext4"):
        yield shop.install(INSTALL_COMMAND)


def store_api(server: Container, method: str, path: str, cart: str, body: object = None) -> tuple[int, str]:
    headers = {"Host": HOST, "Cart_Token": cart, "Content_Type": "application/json"}
    status, _, text = server.request(f"{API}{path}", method, None if body is None else json.dumps(body), **headers)
    return status, text


def upload(server: Container) -> str:
    """Uploads a small file as the owner. Returns the error, or `kept`."""
    # no program that runs in the background: that would fail with a full disk
    program = "define('STOREFLEET_PROGRAM', 'test');"
    answer: str = php(server, "is_wp_error($id) ? $id->get_error_message() : 'kept'", UPLOAD, program)
    return answer


def new_cart(server: Container) -> str:
    return server.request(f"{API}/cart", Host=HOST)[1]["Cart-Token"]


@NEEDS_PLUGIN
def test_with_a_full_disk_no_cart_is_told_to_be_empty(
    new_shop: Shops, disk: Path, containers: Containers, mariadb_image: Image
) -> None:
    """MariaDB may end itself when a table can't grow: then it is started again, as Kubernetes does."""
    shop = new_shop().install(INSTALL)
    server = shop.serve()
    [product] = json.loads(server.request(f"{API}/products", Host=HOST)[2])
    one, cart, late = {"id": product["id"], "quantity": 1}, new_cart(server), new_cart(server)
    assert store_api(server, "POST", "/cart/add-item", cart, one)[0] == 201
    with fill_disk(disk):
        for value in ("REPEAT('x', 4000)", "''"):  # until the table has no room for another cart
            while "is full" not in (answer := shop.database.sql(f"USE {shop.name}; {ROW.format(value)}")):
                assert answer == ""
        status, text = store_api(server, "POST", "/cart/add-item", late, one)
        assert (status, json.loads(text)["code"]) == (503, "storefleet_not_saved")
        for path in (f"/?add-to-cart={product['id']}", f"/cart/?add-to-cart={product['id']}"):
            status, _, text = server.request(path, Host=HOST)
            assert (status, "is currently empty" in text) == (503, False), text
        for _ in range(ROUNDS):
            status, text = store_api(server, "GET", "/cart", cart)
            assert status == 503 or (status, len(json.loads(text)["items"])) == (200, 1)
            status, text = store_api(server, "POST", "/checkout", cart, ORDER)
            assert "cart_empty" not in text
            if status == 200:  # the tables of orders had room
                break
        assert server.request("/", Host=HOST)[0] in (200, 503)
    if shop.database.container.process.poll() is not None:
        start_database(containers, mariadb_image, disk, network=server.network).wait()
    buyer = new_cart(server)
    assert store_api(server, "POST", "/cart/add-item", buyer, one)[0] == 201
    assert store_api(server, "POST", "/checkout", buyer, ORDER)[0] == 200


def test_a_full_uploads_disk_is_told_and_the_shop_goes_on(shop: Shop) -> None:
    server = shop.serve(TOKEN)
    (shop.uploads / "small.txt").write_text("A note.")
    assert shop.start(CRON).wait() == 0
    with fill_disk(shop.uploads):
        assert shop.start(CRON).wait() == 1
        assert shop.termination_log.read_text() == "The disk is full."
        assert server.request("/", Host=HOST)[0] == 200
        assert "could not be moved" in upload(server)
        assert shop.sql(ATTACHMENTS) == []
        if PLUGIN:
            [product] = json.loads(server.request(f"{API}/products", Host=HOST)[2])
            cart = new_cart(server)
            assert store_api(server, "POST", "/cart/add-item", cart, {"id": product["id"], "quantity": 1})[0] == 201
            assert store_api(server, "POST", "/checkout", cart, ORDER)[0] == 200
    assert shop.start(CRON).wait() == 0
    assert upload(server) == "kept"


@NEEDS_PLUGIN
async def test_the_owner_reads_which_disk_is_full(harness: Harness, node: RealNode) -> None:
    store, namespace = await create_open_store(harness)
    shop = ShoppingSession(harness, store)

    async with full_disk(harness, node, namespace, "web", "apache2", UPLOADS):
        await run_cron_job(harness, namespace, name="cron-full", fails=True)
        found = await wait_for_health_cause(harness, store, "The disk of uploads is full.")
        assert (found["status"], found["health"]["state"]) == ("READY", "DEGRADED")
        await shop.buy()
    await run_cron_job(harness, namespace, name="cron-free")
    await resync(harness)
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")

    headers, _ = await shop.retry_until(200, "GET", f"{API}/cart")
    cart = {"Cart-Token": headers["Cart-Token"]}
    _, [product] = await shop.retry_until(200, "GET", f"{API}/products")
    added = {"id": product["id"], "quantity": 1}
    await shop.retry_until(201, "POST", f"{API}/cart/add-item", json=added, headers=cart)
    async with full_disk(harness, node, namespace, "database", "mariadbd", "/var/lib/mysql"):
        await wait_for_health_cause(harness, store, "The disk of database is full.")
        for _ in range(ROUNDS):
            status, _, answer = await send_request(harness, store, "GET", f"{API}/cart", headers=cart)
            assert status == 503 or (status, len(answer["items"])) == (200, 1), answer
            status, _, answer = await send_request(harness, store, "POST", f"{API}/checkout", json=ORDER, headers=cart)
            assert "cart_empty" not in str(answer)
            if status == 200:  # the tables of orders had room
                break
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    await wait_until_open(harness, store)
    await shop.buy()
