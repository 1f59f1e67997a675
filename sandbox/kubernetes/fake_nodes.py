"""Fake nodes: kwok sets the status of nodes and pods as stages.yaml says; no container runs."""

from pathlib import Path
from typing import Any

from sandbox.kubernetes.control_plane import ControlPlane

STAGES = Path(__file__).with_name("stages.yaml")
ANNOTATION = "kwok.x-k8s.io/node"
CAPACITY = {"cpu": "64", "memory": "512Gi", "ephemeral-storage": "4Ti", "pods": "2000"}


def start_fake_nodes(plane: ControlPlane, programs: Path, count: int) -> None:
    """Start `count` fake nodes, create default classes for volumes and Ingresses, and wait until the nodes are ready.

    Raises SandboxError.
    """
    # kwok would wait for the end of the leases that an earlier kwok holds
    plane.call("DELETE", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases")
    kubeconfig = plane.write_kubeconfig(plane.pki.path("kwok.kubeconfig"), "kwok", "kwok", "system:masters")
    plane.run(
        "kwok",
        [
            programs / "kwok",
            f"--kubeconfig={kubeconfig}",
            f"--config={STAGES}",
            "--cidr=10.64.0.0/10",
            "--node-ip=10.64.0.1",
            f"--manage-nodes-with-annotation-selector={ANNOTATION}=fake",
            "--node-lease-duration-seconds=40",
        ],
    )
    for number in range(count):
        plane.create("/api/v1/nodes", _node(f"fake-{number}"))
    storage = {"provisioner": "sandbox/fake", "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}
    plane.create("/apis/storage.k8s.io/v1/storageclasses", _default("StorageClass", "storage.k8s.io/v1", storage))
    ingress = {"spec": {"controller": "sandbox/fake"}}
    plane.create("/apis/networking.k8s.io/v1/ingressclasses", _default("IngressClass", "networking.k8s.io/v1", ingress))
    plane.wait("ready nodes", lambda: _ready(plane) >= count)


def _node(name: str) -> dict[str, Any]:
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "annotations": {ANNOTATION: "fake"}, "labels": labels},
        "status": {"allocatable": CAPACITY, "capacity": CAPACITY},
    }


def _default(kind: str, api_version: str, parts: dict[str, Any]) -> dict[str, Any]:
    """A StorageClass or IngressClass named `fake` that is the cluster's default."""
    annotations = {f"{kind.lower()}.kubernetes.io/is-default-class": "true"}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "fake", "annotations": annotations}, **parts}


def _ready(plane: ControlPlane) -> int:
    _, nodes = plane.call("GET", "/api/v1/nodes")
    conditions = [row for node in nodes["items"] for row in node.get("status", {}).get("conditions", [])]
    return sum(row["type"] == "Ready" and row["status"] == "True" for row in conditions)
