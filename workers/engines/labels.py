"""Names, labels and annotations of a store's objects."""

from uuid import UUID

from stores.engines import Manifest, StoreSpec

STORE = "storefleet.dev/store"
ACCOUNT = "storefleet.dev/account"
RELEASE = "storefleet.dev/release"
HOST = "storefleet.dev/host"
CONFIG = "storefleet.dev/config"
"""Annotation of a pod: the hash of its ConfigMap's files, so that a changed file replaces the pod."""
COMPONENT = "app.kubernetes.io/component"
UPLOADS_COLOCATION = "storefleet.dev/uploads"
"""Label of pods that mount the uploads' volume: they run on one node."""
CRON = "cron"
"""The component of a CronJob. Its Jobs count neither as a step nor for the store's health."""
MANAGED = "app.kubernetes.io/managed-by=storefleet"
"""The label selector of all objects that Storefleet manages."""


def namespace_name(store_id: UUID) -> str:
    """Built from the id only, never from text of the merchant."""
    return f"store-{store_id}"


def labels(spec: StoreSpec, engine: str, component: str | None = None) -> dict[str, str]:
    """The labels of a store's object. With `component`, also the label that `selector` selects."""
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
    """matchLabels of a component's pods within the store's namespace."""
    return {COMPONENT: component}


def metadata(spec: StoreSpec, engine: str, name: str, component: str | None = None) -> Manifest:
    """metadata of an object in the store's namespace."""
    return {
        "name": name,
        "namespace": namespace_name(spec.store_id),
        "labels": labels(spec, engine, component),
        "annotations": {RELEASE: spec.release},
    }
