"""Failures of `make images`: one clear line each, no temporary files left, and the other images are built."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox.data_folder import SandboxError
from sandbox.images import bases, build_images, definition, workspace
from tests.support.fake_builders import Build, Builders, build, builders, images, progress
from tests.support.waiting import HANG_SECONDS, eventually

__all__ = ["build", "builders", "images", "progress"]

ROOT = Path(__file__).parents[3]


def test_one_that_fails_doesnt_stop_the_others(builders: Builders, build: Build, progress: list[str]) -> None:
    builders.add("buildah", "unshare", "mmdebstrap")
    builders.refuse(
        ("build .*front-context", "STEP 1\nE: Unable to locate package phhp\nI: removing tempdir"),
    )
    with pytest.raises(SandboxError) as caught:
        build("front", "shop")
    log = builders.cache / "logs" / "front.log"
    assert str(caught.value) == f"front: buildah failed: E: Unable to locate package phhp; the log is {log}"
    assert "removing tempdir" in log.read_text()
    assert [name.partition("-")[0] for name in builders.left] == ["base", "shop"]
    assert re.fullmatch(r"shop         docker\.io/storefleet/shop:1: \d+\.\d s, 0\.0 MB", progress[-1])


@pytest.mark.parametrize(
    ("last_words", "complaint"),
    [
        ("one\ntwo", "two"),
        ("", "it ended with 125 and printed nothing"),
        ("fatal error: it's me\nend", "fatal error: it's me"),
        ("ERROR: " + 400 * "x", "ERROR: " + 293 * "x"),
    ],
)
def test_a_failure_is_one_line(builders: Builders, build: Build, last_words: str, complaint: str) -> None:
    builders.add("buildah", "unshare", "mmdebstrap")
    builders.refuse(("^mmdebstrap", last_words))
    log = builders.cache / "logs" / "shop-BASE.log"
    with pytest.raises(SandboxError) as caught:
        build()
    assert str(caught.value) == f"shop-BASE: mmdebstrap failed: {complaint}; the log is {log}"
    assert builders.left == []


def test_an_import_that_failed_is_tried_again(builders: Builders, build: Build) -> None:
    builders.add("buildah", "unshare", "mmdebstrap")
    builders.refuse(("ADD|/base-", "Error: no space left"))
    with pytest.raises(SandboxError) as caught:
        build("front", "shop")
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == [
        "front-BASE-import",
        "shop-BASE-import",
    ]


def test_a_disk_that_fails_is_a_line_too(builders: Builders, build: Build) -> None:
    builders.add("buildah", "unshare", "mmdebstrap")
    bases.base_archive(definition.load_definition("shop").bases["BASE"]).mkdir(parents=True)  # where a file should be
    with pytest.raises(SandboxError, match=r"^shop: \[Errno \d+\] "):
        build()


def test_what_is_missing_is_said_with_what_installs_it(builders: Builders, build: Build) -> None:
    with pytest.raises(SandboxError, match=r"none works here: `make setup-node` installs buildah$"):
        build()
    builders.add("docker")
    builders.refuse(("info", "Cannot connect"))
    with pytest.raises(
        SandboxError, match=r"docker failed: Cannot connect; the log is .*docker-info.log; `make setup-n"
    ):
        build()
    builders.add("buildah", "unshare")
    with pytest.raises(
        SandboxError, match=r"buildah-info: buildah failed: Cannot connect; the log is .*buildah-info.log$"
    ):
        build()
    builders.refuse()
    with pytest.raises(SandboxError, match=r"^shop-BASE: .* need mmdebstrap; `make setup-node` installs it$"):
        build()


def test_who_isnt_root_is_root_in_a_namespace(
    builders: Builders, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    builders.add("buildah", "unshare", "mmdebstrap", "true")
    assert len(build()) == 1
    apart = [call for call in builders.calls if call.startswith("unshare ")]
    assert all(call.startswith("unshare --user --map-root-user --map-auto --mount --pid ") for call in apart)
    assert {call.split(" -- ")[1].split(" ")[0] for call in apart} == {"buildah", "mmdebstrap"}
    builders.refuse((" push ", "no space left"))
    with pytest.raises(SandboxError, match=r"no space left; the log is .*/front-export.log$"):
        build("front")
    builders.refuse(("^unshare ", "unshare: uid_map: Operation not permitted"))
    with pytest.raises(SandboxError, match=r"not permitted; the log is .*; it takes root, or subordinate ids for this"):
        build("front", bases="registry")
    assert not [name for name in builders.left if name.startswith("unfinished")]


def test_what_a_killed_build_left_of_other_users_is_removed_as_root(
    builders: Builders, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    builders.add("docker", "unshare")
    (builders.bin / "rm").symlink_to("/bin/rm")
    folder = builders.cache / "unfinished-storage"
    folder.mkdir(parents=True)

    def refuse(path: Path) -> None:
        """As rmtree does when a file belongs to another user."""
        if path == folder and path.exists():
            raise PermissionError(path)
        shutil.rmtree(path)

    monkeypatch.setattr("sandbox.images.workspace.shutil", SimpleNamespace(rmtree=refuse))
    assert len(build(bases="registry")) == 1
    assert not folder.exists()


def test_a_cache_that_cant_be_used_is_named(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    with pytest.raises(SandboxError, match="can't be used: Not a directory; choose another with XDG_CACHE_HOME"):
        build()
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert workspace.cache_dir() == Path.home() / ".cache" / "storefleet" / "images"


def test_what_was_just_killed_may_still_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, clock = tmp_path / "folder", iter(range(20))
    folder.mkdir()
    tries: list[Path] = []

    def rmtree(path: Path) -> None:
        tries.append(path)
        if len(tries) < 3:
            raise OSError("Directory not empty")
        path.rmdir()

    monkeypatch.setattr(workspace, "shutil", SimpleNamespace(rmtree=rmtree))
    workspace._remove(folder)
    assert (len(tries), folder.exists()) == (3, False)

    folder.mkdir()
    tries.clear()
    monkeypatch.setattr(workspace, "time", SimpleNamespace(monotonic=lambda: 9 * next(clock), sleep=lambda _: None))
    with pytest.raises(OSError, match="not empty"):
        workspace._remove(folder)


@pytest.fixture
def command(builders: Builders) -> Iterator[subprocess.Popen[str]]:
    """`python -m sandbox.images pause`, while its build is running."""
    builders.add("docker")
    builders.pause_file.touch()
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.images", "pause"],
        cwd=ROOT,
        env={**os.environ, **builders.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert eventually(builders.process)
        yield process
        process.kill()


def is_gone(pid: int | None) -> bool:
    return not Path(f"/proc/{pid}").exists() or ") Z " in Path(f"/proc/{pid}/stat").read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_is_asked_to_end_leaves_nothing(
    builders: Builders, command: subprocess.Popen[str], number: signal.Signals
) -> None:
    command.send_signal(number)
    _, output = command.communicate(timeout=HANG_SECONDS)
    assert (command.returncode, "Traceback" in output) == (130, False)
    assert is_gone(builders.process())
    assert builders.left == []


def test_what_a_killed_build_left_is_removed_by_the_next(
    builders: Builders, command: subprocess.Popen[str], build: Build
) -> None:
    command.kill()
    command.wait()
    assert eventually(lambda: is_gone(builders.process()))
    assert len(builders.left) == 1
    builders.pause_file.unlink()
    [archive] = build(bases="registry")
    assert builders.left == [archive.name]


def test_the_second_build_waits_for_the_first(builders: Builders, command: subprocess.Popen[str]) -> None:
    progress: list[str] = []

    def say(line: str) -> None:
        progress.append(line)
        builders.pause_file.unlink(missing_ok=True)

    build_images(["shop"], say, "registry", archives=False)
    assert progress[0] == "Another build is running; waiting for its end."
    assert command.wait(HANG_SECONDS) == 0
    assert [line.partition(" ")[2].split()[-1] for line in builders.calls if line.startswith("docker build")] == [
        "THERE/pause-context",
        "THERE/shop-context",
    ]
