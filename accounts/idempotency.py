"""A mutation repeated under its key acts once: the first one's object is the answer to all.

`remember` comes first in the transaction. Its row is the lock: who comes second waits for the first to commit (then
replays) or to roll back (then acts). Only successes stay, since a failure rolls back.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.errors import CallerError, Code
from accounts.models import IdempotencyKey

MAX_KEY = 255
KEPT = timedelta(hours=24)


async def remember(
    session: AsyncSession,
    actor: Actor,
    account_id: UUID,
    mutation: str,
    key: str,
    given: Mapping[str, Any],
    result: UUID,
) -> UUID | None:
    """None: go on, and make the object with the id `result`. Otherwise the id that the first call made.

    Raises CallerError when the key is no key, or stands for another input.
    """
    if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
        message = f"Give an idempotency key of 1 to {MAX_KEY} printable characters, or none."
        raise CallerError(Code.INVALID_IDEMPOTENCY_KEY, "idempotencyKey", message)
    input_hash = hashlib.sha256(json.dumps(given, sort_keys=True, default=str).encode()).digest()
    where = (
        IdempotencyKey.account_id == account_id,
        IdempotencyKey.actor == actor.name,
        IdempotencyKey.mutation == mutation,
        IdempotencyKey.key == key,
    )
    await session.execute(delete(IdempotencyKey).where(*where, IdempotencyKey.created_at < func.now() - KEPT))
    added = await session.execute(
        insert(IdempotencyKey)
        .values(
            account_id=account_id, actor=actor.name, mutation=mutation, key=key, input_hash=input_hash, result_id=result
        )
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.result_id)
    )
    if added.scalar() is not None:
        return None
    first = (await session.execute(select(IdempotencyKey.input_hash, IdempotencyKey.result_id).where(*where))).one()
    if first.input_hash != input_hash:
        message = "This idempotency key was used with another input. Use a new key for a new request."
        raise CallerError(Code.IDEMPOTENCY_KEY_REUSED, "idempotencyKey", message)
    result_id: UUID = first.result_id
    return result_id


async def forget_old(session: AsyncSession) -> None:
    """Delete what is older than KEPT; called now and then by a worker."""
    await session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < func.now() - KEPT))
