"""What a pod names that must be there before it can be placed or started."""

from collections.abc import Iterator

from sandbox.simulator.kinds import CLAIM, CONFIGMAP, SECRET, Kind, Manifest
from sandbox.simulator.objects import Objects

VOLUMES = (("secret", SECRET, "secretName"), ("configMap", CONFIGMAP, "name"))
ENV = (
    *(("secretRef", SECRET), ("secretKeyRef", SECRET)),
    *(("configMapRef", CONFIGMAP), ("configMapKeyRef", CONFIGMAP)),
)


def unbound(objects: Objects, pod: Manifest) -> str | None:
    """Why the pod's claims keep it from being placed."""
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


def missing(objects: Objects, pod: Manifest) -> tuple[str, str] | None:
    """What keeps the pod's containers from being started, as (reason, message)."""
    namespace = pod["metadata"]["namespace"]
    for volume in pod["spec"].get("volumes") or ():
        for source, kind, name in VOLUMES:
            given = volume.get(source)
            if given and not given.get("optional") and objects.manifest(kind, namespace, given[name]) is None:
                what = f'{source.lower()} "{given[name]}" not found'
                return "FailedMount", f'MountVolume.SetUp failed for volume "{volume["name"]}": {what}'
    for kind, given in _environment(pod["spec"]):
        found = objects.manifest(kind, namespace, given["name"])
        if found is None:
            return "CreateContainerConfigError", f'{kind.name.lower()} "{given["name"]}" not found'
        if "key" in given and given["key"] not in (found.get("data") or {}):
            what = f"couldn't find key {given['key']} in {kind.name} {namespace}/{given['name']}"
            return "CreateContainerConfigError", what
    return None


def _environment(spec: Manifest) -> Iterator[tuple[Kind, Manifest]]:
    """What the containers' environment needs: (kind, reference)."""
    for container in [*(spec.get("initContainers") or ()), *spec["containers"]]:
        sources = [one.get("valueFrom") or {} for one in container.get("env") or ()]
        for source in [*(container.get("envFrom") or ()), *sources]:
            for name, kind in ENV:
                if (given := source.get(name)) and not given.get("optional"):
                    yield kind, given
