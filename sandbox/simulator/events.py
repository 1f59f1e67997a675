"""Kubernetes Event objects: warnings of controllers about an object."""

import hashlib

from sandbox.simulator.cluster_state import ClusterState
from sandbox.simulator.kinds import EVENT, NAMESPACE, Manifest
from sandbox.simulator.objects import Key
from sandbox.simulator.statuses import timestamp


def record_warning(cluster: ClusterState, involved_object: Manifest, reason: str, message: str, component: str) -> None:
    """Create a Warning event about an object. A repeated event only increments `count`."""
    metadata = involved_object["metadata"]
    namespace = metadata.get("namespace") or "default"
    namespace_manifest = cluster.objects.manifest(NAMESPACE, "", namespace)
    if namespace_manifest is None or "deletionTimestamp" in namespace_manifest["metadata"]:
        return
    hash_ = hashlib.sha256(f"{metadata['uid']} {reason} {message}".encode()).hexdigest()[:16]
    key = Key(EVENT, namespace, f"{metadata['name'][:230]}.{hash_}")
    existing = cluster.objects.find(key)
    if existing is not None:
        cluster.objects.put(
            key, {**existing.manifest, "count": existing.manifest["count"] + 1, "lastTimestamp": timestamp()}
        )
        return
    involved = {name: metadata.get(name) for name in ("namespace", "name", "uid", "resourceVersion")}
    cluster.objects.put(
        key,
        {
            "metadata": {"name": key.name, "namespace": namespace, "uid": hash_, "creationTimestamp": timestamp()},
            "involvedObject": {
                "apiVersion": involved_object["apiVersion"],
                "kind": involved_object["kind"],
                **involved,
            },
            "reason": reason,
            "message": message,
            "type": "Warning",
            "count": 1,
            "firstTimestamp": timestamp(),
            "lastTimestamp": timestamp(),
            "source": {"component": component},
            "reportingComponent": component,
        },
    )
