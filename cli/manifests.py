"""`storefleet manifests STORE`: what a store is made of, as YAML that kubectl apply takes."""

import sys
from uuid import UUID

import yaml
from sqlalchemy import or_, select

from cli import screen
from runtime.database import connect
from runtime.sealing import Keyring, SealError
from runtime.settings import ClusterProfile, Settings
from stores.engines import Engine, Manifests, load_engines
from stores.models import SealedSecret, Slug, Store
from workers.render import spec_of


async def manifests(settings: Settings, profile: ClusterProfile, wanted: str, *, secrets: bool) -> int:
    """Without Secrets, and what follows from them, unless asked for: what is printed is often kept. Without Jobs: the
    worker names them."""
    try:
        store_id = UUID(wanted)
    except ValueError:
        store_id = None
    async with connect(settings.database_url, 2) as sessions, sessions() as session:
        store = await session.scalar(
            select(Store)
            .outerjoin(Slug, Slug.store_id == Store.id)
            .where(or_(Store.id == store_id, Slug.slug == wanted))
            .limit(1)
        )
        if store is None:
            screen.failed(f"there is no store {wanted!r}")
            return 1
        sealed = await session.scalars(select(SealedSecret).where(SealedSecret.store_id == store.id))
        rows = {row.field: row.sealed for row in sealed}
    engine = load_engines(settings.engines)[store.engine]
    try:
        values = _open(settings, engine, store.id, rows) if secrets else dict.fromkeys(_names(engine), "")
    except (SealError, KeyError) as error:
        screen.failed(f"the store's secrets can't be opened: {error}")
        return 1
    known = profile if secrets else profile.model_copy(update={"smtp_url": None})
    made: Manifests = engine.render(spec_of(store), values, known)
    objects = [made.namespace, *made.isolation, *made.workloads]
    kept = [item for item in objects if secrets or item["kind"] != "Secret"]
    yaml.safe_dump_all(kept, sys.stdout, sort_keys=False, allow_unicode=True)
    return 0


def _names(engine: Engine) -> list[str]:
    return [field.name for field in engine.secrets]


def _open(settings: Settings, engine: Engine, store_id: UUID, rows: dict[str, str]) -> dict[str, str]:
    shown = Keyring.parse(settings.admin_keys.get_secret_value())
    if settings.worker_keys is None:
        raise SealError("STOREFLEET_WORKER_KEYS is not set")
    hidden = Keyring.parse(settings.worker_keys.get_secret_value())
    return {
        field.name: (shown if field.shown else hidden).open(store_id, field.name, rows[field.name])
        for field in engine.secrets
    }
