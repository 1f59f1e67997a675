"""Builders of rules about manifests. Each rule has changes that break it, so that a rule that always holds is found."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stores.engines import Manifest, Manifests
from tests.support.rendered import containers, objects, template, templates

Change = Callable[[Manifest], object]
KNOWN_KINDS = (
    *("Namespace", "RoleBinding", "ResourceQuota", "LimitRange", "NetworkPolicy", "ServiceAccount", "Secret"),
    *("ConfigMap", "PersistentVolumeClaim", "Service", "StatefulSet", "Deployment", "Job", "CronJob", "Ingress"),
    "HTTPRoute",
)
SERVER_KINDS = ("StatefulSet", "Deployment")


@dataclass(frozen=True)
class Rule:
    """`subject_type`: a key of SUBJECTS. `breaking_changes`: after each of them a valid subject violates the rule."""

    name: str
    subject_type: str
    holds: Callable[[Manifest], bool]
    breaking_changes: Sequence[Change]


def walk(item: Any, path_keys: Sequence[str]) -> Any:
    """The value at a path of keys and list indexes."""
    for key in path_keys:
        item = item[int(key)] if isinstance(item, list) else item[key]
    return item


def replace(path: str, value: object) -> Change:
    """Sets the value at the path, whose keys are separated by spaces."""
    *path_keys, last = path.split()

    def change(item: Manifest) -> None:
        parent = walk(item, path_keys)
        parent[int(last) if isinstance(parent, list) else last] = value

    return change


def remove(path: str) -> Change:
    """Deletes the value at the path."""
    *path_keys, last = path.split()
    return lambda item: walk(item, path_keys).pop(last)


def append(path: str, value: object) -> Change:
    """Appends to the list at the path."""
    return lambda item: walk(item, path.split()).append(value)


def must_be(name: str, subject_type: str, path: str, value: object, *others: object) -> Rule:
    """The value at the path is `value`. `others`: values that break the rule."""
    *path_keys, last = path.split()
    changes = [replace(path, other) for other in others]
    return Rule(name, subject_type, lambda item: walk(item, path_keys).get(last) == value, (*changes, remove(path)))


def one_pod_at_most(kind: str) -> Rule:
    """None where the store's plan has no such component."""
    return Rule(
        "one pod at most", kind, lambda item: item["spec"]["replicas"] in (0, 1), (replace("spec replicas", 2),)
    )


def at_least(name: str, subject_type: str, path: str, least: int) -> Rule:
    """The value at the path is a number, and at least `least`."""
    *path_keys, last = path.split()
    return Rule(
        name,
        subject_type,
        lambda item: walk(item, path_keys).get(last, -1) >= least,
        (replace(path, least - 1), remove(path)),
    )


def must_be_absent(name: str, subject_type: str, path: str, bad: object) -> Rule:
    """The path doesn't exist. `bad`: a value that breaks the rule."""
    *path_keys, last = path.split()
    return Rule(name, subject_type, lambda item: last not in walk(item, path_keys), (replace(path, bad),))


def must_be_present(name: str, subject_type: str, path: str) -> Rule:
    """The path exists."""
    *path_keys, last = path.split()
    return Rule(name, subject_type, lambda item: last in walk(item, path_keys), (remove(path),))


def _containers(item: Manifest) -> list[Manifest]:
    found: list[Manifest] = item["spec"]["template"]["spec"]["containers"]
    return found


def _of_kind(kind: str) -> Callable[[Manifests], Iterator[Manifest]]:
    return lambda manifests: (item for item in objects(manifests) if item["kind"] == kind)


def _served_deployments(manifests: Manifests) -> Iterator[Manifest]:
    """Those with a Service."""
    services = {item["metadata"]["name"] for item in _of_kind("Service")(manifests)}
    return (item for item in _of_kind("Deployment")(manifests) if item["metadata"]["name"] in services)


SUBJECTS: dict[str, Callable[[Manifests], Iterator[Manifest]]] = {
    "object": lambda manifests: iter(objects(manifests)),
    "namespaced object": lambda manifests: (item for item in objects(manifests) if item["kind"] != "Namespace"),
    "workload": lambda manifests: (item for item in objects(manifests) if template(item) is not None),
    "template": lambda manifests: iter(templates(manifests)),
    "pod": lambda manifests: (pod["spec"] for pod in templates(manifests)),
    "container": containers,
    "server": lambda manifests: (
        container for item in objects(manifests) if item["kind"] in SERVER_KINDS for container in _containers(item)
    ),
    "served Deployment": _served_deployments,
    **{kind: _of_kind(kind) for kind in KNOWN_KINDS},
}
