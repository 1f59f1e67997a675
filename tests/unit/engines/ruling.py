"""How rules about manifests are written: what each looks at, and changes after which it must not hold.

A rule that no change can break would prove nothing, so every rule brings its own.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stores.engines import Manifest, Manifests
from tests.unit.engines.rendered import containers, objects, template, templates

Change = Callable[[Manifest], object]
KINDS = (
    *("Namespace", "RoleBinding", "ResourceQuota", "LimitRange", "NetworkPolicy", "ServiceAccount", "Secret"),
    *("ConfigMap", "PersistentVolumeClaim", "Service", "StatefulSet", "Deployment", "Job", "CronJob", "Ingress"),
    "HTTPRoute",
)
LASTING = ("StatefulSet", "Deployment")


@dataclass(frozen=True)
class Rule:
    """`of`: what it looks at, a key of SUBJECTS. `broken`: changes of a good subject that break it, one at a time."""

    name: str
    of: str
    holds: Callable[[Manifest], bool]
    broken: Sequence[Change]


def walk(item: Any, way: Sequence[str]) -> Any:
    """What stands there; steps are keys or positions."""
    for part in way:
        item = item[int(part)] if isinstance(item, list) else item[part]
    return item


def put(path: str, value: object) -> Change:
    """Sets what is at the path, whose steps have spaces between them."""
    *way, last = path.split()

    def change(item: Manifest) -> None:
        parent = walk(item, way)
        parent[int(last) if isinstance(parent, list) else last] = value

    return change


def drop(path: str) -> Change:
    """Leaves it out."""
    *way, last = path.split()
    return lambda item: walk(item, way).pop(last)


def add(path: str, value: object) -> Change:
    """Appends to the list at the path."""
    return lambda item: walk(item, path.split()).append(value)


def must_be(name: str, of: str, path: str, value: object, *others: object) -> Rule:
    """It is that value: neither one of the others nor left out."""
    *way, last = path.split()
    changes = [put(path, other) for other in others]
    return Rule(name, of, lambda item: walk(item, way).get(last) == value, (*changes, drop(path)))


def at_least(name: str, of: str, path: str, least: int) -> Rule:
    """It is a number, and not smaller."""
    *way, last = path.split()
    return Rule(name, of, lambda item: walk(item, way).get(last, -1) >= least, (put(path, least - 1), drop(path)))


def never(name: str, of: str, path: str, bad: object) -> Rule:
    """It isn't there at all."""
    *way, last = path.split()
    return Rule(name, of, lambda item: last not in walk(item, way), (put(path, bad),))


def holds_key(name: str, of: str, path: str) -> Rule:
    """It is there, whatever it says."""
    *way, last = path.split()
    return Rule(name, of, lambda item: last in walk(item, way), (drop(path),))


def _boxes(item: Manifest) -> list[Manifest]:
    found: list[Manifest] = item["spec"]["template"]["spec"]["containers"]
    return found


def _of_kind(kind: str) -> Callable[[Manifests], Iterator[Manifest]]:
    return lambda made: (item for item in objects(made) if item["kind"] == kind)


SUBJECTS: dict[str, Callable[[Manifests], Iterator[Manifest]]] = {
    "object": lambda made: iter(objects(made)),
    "namespaced object": lambda made: (item for item in objects(made) if item["kind"] != "Namespace"),
    "workload": lambda made: (item for item in objects(made) if template(item) is not None),
    "template": lambda made: iter(templates(made)),
    "pod": lambda made: (pod["spec"] for pod in templates(made)),
    "container": containers,
    "server": lambda made: (box for item in objects(made) if item["kind"] in LASTING for box in _boxes(item)),
    **{kind: _of_kind(kind) for kind in KINDS},
}
