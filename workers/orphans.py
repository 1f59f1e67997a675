"""Orphans: namespaces of stores without a row, after an old database was restored. They are reported, never deleted."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.settings import ClusterProfile
from stores.adoption import DiscoveredStore
from stores.engines import Engine, Manifest, StoreSpec
from stores.models import Store
from stores.specs import store_spec
from workers.cluster.client import Cluster
from workers.cluster.errors import NotFound
from workers.engines import description
from workers.engines.labels import ACCOUNT, MANAGED, STORE, namespace_name


class AdoptionError(Exception):
    """The namespace can't be adopted; one line that says why."""


def store_id_of(item: Manifest) -> UUID | None:
    """The store id in the label, None if malformed. Not trusted: any user of the cluster may have written it."""
    try:
        return UUID(item["metadata"]["labels"][STORE])
    except (KeyError, ValueError):
        return None


async def missing_rows(session: AsyncSession, ids: Iterable[UUID]) -> set[UUID]:
    """The ids without a row."""
    wanted = set(ids)
    known = await session.scalars(select(Store.id).where(Store.id.in_(wanted)))
    return wanted - set(known)


async def find_orphans(cluster: Cluster, session: AsyncSession) -> list[str]:
    """The names of the orphaned namespaces, sorted. Raises ClusterError."""
    namespaces, _ = await cluster.list("Namespace", labels=MANAGED)
    ids = {store_id for item in namespaces if (store_id := store_id_of(item)) is not None}
    return sorted(map(namespace_name, await missing_rows(session, ids)))


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
