"""The sample shop's programs over HTTP, with an in-memory database. tests/node uses a real one."""

import base64
import http.client
import importlib
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.support.waiting import HANG_SECONDS
from workers.receipt import parse_receipt

SAMPLE = Path(__file__).parents[3] / "images" / "sample"
ORDER = b'{"sku": "olive", "email": "a@example.com"}'
PROOF = {"X-Storefleet-Proof": "the-token"}
OWNER = {"Authorization": "Basic " + base64.b64encode(b"admin:let-me-in").decode()}


class MySQLError(Exception):
    """Has the name of PyMySQL's exception."""


class Database:
    """Fakes PyMySQL: the data of a transaction is stored at its commit."""

    def __init__(self) -> None:
        self.orders: dict[str, str] = {}
        self.made: list[str] = []
        self.products = 1
        self.down = False
        self.free = threading.Event()
        """While it isn't set, commits block."""
        self.free.set()
        self.committing = threading.Event()

    def connect(self, **options: Any) -> "Connection":
        assert options["ssl"], "MySQL takes no password without it"
        if self.down:
            raise MySQLError(2003, "Can't connect to user's secret place")
        return Connection(self)


class Connection:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.orders = dict(database.orders)
        self.rows: list[tuple[Any, ...]] = []

    def cursor(self) -> "Connection":
        return self

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, query: str, values: tuple[Any, ...] = ()) -> int:
        words = query.split("(")[0]
        self.rows = []
        if words.startswith(("CREATE TABLE", "INSERT IGNORE")):
            self.database.made.append(words.removesuffix(" VALUES ").split()[-1])
        elif words.startswith("INSERT INTO orders "):
            self.orders[values[0]] = values[1]
        elif words.startswith("DELETE FROM orders "):
            return int(self.orders.pop(values[0], None) is not None)
        elif query.startswith("SELECT COUNT(*) FROM orders"):
            self.rows = [(len(self.orders),)]
        elif query.startswith("SELECT COUNT(*) FROM products"):
            self.rows = [(self.database.products,)]
        elif query.startswith("SELECT id, sku FROM orders"):
            self.rows = [(1, self.orders[key]) for key in values if key in self.orders]
        elif query.startswith("SELECT title, cents FROM products"):
            self.rows = [("A jar of <olives>", 490)]
        elif query.startswith("SELECT 1 FROM products"):
            self.rows = [(1,)] if values == ("olive",) else []
        else:
            assert query.startswith("SELECT 1"), query
            self.rows = [(1,)]
        return len(self.rows)

    def fetchone(self) -> tuple[Any, ...] | None:
        return self.rows[0] if self.rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.rows

    def commit(self) -> None:
        self.database.committing.set()
        assert self.database.free.wait(HANG_SECONDS)
        self.database.orders = self.orders

    def close(self) -> None:
        pass


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def program(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The image's modules by name, imported as in its container."""
    pymysql: Any = ModuleType("pymysql")
    pymysql.MySQLError, pymysql.connect = MySQLError, database.connect
    pymysql.cursors = SimpleNamespace(Cursor=Connection)
    monkeypatch.setitem(sys.modules, "pymysql", pymysql)
    monkeypatch.syspath_prepend(SAMPLE)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name, value in (
        *(("DATABASE_HOST", "database"), ("DATABASE_USER", "sample"), ("DATABASE_PASSWORD", "secret")),
        *(("STORE_TITLE", "Fig & <Olive>"), ("PROOF_TOKEN", "the-token"), ("ADMIN_PASSWORD", "let-me-in")),
    ):
        monkeypatch.setenv(name, value)
    names = ("database", "serve", "prove", "__main__")
    yield SimpleNamespace(**{name.strip("_"): importlib.import_module(f"shop.{name}") for name in names})
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


@pytest.fixture
def server(program: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with program.serve.Server(("127.0.0.1", 0), program.serve.Shop) as server:
        monkeypatch.setenv("STORE_SERVICE", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("STORE_URL", "https://fig.example.com")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(
    server: Any, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, str]:
    """The response's status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=HANG_SECONDS)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    assert answer.will_close, "an idle connection would delay the server's shutdown"
    return answer.status, answer.read().decode()


def test_the_page_shows_the_merchants_words_as_text(server: Any) -> None:
    status, page = ask(server, "GET", "/")
    assert status == 200
    assert "<h1>Fig &amp; &lt;Olive&gt;</h1>" in page
    assert "<li>A jar of &lt;olives&gt;, 4.90</li>" in page


def test_an_order_is_there_when_it_is_acknowledged_and_the_owner_sees_it(server: Any, database: Database) -> None:
    status, body = ask(server, "POST", "/orders", ORDER)
    key = json.loads(body)["key"]
    assert (status, database.orders) == (201, {key: "olive"})
    assert ask(server, "GET", f"/orders/{key}") == (200, '{"id": 1, "sku": "olive"}')
    assert ask(server, "GET", "/admin", headers=OWNER)[1].count("1 orders") == 1
    for headers in ({}, {"Authorization": "Basic bm8="}):
        assert ask(server, "GET", "/admin", headers=headers)[0] == 401


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/orders", b"{}", {}, 400),
        ("/orders", b"\xff", {}, 400),
        ("/orders", b'{"sku": "fig", "email": ""}', {}, 400),
        ("/orders", b"[" * 10_001, {}, 413),
        ("/orders", b"", {"Content-Length": "x"}, 413),
        ("/orders", b"", {"Content-Length": "9" * 5000}, 413),
        ("/order", ORDER, {}, 404),
    ],
)
def test_what_is_no_order_is_refused_with_a_reason(
    server: Any, database: Database, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    found, answer = ask(server, "POST", path, body, headers)
    assert (found, list(json.loads(answer)), database.orders) == (status, ["error"], {})


def test_only_the_proof_removes_orders(server: Any, database: Database) -> None:
    database.orders["mine"] = "olive"
    assert ask(server, "DELETE", "/orders/mine")[0] == 403
    assert ask(server, "DELETE", "/orders/other", headers=PROOF)[0] == 404
    assert ask(server, "DELETE", "/orders/mine", headers=PROOF) == (200, "{}")
    assert ask(server, "GET", "/orders/mine")[0] == 404
    assert ask(server, "GET", "/nothing")[0] == 404


def test_without_its_database_it_lives_but_isnt_ready(server: Any, database: Database) -> None:
    assert ask(server, "GET", "/readyz")[0] == 200
    database.products = 0
    assert ask(server, "GET", "/readyz") == (503, '{"error": "the shop\'s tables don\'t exist yet"}')
    database.down = True
    assert ask(server, "GET", "/healthz")[0] == 200
    for method, path, body in (("GET", "/readyz", None), ("GET", "/", None), ("POST", "/orders", ORDER)):
        assert ask(server, method, path, body) == (503, '{"error": "the database doesn\'t answer"}')


def test_a_request_that_is_being_answered_gets_its_answer_at_the_end(server: Any, database: Database) -> None:
    database.free.clear()
    answers: list[tuple[int, str]] = []
    buyer = threading.Thread(target=lambda: answers.append(ask(server, "POST", "/orders", ORDER)))
    buyer.start()
    assert database.committing.wait(HANG_SECONDS)
    server.shutdown()
    closing = threading.Thread(target=server.server_close)
    closing.start()
    assert (answers, database.orders) == ([], {})
    database.free.set()
    closing.join(10)
    buyer.join(10)
    [(status, body)] = answers
    assert (status, list(database.orders)) == (201, [json.loads(body)["key"]])


def test_a_connection_that_breaks_is_one_line(server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise BrokenPipeError("and a long story")
    except BrokenPipeError:
        server.handle_error(None, None)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("a connection broke: BrokenPipeError\n", "")


def run(program: Any, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["shop", *words])
    code: int = program.main.main()
    return code


def test_the_proof_buys_and_leaves_its_receipt_alone(
    program: Any, server: Any, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(program.prove, "RECEIPT", tmp_path / "receipt")
    assert run(program, monkeypatch, "prove") == 0
    receipt = parse_receipt((tmp_path / "receipt").read_text())
    assert receipt is not None
    assert receipt["simulated"] is False
    assert [step["name"] for step in receipt["steps"]] == ["page", "order", "check", "clean"]
    assert database.orders == {}


@pytest.mark.parametrize(
    ("change", "last_line"),
    [
        ({"PROOF_TOKEN": "another"}, "the step clean failed: the shop answered 403"),
        ({"STORE_SERVICE": "http://127.0.0.1:1"}, "the shop did not open in 0 seconds: [Errno 111] Connection refused"),
    ],
)
def test_a_proof_that_fails_says_where(
    program: Any,
    server: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    change: dict[str, str],
    last_line: str,
) -> None:
    monkeypatch.setattr(program.prove, "RECEIPT", tmp_path / "receipt")
    monkeypatch.setattr(program.serve, "os", SimpleNamespace(environ={**program.serve.os.environ}))
    monkeypatch.setattr(program.prove, "WAIT_SECONDS", 0)
    for name, value in change.items():
        monkeypatch.setenv(name, value)
    assert run(program, monkeypatch, "prove") == 1
    assert capsys.readouterr().out.splitlines()[-1] == last_line
    assert not (tmp_path / "receipt").exists()


def test_the_proof_waits_for_the_shop_to_open(
    program: Any,
    server: Any,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(program.prove, "RECEIPT", tmp_path / "receipt")
    monkeypatch.setattr(program.prove, "WAIT_SECONDS", 0)
    database.products = 0
    assert run(program, monkeypatch, "prove") == 1
    assert capsys.readouterr().out.splitlines() == ["the shop did not open in 0 seconds: it answers 503"]
    monkeypatch.setattr(program.prove, "WAIT_SECONDS", 10)
    opening = threading.Timer(0.2, setattr, (database, "products", 1))
    opening.start()
    assert run(program, monkeypatch, "prove") == 0
    opening.join()


def test_installing_waits_for_the_database_but_not_for_ever(
    program: Any, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert run(program, monkeypatch, "install") == 0
    assert database.made == ["products", "orders", "products"] * 2
    monkeypatch.setattr(program.database, "WAIT_SECONDS", -1)
    database.down = True
    assert run(program, monkeypatch, "install") == 1
    assert capsys.readouterr().out.splitlines()[-1] == "the database refused: 2003"
    assert run(program, monkeypatch) == 2
