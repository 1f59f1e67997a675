"""Passwords: argon2id, off the event loop, a few at a time because each takes 64 MiB."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 10
MAX_LENGTH = 200

_hasher = PasswordHasher()
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
_costs = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
DUMMY_HASH = f"$argon2id$v=19${_costs}${'A' * 22}${'A' * 43}"
"""Matches no password. Verified for an unknown e-mail address, so that the response time doesn't reveal users."""


def password_problem(password: str) -> str | None:
    """Why the password is refused, or None."""
    if len(password) < MIN_LENGTH:
        return f"must have at least {MIN_LENGTH} characters"
    if len(password) > MAX_LENGTH:
        return f"must have at most {MAX_LENGTH} characters"
    return None


async def hash_password(password: str) -> str:
    """An argon2id hash with its parameters and salt inside."""
    return await asyncio.get_running_loop().run_in_executor(_pool, _hasher.hash, password)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


async def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether the password matches. None (an unknown user) takes as long and never matches."""
    matches = await asyncio.get_running_loop().run_in_executor(_pool, _verify, password_hash or DUMMY_HASH, password)
    return matches and password_hash is not None
