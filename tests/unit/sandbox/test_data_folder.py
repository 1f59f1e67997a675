"""The lock of the data folder, and short socket folders that are removed."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sandbox.data_folder import (
    MAX_PARENT_LENGTH,
    SandboxError,
    lock_data_folder,
    make_socket_folder,
    remove_socket_folder,
)

ROOT = Path(__file__).parents[3]


def test_a_folder_is_made_and_held_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    held = lock_data_folder(Path("some/data"))
    assert held == tmp_path / "some" / "data"
    assert (held / "lock").read_text() == f"{os.getpid()}\n"
    assert lock_data_folder(held) == held


def test_another_process_is_refused_until_the_holder_ends(tmp_path: Path) -> None:
    data = tmp_path / "data"
    holder_code = (
        "import sys; from pathlib import Path; from sandbox.data_folder import lock_data_folder\n"
        f"lock_data_folder(Path({str(data)!r})); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder_code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(SandboxError) as refusal:
            lock_data_folder(data)
        assert str(refusal.value) == (
            f"another Storefleet (process {holder.pid}) runs on {data}; stop it or use DATA=…"
        )
        holder.kill()
    assert lock_data_folder(data) == data
    assert (data / "lock").read_text() == f"{os.getpid()}\n"


def test_a_folder_that_cant_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SandboxError, match=r"file/data can't be used: Not a directory; choose another with DATA=…$"):
        lock_data_folder(tmp_path / "file" / "data")


def test_a_socket_folder_is_ours_alone_and_replaces_the_one_before(tmp_path: Path) -> None:
    link = tmp_path / "postgres.socket"
    first = make_socket_folder(link)
    (first / "socket").touch()
    assert link.readlink() == first
    assert first.stat().st_mode & 0o777 == 0o700
    second = make_socket_folder(link)
    assert link.readlink() == second
    assert not first.exists()
    remove_socket_folder(link)
    assert not second.exists()
    assert not link.is_symlink()
    remove_socket_folder(link)  # twice is no error


def test_a_long_temporary_folder_is_avoided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("long" * MAX_PARENT_LENGTH)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    link = tmp_path / "link"
    assert make_socket_folder(link).parent == Path("/tmp")
    remove_socket_folder(link)


@pytest.mark.parametrize("name", ["somebody-elses", "storefleet-gone"])
def test_what_isnt_our_folder_is_left_alone(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    if name == "somebody-elses":
        target.mkdir()
    link = tmp_path / "link"
    link.symlink_to(target)
    remove_socket_folder(link)
    assert not link.is_symlink()
    assert target.exists() == (name == "somebody-elses")


def test_a_folder_of_another_user_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "storefleet-theirs"
    target.mkdir()
    link = tmp_path / "link"
    link.symlink_to(target)
    monkeypatch.setattr("sandbox.data_folder.os.geteuid", lambda: target.stat().st_uid + 1)
    remove_socket_folder(link)
    assert target.exists()
