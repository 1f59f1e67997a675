"""Changes of a caller's access while a WebSocket is open: a revoked token, an ended session, an expiry, a changed role.

A trigger of the database notifies of each change of tokens, sessions and memberships (migrations). Every WebSocket
waits in `wait_for_access_change`, and is closed when it returns (api/graphql_socket.py).
"""

import asyncio
from datetime import UTC, datetime
from typing import Literal

import structlog

from accounts.actors import Actor, load_actor
from runtime.changefeed import Changefeed
from runtime.database import CONNECTION_ERRORS, SessionFactory

RETRY_SECONDS = 1.0
EXPIRY_MARGIN_SECONDS = 0.05
"""This process's clock may be ahead of the database's, which decides."""

log = structlog.get_logger()


async def wait_for_access_change(
    sessions: SessionFactory, changefeed: Changefeed, actor: Actor
) -> Literal["ended", "changed"]:
    """Returns when the actor's credential has ended, or when its roles or scopes have changed."""
    with changefeed.listen(*actor.roles, only_access=True) as listener:
        while True:
            listener.clear()
            try:
                current = await load_actor(sessions, actor.credential, actor.kind)
            except CONNECTION_ERRORS as error:
                log.warning("access_check.database_unavailable", error=repr(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if current is None:
                return "ended"
            if (current.roles, current.scopes) != (actor.roles, actor.scopes):
                return "changed"
            try:
                async with asyncio.timeout(_seconds_left(current)):
                    while not listener.access_changed:
                        await listener.wait()
                        listener.clear()
            except TimeoutError:
                continue
            listener.access_changed = False


def _seconds_left(actor: Actor) -> float | None:
    if actor.expires_at is None:
        return None
    return max((actor.expires_at - datetime.now(UTC)).total_seconds(), 0) + EXPIRY_MARGIN_SECONDS
