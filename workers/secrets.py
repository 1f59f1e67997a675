"""A store's secrets: generated once, sealed in PostgreSQL before they reach the cluster, unsealed to render."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.sealing import Keyring, UnsealError
from stores.engines import Engine, SecretField, pending_field
from stores.models import SealedSecret, Store
from workers.context import Context


async def ensure_secrets(session: AsyncSession, context: Context, store: Store, engine: Engine) -> dict[str, str]:
    """The values by field name. Missing values are generated and sealed; existing values never change.

    During a password rotation they include the pending password, under the name `pending_field` gives.
    The caller commits before it uses the values. Raises UnsealError.
    """
    rows = await session.scalars(select(SealedSecret).where(SealedSecret.store_id == store.id))
    sealed = {row.field: row.sealed for row in rows}
    values = {}
    fields = list(engine.secrets)
    if store.rotating is not None:
        fields.append(replace(engine.admin_password_field, name=pending_field(engine.admin_password_field.name)))
    for field in fields:
        keys = _keys(context, field)
        if field.name in sealed:
            values[field.name] = keys.unseal(store.id, field.name, sealed[field.name])
        else:
            values[field.name] = field.generate()
            seal = keys.seal(store.id, field.name, values[field.name])
            session.add(SealedSecret(store_id=store.id, field=field.name, sealed=seal))
    return values


def _keys(context: Context, field: SecretField) -> Keyring:
    return context.admin_keys if field.revealable else context.worker_keys


async def open_all_secrets(session: AsyncSession, context: Context, store_id: UUID) -> list[str]:
    """All values of the store, also those that its engine no longer asks for. Raises UnsealError."""
    rows = await session.scalars(select(SealedSecret).where(SealedSecret.store_id == store_id))
    return [_unseal(context, row) for row in rows]


def _unseal(context: Context, row: SealedSecret) -> str:
    try:
        return context.admin_keys.unseal(row.store_id, row.field, row.sealed)
    except UnsealError:
        return context.worker_keys.unseal(row.store_id, row.field, row.sealed)
