"""The example in docs/ENGINES.md is the toy engine, and the toy engine works."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stores.engines import load_engines
from tests.support import toy_engine
from tests.support.rendered import TITLE, environment, objects, profile, render
from tests.support.waiting import HANG_SECONDS
from workers.receipt import parse_receipt

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "ENGINES.md").read_text()


@pytest.fixture
def server() -> Iterator[subprocess.Popen[str]]:
    """The process that the toy store's web container runs."""
    env = {**os.environ, **environment(render(toy_engine.ENGINE), "web"), "PORT": "0"}
    with subprocess.Popen(
        [sys.executable, "-c", toy_engine.SERVE], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        yield server
        server.kill()


@pytest.fixture
def page(server: subprocess.Popen[str]) -> str:
    """The URL of the listening server."""
    assert server.stdout is not None
    line = server.stdout.readline()
    assert line.startswith("listening on "), line
    return f"http://127.0.0.1:{line.split()[-1]}"


def prove(url: str, title: str, message: Path) -> int:
    """The exit code of the proof's program. `message`: the file for its termination message."""
    program = toy_engine.PROVE.replace("/dev/termination-log", str(message))
    env = {**os.environ, "STORE_SERVICE": url, "STORE_TITLE": title}
    return subprocess.run([sys.executable, "-c", program], env=env, stderr=subprocess.DEVNULL, check=False).returncode


def test_the_toy_serves_a_page_and_proves_it(page: str, tmp_path: Path) -> None:
    message = tmp_path / "message"
    assert prove(page, TITLE, message) == 0
    receipt = parse_receipt(message.read_text())
    assert receipt is not None
    assert receipt["simulated"] is False
    assert [step["name"] for step in receipt["steps"]] == ["page"]
    assert receipt["totalMs"] == receipt["steps"][0]["ms"] >= 0


def test_the_toy_s_proof_can_fail(page: str, tmp_path: Path) -> None:
    message = tmp_path / "message"
    assert prove(page, "Another shop", message) != 0
    assert not message.exists()


@pytest.mark.usefixtures("page")
def test_the_toy_stops_when_it_is_asked_to(server: subprocess.Popen[str]) -> None:
    server.terminate()
    assert server.wait(HANG_SECONDS) == 0, "it was killed by the signal, which a container's first process would ignore"


def test_a_setting_is_all_it_takes() -> None:
    engines = load_engines(("workers.engines.woocommerce", "tests.support.toy_engine"))
    assert list(engines) == ["woocommerce", "toy"]
    assert engines["toy"].available
    assert len({field.generate() for field in engines["toy"].secrets} | {engines["toy"].secrets[0].generate()}) == 2


def test_the_document_shows_the_toy_engine() -> None:
    assert f"```python\n{Path(toy_engine.__file__).read_text()}```\n" in DOCUMENT


def test_the_document_s_receipt_is_one_that_is_read() -> None:
    [text] = re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    receipt = parse_receipt(text)
    assert receipt == json.loads(text)


def test_the_document_names_every_object_of_a_store() -> None:
    section = DOCUMENT.partition("## A WooCommerce store\n")[2].partition("\n## ")[0]
    table = {tuple(re.findall(r"`([^`]+)`", row)[:2]) for row in re.findall(r"^\| `.*$", section, re.MULTILINE)}
    manifests = render(cluster=profile(cluster_issuer="letsencrypt"))
    ours = {(item["kind"], item["metadata"]["name"]) for item in objects(manifests) if item["kind"] != "Namespace"}
    accounts = {(kind, name) for kind, name in ours if kind == "ServiceAccount"}
    assert table == ours - accounts


def test_a_module_without_an_engine_and_a_second_of_a_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"stores\.plans defines no ENGINE"):
        load_engines(("stores.plans",))
    with pytest.raises(ValueError, match=r"tests\.support\.toy_engine: another engine is called 'toy' already"):
        load_engines(("tests.support.toy_engine", "tests.support.toy_engine"))
