"""A real control plane: etcd, API server, controller manager and scheduler, on loopback, with TLS and RBAC.

Pods run on fake nodes (fake_nodes.py) or nowhere. All state is in one folder, so that a second start goes on where the
first ended, however it ended; every process dies with its parent.
"""

import base64
import http.client
import json
import os
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox.folder import SandboxError, hold
from sandbox.kubernetes.certificates import Authority
from sandbox.processes import Child, evict, start

HOST = "127.0.0.1"
SERVICES = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
START_SECONDS = 120.0
GRACE_SECONDS = 5.0
"""How long a process whose parent was killed may take to end."""
PLACES = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where the system's own programs are, whatever PATH says."""
QPS = ("--kube-api-qps=300", "--kube-api-burst=600")
"""Of the controllers: their own limits are made for a shared server."""


@dataclass
class ControlPlane:
    """A running one. Starting and stopping belong to the main thread."""

    folder: Path
    pki: Authority
    address: str
    """`127.0.0.1:<port>`."""
    children: list[Child] = field(default_factory=list)

    @property
    def kubeconfig(self) -> Path:
        """Of the administrator (group system:masters)."""
        return self.folder / "kubeconfig"

    @property
    def host(self) -> str:
        """Where the API server listens."""
        return self.address.rpartition(":")[0]

    def run(
        self,
        name: str,
        argv: Sequence[str | Path],
        stop_signal: signal.Signals = signal.SIGKILL,
        env: Mapping[str, str] | None = None,
    ) -> Child:
        """Start one of its processes, in a folder of its own. Raises SandboxError."""
        home = self.folder / name
        home.mkdir(mode=0o700, exist_ok=True)
        evict(home, Path(argv[0]).name, GRACE_SECONDS)
        environment = {"PATH": PLACES, "HOME": str(home), "LC_ALL": "C", **(env or {})}
        log = self.folder / "logs" / f"{name}.log"
        child = start(
            name, argv, log=log, cwd=home, env=environment, stop_signal=stop_signal, death_signal=signal.SIGKILL
        )
        self.children.append(child)
        return child

    def check(self) -> None:
        """Raises SandboxError when one of the processes has ended."""
        for child in self.children:
            if child.returncode is not None:
                said = child.last_words(1) or ["it said nothing"]
                raise SandboxError(f"{child.name} ended: {said[0][:300]} (log: {child.log})")

    def wait(self, what: str, there: Callable[[], object]) -> None:
        """Until it is there. Raises SandboxError when a process ends or it takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            self.check()
            try:
                if there():
                    return
            except (OSError, http.client.HTTPException):
                pass  # it doesn't listen yet
            if time.monotonic() > deadline:
                raise SandboxError(f"no {what} after {START_SECONDS:g} s; see {self.folder / 'logs'}")
            time.sleep(0.02)

    @contextmanager
    def connection(self, timeout: float) -> Iterator[http.client.HTTPSConnection]:
        """To the API server, as the administrator."""
        context = ssl.create_default_context(cafile=str(self.pki.path("ca.crt")))
        context.load_cert_chain(self.pki.path("admin.crt"), self.pki.path("admin.key"))
        connection = http.client.HTTPSConnection(self.address, context=context, timeout=timeout)
        try:
            yield connection
        finally:
            connection.close()

    def call(self, method: str, path: str, body: Any = None, media: str = "application/json") -> tuple[int, Any]:
        """A request as the administrator: its status and its JSON, or text. Raises OSError and HTTPException.

        `body`: text is sent as it is, all else as JSON.
        """
        with self.connection(timeout=10) as connection:
            text = body if body is None or isinstance(body, str) else json.dumps(body)
            connection.request(method, path, text and text.encode(), {"Content-Type": media})
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content[:1] == b"{" else content.decode()

    def make(self, path: str, manifest: dict[str, Any]) -> None:
        """POST it; from an earlier start it may be there. Raises SandboxError."""
        status, answer = self.call("POST", path, manifest)
        if status not in (201, 409):
            raise SandboxError(f"the API server refused {manifest['kind']}: {answer}")

    def apply(self, path: str, manifest: dict[str, Any] | str) -> None:
        """PATCH it, so that it is like that whatever an earlier start left. Raises SandboxError."""
        status, answer = self.call(
            "PATCH", f"{path}?fieldManager=sandbox&force=true", manifest, "application/apply-patch+yaml"
        )
        if status not in (200, 201):
            raise SandboxError(f"the API server refused {path}: {str(answer)[:300]}")

    def write_kubeconfig(self, path: Path, name: str, common_name: str, organization: str | None = None) -> Path:
        """For a client of that name and group: with its certificate inside, readable by its owner only."""
        self.pki.issue(name, common_name, organization)

        def inside(file: str) -> str:
            return base64.b64encode(self.pki.path(file).read_bytes()).decode()

        server = {"server": f"https://{self.address}", "certificate-authority-data": inside("ca.crt")}
        client = {"client-certificate-data": inside(f"{name}.crt"), "client-key-data": inside(f"{name}.key")}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "sandbox",
            "clusters": [{"name": "sandbox", "cluster": server}],
            "users": [{"name": name, "user": client}],
            "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": name}}],
        }
        unfinished = path.with_name(path.name + ".new")
        with open(unfinished, "w", opener=lambda file, flags: os.open(file, flags, 0o600)) as file:
            json.dump(config, file, indent=2)
        unfinished.replace(path)
        return path

    def stop(self) -> None:
        """End everything, etcd last and in order."""
        for child in reversed(self.children):
            child.stop()


def start_control_plane(folder: Path, programs: Path, address: str | None = None) -> ControlPlane:
    """Start it, or start it again, and return when it serves and controls. Raises SandboxError.

    `address`: host and port of the API server; None: a free port on loopback, the same again if it is still free.
    """
    folder = hold(folder)
    pki = Authority(folder / "pki")
    address = address or f"{HOST}:{port_of(folder / 'kubeconfig') or free_port()}"
    plane = ControlPlane(folder, pki, address)
    try:
        _start(plane, programs)
    except BaseException:
        plane.stop()
        raise
    return plane


def _start(plane: ControlPlane, programs: Path) -> None:
    pki = plane.pki
    names = [HOST, plane.host, API_SERVICE, "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    pki.issue("apiserver", "kube-apiserver", hosts=[*dict.fromkeys(names), "kubernetes.default.svc.cluster.local"])
    pki.issue("etcd", "etcd", hosts=[HOST, "localhost"])
    pki.issue("etcd-client", "kube-apiserver-etcd-client")
    pki.issue("kubelet-client", "kube-apiserver-kubelet-client", "system:masters")
    manager = plane.write_kubeconfig(
        pki.path("controller-manager.kubeconfig"), "controller-manager", "system:kube-controller-manager"
    )
    scheduler = plane.write_kubeconfig(pki.path("scheduler.kubeconfig"), "scheduler", "system:kube-scheduler")
    plane.write_kubeconfig(plane.kubeconfig, "admin", "admin", "system:masters")

    etcd = f"https://{HOST}:{free_port()}"
    plane.run("etcd", [programs / "etcd", *_etcd(plane, etcd)], signal.SIGTERM)
    plane.run("apiserver", [programs / "kube-apiserver", *_apiserver(plane, etcd)])
    plane.wait("API server", lambda: plane.call("GET", "/readyz")[0] == 200)
    common = ["--leader-elect=false", "--secure-port=0", "--profiling=false", *QPS]
    plane.run(
        "controller-manager",
        [
            programs / "kube-controller-manager",
            *common,
            f"--kubeconfig={manager}",
            "--use-service-account-credentials=true",
            f"--service-account-private-key-file={pki.path('service-accounts.key')}",
            f"--root-ca-file={pki.path('ca.crt')}",
            f"--flex-volume-plugin-dir={plane.folder / 'volume-plugins'}",
            "--concurrent-namespace-syncs=20",
            "--concurrent-resource-quota-syncs=10",
        ],
    )
    plane.run("scheduler", [programs / "kube-scheduler", *common, f"--kubeconfig={scheduler}"])
    account = "/api/v1/namespaces/default/serviceaccounts/default"
    plane.wait("service account", lambda: plane.call("GET", account)[0] == 200)


def _etcd(plane: ControlPlane, address: str) -> list[str]:
    """Without fsync: what a killed process wrote is kept all the same; only a power cut would lose it."""
    peer = f"https://{HOST}:{free_port()}"
    certificates = [
        option
        for kind in ("", "peer-")
        for option in (
            f"--{kind}cert-file={plane.pki.path('etcd.crt')}",
            f"--{kind}key-file={plane.pki.path('etcd.key')}",
            f"--{kind}trusted-ca-file={plane.pki.path('ca.crt')}",
            f"--{kind}client-cert-auth",
        )
    ]
    return [
        f"--data-dir={plane.folder / 'etcd' / 'data'}",
        f"--listen-client-urls={address}",
        f"--advertise-client-urls={address}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
        *certificates,
    ]


def _apiserver(plane: ControlPlane, etcd: str) -> list[str]:
    pki = plane.pki
    return [
        f"--etcd-servers={etcd}",
        f"--etcd-cafile={pki.path('ca.crt')}",
        f"--etcd-certfile={pki.path('etcd-client.crt')}",
        f"--etcd-keyfile={pki.path('etcd-client.key')}",
        f"--bind-address={plane.host}",
        f"--advertise-address={plane.host}",
        f"--secure-port={plane.address.rpartition(':')[2]}",
        f"--tls-cert-file={pki.path('apiserver.crt')}",
        f"--tls-private-key-file={pki.path('apiserver.key')}",
        f"--client-ca-file={pki.path('ca.crt')}",
        f"--kubelet-client-certificate={pki.path('kubelet-client.crt')}",
        f"--kubelet-client-key={pki.path('kubelet-client.key')}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-signing-key-file={pki.path('service-accounts.key')}",
        f"--service-account-key-file={pki.path('service-accounts.key')}",
        f"--service-cluster-ip-range={SERVICES}",
        f"--endpoint-reconciler-type={'none' if plane.host == HOST else 'lease'}",
        "--kubelet-preferred-address-types=InternalIP",
        "--profiling=false",
    ]


def port_of(kubeconfig: Path) -> int | None:
    """The port of the last time if it is free, so that who knows the address can go on."""
    try:
        server = json.loads(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
        port = int(urlsplit(server).port or 0)
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None
    return port if port and is_free(port) else None


def is_free(port: int) -> bool:
    """Whether nobody listens on that port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
    return True


def free_port() -> int:
    """A port on loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
