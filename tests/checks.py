"""Runs the checks that every change must pass, and prints a table of results. `--all` runs all other tiers as well.

A script that needs only the standard library and psutil, so that it can report what is missing.
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
WORKERS = 2 * len(os.sched_getaffinity(0)) + 1
"""Processes that run tests at the same time: more than there are CPUs, because most tests wait most of the time."""
SILENCE_SECONDS = 1200.0
"""A command that prints no line for so long hangs. Compiling the Kubernetes API server alone takes five minutes."""
GRACE_SECONDS = 5.0
"""How long the descendants of such a command may take to end."""
COVERAGE = "build/coverage.json"
"""What SlipCover measured in the processes of pytest."""
SLOWEST_TEST = re.compile(r"^([\d.]+s) (?:call|setup|teardown) +(tests/\S.*)$")
"""A line of pytest's `--durations`."""
FAILURE = re.compile(r"^E {2,}\S|^(?:FAILED|ERROR) tests/")
"""A line of an error that pytest explains, or of its summary of failed tests."""
FAILURE_LINES = 60
"""How many such lines of a check the table repeats at most: the last ones, which name the tests."""

Need = Callable[[], str | None]
"""None, or why the check can't run here, with the remedy."""


@dataclass(frozen=True)
class Check:
    """One line of the table. A check passes when all its commands exit with 0."""

    name: str
    commands: Sequence[Sequence[str]]
    needs: Sequence[Need] = ()
    summary: str = r"\S"
    """The table shows the last line of output that matches this."""
    lane: str = ""
    """The checks of one lane run one after the other, and at the same time as those of other lanes."""


@dataclass(frozen=True)
class Outcome:
    name: str
    result: Literal["passed", "failed", "skipped"]
    seconds: float
    note: str
    slowest_tests: Sequence[str] = ()
    failures: Sequence[str] = ()


def program(*names: str, get: str) -> Need:
    """Needs one of these programs. `get`: how to install it."""
    return lambda: None if any(map(shutil.which, names)) else f"needs {' or '.join(names)}: {get}"


def npm_audit() -> str | None:
    """Needs a registry that answers `npm audit`; some mirrors don't."""
    command = ["npm", "--prefix", "frontend", "audit", "--json"]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    return None if '"auditReportVersion"' in done.stdout else "needs a package registry that answers npm audit"


NEEDS_OF_THE_DASHBOARD = (
    program("chromium", "chromium-browser", "google-chrome", get="Debian: apt-get install chromium"),
    program("npm", get="install Node.js 20.19 or newer"),
)
EVERY_CHANGE = (
    Check("format", [[*MODULE, "ruff", "format", "--check", "."]], lane="others"),
    Check("lint", [[*MODULE, "ruff", "check", "."]], lane="others"),
    Check("types", [[*MODULE, "mypy"]], lane="others"),
    Check("imports", [[str(Path(sys.executable).with_name("lint-imports"))]], summary=r"Contracts:", lane="others"),
    Check(
        "dashboard",
        [[*MODULE, "sandbox.dashboard"], [*PYTEST, "tests/browser/test_journeys.py"]],
        NEEDS_OF_THE_DASHBOARD,
        summary=r"\bin [\d.]+s|can't be built",
        lane="others",
    ),
    Check(
        "tests",
        [
            [
                *(*MODULE, "slipcover", "--dont-wrap-pytest", "--json", "--out", COVERAGE, *PYTEST[1:]),
                *("--numprocesses", str(WORKERS), "--dist", "worksteal", "--durations", "10"),
                *("tests/flow", "tests/contract", "tests/unit"),
            ]
        ],
        summary=r"\bin [\d.]+s",
        lane="tests",
    ),
    Check(
        "coverage",
        [[*MODULE, "slipcover", "--merge", COVERAGE, "--json", "--out", COVERAGE, "--fail-under", "95"]],
        summary=r"^\(summary\)",
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
    summary=r"\bin [\d.]+s|^TOTAL|^Coverage failure|^sandbox",
    lane="others",
)
"""On a real API server, which is built first if it is missing."""
NODE = Check(
    "node",
    [
        [
            *("env", "COVERAGE_PATCH=fork", *MODULE, "coverage", "run", *PYTEST[1:]),
            *("--durations", "10", "tests/node", "tests/unit/sandbox/test_network_policies.py"),
        ],
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
    summary=r"\bin [\d.]+s|^TOTAL|^Coverage failure|^sandbox",
    lane="node",
)
"""With real containers on a real node, whose parts are built first if they are missing."""
BROWSER = Check(
    "browser",
    [
        ["npm", "--prefix", "frontend", "ci", "--no-audit", "--no-fund"],
        ["npm", "--prefix", "frontend", "run", "check"],
        [*PYTEST, "tests/browser"],
    ],
    NEEDS_OF_THE_DASHBOARD,
    summary=r"\bin [\d.]+s|^npm error|error",
    lane="others",
)
"""The dashboard's own checks, and all that people do with it in a real browser."""
AUDIT = Check(
    "audit",
    [["npm", "--prefix", folder, "audit", "--audit-level", "high"] for folder in ("frontend", "frontend/graphiql")],
    [program("npm", get="install Node.js 20.19 or newer"), npm_audit],
    summary=r"vulnerabilit",
    lane="others",
)
"""Whether a package of the dashboard or the playground has a known vulnerability that is high or critical."""
ATTACK = Check("attack", [[*PYTEST, "tests/attack"]], summary=r"\bin [\d.]+s", lane="others")
"""Generated requests to every input of the API: no internal error, no error without a code, within a memory cap."""
OTHER_TIERS = (BROWSER, AUDIT, ATTACK, KUBERNETES, NODE)


def perform(check: Check) -> Outcome:
    """Run the commands until one fails. Their output is printed as it comes."""
    print(f"\n=== {check.name}", flush=True)
    missing = next(filter(None, (need() for need in check.needs)), None)
    if missing is not None:
        print(missing)
        return Outcome(check.name, "skipped", 0, missing)
    began = time.monotonic()
    note, returncode, slowest, failures = "", 0, [], []
    with TemporaryDirectory() as folder:  # keeps the coverage of other checks and runs out
        for command in check.commands:
            prefix = f"{check.name:<10} │ " if check.lane else ""
            returncode, lines = execute(command, prefix, COVERAGE_FILE=f"{folder}/coverage")
            matching = [line for line in lines if re.search(check.summary, line)]
            name = Path(command[0]).name
            note = " ".join(matching[-1].strip("=").split()) if matching else f"{name} printed no summary"
            slowest += [f"{found[1]:>8}  {found[2]}" for line in lines if (found := SLOWEST_TEST.match(line))]
            if returncode != 0:
                failures = [line for line in lines if FAILURE.match(line)][-FAILURE_LINES:]
                break
    seconds = time.monotonic() - began
    return Outcome(check.name, "failed" if returncode else "passed", seconds, note, slowest, failures)


def execute(command: Sequence[str], prefix: str, **variables: str) -> tuple[int, list[str]]:
    """Run a command in the root folder, with these environment variables. Print its output, each line with the prefix.

    Returns the exit code, and the lines without colours.
    """
    lines = []
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **variables}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # dozens of processes would each compile everything
    environment["PYTHONPATH"] = str(ROOT)  # processes that coverage measures import its plugin before all else
    try:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as error:
        return 127, [f"{command[0]} can't be run: {error.strerror}"]
    last_line = [time.monotonic()]
    with process:
        assert process.stdout is not None
        threading.Thread(target=end_when_silent, args=(process, last_line), daemon=True).start()
        for line in process.stdout:
            last_line[0] = time.monotonic()
            print(prefix + line, end="", flush=True)
            lines.append(re.sub(r"\x1b\[[\d;]*m", "", line).strip())
    return process.returncode, lines


def end_when_silent(process: subprocess.Popen[str], last_line: Sequence[float]) -> None:
    """End a command that prints nothing, and its descendants, which may hold its output open.

    SIGABRT makes Python's faulthandler print where each thread is.
    """
    while process.poll() is None:
        time.sleep(0.5)
        if time.monotonic() - last_line[0] > SILENCE_SECONDS:
            with suppress(psutil.NoSuchProcess):
                silent = psutil.Process(process.pid)
                silent.suspend()
                while silent.status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE):
                    time.sleep(0.01)  # it may be starting a child, which would be missed
                descendants = silent.children(recursive=True)
                process.send_signal(signal.SIGABRT)
                silent.resume()
                process.wait(60)
                psutil.wait_procs(descendants, GRACE_SECONDS)
                for child in descendants:
                    with suppress(psutil.NoSuchProcess):
                        child.kill()


def table(outcomes: Sequence[Outcome], *, coloured: bool) -> str:
    """The columns check, result, seconds and note, aligned; then the slowest tests, what failed, and the counts."""
    colours = {"passed": "\x1b[32m", "failed": "\x1b[31m", "skipped": "\x1b[33m"} if coloured else {}
    off = "\x1b[0m" if coloured else ""
    width = max(len(outcome.name) for outcome in outcomes)
    rows = [
        f"{outcome.name:<{width}}  {colours.get(outcome.result, '')}{outcome.result:<7}{off}  "
        + (f"{outcome.seconds:6.1f} s  " if outcome.result != "skipped" else " " * 10)
        + outcome.note
        for outcome in outcomes
    ]
    slowest = list(itertools.chain.from_iterable(outcome.slowest_tests for outcome in outcomes))
    if slowest:
        rows += ["", "The slowest tests:", *slowest]
    for outcome in outcomes:
        if outcome.failures:
            rows += ["", f"What failed in {outcome.name}:", *outcome.failures]
    counts = [sum(outcome.result == result for outcome in outcomes) for result in ("passed", "failed", "skipped")]
    rows += ["", f"{counts[0]} passed, {counts[1]} failed" + (f", {counts[2]} skipped" if counts[2] else "")]
    return "\n".join(rows)


def run(checks: Sequence[Check]) -> int:
    """Run all checks. Returns the exit code: 1 when one failed."""
    outcomes: list[Outcome] = []
    for _, group in itertools.groupby(checks, key=lambda check: bool(check.lane)):
        together = list(group)
        lanes = dict.fromkeys(check.lane for check in together)
        with ThreadPoolExecutor(len(lanes)) as threads:
            results = threads.map(
                lambda lane, of=together: [perform(check) for check in of if check.lane == lane], lanes
            )
            outcomes += itertools.chain.from_iterable(results)
    print("\n" + table(outcomes, coloured=sys.stdout.isatty()))
    return int(any(outcome.result == "failed" for outcome in outcomes))


def main(arguments: Sequence[str] | None = None) -> int:
    everything = {check.name: check for check in (*EVERY_CHANGE, *OTHER_TIERS)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="all tiers")
    parser.add_argument("names", nargs="*", metavar="CHECK", help=f"only these of {', '.join(everything)}")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(everything):
        parser.error(f"there is no check {', '.join(sorted(unknown))}")
    (ROOT / "build").mkdir(exist_ok=True)
    if options.names:
        return run([everything[name] for name in options.names])
    return run([*EVERY_CHANGE, *OTHER_TIERS] if options.all else EVERY_CHANGE)


if __name__ == "__main__":
    # a shell ignores SIGINT in background jobs, and the commands that tests interrupt would inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
