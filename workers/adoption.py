"""Adoption: reads the store of an orphaned namespace back from the cluster, for `storefleet adopt`."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from runtime.settings import ClusterProfile
from stores.adoption import DiscoveredStore
from stores.engines import Engine, StoreSpec
from stores.models import Store
from stores.specs import store_spec
from workers.cluster.client import Cluster
from workers.cluster.errors import NotFound
from workers.engines import description
from workers.engines.labels import ACCOUNT, STORE, namespace_name
from workers.orphans import store_id_of


class AdoptionError(Exception):
    """The namespace can't be adopted; one line that says why."""


async def discover_store(cluster: Cluster, name: str) -> DiscoveredStore:
    """The store as its namespace and its ConfigMap describe it. Raises AdoptionError, ClusterError."""
    try:
        namespace = await cluster.get("Namespace", name)
        config_map = await cluster.get("ConfigMap", description.NAME, name)
    except NotFound as error:
        raise AdoptionError(f"{error.message}; storefleet doctor lists the namespaces that can be adopted") from None
    metadata, store_id = namespace["metadata"], store_id_of(namespace)
    if store_id is None or metadata["name"] != namespace_name(store_id):
        raise AdoptionError(f"the label {STORE} of the namespace {name} doesn't name its store")
    if metadata.get("deletionTimestamp"):
        raise AdoptionError(f"the namespace {name} is being deleted")
    try:
        account_id = UUID(metadata["labels"][ACCOUNT])
    except (KeyError, ValueError):
        raise AdoptionError(f"the label {ACCOUNT} of the namespace {name} doesn't name an account") from None
    created_at = datetime.fromisoformat(metadata["creationTimestamp"])
    return DiscoveredStore(
        store_id, account_id, metadata["uid"], created_at, description.read_store_config_map(config_map)
    )


async def recover_secrets(cluster: Cluster, store: Store, engine: Engine, profile: ClusterProfile) -> Mapping[str, str]:
    """The store's secrets by field name, read from its Secrets. Raises AdoptionError, ClusterError."""
    spec = store_spec(store)
    locations = secret_locations(engine, spec, profile)
    namespace = namespace_name(store.id)
    secrets = {
        name: await _secret_data(cluster, name, namespace) for name in sorted({name for name, _ in locations.values()})
    }
    values = {}
    for field in engine.secrets:
        if field.name not in locations:
            raise AdoptionError(f"{engine.title} puts {field.name} where it can't be read from")
        name, key = locations[field.name]
        if key not in secrets[name]:
            raise AdoptionError(f"the Secret {name} in {namespace} lacks {key}: add it, or delete the namespace")
        values[field.name] = secrets[name][key]
    claims, _ = await cluster.list("PersistentVolumeClaim", namespace)
    live = {claim["metadata"]["name"] for claim in claims if not claim["metadata"].get("deletionTimestamp")}
    for item in engine.render(spec, values, profile).resources:
        if item["kind"] == "PersistentVolumeClaim" and item["metadata"]["name"] not in live:
            raise AdoptionError(
                f"the disk {item['metadata']['name']} in {namespace} is gone or going, and its data with it"
            )
    return values


def secret_locations(engine: Engine, spec: StoreSpec, profile: ClusterProfile) -> dict[str, tuple[str, str]]:
    """(name of the Secret, key) of each secret field. Found by rendering the manifests with placeholders."""
    placeholders = {field.name: f"placeholder-{field.name}" for field in engine.secrets}
    values = {
        (item["metadata"]["name"], key): base64.b64decode(value).decode()
        for item in engine.render(spec, placeholders, profile).resources
        if item["kind"] == "Secret"
        for key, value in item["data"].items()
    }
    return {
        field: location
        for field, placeholder in placeholders.items()
        for location, value in values.items()
        if value == placeholder
    }


async def _secret_data(cluster: Cluster, name: str, namespace: str) -> dict[str, str]:
    try:
        secret = await cluster.get("Secret", name, namespace)
        return {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}
    except NotFound:
        return {}
    except (binascii.Error, UnicodeDecodeError) as error:
        raise AdoptionError(f"the Secret {name} in {namespace} isn't as we made it: {error}") from None
