"""A provisioner of volumes for the real node: each claim gets an ext4 file system of the requested size, in a file.

The file is mounted with a loop device, so a volume has a hard size limit. `local` volumes, not `hostPath`: only `local`
honours fsGroup.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sandbox.data_folder import SandboxError
from sandbox.kubernetes.control_plane import ControlPlane
from sandbox.kubernetes.node.tools import run_tool
from sandbox.simulator.quantities import parse_quantity

CLASS = "local"
PROVISIONER = "sandbox/local"
VOLUMES = "/api/v1/persistentvolumes"
CLAIMS = "/api/v1/persistentvolumeclaims"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"

MIN_BYTES = 16 * 2**20
"""The smallest file system; a smaller one would consist of metadata only."""

Objects = Sequence[dict[str, Any]]


def create_storage_class(plane: ControlPlane) -> None:
    """Create the cluster's default StorageClass if it doesn't exist."""
    plane.create(
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


class Volumes:
    """The volumes are in one folder: the file `<claim's uid>.ext4` and the mount point `<claim's uid>`."""

    def __init__(self, plane: ControlPlane, folder: Path, node: str) -> None:
        self._plane = plane
        self._folder = folder
        self._node = node
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)

    def mount_all(self) -> None:
        """Mount the volumes of earlier starts, before the kubelet starts pods."""
        for file in self._folder.glob("*.ext4"):
            self._mount(file.stem)

    def reconcile(self, claims: Objects, volumes: Objects, classes: Objects) -> None:
        """Provision pending claims and delete released volumes. Idempotent, also after a crash in the middle."""
        own_classes = {item["metadata"]["name"] for item in classes if item["provisioner"] == PROVISIONER}
        existing = {volume["metadata"]["name"] for volume in volumes}
        for claim in claims:
            if (
                claim["spec"].get("storageClassName") in own_classes
                and _is_pending(claim)
                and _volume_name(claim) not in existing
            ):
                self._provision(claim)
        for volume in volumes:
            if self._is_ours(volume) and volume.get("status", {}).get("phase") in ("Released", "Failed"):
                self._delete(volume)

    def _provision(self, claim: dict[str, Any]) -> None:
        uid, spec, metadata = claim["metadata"]["uid"], claim["spec"], claim["metadata"]
        size = int(parse_quantity(spec["resources"]["requests"]["storage"]))
        if not self._file(uid).exists():
            temporary = self._file(uid).with_suffix(".new")
            with temporary.open("wb") as file:
                file.truncate(max(size, MIN_BYTES))
            run_tool(
                "mkfs.ext4", "-q", "-F", "-m", "0", "-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1", temporary
            )
            temporary.rename(self._file(uid))
        self._mount(uid)
        this_node = {"key": "kubernetes.io/hostname", "operator": "In", "values": [self._node]}
        self._plane.create(
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
                    "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [this_node]}]}},
                    "persistentVolumeReclaimPolicy": "Delete",
                    "storageClassName": spec["storageClassName"],
                },
            },
        )

    def _delete(self, volume: dict[str, Any]) -> None:
        """Delete a volume. If it is still in use, the next `reconcile` tries again."""
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

    def _is_ours(self, volume: dict[str, Any]) -> bool:
        """Whether this provisioner created the volume; its class may be deleted."""
        return Path(volume["spec"].get("local", {}).get("path", "")).parent == self._folder


def _is_pending(claim: dict[str, Any]) -> bool:
    return not claim["spec"].get("volumeName") and "deletionTimestamp" not in claim["metadata"]


def _volume_name(claim: dict[str, Any]) -> str:
    return f"pvc-{claim['metadata']['uid']}"
