"""Namespaces of ours that no row knows, as after an old database was restored. They are reported, never deleted."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.settings import ClusterProfile
from stores.adoption import Found
from stores.engines import Engine, Manifest, StoreSpec
from stores.models import Store
from stores.plans import PLANS
from workers.cluster.client import Cluster
from workers.cluster.errors import NotFound
from workers.engines import description
from workers.engines.labels import ACCOUNT, MANAGED, STORE, namespace_name


class Unadoptable(Exception):
    """The namespace can't be taken back as it is; one line that says why."""


def store_of(item: Manifest) -> UUID | None:
    """The store that the label names; anybody could have written it."""
    try:
        return UUID(item["metadata"]["labels"][STORE])
    except (KeyError, ValueError):
        return None


async def unknown(session: AsyncSession, ids: Iterable[UUID]) -> set[UUID]:
    """Those that no row has."""
    wanted = set(ids)
    known = await session.scalars(select(Store.id).where(Store.id.in_(wanted)))
    return wanted - set(known)


async def find_orphans(cluster: Cluster, session: AsyncSession) -> list[str]:
    """The names of the stores' namespaces without a row. Raises ClusterError."""
    namespaces, _ = await cluster.list("Namespace", labels=MANAGED)
    ids = {store_id for item in namespaces if (store_id := store_of(item)) is not None}
    return sorted(map(namespace_name, await unknown(session, ids)))


async def find(cluster: Cluster, name: str) -> Found:
    """What the namespace says of its store. Raises Unadoptable, ClusterError."""
    try:
        namespace = await cluster.get("Namespace", name)
        config_map = await cluster.get("ConfigMap", description.NAME, name)
    except NotFound as error:
        raise Unadoptable(f"{error.message}; storefleet doctor lists the namespaces that can be taken back") from None
    metadata, store_id = namespace["metadata"], store_of(namespace)
    if store_id is None or metadata["name"] != namespace_name(store_id):
        raise Unadoptable(f"the label {STORE} of the namespace {name} doesn't name its store")
    if metadata.get("deletionTimestamp"):
        raise Unadoptable(f"the namespace {name} is being deleted")
    try:
        account_id = UUID(metadata["labels"][ACCOUNT])
    except (KeyError, ValueError):
        raise Unadoptable(f"the label {ACCOUNT} of the namespace {name} doesn't name an account") from None
    created_at = datetime.fromisoformat(metadata["creationTimestamp"])
    return Found(store_id, account_id, metadata["uid"], created_at, description.read(config_map))


async def recover(
    cluster: Cluster, found: Found, engines: Mapping[str, Engine], profile: ClusterProfile
) -> Mapping[str, str]:
    """The store's secrets by field, from the Secrets that were made of them. Raises Unadoptable, ClusterError."""
    told = found.description
    engine = engines.get(told["engine"])
    if engine is None or told["release"] not in engine.releases or told["plan"] not in PLANS:
        raise Unadoptable(
            f"this version knows no {told['engine'] or 'such store'} {told['release']} of the plan {told['plan']!r}"
        )
    spec = StoreSpec(
        store_id=found.store_id,
        account_id=found.account_id,
        name=told["name"],
        slug=told["slug"],
        plan=PLANS[told["plan"]],
        release=told["release"],
        admin_email=told["adminEmail"],
        country=told["country"],
        currency=told["currency"],
        language=told["language"],
        setup=told["setup"],
    )
    places = secret_places(engine, spec, profile)
    namespace = namespace_name(found.store_id)
    secrets = {name: await _secret(cluster, name, namespace) for name in sorted({name for name, _ in places.values()})}
    values = {}
    for field in engine.secrets:
        if field.name not in places:
            raise Unadoptable(f"{engine.title} puts {field.name} where it can't be read from")
        name, key = places[field.name]
        if key not in secrets[name]:
            raise Unadoptable(f"the Secret {name} in {namespace} lacks {key}: put it back, or delete the namespace")
        values[field.name] = secrets[name][key]
    claims, _ = await cluster.list("PersistentVolumeClaim", namespace)
    there = {claim["metadata"]["name"] for claim in claims if not claim["metadata"].get("deletionTimestamp")}
    for item in engine.render(spec, values, profile).workloads:
        if item["kind"] == "PersistentVolumeClaim" and item["metadata"]["name"] not in there:
            raise Unadoptable(
                f"the disk {item['metadata']['name']} in {namespace} is gone or going, and its data with it"
            )
    return values


def secret_places(engine: Engine, spec: StoreSpec, profile: ClusterProfile) -> dict[str, tuple[str, str]]:
    """Where each of the engine's secrets ends up: (Secret, key). Found by rendering with marks in their place."""
    marks = {field.name: f"mark-of-{field.name}" for field in engine.secrets}
    values = {
        (item["metadata"]["name"], key): base64.b64decode(value).decode()
        for item in engine.render(spec, marks, profile).workloads
        if item["kind"] == "Secret"
        for key, value in item["data"].items()
    }
    return {field: place for field, mark in marks.items() for place, value in values.items() if value == mark}


async def _secret(cluster: Cluster, name: str, namespace: str) -> dict[str, str]:
    try:
        secret = await cluster.get("Secret", name, namespace)
        return {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}
    except NotFound:
        return {}
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Unadoptable(f"the Secret {name} in {namespace} isn't as we made it: {error}") from None
