"""When API tokens and sessions were last used: written in the background, at most once a minute for each of them.

Authentication never waits for it, and it never waits for a lock: a row that is locked is left out.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from sqlalchemy import func, or_, select, update

from accounts.actors import Actor
from accounts.models import ApiToken, Session
from runtime.database import CONNECTION_ERRORS, SessionFactory

INTERVAL_SECONDS = 60.0
MAX_REMEMBERED = 10_000
"""Credentials. The database's own check keeps the interval for those that were forgotten."""

log = structlog.get_logger()


class LastUsed:
    """Records the use of credentials, for one process."""

    def __init__(self, sessions: SessionFactory) -> None:
        self._sessions = sessions
        self._recorded: dict[bytes, float] = {}
        """Monotonic time of the latest record, by credential."""
        self._tasks: set[asyncio.Task[None]] = set()

    def record(self, actor: Actor) -> None:
        """The actor's credential is used now. Returns at once."""
        now = time.monotonic()
        if now - self._recorded.get(actor.credential, -INTERVAL_SECONDS) < INTERVAL_SECONDS:
            return
        if len(self._recorded) >= MAX_REMEMBERED:
            self._recorded.clear()
        self._recorded[actor.credential] = now
        task = asyncio.create_task(self._write(actor))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, actor: Actor) -> None:
        table = ApiToken if actor.kind == "token" else Session
        stale = or_(table.last_used_at.is_(None), table.last_used_at < func.now() - timedelta(seconds=INTERVAL_SECONDS))
        unlocked = (
            select(table.token_hash)
            .where(table.token_hash == actor.credential, stale)
            .with_for_update(skip_locked=True, key_share=True)
        )
        try:
            async with self._sessions.begin() as session:
                await session.execute(
                    update(table).where(table.token_hash.in_(unlocked)).values(last_used_at=func.now()),
                    execution_options={"synchronize_session": False},
                )
        except CONNECTION_ERRORS as error:
            log.warning("last_used.database_unavailable", error=type(error).__name__)
        except Exception:
            log.exception("last_used.failed")

    async def close(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._tasks)


@asynccontextmanager
async def record_last_used(sessions: SessionFactory) -> AsyncIterator[LastUsed]:
    """A LastUsed that is closed at the end of the block."""
    last_used = LastUsed(sessions)
    try:
        yield last_used
    finally:
        await last_used.close()
