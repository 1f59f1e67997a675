"""`make demo` as a newcomer runs it: real processes, a READY store, and no process that survives."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from tests.support.demo import demo_command, demo_environment, demo_words, free_port, run_command, run_here, survivors
from tests.support.harness import ROOT
from tests.support.measured import measured
from tests.support.waiting import HANG_SECONDS, eventually


def test_once_and_once_more_on_the_same_data(tmp_path: Path) -> None:
    data = tmp_path / ("long" * 40)
    port = free_port()
    for number, command in (
        (1, measured("cli", *demo_words(data, port, "--once"))),
        (2, demo_command(data, port, "--once")),
    ):
        done = run_command(command)
        assert done.returncode == 0, done.stderr + done.stdout
        out = done.stdout
        assert "\x1b" not in out
        for text in ("simulated", "step 4 of 7", "READY  SIMULATED", "receipt", "API token", "CLUSTER=kubeconfig"):
            assert text in out
        assert len(re.findall(r"✓ step \d of 7 .* \d+\.\d\d s", out)) == 7
        assert f"http://127.0.0.1:{port}/readyz" in out
        assert f"http://demo-shop{'-2' if number == 2 else ''}.localhost:{port}\n" in out
        assert ("demo-shop-2" in out) == (number == 2)
        assert "/nowhere" not in out
    assert survivors(data) == []


CREATE_AND_WATCH = """
import asyncio, sys
from pathlib import Path
from cli.client import Access, connected
from cli.walkthrough import CREATE
from cli.watch import watch
async def main():
    async with connected(Access.load(Path(sys.argv[1]))) as client:
        made = (await client.execute(CREATE, {"engine": "WOOCOMMERCE"}))["createStore"]["store"]
        return await watch(client, made["slug"])
sys.exit(asyncio.run(main()))
"""


def is_worker_of(found: psutil.Process, demo_pid: int) -> bool:
    return (found.info["cmdline"] or [])[-1:] == ["worker"] and found.ppid() == demo_pid


@contextmanager
def serve_demo(data: Path, port: int, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A demo that has reached READY and serves. It is killed at the end of the block, and leaves no process."""
    command = demo_command(data, port)
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert any(line.startswith("Serving at") for line in process.stdout)
            yield process
        finally:
            process.kill()
    assert eventually(lambda: not survivors(data)), survivors(data)


def test_what_it_refuses_is_said_in_one_line_and_it_ends_with_ctrl_c(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    with serve_demo(data, port, demo_environment()) as process:
        check_refusals(data, port, tmp_path)
        # a killed worker is started again, and its work continues
        [worker] = [found for found in psutil.process_iter(["cmdline"]) if is_worker_of(found, process.pid)]
        worker.kill()
        created = run_command([sys.executable, "-c", CREATE_AND_WATCH, str(data)])
        assert created.returncode == 0, created.stdout + created.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait(HANG_SECONDS) == 0
        assert survivors(data) == []
    gone = run_here("watch", "demo-shop", "--data", str(data))
    assert (gone.returncode, "doesn't answer" in gone.stderr) == (1, True)


def check_refusals(data: Path, port: int, folder: Path) -> None:
    """While a demo serves: its store's page, and commands that are refused."""
    visit = HTTPConnection("127.0.0.1", port)
    visit.request("GET", "/", headers={"Host": f"demo-shop.localhost:{port}"})
    assert "Demo Shop is ready, and simulated" in visit.getresponse().read().decode()
    visit.close()
    taken = run_here(*demo_words(folder / "other", port, "--once"))
    assert (taken.returncode, len(taken.stderr.splitlines())) == (1, 1)
    assert f"can't listen on 127.0.0.1:{port}" in taken.stderr
    held = run_here(*demo_words(data, free_port(), "--once"))
    assert (held.returncode, len(held.stderr.splitlines())) == (1, 1)
    assert "another Storefleet" in held.stderr

    watched = run_here("watch", "demo-shop", "--data", str(data))
    assert watched.returncode == 0, watched.stderr
    assert "READY" in watched.stdout
    assert "SIMULATED" in watched.stdout
    missing = run_here("watch", "nothing", "--data", str(data))
    assert (missing.returncode, "no store 'nothing'" in missing.stderr) == (1, True)
    nowhere = run_here("watch", "demo-shop", "--data", str(folder / "empty"))
    assert (nowhere.returncode, "run `make demo`" in nowhere.stderr) == (1, True)


def test_nothing_survives_even_sigkill(tmp_path: Path) -> None:
    data, port, environment = tmp_path / "data", free_port(), demo_environment()
    with serve_demo(data, port, environment):
        pass
    done = run_command(demo_command(data, port, "--once"), environment=environment)
    assert done.returncode == 0, done.stderr


def test_a_real_cluster_is_named_before_it_is_used(tmp_path: Path) -> None:
    done = run_here(*demo_words(tmp_path / "data", free_port(), "--once", "--cluster", "kubeconfig"))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "/nowhere/kubeconfig isn't a usable kubeconfig" in done.stderr


def test_a_data_folder_that_is_no_folder_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    done = run_here(*demo_words(tmp_path / "file", free_port(), "--once"))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "demo.json").write_text("rubbish")
    done = run_here(*demo_words(tmp_path / "data", free_port(), "--once"))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "can't be read" in done.stderr


def test_an_engine_can_be_chosen(tmp_path: Path) -> None:
    done = run_command(demo_command(tmp_path, free_port(), "--once", "--engine", "medusa"))
    assert done.returncode == 0, done.stderr + done.stdout
    assert "Installing Medusa" in done.stdout
    assert "READY  SIMULATED" in done.stdout
    assert survivors(tmp_path) == []


@pytest.mark.parametrize(
    ("engine", "message"),
    [("shopify", "choose one of sample, woocommerce, medusa"), ("woocommerce", "WOOCOMMERCE_ZIP")],
)
def test_a_node_says_which_engines_it_can_run(tmp_path: Path, engine: str, message: str) -> None:
    done = run_here(*demo_words(tmp_path, free_port(), "--cluster", "node", "--engine", engine))
    assert (done.returncode, message in done.stdout + done.stderr) == (1, True)
