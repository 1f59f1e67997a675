"""The shop's web server: a page with the product, orders, the owner's page, and probes."""

import base64
import hmac
import html
import http.server
import json
import os
import re
import signal
import sys
import threading
import uuid
from typing import Any

from shop import database

PORT = 8080
PROOF_HEADER = "X-Storefleet-Proof"
MAX_BODY_BYTES = 10_000
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{title}</title>
<style>body{{font:1.1rem/1.6 system-ui;max-width:34rem;margin:12vh auto;padding:0 1.5rem}}</style>
<h1>{title}</h1>{body}</html>
"""


class HttpError(Exception):
    """An error response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Shop(http.server.BaseHTTPRequestHandler):
    """One request per connection (HTTP/1.0): an idle connection would delay the server's shutdown."""

    timeout = 10
    """Seconds for reading a request."""

    def do_GET(self) -> None:
        self._respond(self._get)

    def do_POST(self) -> None:
        self._respond(self._create_order)

    def do_DELETE(self) -> None:
        self._respond(self._delete_order)

    def _respond(self, handler: Any) -> None:
        """Send the handler's result; an error of the database is 503."""
        try:
            status, content = handler()
        except HttpError as error:
            status, content = error.status, {"error": str(error)}
        except database.Error:
            status, content = 503, {"error": "the database doesn't answer"}
        page = isinstance(content, str)
        body = (content if page else json.dumps(content)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8" if page else "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="owner"')
        self.end_headers()
        self.wfile.write(body)

    def _get(self) -> tuple[int, Any]:
        title = html.escape(os.environ["STORE_TITLE"])
        if self.path == "/healthz":
            return 200, {}
        if self.path == "/readyz":
            products = _count("SELECT COUNT(*) FROM products")
            if products == 0:
                raise HttpError(503, "the shop's tables don't exist yet")
            return 200, {"products": products}
        if self.path == "/":
            with database.transaction() as cursor:
                cursor.execute("SELECT title, cents FROM products")
                rows = "".join(f"<li>{html.escape(name)}, {cents / 100:.2f}</li>" for name, cents in cursor.fetchall())
            return 200, PAGE.format(title=title, body=f"<ul>{rows}</ul>")
        if self.path == "/admin":
            self._require_owner()
            orders = _count("SELECT COUNT(*) FROM orders")
            return 200, PAGE.format(title=title, body=f"<p>{orders} orders</p>")
        if self.path.startswith("/orders/"):
            with database.transaction() as cursor:
                cursor.execute("SELECT id, sku FROM orders WHERE `key` = %s", (self.path.rpartition("/")[2],))
                order = cursor.fetchone()
            if order is None:
                raise HttpError(404, "there is no such order")
            return 200, {"id": order[0], "sku": order[1]}
        raise HttpError(404, "there is nothing here")

    def _create_order(self) -> tuple[int, Any]:
        """Responds after the commit."""
        if self.path != "/orders":
            raise HttpError(404, "there is nothing here")
        length = self.headers.get("Content-Length", "0")
        if not re.fullmatch("[0-9]{1,5}", length) or int(length) > MAX_BODY_BYTES:
            raise HttpError(413, f"send at most {MAX_BODY_BYTES} bytes, and say how many")
        try:
            body = json.loads(self.rfile.read(int(length)))
            sku, email = str(body["sku"]), str(body["email"])
        except (ValueError, KeyError, TypeError):
            raise HttpError(400, 'send {"sku": …, "email": …}') from None
        key = uuid.uuid4().hex
        with database.transaction() as cursor:
            cursor.execute("SELECT 1 FROM products WHERE sku = %s", (sku,))
            if cursor.fetchone() is None:
                raise HttpError(400, "there is no such product")
            cursor.execute("INSERT INTO orders (`key`, sku, email) VALUES (%s, %s, %s)", (key, sku, email[:254]))
        return 201, {"key": key}

    def _delete_order(self) -> tuple[int, Any]:
        """Only the proof may delete orders."""
        if not hmac.compare_digest(self.headers.get(PROOF_HEADER, "").encode(), os.environ["PROOF_TOKEN"].encode()):
            raise HttpError(403, "only the proof may do that")
        with database.transaction() as cursor:
            deleted = cursor.execute("DELETE FROM orders WHERE `key` = %s", (self.path.rpartition("/")[2],))
        if not deleted:
            raise HttpError(404, "there is no such order")
        return 200, {}

    def _require_owner(self) -> None:
        expected = base64.b64encode(f"admin:{os.environ['ADMIN_PASSWORD']}".encode())
        if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), b"Basic " + expected):
            raise HttpError(401, "sign in as admin")

    def log_message(self, format: str, *arguments: Any) -> None:
        """One line for each request, except probes."""
        if self.path not in ("/healthz", "/readyz"):
            print(f"{self.command} {self.path} {format % arguments if arguments else format}")


def _count(query: str) -> int:
    with database.transaction() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


class Server(http.server.ThreadingHTTPServer):
    """Its shutdown waits for running requests."""

    daemon_threads = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client closed its connection. One line instead of the standard library's traceback."""
        print(f"a connection broke: {type(sys.exception()).__name__}")


def serve() -> None:
    """Serve until SIGTERM."""
    with Server(("", PORT), Shop) as server:
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        print(f"listening on {PORT}")
        server.serve_forever(poll_interval=0.1)
