"""Volumes of a real node: each claim gets a file system of exactly the size it asks for, in a file, mounted by a loop.

`local` volumes, not `hostPath`: only those honour fsGroup. A full volume is full, and nobody else notices.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sandbox.folder import SandboxError
from sandbox.kubernetes.control_plane import ControlPlane
from sandbox.kubernetes.node.tools import run_tool

CLASS = "local"
PROVISIONER = "sandbox/local"
VOLUMES = "/api/v1/persistentvolumes"
CLAIMS = "/api/v1/persistentvolumeclaims"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
SMALLEST = 16 * 2**20
"""Bytes; below that a file system is all overhead."""

Objects = Sequence[dict[str, Any]]


def make_class(plane: ControlPlane) -> None:
    """The cluster's default StorageClass; of an earlier start it may be there."""
    plane.make(
        CLASSES,
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "provisioner": PROVISIONER,
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "Immediate",
        },
    )


def size_of(quantity: str) -> int:
    """Bytes of a quantity such as 1Gi. Raises ValueError."""
    for unit, factor in _UNITS.items():
        if quantity.endswith(unit):
            return int(float(quantity.removesuffix(unit)) * factor)
    return int(quantity)


class Volumes:
    """One folder has all of them: `<claim's uid>.ext4` and the mount point `<claim's uid>`."""

    def __init__(self, plane: ControlPlane, folder: Path, node: str) -> None:
        self._plane = plane
        self._folder = folder
        self._node = node
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)

    def mount_all(self) -> None:
        """Those of an earlier start, before anything uses them."""
        for file in self._folder.glob("*.ext4"):
            self._mount(file.stem)

    def bring(self, claims: Objects, volumes: Objects, classes: Objects) -> None:
        """Make what is asked for and remove what was released. Safe to call at any time, and after any end."""
        ours = {item["metadata"]["name"] for item in classes if item["provisioner"] == PROVISIONER}
        there = {volume["metadata"]["name"] for volume in volumes}
        for claim in claims:
            if claim["spec"].get("storageClassName") in ours and _waits(claim) and _volume_name(claim) not in there:
                self._make(claim)
        for volume in volumes:
            if self._made(volume) and volume.get("status", {}).get("phase") in ("Released", "Failed"):
                self._remove(volume)

    def _make(self, claim: dict[str, Any]) -> None:
        uid, spec, metadata = claim["metadata"]["uid"], claim["spec"], claim["metadata"]
        size = size_of(spec["resources"]["requests"]["storage"])
        if not self._file(uid).exists():
            unfinished = self._file(uid).with_suffix(".new")
            with unfinished.open("wb") as file:
                file.truncate(max(size, SMALLEST))
            run_tool(
                "mkfs.ext4", "-q", "-F", "-m", "0", "-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1", unfinished
            )
            unfinished.rename(self._file(uid))
        self._mount(uid)
        here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [self._node]}
        self._plane.make(
            VOLUMES,
            {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": _volume_name(claim)},
                "spec": {
                    "accessModes": spec["accessModes"],
                    "capacity": {"storage": spec["resources"]["requests"]["storage"]},
                    "claimRef": {"namespace": metadata["namespace"], "name": metadata["name"], "uid": uid},
                    "local": {"path": str(self._folder / uid)},
                    "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
                    "persistentVolumeReclaimPolicy": "Delete",
                    "storageClassName": spec["storageClassName"],
                },
            },
        )

    def _remove(self, volume: dict[str, Any]) -> None:
        """One that is still mounted somewhere is tried again when something changes."""
        uid = Path(volume["spec"]["local"]["path"]).name
        point = self._folder / uid
        try:
            if point.is_mount():
                run_tool("umount", point)
        except SandboxError:
            return
        if point.exists():
            point.rmdir()
        self._file(uid).unlink(missing_ok=True)
        self._plane.call("DELETE", f"{VOLUMES}/{volume['metadata']['name']}")

    def _mount(self, uid: str) -> None:
        point = self._folder / uid
        point.mkdir(exist_ok=True)
        if not point.is_mount():
            run_tool("mount", "-o", "loop,nosuid,nodev", self._file(uid), point)

    def _file(self, uid: str) -> Path:
        return self._folder / f"{uid}.ext4"

    def _made(self, volume: dict[str, Any]) -> bool:
        """By us, whatever became of its class."""
        return Path(volume["spec"].get("local", {}).get("path", "")).parent == self._folder


def _waits(claim: dict[str, Any]) -> bool:
    return not claim["spec"].get("volumeName") and "deletionTimestamp" not in claim["metadata"]


def _volume_name(claim: dict[str, Any]) -> str:
    return f"pvc-{claim['metadata']['uid']}"
