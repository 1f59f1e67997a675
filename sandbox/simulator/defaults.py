"""Defaulting: the fields that the API server sets when an object is created or changed."""

import base64
import random
from typing import Any

from sandbox.simulator.kinds import Kind, Manifest

RANDOM = random.Random()  # noqa: S311  # names and addresses, not secrets
SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def random_suffix(length: int = 5) -> str:
    """The random suffix of a generated name."""
    return "".join(RANDOM.choices(SUFFIX_ALPHABET, k=length))


def apply_defaults(kind: Kind, manifest: Manifest) -> Manifest:
    """The manifest with defaults. The result shares unchanged parts with the argument."""
    filled = {**manifest}
    if isinstance(manifest.get("spec"), dict):
        filled["spec"] = {**manifest["spec"]}
    if (fill := DEFAULTERS.get(kind.name)) is not None:
        fill(filled)
    return filled


def encode_string_data(manifest: Manifest) -> Manifest:
    """The Secret with `stringData` moved into `data`, base64-encoded."""
    if not isinstance(manifest.get("stringData"), dict):
        return manifest
    encoded = {name: base64.b64encode(str(value).encode()).decode() for name, value in manifest["stringData"].items()}
    folded = {name: part for name, part in manifest.items() if name != "stringData"}
    return {**folded, "data": {**(manifest.get("data") or {}), **encoded}}


def _namespace(manifest: Manifest) -> None:
    metadata = manifest["metadata"]
    labels = {"kubernetes.io/metadata.name": metadata["name"], **(metadata.get("labels") or {})}
    manifest["metadata"] = {**metadata, "labels": labels}
    manifest["spec"] = {"finalizers": ["kubernetes"], **(manifest.get("spec") or {})}


def _secret(manifest: Manifest) -> None:
    manifest.setdefault("type", "Opaque")


def _service(manifest: Manifest) -> None:
    spec: dict[str, Any] = manifest["spec"]
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    spec["ports"] = [{"protocol": "TCP", "targetPort": port.get("port"), **port} for port in spec.get("ports") or []]
    if spec["type"] != "ExternalName" and not spec.get("clusterIP"):
        spec["clusterIP"] = f"10.96.{RANDOM.randrange(256)}.{RANDOM.randrange(1, 255)}"


def _claim(manifest: Manifest) -> None:
    manifest["spec"].setdefault("volumeMode", "Filesystem")


def _pod(manifest: Manifest) -> None:
    spec = manifest["spec"]
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("terminationGracePeriodSeconds", 30)


def _deployment(manifest: Manifest) -> None:
    spec = manifest["spec"]
    spec.setdefault("replicas", 1)
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
    spec.setdefault("strategy", rolling)
    if spec["strategy"].get("type") == "Recreate":
        spec["strategy"] = {"type": "Recreate"}
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)


def _statefulset(manifest: Manifest) -> None:
    spec = manifest["spec"]
    spec.setdefault("replicas", 1)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})


def _job(manifest: Manifest) -> None:
    """A Job's pods have labels with the Job's name and uid, and its selector matches them. Needs `metadata.uid`."""
    metadata, spec = manifest["metadata"], manifest["spec"]
    for name, value in (("parallelism", 1), ("completions", 1), ("backoffLimit", 6)):
        spec.setdefault(name, value)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("podReplacementPolicy", "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed")
    uid = metadata["uid"]
    spec.setdefault("selector", {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}})
    template = spec["template"]
    known = template.get("metadata") or {}
    added = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": metadata["name"],
        "controller-uid": uid,
        "job-name": metadata["name"],
    }
    labels = {**(known.get("labels") or {}), **added}
    spec["template"] = {**template, "metadata": {**known, "labels": labels}}


def _cronjob(manifest: Manifest) -> None:
    for name, value in (("concurrencyPolicy", "Allow"), ("suspend", False)):
        manifest["spec"].setdefault(name, value)


DEFAULTERS = {
    "Namespace": _namespace,
    "Secret": _secret,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "Deployment": _deployment,
    "StatefulSet": _statefulset,
    "Job": _job,
    "CronJob": _cronjob,
}
INITIAL_STATUS = {
    "Namespace": {"phase": "Active"},
    "Pod": {"phase": "Pending"},
    "PersistentVolumeClaim": {"phase": "Pending"},
}
"""The status of a new object, if not {}."""
