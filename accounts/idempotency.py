"""Idempotency keys: a mutation repeated with its key acts once, and all calls get the object of the first one.

A key belongs to the account: a call is repeated with any of its credentials. `claim_idempotency_key` comes first in the
transaction. Its row is the lock: a parallel call waits until the first one
commits (then it gets that object) or rolls back (then it acts). A failed mutation rolls back, and stores no key.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.errors import CallerError, Code
from accounts.models import IdempotencyKey

MAX_KEY = 255
RETENTION = timedelta(hours=24)
ACCOUNT = "account"
"""The owner of a key, unless it is an actor's own."""


async def claim_idempotency_key(
    session: AsyncSession,
    account_id: UUID,
    mutation: str,
    key: str,
    arguments: Mapping[str, Any],
    result: UUID,
    *,
    owner: str = ACCOUNT,
) -> UUID | None:
    """None: the first call, which creates the object `result`. Otherwise the id of the first call's object.

    `owner`: ACCOUNT, or the name of an actor whose own key it is. Raises CallerError: the key is malformed, or it was
    used with another input.
    """
    input_hash = hashlib.sha256(json.dumps(arguments, sort_keys=True, default=str).encode()).digest()
    first_call = {"input_hash": input_hash, "result_id": result, "created_at": func.now()}
    while (first := await _first_call(session, account_id, mutation, key, owner)) is None:
        added = await session.execute(
            insert(IdempotencyKey)
            .values(account_id=account_id, actor=owner, mutation=mutation, key=key, **first_call)
            .on_conflict_do_update(  # after a parallel call has ended
                index_elements=IdempotencyKey.__table__.primary_key,
                set_=first_call,
                where=IdempotencyKey.created_at < func.now() - RETENTION,
            )
            .returning(IdempotencyKey.result_id)
        )
        if added.scalar() is not None:
            return None
    if first.input_hash != input_hash:
        message = "This idempotency key was used with another input. Use a new key for a new request."
        raise CallerError(Code.IDEMPOTENCY_KEY_REUSED, "idempotencyKey", message)
    result_id: UUID = first.result_id
    return result_id


async def is_key_used(session: AsyncSession, account_id: UUID, mutation: str, key: str, owner: str) -> bool:
    """Whether a call with the key has acted. For work before the transaction that claims it. Raises CallerError."""
    return await _first_call(session, account_id, mutation, key, owner) is not None


async def _first_call(session: AsyncSession, account_id: UUID, mutation: str, key: str, owner: str) -> Any:
    """Row of `input_hash` and `result_id`, or None. Raises CallerError."""
    _check_key(key)
    query = (
        select(IdempotencyKey.input_hash, IdempotencyKey.result_id)
        .where(
            IdempotencyKey.account_id == account_id,
            IdempotencyKey.mutation == mutation,
            IdempotencyKey.key == key,
            IdempotencyKey.created_at >= func.now() - RETENTION,
        )
        .order_by(IdempotencyKey.created_at)
        .limit(1)
    )
    if owner != ACCOUNT:  # a key of the account: 0.1.0 wrote the actor's name, and may run beside this version
        query = query.where(IdempotencyKey.actor == owner)
    return (await session.execute(query)).one_or_none()


def _check_key(key: str) -> None:
    if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
        message = f"Give an idempotency key of 1 to {MAX_KEY} printable characters, or none."
        raise CallerError(Code.INVALID_IDEMPOTENCY_KEY, "idempotencyKey", message)


def expired() -> ColumnElement[bool]:
    """Keys older than RETENTION; the workers' maintenance deletes them."""
    return IdempotencyKey.created_at < func.now() - RETENTION
