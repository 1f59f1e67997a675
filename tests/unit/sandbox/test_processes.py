"""Child processes start in their own session, stop on request, and end with their parent."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox import processes
from sandbox.data_folder import SandboxError
from sandbox.processes import Child, Identity, change_owner, end_processes, processes_in, start, unprivileged_identity
from tests.support.waiting import HANG_SECONDS, eventually

ROOT = Path(__file__).parents[3]
WAIT = "import signal; print('up', flush=True); signal.pause()"
IGNORES_SIGTERM = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAIT}"
PROGRAM = Path(sys.executable).resolve().name
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

Starter = Callable[..., Child]


@pytest.fixture
def python(tmp_path: Path) -> Iterator[Starter]:
    """Starts Python with a line of code; remaining children are killed after the test."""
    children: list[Child] = []

    def run(code: str, **options: Any) -> Child:
        child = start("python", [sys.executable, "-c", code], **{"log": tmp_path / "logs" / "python.log", **options})
        children.append(child)
        return child

    yield run
    for child in children:
        child.kill()


def is_up(child: Child) -> bool:
    return eventually(lambda: "up" in child.log_tail())


def exists(pid: int) -> bool:
    """Whether the process exists and isn't a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_child_gets_its_folder_its_environment_and_a_session_of_its_own(python: Starter, tmp_path: Path) -> None:
    child = python(
        "import json, os\n"
        "print(json.dumps([os.getcwd(), os.environ.get('MARK'), os.environ.get('HOME'), os.getsid(0)]))",
        cwd=tmp_path,
        env={"MARK": "yes"},
    )
    assert child.wait(HANG_SECONDS) == 0
    assert json.loads(child.log_tail()[-1]) == [str(tmp_path), "yes", None, child.pid]


def test_without_an_environment_a_child_gets_ours(python: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARK", "ours")
    child = python("import os; print(os.environ['MARK'])")
    assert child.wait(HANG_SECONDS) == 0
    assert child.log_tail() == ["ours"]


def test_its_log_has_both_outputs_and_keeps_the_one_of_the_time_before(python: Starter) -> None:
    first = python("import sys; print('one'); print('two', file=sys.stderr)")
    first.wait(HANG_SECONDS)
    assert sorted(first.log_tail()) == ["one", "two"]
    second = python("print('\\n'.join(map(str, range(30)))); print(' ')")
    second.wait(HANG_SECONDS)
    assert second.log_tail() == [str(number) for number in range(10, 30)]
    assert second.log_tail(1) == ["29"]
    assert sorted(Path(f"{first.log}.1").read_text().split()) == ["one", "two"]


def test_stop_asks_first(python: Starter) -> None:
    code = f"import signal, sys; signal.signal(signal.SIGINT, lambda *_: sys.exit(7)); {WAIT}"
    child = python(code, stop_signal=signal.SIGINT)
    assert is_up(child)
    assert child.wait(0) is None
    child.stop()
    assert child.returncode == 7
    child.stop()  # ended already: nothing to do
    assert child.returncode == 7


def test_stop_doesnt_wait_for_ever(python: Starter) -> None:
    child = python(IGNORES_SIGTERM)
    assert is_up(child)
    child.stop(0.1)
    assert child.returncode == -signal.SIGKILL


def test_kill_takes_the_childs_children_along(python: Starter) -> None:
    family = python(
        f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {WAIT!r}])\n"
        "print(child.pid, flush=True); child.wait()"
    )
    assert eventually(lambda: "up" in family.log_tail())
    grandchild = int(next(word for word in family.log_tail() if word.isdecimal()))
    assert exists(grandchild)
    family.kill()
    assert family.returncode == -signal.SIGKILL
    assert eventually(lambda: not exists(grandchild))
    family.kill()  # twice is no error


def test_wait_gives_up(python: Starter) -> None:
    assert python(WAIT).wait(0.01) is None


def test_a_missing_program_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"^nothing can't be run: .*No such file.*no-such-program'$"):
        start("nothing", [tmp_path / "no-such-program"], log=tmp_path / "log")


def test_giving_up_rights_in_vain_says_what_helps(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="run this as an ordinary user"):
        start("nothing", [tmp_path / "no-such-program"], log=tmp_path / "log", identity="mapped")


def test_other_systems_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processes, "sys", SimpleNamespace(platform="darwin"))
    with pytest.raises(SandboxError, match="Linux only"):
        start("python", [sys.executable], log=tmp_path / "log")


def test_only_the_main_thread_may_start_children(tmp_path: Path) -> None:
    caught: list[Exception] = []

    def run() -> None:
        try:
            start("python", [sys.executable], log=tmp_path / "log")
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "main thread" in str(caught)


@pytest.mark.parametrize(
    ("options", "output"),
    [
        ("", "stop signal"),
        ("death_signal=signal.SIGUSR1", "death signal"),
        pytest.param("identity='nobody'", "stop signal", marks=needs_root),
        pytest.param("identity=unprivileged_identity()", "stop signal", marks=needs_root),
    ],
)
def test_a_child_gets_its_signal_when_its_parent_is_killed(tmp_path: Path, options: str, output: str) -> None:
    child_code = (
        "import signal, sys\n"
        "for number, name in ((signal.SIGTERM, 'stop signal'), (signal.SIGUSR1, 'death signal')):\n"
        "    signal.signal(number, lambda *_, name=name: (print(name, flush=True), sys.exit()))\n"
        "print('up', flush=True)\n"
        "signal.pause()"
    )
    log = tmp_path / "child.log"
    parent_code = (
        "import signal, sys; from pathlib import Path; from sandbox.processes import start, unprivileged_identity\n"
        f"child = start('child', [sys.executable, '-c', {child_code!r}], log=Path({str(log)!r}), {options})\n"
        "print(child.pid, flush=True); signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", parent_code], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert eventually(lambda: "up\n" in log.read_text())
        assert exists(child)
        parent.kill()
    assert eventually(lambda: not exists(child))
    assert log.read_text().split("\n") == ["up", output, ""]


def test_a_child_whose_parent_died_before_it_was_watched_ends_at_once(
    monkeypatch: pytest.MonkeyPatch, python: Starter
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("sandbox.processes.os.getpid", lambda: 1)  # another parent than the child has
        child = python("print('ran')")
    assert child.wait(HANG_SECONDS) == 1
    assert child.log_tail() == []


def test_an_ordinary_user_needs_no_other_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.processes.os.geteuid", lambda: 1000)
    unprivileged_identity.cache_clear()
    assert unprivileged_identity() == "own"
    unprivileged_identity.cache_clear()


@pytest.mark.parametrize(
    ("refusal", "identity"),
    [(None, "mapped"), (PermissionError("unshare"), "nobody"), (subprocess.SubprocessError("preexec_fn"), "nobody")],
)
def test_root_is_mapped_where_the_system_lets_it_and_nobody_elsewhere(
    monkeypatch: pytest.MonkeyPatch, refusal: Exception | None, identity: str
) -> None:
    def run(*_: object, **__: object) -> None:
        if refusal is not None:
            raise refusal

    monkeypatch.setattr("sandbox.processes.os.geteuid", lambda: 0)
    monkeypatch.setattr("sandbox.processes.subprocess.run", run)
    unprivileged_identity.cache_clear()
    assert unprivileged_identity() == identity
    unprivileged_identity.cache_clear()


@needs_root
def test_root_becomes_somebody_else(tmp_path: Path) -> None:
    identities: dict[Identity, list[str]] = {"nobody": ["65534", "65534", "65534"]}
    if unprivileged_identity() == "mapped":
        identities["mapped"] = ["1000", "1000", "1000"]
    for identity, shown in identities.items():
        child = start(
            "id",
            ["/bin/sh", "-c", "id -u; id -g; id -G | cut -d ' ' -f 1"],
            log=tmp_path / "log",
            cwd=Path("/"),
            identity=identity,
        )
        assert child.wait(HANG_SECONDS) == 0
        assert child.log_tail() == shown


def test_a_folder_is_given_with_all_in_it_and_itself_last(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").touch()
    given: list[str] = []

    def chown(path: Path, user: int, group: int, *, follow_symlinks: bool) -> None:
        assert (user, group, follow_symlinks) == (processes.NOBODY_UID, processes.NOBODY_UID, False)
        given.append(str(path.relative_to(tmp_path)))

    monkeypatch.setattr("sandbox.processes.os.chown", chown)
    monkeypatch.setattr(processes, "NOBODY_UID", os.getuid() + 1)
    change_owner(tmp_path, "nobody")
    assert sorted(given) == [".", "inner", "inner/file"]
    assert given[-1] == "."


def test_a_folder_that_has_its_owner_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sandbox.processes.os.chown", None)  # calling it would fail
    monkeypatch.setattr(processes, "NOBODY_UID", os.getuid())
    change_owner(tmp_path, "nobody")
    change_owner(tmp_path, "own")


def test_residents_are_the_programs_processes_that_work_in_the_folder(python: Starter, tmp_path: Path) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    inside = python(WAIT, cwd=here)
    python(WAIT, cwd=elsewhere, log=tmp_path / "other.log")
    assert processes_in(here, PROGRAM) == [inside.pid]
    assert processes_in(here, "postgres") == []


def test_who_leaves_by_itself_is_waited_for(python: Starter, tmp_path: Path) -> None:
    leaving = python("import time; time.sleep(0.3)", cwd=tmp_path)
    end_processes(tmp_path, PROGRAM, HANG_SECONDS)
    assert leaving.wait(HANG_SECONDS) == 0


def test_who_stays_is_killed(python: Starter, tmp_path: Path) -> None:
    staying = python(IGNORES_SIGTERM, cwd=tmp_path)
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    assert is_up(staying)
    end_processes(link, PROGRAM, 0.1)
    assert staying.wait(HANG_SECONDS) == -signal.SIGKILL


def test_who_cant_be_killed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(processes, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda _: None))
    monkeypatch.setattr(processes, "processes_in", lambda *_: [2**22 + 1, 2**22 + 2])  # above every process id
    with pytest.raises(SandboxError, match="postgres of an earlier run can't be ended; try: kill -9 4194305 4194306"):
        end_processes(tmp_path, "postgres", 0)
