"""The objects a pod refers to, which must exist before the pod can be scheduled or started."""

from collections.abc import Iterator

from sandbox.simulator.kinds import CLAIM, CONFIGMAP, SECRET, Kind, Manifest
from sandbox.simulator.objects import ObjectStore

VOLUMES = (("secret", SECRET, "secretName"), ("configMap", CONFIGMAP, "name"))
ENV = (
    *(("secretRef", SECRET), ("secretKeyRef", SECRET)),
    *(("configMapRef", CONFIGMAP), ("configMapKeyRef", CONFIGMAP)),
)


def unbound_claim_message(objects: ObjectStore, pod: Manifest) -> str | None:
    """Why the pod's claims prevent scheduling; None when they don't."""
    for volume in pod["spec"].get("volumes") or ():
        if name := (volume.get("persistentVolumeClaim") or {}).get("claimName"):
            claim = objects.manifest(CLAIM, pod["metadata"]["namespace"], name)
            if claim is None:
                return f'persistentvolumeclaim "{name}" not found.'
            if "deletionTimestamp" in claim["metadata"]:
                return f'persistentvolumeclaim "{name}" is being deleted.'
            if claim["status"].get("phase") != "Bound":
                return "pod has unbound immediate PersistentVolumeClaims."
    return None


def missing_reference(objects: ObjectStore, pod: Manifest) -> tuple[str, str] | None:
    """The missing object that prevents the start of the containers, as (reason, message); None without one."""
    namespace = pod["metadata"]["namespace"]
    for volume in pod["spec"].get("volumes") or ():
        for source, kind, name in VOLUMES:
            given = volume.get(source)
            if given and not given.get("optional") and objects.manifest(kind, namespace, given[name]) is None:
                what = f'{source.lower()} "{given[name]}" not found'
                return "FailedMount", f'MountVolume.SetUp failed for volume "{volume["name"]}": {what}'
    for kind, given in _environment_references(pod["spec"]):
        found = objects.manifest(kind, namespace, given["name"])
        if found is None:
            return "CreateContainerConfigError", f'{kind.name.lower()} "{given["name"]}" not found'
        if "key" in given and given["key"] not in (found.get("data") or {}):
            what = f"couldn't find key {given['key']} in {kind.name} {namespace}/{given['name']}"
            return "CreateContainerConfigError", what
    return None


def _environment_references(spec: Manifest) -> Iterator[tuple[Kind, Manifest]]:
    """The required references of the containers' environment, as (kind, reference)."""
    for container in [*(spec.get("initContainers") or ()), *spec["containers"]]:
        sources = [one.get("valueFrom") or {} for one in container.get("env") or ()]
        for source in [*(container.get("envFrom") or ()), *sources]:
            for name, kind in ENV:
                if (given := source.get(name)) and not given.get("optional"):
                    yield kind, given
