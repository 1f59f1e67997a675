"""Guessing passwords is slow: so many tries in a window for an e-mail address, and so many from an IP address."""

from datetime import timedelta

from sqlalchemy import case, delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models import SignInThrottle

TRIES = 10
WINDOW = timedelta(minutes=15)


async def count_try(session: AsyncSession, keys: list[str]) -> bool:
    """Count a try for each key (`email:…`, `ip:…`) before it is made; False: too many, don't make it.

    Counting first means that tries made at the same time can't all slip through. Commit right after.
    """
    running = SignInThrottle.window_ends > func.now()
    allowed = True
    for key in sorted(keys):  # always in one order, so that two calls can't wait for each other
        tries = await session.scalar(
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
        allowed = allowed and (tries or 0) <= TRIES
    return allowed


async def forgive(session: AsyncSession, keys: list[str]) -> None:
    """The try was right: it doesn't count."""
    for key in sorted(keys):
        await session.execute(
            update(SignInThrottle)
            .where(SignInThrottle.key == key, SignInThrottle.tries > 0)
            .values(tries=SignInThrottle.tries - 1)
        )


async def forget_old(session: AsyncSession) -> None:
    """Delete windows that ended; called now and then by a worker."""
    await session.execute(delete(SignInThrottle).where(SignInThrottle.window_ends < func.now()))
