"""The ConfigMap `store`: a store's settings in its own namespace, from which `storefleet adopt` restores its row."""

from collections.abc import Callable, Mapping

from stores.engines import Manifest, StoreSpec
from workers.engines.labels import metadata

NAME = "store"
VALUES: Mapping[str, Callable[[StoreSpec, str], str]] = {
    "name": lambda spec, _: spec.name,
    "slug": lambda spec, _: spec.slug,
    "engine": lambda _, engine: engine,
    "release": lambda spec, _: spec.release,
    "plan": lambda spec, _: spec.plan.name,
    "adminEmail": lambda spec, _: spec.admin_email,
    "country": lambda spec, _: spec.country,
    "currency": lambda spec, _: spec.currency,
    "language": lambda spec, _: spec.language,
    "setup": lambda spec, _: spec.setup,
}
"""By name in the ConfigMap: its value for a spec and the engine's name."""
DEFAULTS = {"language": "en-US", "setup": "ready"}
"""Values of ConfigMaps that were written before these names existed."""


def store_config_map(spec: StoreSpec, engine: str) -> Manifest:
    """A ConfigMap of all that the manifests depend on, except the secrets and the cluster's profile."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(spec, engine, NAME),
        "data": {name: value(spec, engine) for name, value in VALUES.items()},
    }


def read_store_config_map(config_map: Manifest) -> Mapping[str, str]:
    """The VALUES of such a ConfigMap by name. A missing value is the default, or empty."""
    data = {**DEFAULTS, **(config_map.get("data") or {})}
    return {name: str(data.get(name, "")) for name in VALUES}
