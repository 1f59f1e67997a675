"""Runs `make demo`, and finds what it leaves behind."""

import io
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import psutil

from cli.commands import main
from tests.support.harness import ROOT
from tests.support.waiting import HANG_SECONDS


def demo_environment() -> dict[str, str]:
    """Without Storefleet's settings, and with a KUBECONFIG that the demo must not read."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STOREFLEET_")}
    return {**kept, "KUBECONFIG": "/nowhere/kubeconfig"}


def demo_command(data: Path, port: int, *options: str) -> list[str]:
    """Without the dashboard, whose build takes half a minute."""
    return [sys.executable, "-m", "cli", *demo_words(data, port, *options)]


def demo_words(data: Path, port: int, *options: str) -> list[str]:
    """The command after `storefleet`."""
    common = ["--data", str(data), "--port", str(port), "--speed", "inf", "--no-dashboard"]
    return ["demo", *common, *options]


def run_command(
    command: list[str], seconds: float = HANG_SECONDS, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, by default in the demo's environment."""
    environment = environment or demo_environment()
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )


def run_here(*words: str) -> subprocess.CompletedProcess[str]:
    """Run `storefleet words…` in the demo's environment, as `run_command` does, but in this process: to start one more
    process takes a second of CPU.
    """
    out, errors = io.StringIO(), io.StringIO()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with (
            patch.dict(os.environ, demo_environment(), clear=True),
            patch.object(sys, "argv", ["storefleet", *words]),
            redirect_stdout(out),
            redirect_stderr(errors),
        ):
            code = main()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return subprocess.CompletedProcess(words, code, out.getvalue(), errors.getvalue())


def survivors(data: Path) -> list[str]:
    """Command lines of the processes that use the data folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        command = " ".join(process.info["cmdline"] or ())
        if str(data) in command or str(data) in (process.info["cwd"] or ""):
            found.append(command)
    return found
