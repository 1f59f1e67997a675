"""Shops of the WooCommerce image with a database, without a cluster: running programs, and snapshots of the data."""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.node.containers import Container, Containers, Image
from tests.node.databases import SOCKET, VARIABLES, Database

JSON = dict[str, Any]
Env = Mapping[str, str]
Mounts = Mapping[str, Path]
Snapshot = Mapping[str, Counter[tuple[str, ...]]]
PHP_SCRIPTS = Path(__file__).with_name("php")
HOST = "fig.localhost:8080"
UPLOADS = "/var/www/html/wp-content/uploads"
KEY_KINDS = ("AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE")
ENV = {
    "WORDPRESS_DB_HOST": "127.0.0.1",
    "WORDPRESS_DB_USER": "wordpress",
    "WORDPRESS_DB_PASSWORD": VARIABLES["MYSQL_PASSWORD"],
    **{f"WORDPRESS_{kind}_{use}": f"{kind} {use} " + "x" * 32 for kind in KEY_KINDS for use in ("KEY", "SALT")},
    "STORE_URL": f"http://{HOST}",
    "STORE_TITLE": "Fig & Olive",
    "STORE_ADMIN_EMAIL": "owner@example.com",
    "STORE_ADMIN_USER": "admin",
    "STORE_ADMIN_PASSWORD": 'a "pass\\word" ü',
    "STORE_COUNTRY": "DE",
    "STORE_CURRENCY": "EUR",
}
WORDPRESS = ("php", "/test-php/wordpress.php")
INSTALL = ("/opt/storefleet/run", "install")
WEB = ("/opt/storefleet/run", "web")
MU_PLUGINS = "array_values(array_map('basename', array_filter(wp_get_mu_plugins(), 'filesize')))"
"""A PHP expression: names of the must-use plugins. Mounts of other tests leave empty files in the image's folder."""
SNAPSHOT_QUERIES = {
    "tables": "SHOW TABLES",
    "owners": "SELECT user_login, user_email FROM wp_users",
    "first post": "SELECT MIN(ID) FROM wp_posts",
    "posts": "SELECT post_type, post_status, post_name FROM wp_posts WHERE post_type <> 'revision'",
    "comments": "SELECT COUNT(*) FROM wp_comments",
    "terms": (
        "SELECT slug, taxonomy, count, term_id = term_taxonomy_id FROM wp_terms"
        " LEFT JOIN wp_term_taxonomy USING (term_id)"
    ),
    "settings": (
        "SELECT option_name FROM wp_options WHERE option_name NOT LIKE '%\\_transient\\_%'"
        " AND option_name NOT REGEXP"
        " 'notice|demarkation|^widget_|last_processed|rewrite_rules|email_improvements|storefleet_tries|pending_batch'"
    ),
}
WOOCOMMERCE_QUERIES = {
    "products": "SELECT sku, stock_status, min_price FROM wp_wc_product_meta_lookup",
    "categories": (
        "SELECT p.post_name, t.slug FROM wp_posts p JOIN wp_term_relationships r ON r.object_id = p.ID"
        " JOIN wp_term_taxonomy x USING (term_taxonomy_id) JOIN wp_terms t USING (term_id)"
        " WHERE p.post_type = 'product' AND x.taxonomy = 'product_cat'"
    ),
    "default category": (
        "SELECT slug FROM wp_terms WHERE term_id ="
        " (SELECT option_value FROM wp_options WHERE option_name = 'default_product_cat')"
    ),
    "front page": (
        "SELECT post_name FROM wp_posts WHERE ID ="
        " (SELECT option_value FROM wp_options WHERE option_name = 'page_on_front')"
    ),
    "sessions": "SELECT COUNT(*) FROM wp_woocommerce_sessions",
    "taxes": "SELECT name FROM wp_wc_tax_rate_classes",
}


@dataclass
class Shop:
    """A shop, installed or not: a schema in the database, and a folder for uploads."""

    name: str
    image: Image
    containers: Containers
    database: Database
    uploads: Path
    network: Path

    def start(self, argv: Sequence[str], env: Env | None = None, mounts: Mounts | None = None) -> Container:
        """Starts a program of the image. `env`, `mounts`: in addition to those of every program."""
        self.termination_log.write_text("")
        self.termination_log.chmod(0o666)
        given = {
            UPLOADS: self.uploads,
            "/test-php": PHP_SCRIPTS,
            "/dev/termination-log": self.termination_log,
            **(mounts or {}),
        }
        env = {**ENV, "WORDPRESS_DB_NAME": self.name, **(env or {})}
        return self.containers.start(self.image, *argv, env=env, mounts=given, network=self.network)

    def run(self, argv: Sequence[str], env: Env | None = None, mounts: Mounts | None = None) -> tuple[int, str]:
        """Runs a program to its end. Returns its exit code and last line."""
        container = self.start(argv, env, mounts)
        code = container.wait()
        return code, container.log.strip().splitlines()[-1]

    @property
    def termination_log(self) -> Path:
        """The termination message of the program that was started last."""
        return self.uploads.with_name(f"termination-log-of-{self.name}")

    def serve(self, env: Env | None = None, mounts: Mounts | None = None) -> Container:
        """Starts the web server, and returns when the shop is ready."""
        server = self.start(WEB, env, mounts)
        wait_for_response(server, "/readyz", 200)
        return server

    def install(self, argv: Sequence[str], env: Env | None = None, mounts: Mounts | None = None) -> "Shop":
        code, last = self.run(argv, env, mounts)
        assert (code, json.loads(last)["done"]) == (0, "installed"), last
        return self

    def sql(self, query: str) -> list[tuple[str, ...]]:
        """The sorted rows of a query as the database's root."""
        output = self.database.sql(f"USE {self.name}; {query}", "root", way=SOCKET)
        assert not output.startswith("ERROR"), output
        return sorted(tuple(line.split("\t")) for line in output.splitlines())

    def set_options(self, options: Mapping[str, str]) -> None:
        """Sets WordPress options in the database, as an owner can in the dashboard."""
        rows = ", ".join(f"('{name}', '{value}', 'on')" for name, value in options.items())
        into = "INSERT INTO wp_options (option_name, option_value, autoload)"
        self.sql(f"{into} VALUES {rows} ON DUPLICATE KEY UPDATE option_value = VALUES(option_value)")

    def snapshot(self, *, sells: bool) -> Snapshot:
        """Counts of rows and files that must be the same in all shops that are installed alike."""
        queries = {**SNAPSHOT_QUERIES, **WOOCOMMERCE_QUERIES} if sells else SNAPSHOT_QUERIES
        files = [str(path.relative_to(self.uploads)) for path in self.uploads.rglob("*") if "wc-logs" not in str(path)]
        found = {what: Counter(self.sql(query)) for what, query in queries.items()}
        return {**found, "files": Counter((name,) for name in files)}


Shops = Callable[..., Shop]


def shop_factory(image: Image, containers: Containers, database: Database, folder: Path) -> Shops:
    """A function that returns a new shop, not installed yet."""

    def new() -> Shop:
        name = f"shop_{len(list(folder.glob('shop_*')))}"
        uploads = folder / name
        uploads.mkdir()
        os.chown(uploads, 10001, 10001)
        grant = f"CREATE DATABASE {name}; GRANT ALL ON {name}.* TO wordpress@'%'"
        assert database.sql(grant, "root", way=SOCKET) == ""
        return Shop(name, image, containers, database, uploads, database.container.network)

    return new


def wait_for_response(web: Container, path: str, status: int, seconds: float = 20) -> str:
    """Retries a request until the response has that status. Returns its body."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found, _, text = web.request(path, Host=HOST)
        except AssertionError:  # the server doesn't listen yet
            if time.monotonic() > deadline:
                raise
            continue
        if found == status:
            return text
        assert time.monotonic() < deadline, (found, text, web.log)
        time.sleep(0.1)
