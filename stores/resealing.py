"""Rotation of sealing keys: seals secrets again after another key became the first of its ring.

See docs/OPERATIONS.md.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.sealing import Keyring, UnsealError
from stores.models import SealedSecret, Store
from stores.webhooks.models import WebhookSecret
from stores.webhooks.secrets import FIELD

BATCH_SIZE = 50
"""Stores in a transaction."""


@dataclass(frozen=True)
class Batch:
    """What one transaction did."""

    last: UUID
    """The store, or the secret of a webhook, at which the next batch continues."""
    current: int
    """Secrets that the first key had sealed already."""
    resealed: int
    unreadable: list[str]
    """`store or webhook id: problem` of each secret that no key opens."""


async def reseal_batch(
    session: AsyncSession, admin_keys: Keyring, worker_keys: Keyring, revealable: Collection[str], after: UUID | None
) -> Batch | None:
    """Seal the secrets of the stores that follow `after` with the first key of their ring; None: no store follows.

    `revealable`: the names of the fields that the admin keys seal. The stores are locked, as a worker locks a store
    before it writes secrets. The caller commits.
    """
    query = select(Store.id).order_by(Store.id).limit(BATCH_SIZE).with_for_update(key_share=True)
    ids = (await session.scalars(query if after is None else query.where(Store.id > after))).all()
    if not ids:
        return None
    rows = (await session.scalars(select(SealedSecret).where(SealedSecret.store_id.in_(ids)))).all()
    resealed, unreadable = 0, []
    for row in rows:
        rings = (admin_keys, worker_keys) if row.field in revealable else (worker_keys, admin_keys)
        try:
            value = _reseal(row.store_id, row.field, row.sealed, rings)
        except UnsealError as error:
            unreadable.append(f"{row.store_id}: {error}")
        else:
            resealed += value is not None
            row.sealed = value or row.sealed
    return Batch(ids[-1], len(rows) - resealed - len(unreadable), resealed, unreadable)


async def reseal_webhooks(
    session: AsyncSession, admin_keys: Keyring, worker_keys: Keyring, after: UUID | None
) -> Batch | None:
    """The same for the secrets of webhooks, which the admin keys seal. A rotation never changes a sealed secret."""
    query = select(WebhookSecret).order_by(WebhookSecret.id).limit(BATCH_SIZE).with_for_update(key_share=True)
    rows = (await session.scalars(query if after is None else query.where(WebhookSecret.id > after))).all()
    if not rows:
        return None
    resealed, unreadable = 0, []
    for row in rows:
        try:
            value = _reseal(row.webhook_id, FIELD, row.sealed, (admin_keys, worker_keys))
        except UnsealError as error:
            unreadable.append(f"{row.webhook_id}: {error}")
        else:
            resealed += value is not None
            row.sealed = value or row.sealed
    return Batch(rows[-1].id, len(rows) - resealed - len(unreadable), resealed, unreadable)


def _reseal(owner_id: UUID, field: str, sealed: str, rings: tuple[Keyring, Keyring]) -> str | None:
    """The secret, sealed by the first ring that opens it; None: that is done. Raises UnsealError: none opens it."""
    problem = UnsealError()
    for keys in rings:
        try:
            value = keys.unseal(owner_id, field, sealed)
        except UnsealError as error:
            problem = error
            continue
        return None if keys.is_current(sealed) else keys.seal(owner_id, field, value)
    raise problem
