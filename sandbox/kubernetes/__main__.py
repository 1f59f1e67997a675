"""`python -m sandbox.kubernetes up | down | run COMMAND`: start and stop a real Kubernetes cluster on this machine."""

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

from sandbox.data_folder import SandboxError, lock_data_folder
from sandbox.kubernetes.binaries import CONTROL_PLANE, Report, build
from sandbox.kubernetes.control_plane import start_control_plane
from sandbox.kubernetes.fake_nodes import start_fake_nodes
from sandbox.kubernetes.node import launcher
from sandbox.kubernetes.node.ingress import SECURE_DOMAIN
from sandbox.kubernetes.node.isolation import ROOT

STOP_SECONDS = 40.0


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class ClusterOptions:
    """What kind of cluster to start."""

    level: str = "control-plane"
    nodes: int = 3
    """How many fake nodes, for the level control-plane."""
    node: launcher.NodeOptions = field(default_factory=launcher.NodeOptions)

    def arguments(self) -> list[str]:
        """The same options as command-line arguments of `up`."""
        arguments = ["--level", self.level, "--nodes", str(self.nodes), "--ingress-port", str(self.node.ingress_port)]
        if self.node.platform_port is not None:
            arguments += ["--platform-port", str(self.node.platform_port)]
        return arguments + [word for image in self.node.images for word in ("--image", str(image))]


@contextmanager
def running_cluster(
    folder: Path, options: ClusterOptions, report: Report = _report
) -> Iterator[launcher.RunningCluster]:
    """A running cluster until the end of the block. Raises SandboxError."""
    if options.level == "node":
        with launcher.running_node(folder, options.node, report) as cluster:
            yield cluster
        return
    programs = build(CONTROL_PLANE, report)
    plane = start_control_plane(folder, programs)
    try:
        start_fake_nodes(plane, programs, options.nodes)
        yield launcher.RunningCluster(plane.kubeconfig, f"https://{plane.address}", plane.check)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not interrupt the cleanup
        plane.stop()


def up(folder: Path, options: ClusterOptions) -> int:
    """Run a cluster in the foreground; prints a line of JSON when it is ready. Returns 0 after SIGTERM or Ctrl-C."""
    started = time.monotonic()
    try:
        with running_cluster(folder, options) as cluster:
            seconds = round(time.monotonic() - started, 1)
            line = {"kubeconfig": str(cluster.kubeconfig), "server": cluster.server, "seconds": seconds}
            print(json.dumps({**line, "stores": cluster.ingress_port, "https": cluster.https_port}), flush=True)
            while True:
                cluster.check()
                time.sleep(0.2)
    except KeyboardInterrupt:
        return 0


def up_in_background(folder: Path, options: ClusterOptions) -> int:
    """Start a cluster in a background process, and print how to reach it. Returns 0; raises SandboxError."""
    if options.level == "node":
        launcher.prepare(options.node, _report)
    else:
        build(CONTROL_PLANE, _report)
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    log = folder / "supervisor.log"
    argv = [
        sys.executable,
        "-m",
        "sandbox.kubernetes",
        "up",
        "--foreground",
        "--state",
        str(folder),
        *options.arguments(),
    ]
    with log.open("w") as output:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd=ROOT
        )
    while not log.read_text().rstrip().endswith("}"):
        if process.poll() is not None:
            raise SandboxError((log.read_text().strip().splitlines() or ["the cluster ended at once"])[-1])
        time.sleep(0.05)
    ready = json.loads(log.read_text().splitlines()[-1])
    nodes = "a real node" if options.level == "node" else f"{options.nodes} fake nodes"
    print(f"Kubernetes answers at {ready['server']} after {ready['seconds']} s, with {nodes}.")
    print(f"  export KUBECONFIG={ready['kubeconfig']}")
    if ready["stores"]:
        print(f"  http://NAME.localhost:{ready['stores']}/   serves its Ingresses")
        print(f"  https://NAME.{SECURE_DOMAIN}:{ready['https']}/   likewise; CA certificate: {folder}/node/pki/ca.crt")
    print("  make cluster-down   stops it and removes its data")
    return 0


def down(folder: Path) -> int:
    """Stop the cluster that uses the folder, if there is one, and remove the folder. Returns 0; raises SandboxError."""
    deadline = time.monotonic() + STOP_SECONDS
    while True:
        try:
            lock_data_folder(folder)
            break
        except SandboxError:
            if time.monotonic() > deadline:
                raise
            os.kill(int((folder / "lock").read_text()), signal.SIGTERM)
            time.sleep(0.2)
    launcher.remove_leftovers(folder)
    shutil.rmtree(folder)
    print("Stopped; its data is removed.")
    return 0


def run(command: Sequence[str], options: ClusterOptions) -> int:
    """Run a command with a new, temporary cluster: KUBECONFIG leads to it. Returns the command's exit code.

    Raises SandboxError.
    """
    folder = Path(tempfile.mkdtemp(prefix="storefleet-kubernetes-"))
    try:
        with running_cluster(folder, options) as cluster:
            variables = dict.fromkeys(("KUBECONFIG", "STOREFLEET_TEST_KUBECONFIG"), str(cluster.kubeconfig))
            return subprocess.run(command, env={**os.environ, **variables}, check=False).returncode
    except FileNotFoundError as error:
        raise SandboxError(f"there is no {error.filename}") from None
    finally:
        shutil.rmtree(folder)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.kubernetes", description=__doc__)
    commands = parser.add_subparsers(dest="action", required=True)
    state = argparse.ArgumentParser(add_help=False)
    state.add_argument("--state", type=Path, default=Path(".storefleet/kubernetes"), help="the folder for all data")
    state.add_argument(
        "--level",
        choices=["control-plane", "node"],
        default="control-plane",
        help="control-plane: fake nodes; node: one real node",
    )
    size = argparse.ArgumentParser(add_help=False)
    size.add_argument("--nodes", type=int, default=3, help="how many fake nodes (level control-plane)")
    size.add_argument("--image", type=Path, action="append", default=[], help="an OCI archive to import (level node)")
    size.add_argument("--ingress-port", type=int, default=0, help="loopback port for port 80 of the node (level node)")
    size.add_argument(
        "--platform-port", type=int, help="loopback port that gets requests for hosts without a store (level node)"
    )
    up_parser = commands.add_parser(
        "up", parents=[state, size], help="start a cluster, with the data of the folder if there is any"
    )
    up_parser.add_argument("--foreground", action="store_true", help="stay in the foreground until SIGTERM or Ctrl-C")
    commands.add_parser("down", parents=[state], help="stop the cluster and remove its data")
    run_parser = commands.add_parser("run", parents=[size], help="run a command with a temporary cluster")
    run_parser.add_argument("command", nargs="+", help="after --")
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        if options.action == "down":
            return down(options.state.absolute())
        images = tuple(image.absolute() for image in options.image)
        node = launcher.NodeOptions(images, options.ingress_port, options.platform_port)
        if options.action == "run":
            return run(options.command, ClusterOptions(nodes=options.nodes))
        start = up if options.foreground else up_in_background
        return start(options.state.absolute(), ClusterOptions(options.level, options.nodes, node))
    except SandboxError as error:
        _report(f"sandbox.kubernetes: {error}")
        return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
