"""Idempotency keys: a mutation repeated with its key acts once, and all calls get the object of the first one.

`claim_idempotency_key` comes first in the transaction. Its row is the lock: a parallel call waits until the first one
commits (then it gets that object) or rolls back (then it acts). A failed mutation rolls back, and stores no key.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.errors import CallerError, Code
from accounts.models import IdempotencyKey

MAX_KEY = 255
RETENTION = timedelta(hours=24)


async def claim_idempotency_key(
    session: AsyncSession,
    actor: Actor,
    account_id: UUID,
    mutation: str,
    key: str,
    arguments: Mapping[str, Any],
    result: UUID,
) -> UUID | None:
    """None: the first call, which creates the object `result`. Otherwise the id of the first call's object.

    Raises CallerError: the key is malformed, or it was used with another input.
    """
    _check_key(key)
    input_hash = hashlib.sha256(json.dumps(arguments, sort_keys=True, default=str).encode()).digest()
    first_call = {"input_hash": input_hash, "result_id": result, "created_at": func.now()}
    added = await session.execute(
        insert(IdempotencyKey)
        .values(account_id=account_id, actor=actor.name, mutation=mutation, key=key, **first_call)
        .on_conflict_do_update(
            index_elements=IdempotencyKey.__table__.primary_key,
            set_=first_call,
            where=IdempotencyKey.created_at < func.now() - RETENTION,
        )
        .returning(IdempotencyKey.result_id)
    )
    if added.scalar() is not None:
        return None
    columns = (IdempotencyKey.input_hash, IdempotencyKey.result_id)
    first = (await session.execute(select(*columns).where(*_row(actor, account_id, mutation, key)))).one()
    if first.input_hash != input_hash:
        message = "This idempotency key was used with another input. Use a new key for a new request."
        raise CallerError(Code.IDEMPOTENCY_KEY_REUSED, "idempotencyKey", message)
    result_id: UUID = first.result_id
    return result_id


async def is_key_used(session: AsyncSession, actor: Actor, account_id: UUID, mutation: str, key: str) -> bool:
    """Whether a call with the key has acted. For work before the transaction that claims it. Raises CallerError."""
    _check_key(key)
    recent = IdempotencyKey.created_at >= func.now() - RETENTION
    query = select(IdempotencyKey.result_id).where(*_row(actor, account_id, mutation, key), recent)
    return await session.scalar(query) is not None


def _row(actor: Actor, account_id: UUID, mutation: str, key: str) -> tuple[ColumnElement[bool], ...]:
    return (
        IdempotencyKey.account_id == account_id,
        IdempotencyKey.actor == actor.name,
        IdempotencyKey.mutation == mutation,
        IdempotencyKey.key == key,
    )


def _check_key(key: str) -> None:
    if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
        message = f"Give an idempotency key of 1 to {MAX_KEY} printable characters, or none."
        raise CallerError(Code.INVALID_IDEMPOTENCY_KEY, "idempotencyKey", message)


async def delete_expired(session: AsyncSession) -> None:
    """Delete keys older than RETENTION; called by the workers' maintenance."""
    await session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < func.now() - RETENTION))
