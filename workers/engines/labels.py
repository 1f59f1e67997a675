"""Names and labels by which the platform finds what it made."""

from uuid import UUID

from stores.engines import Manifest, StoreSpec

STORE = "storefleet.dev/store"
ACCOUNT = "storefleet.dev/account"
RELEASE = "storefleet.dev/release"
HOST = "storefleet.dev/host"
CONFIG = "storefleet.dev/config"
"""Of a pod: the hash of the files it is given, so that another file is another pod."""
COMPONENT = "app.kubernetes.io/component"
CRON = "cron"
"""The component whose Jobs come and go by the clock: nobody waits for them, and a store is well without them."""
MANAGED = "app.kubernetes.io/managed-by=storefleet"
"""The selector that finds everything of ours."""


def namespace_name(store_id: UUID) -> str:
    """From the id, never from anything that a merchant can write."""
    return f"store-{store_id}"


def labels(spec: StoreSpec, engine: str, component: str | None = None) -> dict[str, str]:
    """For an object of a store; a component's are also what selects its pods (`selector`)."""
    own = {COMPONENT: component} if component is not None else {}
    return {
        "app.kubernetes.io/name": engine,
        "app.kubernetes.io/instance": str(spec.store_id),
        "app.kubernetes.io/part-of": "storefleet",
        "app.kubernetes.io/managed-by": "storefleet",
        STORE: str(spec.store_id),
        ACCOUNT: str(spec.account_id),
        **own,
    }


def selector(component: str) -> dict[str, str]:
    """Selects a component's pods within the store's namespace."""
    return {COMPONENT: component}


def metadata(spec: StoreSpec, engine: str, name: str, component: str | None = None) -> Manifest:
    """A namespaced object's."""
    return {
        "name": name,
        "namespace": namespace_name(spec.store_id),
        "labels": labels(spec, engine, component),
        "annotations": {RELEASE: spec.release},
    }
