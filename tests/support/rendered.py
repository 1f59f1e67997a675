"""Rendered stores for the tests of engines, and functions to find objects in them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from runtime.settings import ClusterProfile
from stores.engines import Engine, Manifest, Manifests, StoreSpec, pending_field
from stores.plans import PLANS
from tests.support import toy_engine
from workers.engines import medusa, sample, woocommerce

ENGINES = {
    "woocommerce": woocommerce.ENGINE,
    "medusa": medusa.ENGINE,
    "toy": toy_engine.ENGINE,
    "sample": sample.ENGINE,
}
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


def secret_values(engine: Engine, ending: str = "") -> dict[str, str]:
    """Recognisable values of all secrets, with the pending password if the engine rotates it. `ending`: a suffix."""
    names = [field.name for field in engine.secrets] + [
        pending_field(engine.admin_password_field.name)
    ] * engine.rotates
    return {name: f"secret-{name}{ending}" for name in names}


def render(
    engine: Engine = woocommerce.ENGINE, cluster: ClusterProfile | None = None, ending: str = "", **changes: Any
) -> Manifests:
    """A store of the engine. `ending`: of its secrets; `changes`: of its spec."""
    assert engine.render is not None
    return engine.render(spec(**changes), secret_values(engine, ending), cluster or profile())


def objects(manifests: Manifests) -> list[Manifest]:
    """All objects, in the order in which they are applied."""
    jobs = [job for job in (manifests.install, manifests.proof) if job is not None]
    return [manifests.namespace, *manifests.isolation, *manifests.resources, *jobs, *(manifests.rotation or ())]


def of_kind(manifests: Manifests, kind: str) -> list[Manifest]:
    return [item for item in objects(manifests) if item["kind"] == kind]


def get_object(manifests: Manifests, kind: str, name: str) -> Manifest:
    """The one of that kind and name."""
    [item] = [item for item in of_kind(manifests, kind) if item["metadata"]["name"] == name]
    return item


def template(item: Manifest) -> Manifest | None:
    """The pod template of a workload; None for other objects."""
    spec = item.get("spec", {})
    found: Manifest | None = spec.get("jobTemplate", {}).get("spec", spec).get("template")
    return found


def templates(manifests: Manifests) -> list[Manifest]:
    return [found for item in objects(manifests) if (found := template(item)) is not None]


def containers(manifests: Manifests) -> Iterator[Manifest]:
    for pod in templates(manifests):
        yield from pod["spec"].get("initContainers", ())
        yield from pod["spec"]["containers"]


def environment(manifests: Manifests, component: str) -> dict[str, str]:
    """The literal variables of a component's only container, unexpanded."""
    [pod] = [
        pod for pod in templates(manifests) if pod["metadata"]["labels"]["app.kubernetes.io/component"] == component
    ]
    [container] = pod["spec"]["containers"]
    return {item["name"]: item["value"] for item in container["env"] if "value" in item}


def leaves(item: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path, value) of every scalar, and (path, keys or length) of every mapping and list."""
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
