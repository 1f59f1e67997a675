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
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.folder import SandboxError, hold
from sandbox.kubernetes.binaries import CONTROL_PLANE, Say, build
from sandbox.kubernetes.control_plane import start_control_plane
from sandbox.kubernetes.fake_nodes import start_fake_nodes
from sandbox.kubernetes.node import launcher
from sandbox.kubernetes.node.enclosure import ROOT
from sandbox.kubernetes.node.ingress import SECURE_DOMAIN

STOP_SECONDS = 40.0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Wanted:
    """What kind of cluster."""

    level: str = "control-plane"
    nodes: int = 3
    """Fake ones, for the level control-plane."""
    node: launcher.Options = field(default_factory=launcher.Options)

    def words(self) -> list[str]:
        """The same as options of the command line."""
        found = ["--level", self.level, "--nodes", str(self.nodes), "--ingress-port", str(self.node.ingress_port)]
        if self.node.platform_port is not None:
            found += ["--platform-port", str(self.node.platform_port)]
        return [*found, *(word for image in self.node.images for word in ("--image", str(image)))]


@contextmanager
def running(folder: Path, wanted: Wanted, say: Say = _say) -> Iterator[launcher.Running]:
    """A cluster until the end of the block. Raises SandboxError."""
    if wanted.level == "node":
        with launcher.node(folder, wanted.node, say) as found:
            yield found
        return
    programs = build(CONTROL_PLANE, say)
    plane = start_control_plane(folder, programs)
    try:
        start_fake_nodes(plane, programs, wanted.nodes)
        yield launcher.Running(plane.kubeconfig, f"https://{plane.address}", plane.check)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what was started is now ended in order
        plane.stop()


def up(folder: Path, wanted: Wanted) -> int:
    """Keep it running, in the foreground; prints one line of JSON when it can be used. 0 after SIGTERM or Ctrl-C."""
    began = time.monotonic()
    try:
        with running(folder, wanted) as cluster:
            seconds = round(time.monotonic() - began, 1)
            line = {"kubeconfig": str(cluster.kubeconfig), "server": cluster.server, "seconds": seconds}
            print(json.dumps({**line, "stores": cluster.ingress_port, "https": cluster.https_port}), flush=True)
            while True:
                cluster.check()
                time.sleep(0.2)
    except KeyboardInterrupt:
        return 0


def up_in_the_background(folder: Path, wanted: Wanted) -> int:
    """Start it as a process that goes on, and say how to reach it."""
    if wanted.level == "node":
        launcher.prepare(wanted.node, _say)
    else:
        build(CONTROL_PLANE, _say)
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    log = folder / "supervisor.log"
    argv = [sys.executable, "-m", "sandbox.kubernetes", "up", "--foreground", "--state", str(folder), *wanted.words()]
    with log.open("w") as output:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd=ROOT
        )
    while not log.read_text().rstrip().endswith("}"):
        if process.poll() is not None:
            raise SandboxError((log.read_text().strip().splitlines() or ["it ended at once"])[-1])
        time.sleep(0.05)
    found = json.loads(log.read_text().splitlines()[-1])
    nodes = "a real node" if wanted.level == "node" else f"{wanted.nodes} fake nodes"
    print(f"Kubernetes answers at {found['server']} after {found['seconds']} s, with {nodes}.")
    print(f"  export KUBECONFIG={found['kubeconfig']}")
    if found["stores"]:
        print(f"  http://NAME.localhost:{found['stores']}/   is where its Ingresses answer")
        print(f"  https://NAME.{SECURE_DOMAIN}:{found['https']}/   likewise; its authority is {folder}/node/pki/ca.crt")
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
    launcher.wait_until_gone(folder)
    shutil.rmtree(folder)
    print("Ended, and its data removed.")
    return 0


def run(command: Sequence[str], wanted: Wanted) -> int:
    """The command's exit code; it finds a new cluster, which ends with it, in KUBECONFIG."""
    folder = Path(tempfile.mkdtemp(prefix="storefleet-kubernetes-"))
    try:
        with running(folder, wanted) as cluster:
            named = dict.fromkeys(("KUBECONFIG", "STOREFLEET_TEST_KUBECONFIG"), str(cluster.kubeconfig))
            return subprocess.run(command, env={**os.environ, **named}, check=False).returncode
    except FileNotFoundError as error:
        raise SandboxError(f"there is no {error.filename}") from None
    finally:
        shutil.rmtree(folder)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.kubernetes", description=__doc__)
    commands = parser.add_subparsers(dest="do", required=True)
    state = argparse.ArgumentParser(add_help=False)
    state.add_argument("--state", type=Path, default=Path(".storefleet/kubernetes"), help="the folder that has it all")
    state.add_argument("--level", choices=["control-plane", "node"], default="control-plane", help="how real it is")
    size = argparse.ArgumentParser(add_help=False)
    size.add_argument("--nodes", type=int, default=3, help="how many fake nodes (level control-plane)")
    size.add_argument("--image", type=Path, action="append", default=[], help="an OCI archive to import (level node)")
    size.add_argument("--ingress-port", type=int, default=0, help="port 80 of the node, on loopback (level node)")
    size.add_argument("--platform-port", type=int, help="where hosts that no store has lead (level node)")
    start = commands.add_parser("up", parents=[state, size], help="start one, or go on with the one that was there")
    start.add_argument("--foreground", action="store_true", help="stay, and end it with SIGTERM or Ctrl-C")
    commands.add_parser("down", parents=[state], help="end it and remove its data")
    do = commands.add_parser("run", parents=[size], help="run a command with a new one, which ends with it")
    do.add_argument("command", nargs="+", help="after --")
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        if options.do == "down":
            return down(options.state.absolute())
        images = tuple(image.absolute() for image in options.image)
        node = launcher.Options(images, options.ingress_port, options.platform_port)
        if options.do == "run":
            return run(options.command, Wanted(nodes=options.nodes))
        wanted = Wanted(options.level, options.nodes, node)
        if options.foreground:
            return up(options.state.absolute(), wanted)
        return up_in_the_background(options.state.absolute(), wanted)
    except SandboxError as error:
        _say(f"sandbox.kubernetes: {error}")
        return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
