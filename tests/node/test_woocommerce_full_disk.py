"""A shop whose database's disk is full: shoppers keep their carts, and aren't told that they are empty."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.containers import Container, Containers, Image
from tests.node.databases import start_database
from tests.node.disks import fill_disk
from tests.node.plugin import NEEDS_PLUGIN
from tests.node.shoppers import API, ORDER
from tests.node.shops import HOST, INSTALL, Shops

pytestmark = NEEDS_PLUGIN
ROW = (
    "INSERT INTO wp_woocommerce_sessions (session_key, session_value, session_expiry) VALUES (LEFT(UUID(), 32), {}, 1)"
)
ROUNDS = 5


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own for the database."""
    image, folder = tmp_path / "disk.ext4", tmp_path / "disk"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(2**30)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, folder], check=True)
    (folder / "lost+found").rmdir()
    os.chown(folder, 10001, 10001)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def store_api(server: Container, method: str, path: str, cart: str, body: object = None) -> tuple[int, str]:
    headers = {"Host": HOST, "Cart_Token": cart, "Content_Type": "application/json"}
    status, _, text = server.request(f"{API}{path}", method, None if body is None else json.dumps(body), **headers)
    return status, text


def new_cart(server: Container) -> str:
    return server.request(f"{API}/cart", Host=HOST)[1]["Cart-Token"]


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
