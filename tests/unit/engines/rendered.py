"""Rendered stores for the tests of engines, and ways to walk through them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from runtime.settings import ClusterProfile
from stores.engines import Engine, Manifest, Manifests, StoreSpec, next_of
from stores.plans import PLANS
from tests import toy_engine
from workers.engines import sample, woocommerce

ENGINES = {"woocommerce": woocommerce.ENGINE, "toy": toy_engine.ENGINE, "sample": sample.ENGINE}
STORE_ID = UUID("3f0d2c1e-8a4b-4c6d-9e7f-0123456789ab")
ACCOUNT_ID = UUID("a1b2c3d4-0000-4000-8000-00000000cafe")
TITLE = "Fig & Olive"


def spec(**changes: Any) -> StoreSpec:
    """A small store; `plan` by name."""
    given: dict[str, Any] = {
        "store_id": STORE_ID,
        "account_id": ACCOUNT_ID,
        "name": TITLE,
        "slug": "fig-olive",
        "plan": "small",
        "release": "2026.11",
        "admin_email": "fig@example.com",
        "country": "DE",
        "currency": "EUR",
        "language": "de-DE",
        "setup": "ready",
        **changes,
    }
    return StoreSpec(**{**given, "plan": PLANS[given["plan"]]})


def profile(**changes: Any) -> ClusterProfile:
    """The defaults and these changes; nothing is read from the environment."""
    return ClusterProfile.model_construct(**{"base_domain": "shops.example.com", **changes})


def values(engine: Engine, ending: str = "") -> dict[str, str]:
    """Secrets that anyone can recognise, the next password among them where there can be one."""
    names = [field.name for field in engine.secrets] + [next_of(engine.shown.name)] * engine.rotates
    return {name: f"secret-{name}{ending}" for name in names}


def render(
    engine: Engine = woocommerce.ENGINE, cluster: ClusterProfile | None = None, ending: str = "", **changes: Any
) -> Manifests:
    """A store of the engine. `ending`: of its secrets; `changes`: of its spec."""
    assert engine.render is not None
    return engine.render(spec(**changes), values(engine, ending), cluster or profile())


def objects(made: Manifests) -> list[Manifest]:
    """All of it, in the order it reaches the cluster."""
    jobs = [job for job in (made.install, made.proof) if job is not None]
    return [made.namespace, *made.isolation, *made.workloads, *jobs, *(made.rotation or ())]


def of_kind(made: Manifests, kind: str) -> list[Manifest]:
    return [item for item in objects(made) if item["kind"] == kind]


def the(made: Manifests, kind: str, name: str) -> Manifest:
    """The one of that kind and name."""
    [item] = [item for item in of_kind(made, kind) if item["metadata"]["name"] == name]
    return item


def template(item: Manifest) -> Manifest | None:
    """The pod template of a workload, or None for what makes no pods."""
    spec = item.get("spec", {})
    found: Manifest | None = spec.get("jobTemplate", {}).get("spec", spec).get("template")
    return found


def templates(made: Manifests) -> list[Manifest]:
    return [found for item in objects(made) if (found := template(item)) is not None]


def containers(made: Manifests) -> Iterator[Manifest]:
    for pod in templates(made):
        yield from pod["spec"].get("initContainers", ())
        yield from pod["spec"]["containers"]


def environment(made: Manifests, component: str) -> dict[str, str]:
    """The plain variables of a component's only container, as the manifest writes them."""
    [pod] = [pod for pod in templates(made) if pod["metadata"]["labels"]["app.kubernetes.io/component"] == component]
    [container] = pod["spec"]["containers"]
    return {item["name"]: item["value"] for item in container["env"] if "value" in item}


def leaves(item: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that isn't a mapping or a list, with where it stands."""
    if isinstance(item, dict):
        yield f"{path}/{{}}", sorted(item)
        for key, value in item.items():
            yield from leaves(value, f"{path}/{key}")
    elif isinstance(item, list):
        yield f"{path}/[]", len(item)
        for number, value in enumerate(item):
            yield from leaves(value, f"{path}/{number}")
    else:
        yield path, item
