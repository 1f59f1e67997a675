"""Passwords: argon2id, off the event loop, one at a time: argon2 divides each among four threads, in 64 MiB."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from accounts.errors import CallerError, Code

T = TypeVar("T")

MIN_LENGTH = 10
MAX_LENGTH = 200
MAX_QUEUED = 40
"""Hashes that run and wait: a few seconds of the thread."""
RETRY_AFTER_SECONDS = 5
NICENESS = 19
"""Of the thread, and of the threads that argon2 divides a hash among."""

_hasher = PasswordHasher()


def _yield_to_requests() -> None:
    """Gives way to the thread of the event loop: on Linux, each thread has its own priority."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


_pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="argon2", initializer=_yield_to_requests)
_queue: set[asyncio.Future[Any]] = set()
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
    """An argon2id hash with its parameters and salt inside. Raises CallerError RATE_LIMITED."""
    return await _run(_hasher.hash, password)


async def _run(function: Callable[..., T], *arguments: str) -> T:
    """Runs it in the pool. A full queue is an error at once: clients that wait too long try again and add to it."""
    if len(_queue) >= MAX_QUEUED:
        message = "Too many passwords are being checked now. Try again in a few seconds."
        raise CallerError(Code.RATE_LIMITED, None, message, retry_after=RETRY_AFTER_SECONDS)
    future = asyncio.get_running_loop().run_in_executor(_pool, function, *arguments)
    _queue.add(future)
    future.add_done_callback(_queue.discard)
    return await future


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


async def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether the password matches. None (an unknown user) takes as long and never matches.

    Hold no database connection meanwhile. Raises CallerError RATE_LIMITED.
    """
    matches = await _run(_verify, password_hash or DUMMY_HASH, password)
    return matches and password_hash is not None
