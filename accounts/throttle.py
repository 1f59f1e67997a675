"""Throttles sign-in attempts, by e-mail address and by IP address, against guessing of passwords."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from sqlalchemy import ColumnElement, func, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models import SignInThrottle

MAX_ATTEMPTS = 10
MAX_ATTEMPTS_PER_EMAIL = 100
"""From all addresses together: with a lower limit, an attacker could lock a user out. Sign-in links don't count."""
WINDOW = timedelta(minutes=15)

COUNT = text("""
    INSERT INTO sign_in_throttle AS throttle (key, tries, window_ends)
    SELECT unnest(CAST(:keys AS text[])), 1, now() + CAST(:period AS interval)
    ON CONFLICT (key) DO UPDATE SET
        tries = CASE WHEN throttle.window_ends > now() THEN throttle.tries + 1 ELSE 1 END,
        window_ends = CASE WHEN throttle.window_ends > now() THEN throttle.window_ends ELSE excluded.window_ends END
    RETURNING key, tries
""")
"""One statement for all keys: with 40 attempts at once, each further statement delays all other requests."""


async def count_attempt(session: AsyncSession, limits: Mapping[str, int]) -> bool:
    """Count an attempt for each key (`email:…`, `ip:…`) of `limits`. False: too many for a key, refuse the attempt.

    Count before the password is verified, and commit at once, so that parallel attempts can't exceed the limit.
    """
    keys = sorted(limits)  # in one order, so that parallel calls can't deadlock
    counted = await session.execute(COUNT, {"keys": keys, "period": WINDOW})
    return all(tries <= limits[key] for key, tries in counted)


async def refund_attempt(session: AsyncSession, keys: Iterable[str]) -> None:
    """Don't count an attempt that succeeded."""
    for key in sorted(keys):
        await session.execute(
            update(SignInThrottle)
            .where(SignInThrottle.key == key, SignInThrottle.tries > 0)
            .values(tries=SignInThrottle.tries - 1)
        )


def expired() -> ColumnElement[bool]:
    """Windows that have ended; the workers' maintenance deletes them."""
    return SignInThrottle.window_ends < func.now()
