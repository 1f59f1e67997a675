"""A real control plane: etcd, API server, controller manager and scheduler, on loopback, with TLS and RBAC.

Its nodes are fake (fake_nodes.py) or one real node (node/). All state is in one folder: the next start continues with
it, also after a crash. When the parent process ends, the kernel kills all processes.
"""

import base64
import http.client
import json
import signal
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox.data_folder import SandboxError, lock_data_folder
from sandbox.files import write_private
from sandbox.kubernetes.certificates import CertificateAuthority
from sandbox.ports import HOST, free_port, is_port_free
from sandbox.processes import Child, end_processes, start

SERVICE_CIDR = "10.96.0.0/16"
API_SERVICE_IP = "10.96.0.1"
START_SECONDS = 120.0
GRACE_SECONDS = 5.0
"""Seconds that a process may take to end after its parent was killed."""
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH of the started programs: the system's standard folders."""
CLIENT_RATE_LIMITS = ("--kube-api-qps=300", "--kube-api-burst=600")
"""Of the controllers: higher than their defaults, which suit a shared server."""


@dataclass
class ControlPlane:
    """A running control plane. Only the main thread may start and stop processes."""

    folder: Path
    pki: CertificateAuthority
    address: str
    """`127.0.0.1:<port>`."""
    children: list[Child] = field(default_factory=list)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig (group system:masters)."""
        return self.folder / "kubeconfig"

    @property
    def host(self) -> str:
        """The IP address that the API server listens on."""
        return self.address.rpartition(":")[0]

    def run(
        self,
        name: str,
        argv: Sequence[str | Path],
        stop_signal: signal.Signals = signal.SIGKILL,
        env: Mapping[str, str] | None = None,
    ) -> Child:
        """Start a process in the folder `<folder>/<name>`. Raises SandboxError."""
        home = self.folder / name
        home.mkdir(mode=0o700, exist_ok=True)
        end_processes(home, Path(argv[0]).name, GRACE_SECONDS)
        environment = {"PATH": SYSTEM_PATH, "HOME": str(home), "LC_ALL": "C", **(env or {})}
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
                lines = child.log_tail(1) or ["no output"]
                raise SandboxError(f"{child.name} ended: {lines[0][:300]} (log: {child.log})")

    def wait(self, what: str, condition: Callable[[], object]) -> None:
        """Wait until the condition is true. `what`: for the error message.

        Raises SandboxError when a process ends, or after START_SECONDS.
        """
        deadline = time.monotonic() + START_SECONDS
        while True:
            self.check()
            try:
                if condition():
                    return
            except (OSError, http.client.HTTPException):
                pass  # the server doesn't listen yet
            if time.monotonic() > deadline:
                raise SandboxError(f"no {what} after {START_SECONDS:g} s; see {self.folder / 'logs'}")
            time.sleep(0.02)

    @contextmanager
    def connection(self, timeout: float) -> Iterator[http.client.HTTPSConnection]:
        """A connection to the API server as the administrator, until the end of the block."""
        context = ssl.create_default_context(cafile=str(self.pki.path("ca.crt")))
        context.load_cert_chain(self.pki.path("admin.crt"), self.pki.path("admin.key"))
        connection = http.client.HTTPSConnection(self.address, context=context, timeout=timeout)
        try:
            yield connection
        finally:
            connection.close()

    def call(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> tuple[int, Any]:
        """Send a request with a JSON body as the administrator. Returns the status, and the body as JSON or text.

        Raises OSError and HTTPException.
        """
        with self.connection(timeout=10) as connection:
            connection.request(method, path, body and json.dumps(body), {"Content-Type": content_type})
            response = connection.getresponse()
            content = response.read()
            return response.status, json.loads(content) if content[:1] == b"{" else content.decode()

    def create(self, path: str, manifest: dict[str, Any]) -> None:
        """POST the object. An existing object stays unchanged. Raises SandboxError."""
        status, response = self.call("POST", path, manifest)
        if status not in (201, 409):
            raise SandboxError(f"the API server refused {manifest['kind']}: {response}")

    def apply(self, path: str, manifest: dict[str, Any]) -> None:
        """Create or update the object by server-side apply. Raises SandboxError."""
        status, response = self.call(
            "PATCH", f"{path}?fieldManager=sandbox&force=true", manifest, "application/apply-patch+yaml"
        )
        if status not in (200, 201):
            raise SandboxError(f"the API server refused {path}: {str(response)[:300]}")

    def write_kubeconfig(self, path: Path, name: str, common_name: str, organization: str | None = None) -> Path:
        """Write a kubeconfig (mode 0600) with a new client certificate. Returns `path`.

        `common_name`: the user's name. `organization`: the user's group.
        """
        self.pki.issue(name, common_name, organization)

        def encoded(file: str) -> str:
            return base64.b64encode(self.pki.path(file).read_bytes()).decode()

        server = {"server": f"https://{self.address}", "certificate-authority-data": encoded("ca.crt")}
        client = {"client-certificate-data": encoded(f"{name}.crt"), "client-key-data": encoded(f"{name}.key")}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "sandbox",
            "clusters": [{"name": "sandbox", "cluster": server}],
            "users": [{"name": name, "user": client}],
            "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": name}}],
        }
        write_private(path, json.dumps(config, indent=2))
        return path

    def stop(self) -> None:
        """Stop all processes; etcd last, with SIGTERM, so that it writes its data."""
        for child in reversed(self.children):
            child.stop()


def start_control_plane(folder: Path, programs: Path, address: str | None = None) -> ControlPlane:
    """Start a control plane with the data of the folder, and wait until it is ready. Raises SandboxError.

    `address`: host and port of the API server. None: on loopback, with the port of the last start if it is free.
    """
    folder = lock_data_folder(folder)
    pki = CertificateAuthority(folder / "pki")
    address = address or f"{HOST}:{previous_port(folder / 'kubeconfig') or free_port()}"
    plane = ControlPlane(folder, pki, address)
    try:
        _start(plane, programs)
    except BaseException:
        plane.stop()
        raise
    return plane


def _start(plane: ControlPlane, programs: Path) -> None:
    pki = plane.pki
    names = [
        HOST,
        plane.host,
        API_SERVICE_IP,
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
    ]
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
    common = ["--leader-elect=false", "--secure-port=0", "--profiling=false", *CLIENT_RATE_LIMITS]
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
    """etcd's options. Without fsync, data survives a killed process, but not a power failure."""
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
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        f"--endpoint-reconciler-type={'none' if plane.host == HOST else 'lease'}",
        "--kubelet-preferred-address-types=InternalIP",
        "--profiling=false",
    ]


def previous_port(kubeconfig: Path) -> int | None:
    """The port in the kubeconfig of the last start if it is free, so that clients can keep the address."""
    try:
        server = json.loads(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
        port = int(urlsplit(server).port or 0)
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None
    return port if port and is_port_free(port) else None
