"""`python -m sandbox.kubernetes up | down | run COMMAND`: a real Kubernetes of one's own, from the command line."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandbox.folder import SandboxError, hold
from sandbox.kubernetes.binaries import CONTROL_PLANE, build
from sandbox.kubernetes.control_plane import ControlPlane, start_control_plane
from sandbox.kubernetes.fake_nodes import start_fake_nodes

STOP_SECONDS = 30.0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextmanager
def running(folder: Path, nodes: int) -> Iterator[ControlPlane]:
    """A control plane with fake nodes until the end of the block. Raises SandboxError."""
    programs = build(CONTROL_PLANE, _say)
    plane = start_control_plane(folder, programs)
    try:
        start_fake_nodes(plane, programs, nodes)
        yield plane
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what was started is now ended in order
        plane.stop()


def up(folder: Path, nodes: int) -> int:
    """Keep it running, in the foreground; prints one line of JSON when it can be used. 0 after SIGTERM or Ctrl-C."""
    began = time.monotonic()
    try:
        with running(folder, nodes) as plane:
            seconds = round(time.monotonic() - began, 1)
            line = {"kubeconfig": str(plane.kubeconfig), "server": f"https://{plane.address}", "seconds": seconds}
            print(json.dumps(line), flush=True)
            while True:
                plane.check()
                time.sleep(0.2)
    except KeyboardInterrupt:
        return 0


def up_in_the_background(folder: Path, nodes: int) -> int:
    """Start it as a process that goes on, and say how to reach it."""
    build(CONTROL_PLANE, _say)
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    log = folder / "supervisor.log"
    argv = [sys.executable, "-m", "sandbox.kubernetes", "up", "--foreground", "--state", str(folder)]
    argv += ["--nodes", str(nodes)]
    with log.open("w") as output:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd=_root()
        )
    while not log.read_text().rstrip().endswith("}"):
        if process.poll() is not None:
            raise SandboxError((log.read_text().strip().splitlines() or ["it ended at once"])[-1])
        time.sleep(0.05)
    found = json.loads(log.read_text().splitlines()[-1])
    print(f"Kubernetes answers at {found['server']} after {found['seconds']} s, with {nodes} fake nodes.")
    print(f"  export KUBECONFIG={found['kubeconfig']}")
    print("  make cluster-down   ends it and removes its data")
    return 0


def down(folder: Path) -> int:
    """End the one that runs on the folder, if any, and remove the folder."""
    deadline = time.monotonic() + STOP_SECONDS
    while True:
        try:
            hold(folder)
            break
        except SandboxError:
            if time.monotonic() > deadline:
                raise
            os.kill(int((folder / "lock").read_text()), signal.SIGTERM)
            time.sleep(0.2)
    shutil.rmtree(folder)
    print("Ended, and its data removed.")
    return 0


def run(command: Sequence[str], nodes: int) -> int:
    """The command's exit code; it finds a new cluster, which ends with it, in KUBECONFIG."""
    folder = Path(tempfile.mkdtemp(prefix="storefleet-kubernetes-"))
    try:
        with running(folder, nodes) as plane:
            named = dict.fromkeys(("KUBECONFIG", "STOREFLEET_TEST_KUBECONFIG"), str(plane.kubeconfig))
            return subprocess.run(command, env={**os.environ, **named}, check=False).returncode
    except FileNotFoundError as error:
        raise SandboxError(f"there is no {error.filename}") from None
    finally:
        shutil.rmtree(folder)


def _root() -> Path:
    return Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.kubernetes", description=__doc__)
    commands = parser.add_subparsers(dest="do", required=True)
    state = argparse.ArgumentParser(add_help=False)
    state.add_argument("--state", type=Path, default=Path(".storefleet/kubernetes"), help="the folder that has it all")
    state.add_argument("--level", choices=["control-plane"], default="control-plane", help="how real it is")
    size = argparse.ArgumentParser(add_help=False)
    size.add_argument("--nodes", type=int, default=3, help="how many fake nodes")
    start = commands.add_parser("up", parents=[state, size], help="start one, or go on with the one that was there")
    start.add_argument("--foreground", action="store_true", help="stay, and end it with SIGTERM or Ctrl-C")
    commands.add_parser("down", parents=[state], help="end it and remove its data")
    do = commands.add_parser("run", parents=[size], help="run a command with a new one, which ends with it")
    do.add_argument("command", nargs="+", help="after --")
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        if options.do == "run":
            return run(options.command, options.nodes)
        folder = options.state.absolute()
        if options.do == "down":
            return down(folder)
        return up(folder, options.nodes) if options.foreground else up_in_the_background(folder, options.nodes)
    except SandboxError as error:
        _say(f"sandbox.kubernetes: {error}")
        return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
