"""A store's secrets: made once, sealed in Postgres before the cluster hears of them, opened to render."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.sealing import Keyring, SealError
from stores.engines import Engine, SecretField, next_of
from stores.models import SealedSecret, Store
from workers.context import Context


async def make_and_open(session: AsyncSession, context: Context, store: Store, engine: Engine) -> dict[str, str]:
    """The values by field name; what the engine asks for and the store doesn't have is generated and sealed.

    While a password is being changed the next one is among them, under `next_of` its field. Commit before using them.
    Existing values never change. Raises SealError.
    """
    rows = await session.scalars(select(SealedSecret).where(SealedSecret.store_id == store.id))
    sealed = {row.field: row.sealed for row in rows}
    values = {}
    wanted = list(engine.secrets)
    if store.rotating is not None:
        wanted.append(replace(engine.shown, name=next_of(engine.shown.name)))
    for field in wanted:
        keys = _keys(context, field)
        if field.name in sealed:
            values[field.name] = keys.open(store.id, field.name, sealed[field.name])
        else:
            values[field.name] = field.generate()
            seal = keys.seal(store.id, field.name, values[field.name])
            session.add(SealedSecret(store_id=store.id, field=field.name, sealed=seal))
    return values


def _keys(context: Context, field: SecretField) -> Keyring:
    return context.shown_keys if field.shown else context.hidden_keys


async def open_all(session: AsyncSession, context: Context, store_id: UUID) -> list[str]:
    """Every value that the store has, whatever its engine asks for by now. Raises SealError."""
    rows = await session.scalars(select(SealedSecret).where(SealedSecret.store_id == store_id))
    return [_open(context, row) for row in rows]


def _open(context: Context, row: SealedSecret) -> str:
    try:
        return context.shown_keys.open(row.store_id, row.field, row.sealed)
    except SealError:
        return context.hidden_keys.open(row.store_id, row.field, row.sealed)
