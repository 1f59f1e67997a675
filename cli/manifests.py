"""`storefleet manifests STORE`: a store's Kubernetes objects, as YAML for kubectl apply."""

import sys
from uuid import UUID

import yaml
from sqlalchemy import or_, select

from accounts.errors import CallerError
from cli import output
from runtime.database import session_factory
from runtime.sealing import Keyring, UnsealError
from runtime.settings import ClusterProfile, Settings
from stores.engines import Engine, Manifests, load_engines, require_engine
from stores.models import SealedSecret, Slug, Store
from stores.specs import store_spec


async def manifests(settings: Settings, profile: ClusterProfile, slug_or_id: str, *, secrets: bool) -> int:
    """Print the manifests. Returns the exit code: 1 when the store doesn't exist or a secret can't be unsealed.

    Without `secrets`, there are no Secrets and no values that follow from secrets, because output is often kept. Jobs
    are left out: the worker names each attempt.
    """
    try:
        store_id = UUID(slug_or_id)
    except ValueError:
        store_id = None
    async with session_factory(settings.direct_database_url, 2) as sessions, sessions() as session:
        store = await session.scalar(
            select(Store)
            .outerjoin(Slug, Slug.store_id == Store.id)
            .where(or_(Store.id == store_id, Slug.slug == slug_or_id))
            .limit(1)
        )
        if store is None:
            output.error(f"there is no store {slug_or_id!r}")
            return 1
        sealed = await session.scalars(select(SealedSecret).where(SealedSecret.store_id == store.id))
        rows = {row.field: row.sealed for row in sealed}
    try:
        engine = require_engine(load_engines(settings.engines), store.engine)
    except CallerError as error:
        output.error(error.message)
        return 1
    try:
        values = _unseal(settings, engine, store.id, rows) if secrets else dict.fromkeys(_secret_names(engine), "")
    except (UnsealError, KeyError) as error:
        output.error(f"the store's secrets can't be unsealed: {error}")
        return 1
    profile = profile if secrets else profile.model_copy(update={"smtp_url": None})
    rendered: Manifests = engine.render(store_spec(store), values, profile)
    objects = [rendered.namespace, *rendered.isolation, *rendered.resources]
    printed = [item for item in objects if secrets or item["kind"] != "Secret"]
    yaml.safe_dump_all(printed, sys.stdout, sort_keys=False, allow_unicode=True)
    return 0


def _secret_names(engine: Engine) -> list[str]:
    return [field.name for field in engine.secrets]


def _unseal(settings: Settings, engine: Engine, store_id: UUID, rows: dict[str, str]) -> dict[str, str]:
    admin_keys = Keyring.parse(settings.admin_keys.get_secret_value())
    if settings.worker_keys is None:
        raise UnsealError("STOREFLEET_WORKER_KEYS is not set")
    worker_keys = Keyring.parse(settings.worker_keys.get_secret_value())
    return {
        field.name: (admin_keys if field.revealable else worker_keys).unseal(store_id, field.name, rows[field.name])
        for field in engine.secrets
    }
