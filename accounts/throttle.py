"""Throttles sign-in attempts, by e-mail address and by IP address, against guessing of passwords."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from sqlalchemy import case, delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models import SignInThrottle

MAX_ATTEMPTS = 10
MAX_ATTEMPTS_PER_EMAIL = 100
"""From all addresses together: a lower limit would let an attacker lock a user out. Sign-in links aren't counted here."""
WINDOW = timedelta(minutes=15)


async def count_attempt(session: AsyncSession, limits: Mapping[str, int]) -> bool:
    """Count an attempt for each key (`email:…`, `ip:…`) of `limits`. False: too many for a key, refuse the attempt.

    Count before the password is verified, and commit at once, so that parallel attempts can't exceed the limit.
    """
    running = SignInThrottle.window_ends > func.now()
    allowed = True
    for key in sorted(limits):  # in one order, so that parallel calls can't deadlock
        attempts = await session.scalar(
            insert(SignInThrottle)
            .values(key=key, tries=1, window_ends=func.now() + WINDOW)
            .on_conflict_do_update(
                index_elements=[SignInThrottle.key],
                set_={
                    "tries": case((running, SignInThrottle.tries + 1), else_=1),
                    "window_ends": case((running, SignInThrottle.window_ends), else_=func.now() + WINDOW),
                },
            )
            .returning(SignInThrottle.tries)
        )
        allowed = allowed and (attempts or 0) <= limits[key]
    return allowed


async def refund_attempt(session: AsyncSession, keys: Iterable[str]) -> None:
    """Don't count an attempt that succeeded."""
    for key in sorted(keys):
        await session.execute(
            update(SignInThrottle)
            .where(SignInThrottle.key == key, SignInThrottle.tries > 0)
            .values(tries=SignInThrottle.tries - 1)
        )


async def delete_expired(session: AsyncSession) -> None:
    """Delete windows that have ended; called by the workers' maintenance."""
    await session.execute(delete(SignInThrottle).where(SignInThrottle.window_ends < func.now()))
