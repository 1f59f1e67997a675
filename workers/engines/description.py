"""What a store is, written down in its own namespace: enough to make its row again when a database is restored old."""

from collections.abc import Mapping

from stores.engines import Manifest, StoreSpec
from workers.engines.labels import metadata

NAME = "store"


def describe(spec: StoreSpec, engine: str) -> Manifest:
    """A ConfigMap of all that the manifests depend on, but for the secrets and the cluster."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(spec, engine, NAME),
        "data": {
            "name": spec.name,
            "slug": spec.slug,
            "engine": engine,
            "release": spec.release,
            "plan": spec.plan.name,
            "adminEmail": spec.admin_email,
            "country": spec.country,
            "currency": spec.currency,
            "language": spec.language,
            "setup": spec.setup,
        },
    }


def read(config_map: Manifest) -> Mapping[str, str]:
    """The same values by the same names; those that somebody removed are empty, or what stores have by default."""
    data = {"language": "en-US", "setup": "ready", **(config_map.get("data") or {})}
    names = ("name", "slug", "engine", "release", "plan", "adminEmail", "country", "currency", "language", "setup")
    return {name: str(data.get(name, "")) for name in names}
