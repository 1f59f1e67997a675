"""The runner of checks: it fails when a check fails, skips a check only with a reason, and prints a table."""

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import checks
from tests.checks import Check, Outcome, end_when_silent, main, perform, program, run, table


def python(*codes: str) -> Sequence[Sequence[str]]:
    return [[sys.executable, "-c", code] for code in codes]


def test_a_check_passes_when_all_its_commands_do(capfd: pytest.CaptureFixture[str]) -> None:
    outcome = perform(Check("good", python("print('one')", "print('\\x1b[1mtwo\\x1b[0m\\n')")))
    assert (outcome.name, outcome.result, outcome.note) == ("good", "passed", "two")
    assert "one\n" in capfd.readouterr().out


def test_a_check_stops_at_the_command_that_fails(capfd: pytest.CaptureFixture[str]) -> None:
    outcome = perform(Check("bad", python("print('3 failed'); print('bye'); exit(1)", "print('more')"), (), "failed"))
    assert (outcome.result, outcome.note) == ("failed", "3 failed")
    assert "more" not in capfd.readouterr().out


def test_a_command_that_hangs_fails_with_all_that_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "SILENCE_SECONDS", 0.5)
    monkeypatch.setattr(checks, "GRACE_SECONDS", 0.1)
    child = "import subprocess; subprocess.run(['sleep', '600'])"
    assert perform(Check("hung", python(child))).result == "failed"  # a child that survived would hold the output open


def test_a_silent_command_says_where_it_was() -> None:
    code = "import faulthandler, time; faulthandler.enable(); print('begun', flush=True); time.sleep(600)"
    with subprocess.Popen(python(code)[0], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        end_when_silent(process, [time.monotonic() - checks.SILENCE_SECONDS])
        assert "File" in process.stdout.read()
    assert process.returncode == -signal.SIGABRT


def test_a_command_that_talks_is_left_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(python("pass")[0], text=True) as process:
        end_when_silent(process, [time.monotonic()])
    assert process.returncode == 0
    watched: list[Sequence[float]] = []
    monkeypatch.setattr(checks, "end_when_silent", lambda _, last_line: watched.append(last_line))
    began = time.monotonic()
    assert perform(Check("lively", python("import time; time.sleep(0.1); print('well')"))).note == "well"
    assert watched[0][0] >= began + 0.1


def test_a_program_that_isnt_there_fails() -> None:
    outcome = perform(Check("gone", [["/no/such/program"]]))
    assert outcome.result == "failed"
    assert "can't be run" in outcome.note


def test_what_is_lacking_is_said_with_how_to_get_it() -> None:
    missing = program("no-such-program", get="write it")
    check = Check("cluster", python("exit(1)"), [program("sh", get="install it"), missing])
    assert perform(check) == Outcome("cluster", "skipped", 0, "needs no-such-program: write it")
    there = program("no-such-program", "sh", get="write it")
    assert perform(Check("cluster", python("exit(1)"), [there])).result == "failed"


def test_the_table_is_aligned_and_counts() -> None:
    outcomes = [
        Outcome("lint", "passed", 1.25, "fine"),
        Outcome("coverage", "failed", 12, "TOTAL 12%"),
        Outcome("cluster", "skipped", 0, "needs one"),
    ]
    assert table(outcomes, coloured=False).splitlines() == [
        "lint      passed      1.2 s  fine",
        "coverage  failed     12.0 s  TOTAL 12%",
        "cluster   skipped            needs one",
        "",
        "1 passed, 1 failed, 1 skipped",
    ]
    assert "\x1b[31mfailed" in table(outcomes, coloured=True)


def test_the_slowest_tests_are_below_the_table() -> None:
    lines = "=== slowest 10 durations ===", "1.25s call     tests/flow/test_a.py::test_b[c d]", "2 passed in 1.30s"
    outcome = perform(Check("tests", python(*(f"print({line!r})" for line in lines))))
    assert table([outcome], coloured=False).splitlines()[1:4] == [
        "",
        "The slowest tests:",
        "   1.25s  tests/flow/test_a.py::test_b[c d]",
    ]


def test_what_failed_is_the_last_thing_before_the_counts() -> None:
    lines = ["test_a.py:3: AssertionError", "E     assert 1 == 2", "FAILED tests/node/test_a.py::test_b - as"]
    codes = [f"print({line!r})" for line in lines]
    failed = perform(Check("node", python("; ".join([*codes, "exit(1)"]))))
    assert table([failed], coloured=False).splitlines()[1:] == [
        *("", "What failed in node:", "E     assert 1 == 2", "FAILED tests/node/test_a.py::test_b - as", ""),
        "0 passed, 1 failed",
    ]
    passed = perform(Check("node", python("; ".join(codes))))
    assert "What failed" not in table([passed], coloured=False)


def test_lanes_run_at_the_same_time_and_share_no_coverage_data(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each of two checks ends when the other has begun."""
    code = "import os, pathlib, sys, time; mine, other = map(pathlib.Path, sys.argv[1:]); mine.touch()\n"
    code += "while not other.exists(): time.sleep(0.01)\nprint(os.environ['COVERAGE_FILE'])"
    names = ("node", "others"), ("others", "node")
    paths = {name: str(tmp_path / name) for name in ("node", "others")}
    command = [sys.executable, "-c", code]
    assert run([Check(name, [[*command, paths[name], paths[other]]], lane=name) for name, other in names]) == 0
    printed = dict(line.split(" │ ") for line in capfd.readouterr().out.splitlines() if " │ " in line)
    assert len(set(printed.values())) == len(printed) == 2


def test_one_failure_fails_the_run_but_ends_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    good, bad = Check("good", python("print('fine')")), Check("bad", python("exit(3)"))
    assert run([bad, good, Check("cluster", [], [program("no-such-program", get="write it")])]) == 1
    assert capfd.readouterr().out.endswith("1 passed, 1 failed, 1 skipped\n")
    assert run([good]) == 0


@pytest.mark.parametrize(
    ("arguments", "names"),
    [([], "format lint"), (["--all"], "format lint node"), (["lint"], "lint"), (["node", "lint"], "node lint")],
)
def test_what_is_run_is_chosen(monkeypatch: pytest.MonkeyPatch, arguments: list[str], names: str) -> None:
    ran: list[str] = []

    def record(chosen: Sequence[Check]) -> int:
        ran.extend(check.name for check in chosen)
        return 0

    monkeypatch.setattr(checks, "run", record)
    monkeypatch.setattr(checks, "EVERY_CHANGE", (Check("format", []), Check("lint", [])))
    monkeypatch.setattr(checks, "OTHER_TIERS", (Check("node", []),))
    assert main(arguments) == 0
    assert " ".join(ran) == names


def test_an_unknown_check_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["lnit"])
    assert "there is no check lnit" in capsys.readouterr().err
