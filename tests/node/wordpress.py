"""A WordPress container and its shop, as several test files use them."""

import io
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.node.containers import Container, Image
from tests.node.plugin import PLUGIN
from tests.node.resolver import NAME_SERVER
from tests.node.shoppers import API, ORDER
from tests.node.shops import HOST, INSTALL, WORDPRESS, Mounts, Shop, Shops
from workers.engines.woocommerce import CONTENT

CUSTOM_PLUGINS = {"STORE_PLUGINS": "writable"}
SESSION = """
$until = time() + 3600;
$token = WP_Session_Tokens::get_instance(1)->create($until);
$cookie = fn (string $name, string $scheme) => $name . '=' . wp_generate_auth_cookie(1, $until, $scheme, $token);
"""

TOKEN = {"STORE_PROOF_TOKEN": "t" * 32}

INSTALL_COMMAND = INSTALL if PLUGIN else WORDPRESS
STYLE = "/* Theme Name: Olive\nVersion: 1 */\n"


def zip_file(files: Mapping[str, str]) -> bytes:
    """An uncompressed zip file. `files`: name -> text."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


@pytest.fixture
def shop(new_shop: Shops) -> Shop:
    return new_shop().install(INSTALL_COMMAND)


@pytest.fixture
def content(shop: Shop) -> Mounts:
    """A folder in the uploads volume, as in the pods."""
    folder = shop.uploads / ".content"
    folder.mkdir()
    os.chown(folder, 10001, 10001)
    return {CONTENT: folder, f"{CONTENT}/uploads": shop.uploads}


@pytest.fixture
def languages(woocommerce_image: Image, tmp_path: Path) -> Mounts:
    """The image's languages with files of WooCommerce, which only wordpress.org has."""
    folder = tmp_path / "languages"
    shutil.copytree(woocommerce_image.root / "var/www/html/wp-content/languages", folder)
    (folder / "plugins").mkdir(exist_ok=True)
    for locale in ("ar", "de_DE"):
        (folder / "plugins" / f"woocommerce-{locale}.l10n.php").write_text("<?php\nreturn ['messages' => []];\n")
    return {"/var/www/html/wp-content/languages": folder}


def request_password_reset(server: Container) -> int:
    """Requests a mail for a password reset. Returns 302 if it was sent, 200 for a page with an error."""
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    return server.request("/wp-login.php?action=lostpassword", "POST", "user_login=admin", Host=HOST, **form)[0]


def buy(server: Container, **request_headers: str) -> None:
    """Buys the sample product by cash on delivery. `request_headers`: headers of each request."""
    headers = server.request(f"{API}/cart", Host=HOST, **request_headers)[1]
    more = {"Host": HOST, "Content_Type": "application/json", "Cart_Token": headers["Cart-Token"], **request_headers}
    [product] = json.loads(server.request(f"{API}/products", Host=HOST)[2])
    for path, body, status in (
        ("/cart/add-item", {"id": product["id"], "quantity": 1}, 201),
        ("/checkout", ORDER, 200),
    ):
        answer = server.request(f"{API}{path}", "POST", json.dumps(body), **more)
        assert answer[0] == status, answer


@pytest.fixture
def name_server(tmp_path: Path) -> Mounts:
    file = tmp_path / "resolv.conf"
    file.write_text(NAME_SERVER)
    return {"/etc/resolv.conf": file}


def php(server: Container, value: str, first: str = "", before: str = "", **env: str) -> Any:
    """The value of a PHP expression in WordPress. `first`: code before it. `before`: code before WordPress."""
    done = server.exec("php", "-r", f"{before} require 'wp-load.php'; {first} echo json_encode({value});", **env)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def admin(server: Container) -> dict[str, str]:
    """Headers of a signed-in owner."""
    cookies = "[$cookie(AUTH_COOKIE, 'auth'), $cookie(LOGGED_IN_COOKIE, 'logged_in')]"
    return {"Host": HOST, "Cookie": "; ".join(php(server, cookies, SESSION)), "User_Agent": "Mozilla/5.0 Firefox/150.0"}


def call_rest(server: Container, owner: Mapping[str, str], path: str, method: str = "GET", body: Any = None) -> Any:
    """The answer of the shop's REST API to an owner in the dashboard. `owner`: from `admin`."""
    nonce = server.request("/wp-admin/admin-ajax.php?action=rest-nonce", **owner)[2]
    more = {"X_WP_Nonce": nonce, "Content_Type": "application/json", **owner}
    status, _, text = server.request(f"/wp-json{path}", method, None if body is None else json.dumps(body), **more)
    assert status == 200, (path, status, text)
    return json.loads(text)
