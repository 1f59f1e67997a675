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

from sandbox.ports import free_port
from tests.support.demo import demo_command, demo_environment, demo_words, run_command, run_here, survivors
from tests.support.harness import ROOT
from tests.support.measured import measured
from tests.support.waiting import HANG_SECONDS, eventually


def check_output(out: str, port: int, number: int) -> None:
    """What a demo tells that made its first or second store on that data."""
    assert "\x1b" not in out
    for text in ("simulated", "step 4 of 7", "READY  SIMULATED", "receipt", "API token", "CLUSTER=kubeconfig"):
        assert text in out
    assert len(re.findall(r"✓ step \d of 7 .* \d+\.\d\d s", out)) == 7
    assert f"http://127.0.0.1:{port}/readyz" in out
    assert f"http://demo-shop{'-2' if number == 2 else ''}.localhost:{port}\n" in out
    assert ("demo-shop-2" in out) == (number == 2)
    assert "/nowhere" not in out


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
def serve_demo(data: Path, port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A demo that has reached READY and serves, and what it printed until then.

    It is killed at the end of the block, and leaves no process.
    """
    command = demo_command(data, port)
    with subprocess.Popen(command, cwd=ROOT, env=demo_environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            printed = ""
            while "Serving at" not in printed and (line := process.stdout.readline()):
                printed += line
            assert "Serving at" in printed
            yield process, printed
        finally:
            process.kill()
    assert eventually(lambda: not survivors(data)), survivors(data)


def test_once_and_once_more_on_the_same_data_until_ctrl_c(tmp_path: Path) -> None:
    """Also what it refuses is said in one line."""
    data, port = tmp_path / ("long" * 40), free_port()
    once = run_command(measured("cli", *demo_words(data, port, "--once")))
    assert once.returncode == 0, once.stderr + once.stdout
    check_output(once.stdout, port, 1)
    assert survivors(data) == []
    with serve_demo(data, port) as (process, printed):
        check_output(printed, port, 2)
        check_refusals(data, port, tmp_path)
        # a killed worker is started again, and its work continues
        [worker] = [found for found in psutil.process_iter(["cmdline"]) if is_worker_of(found, process.pid)]
        worker.kill()
        created = run_command([sys.executable, "-c", CREATE_AND_WATCH, str(data)])
        assert created.returncode == 0, created.stdout + created.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait(HANG_SECONDS) == 0
        assert survivors(data) == []
    gone = run_here("watch", "demo-shop-2", "--data", str(data))
    assert (gone.returncode, "doesn't answer" in gone.stderr) == (1, True)


def check_refusals(data: Path, port: int, folder: Path) -> None:
    """While a demo serves: its store's page, and commands that are refused."""
    visit = HTTPConnection("127.0.0.1", port)
    visit.request("GET", "/", headers={"Host": f"demo-shop-2.localhost:{port}"})
    assert "Demo Shop is ready, and simulated" in visit.getresponse().read().decode()
    visit.close()
    taken = run_here(*demo_words(folder / "other", port, "--once"))
    assert (taken.returncode, len(taken.stderr.splitlines())) == (1, 1)
    assert f"can't listen on 127.0.0.1:{port}" in taken.stderr
    held = run_here(*demo_words(data, free_port(), "--once"))
    assert (held.returncode, len(held.stderr.splitlines())) == (1, 1)
    assert "another Storefleet" in held.stderr

    watched = run_here("watch", "demo-shop-2", "--data", str(data))
    assert watched.returncode == 0, watched.stderr
    assert "READY" in watched.stdout
    assert "SIMULATED" in watched.stdout
    missing = run_here("watch", "nothing", "--data", str(data))
    assert (missing.returncode, "no store 'nothing'" in missing.stderr) == (1, True)
    nowhere = run_here("watch", "demo-shop", "--data", str(folder / "empty"))
    assert (nowhere.returncode, "run `make demo`" in nowhere.stderr) == (1, True)


def test_nothing_survives_even_sigkill_and_an_engine_can_be_chosen(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    with serve_demo(data, port):
        pass
    done = run_command(demo_command(data, port, "--once", "--engine", "medusa"))
    assert done.returncode == 0, done.stderr + done.stdout
    assert "Installing Medusa" in done.stdout
    assert "READY  SIMULATED" in done.stdout
    assert survivors(data) == []


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


@pytest.mark.parametrize(
    ("engine", "message"),
    [("shopify", "choose one of sample, woocommerce, medusa"), ("woocommerce", "WOOCOMMERCE_ZIP")],
)
def test_a_node_says_which_engines_it_can_run(tmp_path: Path, engine: str, message: str) -> None:
    done = run_here(*demo_words(tmp_path, free_port(), "--cluster", "node", "--engine", engine))
    assert (done.returncode, message in done.stdout + done.stderr) == (1, True)
