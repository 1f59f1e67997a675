"""The shop itself, over HTTP: a page, orders, the owner's page, and health."""

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
MOST_BYTES = 10_000
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{title}</title>
<style>body{{font:1.1rem/1.6 system-ui;max-width:34rem;margin:12vh auto;padding:0 1.5rem}}</style>
<h1>{title}</h1>{body}</html>
"""


class Refused(Exception):
    """Status and what to say."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Shop(http.server.BaseHTTPRequestHandler):
    """One request a connection, as HTTP/1.0 has it: a client that kept one would keep the server from ending, too."""

    timeout = 10
    """Seconds in which a request must have come."""

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._order)

    def do_DELETE(self) -> None:
        self._answer(self._remove)

    def _answer(self, act: Any) -> None:
        """Every outcome is an answer; the database's trouble is 503."""
        try:
            status, content = act()
        except Refused as refused:
            status, content = refused.status, {"error": str(refused)}
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
                raise Refused(503, "the shop's tables are still being made")
            return 200, {"products": products}
        if self.path == "/":
            with database.connected() as cursor:
                cursor.execute("SELECT title, cents FROM products")
                rows = "".join(f"<li>{html.escape(name)}, {cents / 100:.2f}</li>" for name, cents in cursor.fetchall())
            return 200, PAGE.format(title=title, body=f"<ul>{rows}</ul>")
        if self.path == "/admin":
            self._is_owner()
            orders = _count("SELECT COUNT(*) FROM orders")
            return 200, PAGE.format(title=title, body=f"<p>{orders} orders</p>")
        if self.path.startswith("/orders/"):
            with database.connected() as cursor:
                cursor.execute("SELECT id, sku FROM orders WHERE `key` = %s", (self.path.rpartition("/")[2],))
                found = cursor.fetchone()
            if found is None:
                raise Refused(404, "there is no such order")
            return 200, {"id": found[0], "sku": found[1]}
        raise Refused(404, "there is nothing here")

    def _order(self) -> tuple[int, Any]:
        """Answered once it is on the disk."""
        if self.path != "/orders":
            raise Refused(404, "there is nothing here")
        length = self.headers.get("Content-Length", "0")
        if not re.fullmatch("[0-9]{1,5}", length) or int(length) > MOST_BYTES:
            raise Refused(413, f"send at most {MOST_BYTES} bytes, and say how many")
        try:
            given = json.loads(self.rfile.read(int(length)))
            sku, email = str(given["sku"]), str(given["email"])
        except (ValueError, KeyError, TypeError):
            raise Refused(400, 'send {"sku": …, "email": …}') from None
        key = uuid.uuid4().hex
        with database.connected() as cursor:
            cursor.execute("SELECT 1 FROM products WHERE sku = %s", (sku,))
            if cursor.fetchone() is None:
                raise Refused(400, "there is no such product")
            cursor.execute("INSERT INTO orders (`key`, sku, email) VALUES (%s, %s, %s)", (key, sku, email[:254]))
        return 201, {"key": key}

    def _remove(self) -> tuple[int, Any]:
        """Only the proof may, which removes what it bought."""
        if not hmac.compare_digest(self.headers.get(PROOF_HEADER, "").encode(), os.environ["PROOF_TOKEN"].encode()):
            raise Refused(403, "only the proof may do that")
        with database.connected() as cursor:
            gone = cursor.execute("DELETE FROM orders WHERE `key` = %s", (self.path.rpartition("/")[2],))
        if not gone:
            raise Refused(404, "there is no such order")
        return 200, {}

    def _is_owner(self) -> None:
        expected = base64.b64encode(f"admin:{os.environ['ADMIN_PASSWORD']}".encode())
        if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), b"Basic " + expected):
            raise Refused(401, "sign in as admin")

    def log_message(self, format: str, *arguments: Any) -> None:
        """One line a request, but for the probes'."""
        if self.path not in ("/healthz", "/readyz"):
            print(f"{self.command} {self.path} {format % arguments if arguments else format}")


def _count(query: str) -> int:
    with database.connected() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


class Server(http.server.ThreadingHTTPServer):
    """Waits at its end for the requests that are being answered."""

    daemon_threads = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Somebody went away before the answer; the standard library would print how it found out."""
        print(f"a connection broke: {type(sys.exception()).__name__}")


def serve() -> None:
    """Until SIGTERM."""
    with Server(("", PORT), Shop) as server:
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        print(f"listening on {PORT}")
        server.serve_forever(poll_interval=0.1)
