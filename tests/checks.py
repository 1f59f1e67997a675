"""Runs what a change must pass, one check after the other, and ends in a table. `--all` runs every tier there is.

A script, not a package's module: it needs nothing but the standard library, so that it can say what is missing.
"""

import argparse
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import psutil

ROOT = Path(__file__).resolve().parent.parent
MODULE = (sys.executable, "-m")
PYTEST = (*MODULE, "pytest", *(("--color=yes",) if sys.stdout.isatty() else ()))
SILENCE = 1200.0
"""Seconds without a line after which a command hangs: Kubernetes' API server alone compiles for five minutes. Seen:
CPython 3.11 may loop for ever when coverage traces it and two threads that knew greenlets end in the same moment."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

Need = Callable[[], str | None]
"""None, or why the check can't run here and what would help."""


@dataclass(frozen=True)
class Check:
    """One line of the table; it passes when all its commands end with 0."""

    name: str
    commands: Sequence[Sequence[str]]
    needs: Sequence[Need] = ()
    telling: str = r"\S"
    """The last line of output that has this is shown in the table."""
    lane: str = ""
    """Checks of one lane run one after the other, beside those of another lane."""


@dataclass(frozen=True)
class Outcome:
    name: str
    result: Literal["passed", "failed", "skipped"]
    seconds: float
    note: str


def has_tests(folder: str) -> Need:
    return lambda: None if any(Path(ROOT, folder).rglob("test_*.py")) else f"{folder} has no tests"


def program(*names: str, get: str) -> Need:
    """`get`: how to come by one of them."""
    return lambda: None if any(map(shutil.which, names)) else f"needs {' or '.join(names)}: {get}"


def tier(name: str, *needs: Need) -> Check:
    folder = f"tests/{name}"
    return Check(name, [[*PYTEST, folder]], [has_tests(folder), *needs], r"\bin [\d.]+s")


APART = {
    check: [f"tests/flow/test_{name}.py" for name in names.split()]
    for check, names in {
        "processes": "process_failures adoption sandbox_databases sandbox_recovery",
        "troubles": "demo drift logs_failures store_failures store_troubles",
    }.items()
}
"""Files of flow that are checks of their own, so that the lanes, which mostly wait, end at about the same time."""


def tests(name: str, *arguments: str, lane: str) -> Check:
    return Check(name, [[*MODULE, "coverage", "run", *PYTEST[1:], *arguments]], telling=r"\bin [\d.]+s", lane=lane)


EVERY_CHANGE = (
    Check("format", [[*MODULE, "ruff", "format", "--check", "."]], lane="one"),
    Check("lint", [[*MODULE, "ruff", "check", "."]], lane="one"),
    Check("types", [[*MODULE, "mypy"]], lane="one"),
    Check("imports", [[str(Path(sys.executable).with_name("lint-imports"))]], telling=r"Contracts:", lane="one"),
    tests("unit", "tests/unit", lane="one"),
    tests("contract", "tests/contract", lane="one"),
    tests("processes", *APART["processes"], lane="one"),  # not beside unit: both need much of the CPU
    tests("troubles", *APART["troubles"], lane="two"),
    tests("flow", "tests/flow", *(f"--ignore={file}" for file in itertools.chain(*APART.values())), lane="three"),
    Check(
        "coverage",
        [[*MODULE, "coverage", "combine", "--quiet"], [*MODULE, "coverage", "report"]],
        telling=r"^TOTAL|^Coverage failure|^No data",
    ),
)
KUBERNETES = Check(
    "kubernetes",
    [
        [
            *(*MODULE, "coverage", "run", "-m", "sandbox.kubernetes", "run", "--nodes", "3", "--"),
            *(*PYTEST, "tests/contract", "tests/cluster"),
        ],
        [*MODULE, "coverage", "combine", "--quiet"],
        [*MODULE, "coverage", "report", "--include=sandbox/kubernetes/*", "--omit=sandbox/kubernetes/node/*"],
    ],
    [program("go", get="install Go 1.26 or newer (Debian: apt-get install golang-go)")],
    telling=r"\bin [\d.]+s|^TOTAL|^Coverage failure|^sandbox",
)
"""On a real API server, which is built first if it has to be."""
NODE = Check(
    "node",
    [
        [*MODULE, "coverage", "run", *PYTEST[1:], "tests/node", "tests/unit/test_sandbox_policies.py"],
        [*MODULE, "coverage", "combine", "--quiet"],
        [*MODULE, "coverage", "report", "--include=sandbox/kubernetes/node/*", "--omit=nothing"],
    ],
    [
        program("go", get="install Go 1.26 or newer (Debian: apt-get install golang-go)"),
        lambda: None if os.geteuid() == 0 else "needs root on Linux",
        *(
            program(name, get="make setup-node, on Debian or Ubuntu")
            for name in ("runc", "nft", "buildah", "mmdebstrap")
        ),
    ],
    telling=r"\bin [\d.]+s|^TOTAL|^Coverage failure|^sandbox",
)
"""Real containers on a real node; what it needs is built first if it has to be."""
OTHER_TIERS = (
    KUBERNETES,
    NODE,
    tier("browser", program(*BROWSERS, get="Debian: apt-get install chromium")),
    tier("attack"),
)


def perform(check: Check) -> Outcome:
    """Run its commands until one fails, showing their output as it comes."""
    print(f"\n=== {check.name}", flush=True)
    lacking = next(filter(None, (need() for need in check.needs)), None)
    if lacking is not None:
        print(lacking)
        return Outcome(check.name, "skipped", 0, lacking)
    began = time.monotonic()
    note, returncode = "", 0
    for command in check.commands:
        returncode, lines = show(command, f"{check.name:<9} │ " if check.lane else "")
        told = [line for line in lines if re.search(check.telling, line)]
        note = " ".join(told[-1].strip("=").split()) if told else f"{Path(command[0]).name} said nothing telling"
        if returncode != 0:
            break
    return Outcome(check.name, "failed" if returncode else "passed", time.monotonic() - began, note)


def show(command: Sequence[str], before: str) -> tuple[int, list[str]]:
    """Run a command in the root folder and pass its output on, each line with something before it.

    Returns its exit code and its lines without colours.
    """
    lines = []
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    try:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as error:
        return 127, [f"{command[0]} can't be run: {error.strerror}"]
    heard = [time.monotonic()]
    with process:
        assert process.stdout is not None
        threading.Thread(target=end_when_silent, args=(process, heard), daemon=True).start()
        for line in process.stdout:
            heard[0] = time.monotonic()
            print(before + line, end="", flush=True)
            lines.append(re.sub(r"\x1b\[[\d;]*m", "", line).strip())
    return process.returncode, lines


def end_when_silent(process: subprocess.Popen[str], heard: Sequence[float]) -> None:
    """With all that it started: any of them may hold its output open. pytest then prints where it was."""
    while process.poll() is None:
        time.sleep(0.5)
        if time.monotonic() - heard[0] > SILENCE:
            with suppress(psutil.NoSuchProcess):
                below = psutil.Process(process.pid).children(recursive=True)
                process.send_signal(signal.SIGABRT)
                process.wait(60)
                psutil.wait_procs(below, 5)
                for child in below:
                    with suppress(psutil.NoSuchProcess):
                        child.kill()


def table(outcomes: Sequence[Outcome], *, coloured: bool) -> str:
    """Aligned: check, result, seconds, note; the last line counts."""
    colours = {"passed": "\x1b[32m", "failed": "\x1b[31m", "skipped": "\x1b[33m"} if coloured else {}
    off = "\x1b[0m" if coloured else ""
    width = max(len(outcome.name) for outcome in outcomes)
    rows = [
        f"{outcome.name:<{width}}  {colours.get(outcome.result, '')}{outcome.result:<7}{off}  "
        + (f"{outcome.seconds:6.1f} s  " if outcome.result != "skipped" else " " * 10)
        + outcome.note
        for outcome in outcomes
    ]
    counts = [sum(outcome.result == result for outcome in outcomes) for result in ("passed", "failed", "skipped")]
    rows += ["", f"{counts[0]} passed, {counts[1]} failed" + (f", {counts[2]} skipped" if counts[2] else "")]
    return "\n".join(rows)


def run(checks: Sequence[Check]) -> int:
    """The exit code: 1 when a check failed. All of them are run."""
    outcomes: list[Outcome] = []
    for _, group in itertools.groupby(checks, key=lambda check: bool(check.lane)):
        together = list(group)
        lanes = dict.fromkeys(check.lane for check in together)
        with ThreadPoolExecutor(len(lanes)) as threads:
            found = threads.map(lambda lane, of=together: [perform(check) for check in of if check.lane == lane], lanes)
            outcomes += itertools.chain.from_iterable(found)
    print("\n" + table(outcomes, coloured=sys.stdout.isatty()))
    return int(any(outcome.result == "failed" for outcome in outcomes))


def main(arguments: Sequence[str] | None = None) -> int:
    everything = {check.name: check for check in (*EVERY_CHANGE, *OTHER_TIERS)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every tier there is")
    parser.add_argument("names", nargs="*", metavar="CHECK", help=f"only these of {', '.join(everything)}")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(everything):
        parser.error(f"there is no check {', '.join(sorted(unknown))}")
    with TemporaryDirectory() as folder:  # so that nothing of another run is counted
        os.environ["COVERAGE_FILE"] = f"{folder}/coverage"
        if options.names:
            return run([everything[name] for name in options.names])
        return run([*EVERY_CHANGE, *OTHER_TIERS] if options.all else EVERY_CHANGE)


if __name__ == "__main__":
    # a shell's background job is deaf to it, and so would be the commands that tests interrupt
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
