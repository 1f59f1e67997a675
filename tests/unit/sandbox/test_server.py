"""An embedded server that can't start says why; a server that was never started can't be killed."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import server
from sandbox.data_folder import SandboxError, remove_socket_folder
from sandbox.server import Server, find_program, new_socket_folder, socket_link


def make(data: Path, code: str, is_ready: Callable[[Server], bool]) -> Server:
    folder = data / "toy"
    folder.mkdir()
    return Server(
        name="toy",
        argv=[sys.executable, "-c", code],
        folder=folder,
        socket_folder=new_socket_folder(folder),
        is_ready=is_ready,
        failure_reason=lambda log: log[-1] if log else "its log is empty",
    )


def test_a_server_that_ends_at_start_gives_the_reason(tmp_path: Path) -> None:
    toy = make(tmp_path, "print('no luck today')", lambda _: False)
    with pytest.raises(SandboxError) as failure:
        toy.start()
    assert str(failure.value) == (
        f"toy can't start on {tmp_path}/toy: no luck today (log: {tmp_path}/logs/toy.log); "
        "use DATA=… for a new data folder"
    )
    assert not toy.running
    toy.stop()
    assert not socket_link(toy.folder).is_symlink()


def test_one_that_never_answers_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "START_SECONDS", 0.1)
    toy = make(tmp_path, "import signal; signal.pause()", lambda _: False)
    with pytest.raises(SandboxError, match="its log is empty"):
        toy.start()
    assert not toy.running
    assert toy._child is not None
    assert toy._child.returncode == -signal.SIGKILL
    toy.stop()


def test_one_that_was_never_started_has_no_process(tmp_path: Path) -> None:
    toy = make(tmp_path, "", lambda _: True)
    assert not toy.running
    with pytest.raises(RuntimeError, match="toy was never started"):
        _ = toy.pid
    with pytest.raises(RuntimeError, match="toy was never started"):
        toy.kill()
    toy.stop()
    remove_socket_folder(socket_link(toy.folder))


@pytest.mark.parametrize(("package", "path"), [("no_such_package", "bin/x"), ("sandbox", "bin/x"), ("typing", "bin/x")])
def test_a_missing_program_says_how_to_get_it(package: str, path: str) -> None:
    with pytest.raises(SandboxError, match="the Python package some-wheel is missing: run 'make setup'"):
        find_program("some-wheel", package, path)


def test_a_program_is_found_without_importing_its_package() -> None:
    assert find_program("storefleet", "sandbox", "server.py") == Path(server.__file__)
