"""The builder of Kubernetes' programs, with a fake Go: what is cached and printed, and what can fail."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.data_folder import SandboxError
from sandbox.kubernetes.binaries import CONTROL_PLANE, MODULE, Program, build, module_version

GO = """#!/bin/sh
case $1 in
version) echo "go version ${GO_VERSION:-go1.26.8} linux/amd64" ;;
build)
    echo "$*" >> "$LOG"
    for word; do last=$word; done
    [ "$last" = example.com/bad ] && { echo "# example.com/bad"; echo "bad.go:1: syntax error"; } >&2 && exit 1
    while [ "$1" != -o ]; do shift; done
    echo "made $last" > "$2" ;;
esac
"""
ETCD, KWOK = Program("etcd", "example.com/etcd"), Program("kwok", "example.com/kwok")


@pytest.fixture
def build_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of the fake Go's builds."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "go").write_text(GO)
    (programs / "go").chmod(0o700)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.defpath}")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "log").touch()
    return tmp_path / "log"


@pytest.fixture
def module(tmp_path: Path) -> Path:
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "go.mod").write_text("module x\n\nrequire k8s.io/kubernetes v1.36.3 // indirect\n")
    (folder / "go.sum").write_text("sums\n")
    return folder


def built(build_log: Path) -> list[str]:
    return [line.split()[-1] for line in build_log.read_text().splitlines()]


def test_what_is_there_is_not_built_again(build_log: Path, module: Path) -> None:
    progress: list[str] = []
    folder = build([ETCD, KWOK], progress.append, module)
    assert (folder / "etcd").read_text() == "made example.com/etcd\n"
    assert progress[0].startswith("Building 2 programs")
    assert [line.rpartition("  ")[0] for line in progress[1:]] == ["1 of 2  etcd", "2 of 2  kwok"]
    assert "k8s.io/component-base/version.gitVersion=v1.36.3" in build_log.read_text()
    assert "gitMinor=36" in build_log.read_text()
    assert build([ETCD, KWOK], progress.append, module) == folder
    (folder / "kwok").unlink()  # as after an interrupted build
    build([ETCD, KWOK], progress.append, module)
    assert built(build_log) == [ETCD.package, KWOK.package, KWOK.package]
    assert progress[3:] == ["Building 1 programs from Go modules, once; this takes some minutes.", progress[-1]]


def test_other_modules_and_another_go_are_other_programs(
    build_log: Path, module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = {build([ETCD], print, module)}
    (module / "go.sum").write_text("other sums\n")
    folders.add(build([ETCD], print, module))
    monkeypatch.setenv("GO_VERSION", "go1.27.0")
    folders.add(build([ETCD], print, module))
    assert len(folders) == 3
    assert built(build_log) == [ETCD.package] * 3


def test_two_at_once_build_once(build_log: Path, module: Path) -> None:
    imports = "import sys; from pathlib import Path; from tests.cluster.test_builder import ETCD, KWOK, build"
    code = f"{imports}; build([ETCD, KWOK], print, Path(sys.argv[1]))"
    argv = [sys.executable, "-c", code, str(module)]
    with ThreadPoolExecutor() as threads:
        done = threads.map(lambda _: subprocess.run(argv, cwd=MODULE.parents[1], check=True), range(2))
    assert len(list(done)) == 2
    assert built(build_log) == [ETCD.package, KWOK.package]


def test_what_cannot_be_built_says_why(build_log: Path, module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SandboxError, match=r"`go build` for example\.com/bad failed: # example\.com/bad bad\.go:1"):
        build([Program("bad", "example.com/bad")], print, module)
    (module / "go.mod").write_text("module x\n")
    build([ETCD], print, module)  # it doesn't require k8s.io/kubernetes, so no version is set
    assert built(build_log)[-1] == ETCD.package
    with pytest.raises(SandboxError, match=r"doesn't require k8s\.io/kubernetes"):
        module_version("k8s.io/kubernetes", module)
    monkeypatch.setenv("XDG_CACHE_HOME", str(build_log))
    with pytest.raises(SandboxError, match=r"can't be used: Not a directory; choose another with XDG_CACHE_HOME"):
        build([ETCD], print, module)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SandboxError, match="needs Go: install it"):
        build([ETCD], print, module)


def test_every_program_is_a_tool_of_the_module() -> None:
    tools = (MODULE / "go.mod").read_text()
    for program in CONTROL_PLANE:
        assert f"\t{program.package}\n" in tools
    assert module_version("k8s.io/kubernetes").startswith("v1.")
