"""The launcher of a real control plane: it is secured, leaves no processes, and continues after any end."""

import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from sandbox.data_folder import SandboxError
from sandbox.kubernetes import control_plane
from sandbox.kubernetes.control_plane import start_control_plane
from tests.contract.objects import retry_temporary, settings
from tests.contract.watch_recorder import recording_watch
from workers.cluster.client import connect
from workers.cluster.errors import AlreadyExists

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kept"}}


def launcher(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "sandbox.kubernetes", *words]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, **more)


def processes_in(folder: Path) -> list[str]:
    """Names of the processes that run in the folder or name it in their command line."""
    found = []
    for process in psutil.process_iter(["name", "cwd", "cmdline"]):
        if str(folder) in f"{process.info['cwd']} {process.info['cmdline']}":
            found.append(process.info["name"])
    return found


def has_ended(folder: Path) -> bool:
    deadline = time.monotonic() + 10
    while processes_in(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state folder; its cluster is stopped at the end of the test."""
    yield tmp_path / "state"
    if (tmp_path / "state").exists():
        launcher("down", "--state", str(tmp_path / "state"))


def up(state: Path) -> dict[str, Any]:
    """Start a cluster in the background. Returns its kubeconfig."""
    done = launcher("up", "--state", str(state), "--nodes", "1")
    assert done.returncode == 0, done.stderr
    assert f"export KUBECONFIG={state}/kubeconfig" in done.stdout
    config: dict[str, Any] = json.loads((state / "kubeconfig").read_text())
    return config


async def make(state: Path) -> None:
    async with connect(state / "kubeconfig") as cluster:
        await cluster.create(NAMESPACE)


async def is_kept(state: Path) -> bool:
    async with connect(state / "kubeconfig") as cluster:
        nodes = {item["metadata"]["name"] for item in (await cluster.list("StorageClass"))[0]}
        assert nodes == {"fake"}
        try:
            await cluster.create(NAMESPACE)
        except AlreadyExists:
            return True
    return False


async def test_who_follows_objects_lists_again_after_a_restart(state: Path) -> None:
    """The new API server's watch cache begins later, so the resource version has expired (410)."""
    await asyncio.to_thread(up, state)
    async with connect(state / "kubeconfig") as cluster, recording_watch(cluster, "default") as reflection:
        await cluster.apply(settings("default"))
        await reflection.wait_for_object("settings")
        for number in range(3):
            unlabelled = {"name": f"other-{number}", "namespace": "default"}
            last = await cluster.create({**settings("default"), "metadata": unlabelled})
        compact(state, last["metadata"]["resourceVersion"])
        psutil.Process(int((state / "lock").read_text())).kill()
        assert await asyncio.to_thread(has_ended, state)
        await asyncio.to_thread(up, state)
        await retry_temporary(lambda: cluster.apply(settings("default", "later")))
        await reflection.wait_for_object("later")
        assert reflection.lists[1:] in ([["settings"]], [["later", "settings"]])
        await cluster.apply(settings("default", "latest"))
        await reflection.wait_for_object("latest")  # the watch continues


def compact(state: Path, version: str) -> None:
    """Make etcd discard all earlier revisions, as the API server does every five minutes."""
    tls = ssl.create_default_context(cafile=str(state / "pki" / "ca.crt"))
    tls.load_cert_chain(state / "pki" / "etcd-client.crt", state / "pki" / "etcd-client.key")
    body = json.dumps({"revision": version, "physical": True}).encode()
    done = []
    for port in etcd_ports(state):
        request = urllib.request.Request(f"https://127.0.0.1:{port}/v3/kv/compaction", body)  # https
        with suppress(urllib.error.HTTPError), urllib.request.urlopen(request, context=tls) as answer:  # noqa: S310  # https
            done.append(json.load(answer))
    assert len(done) == 1  # the other port is for peers


def etcd_ports(state: Path) -> list[int]:
    return [
        connection.laddr.port
        for child in psutil.Process(int((state / "lock").read_text())).children()
        if child.name() == "etcd"
        for connection in child.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]


async def test_it_goes_on_after_any_end_and_nothing_survives_it(state: Path) -> None:
    before = up(state)
    await make(state)
    supervisor = psutil.Process(int((state / "lock").read_text()))
    assert {child.name() for child in supervisor.children()} == {
        *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
    }
    for child in supervisor.children():
        for connection in child.net_connections("tcp"):
            assert connection.laddr.ip == "127.0.0.1"
    again = launcher("up", "--state", str(state))
    assert (again.returncode, "another Storefleet" in again.stderr) == (1, True)

    supervisor.kill()  # all its processes end with it
    assert has_ended(state)
    assert up(state)["clusters"][0]["cluster"]["server"] == before["clusters"][0]["cluster"]["server"]
    assert await is_kept(state)

    supervisor = psutil.Process(int((state / "lock").read_text()))
    supervisor.send_signal(signal.SIGTERM)
    assert has_ended(state)
    up(state)
    assert await is_kept(state)

    [server] = [
        child
        for child in psutil.Process(int((state / "lock").read_text())).children()
        if child.name() == "kube-apiserver"
    ]
    server.kill()  # when one process ends, all end, and the log names it
    assert has_ended(state)
    assert "apiserver ended" in (state / "supervisor.log").read_text()

    up(state)
    assert launcher("down", "--state", str(state)).returncode == 0
    assert processes_in(state) == []
    assert not state.exists()  # noqa: ASYNC240  # a test may block
    assert launcher("down", "--state", str(state)).returncode == 0  # nothing is running


def test_only_who_has_a_certificate_is_let_in(state: Path) -> None:
    config = up(state)
    server = config["clusters"][0]["cluster"]["server"]
    trust = ssl.create_default_context(cafile=str(state / "pki" / "ca.crt"))
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{server}/api/v1/namespaces", context=trust)  # noqa: S310  # https
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(f"{server}/api/v1/namespaces", context=ssl.create_default_context())  # noqa: S310  # https
    ports = etcd_ports(state)
    assert len(ports) == 2
    for port in ports:
        with pytest.raises((urllib.error.URLError, ssl.SSLError, ConnectionError)):
            urllib.request.urlopen(f"https://127.0.0.1:{port}/version", context=trust)
    for path in (state / "pki", state / "kubeconfig"):
        assert path.stat().st_mode & 0o077 == 0


def test_a_command_gets_a_cluster_of_its_own() -> None:
    script = (
        "import os; print(os.environ['KUBECONFIG'], os.path.exists(os.environ['STOREFLEET_TEST_KUBECONFIG'])); exit(7)"
    )
    done = launcher("run", "--nodes", "1", "--", sys.executable, "-c", script)
    path, there = done.stdout.split()
    assert (done.returncode, there) == (7, "True")
    assert not Path(path).parent.exists()
    missing = launcher("run", "--nodes", "1", "--", "/no/such/program")
    assert (missing.returncode, missing.stderr) == (1, "sandbox.kubernetes: there is no /no/such/program\n")


def test_a_failed_start_gives_the_reason_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "etcd").write_text("#!/bin/sh\necho 'no disk' >&2; exit 1\n")
    (programs / "kube-apiserver").write_text("#!/bin/sh\nexec sleep 60\n")
    for path in programs.iterdir():
        path.chmod(0o700)
    with pytest.raises(SandboxError, match=r"etcd ended: no disk \(log: .*/etcd\.log\)"):
        start_control_plane(tmp_path / "state", programs)
    assert has_ended(tmp_path / "state")

    (programs / "etcd").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(control_plane, "START_SECONDS", 0.2)
    with pytest.raises(SandboxError, match=r"no API server after 0\.2 s"):
        start_control_plane(tmp_path / "other", programs)
    assert has_ended(tmp_path / "other")


def test_a_taken_port_and_a_strange_kubeconfig_make_room_for_another_port(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    assert control_plane.previous_port(kubeconfig) is None
    kubeconfig.write_text("[]")
    assert control_plane.previous_port(kubeconfig) is None


def test_a_command_is_ended_with_what_it_had(tmp_path: Path) -> None:
    """SIGTERM in the middle of it."""
    argv = [
        sys.executable,
        "-m",
        "sandbox.kubernetes",
        "run",
        "--nodes",
        "1",
        "--",
        "sh",
        "-c",
        "echo $KUBECONFIG; sleep 60",
    ]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(str(tmp_path))
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 130
    assert has_ended(tmp_path)
    assert list(tmp_path.iterdir()) == []
