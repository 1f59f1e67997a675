"""Streams an account's events to subscribers. Subscribers that wait for the same events share one query."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

import structlog

from runtime.changefeed import Changefeed
from runtime.database import CONNECTION_ERRORS, SessionFactory
from runtime.jitter import jitter
from stores.events import PAGE_SIZE, events_after, last_seq
from stores.models import Event

RETRY_SECONDS = 1.0

log = structlog.get_logger()


class EventStream:
    """All event streams of a process."""

    def __init__(self, sessions: SessionFactory, changefeed: Changefeed) -> None:
        self._sessions = sessions
        self._changefeed = changefeed
        self._reads: dict[tuple[UUID, int, tuple[int, int]], asyncio.Task[Sequence[Event]]] = {}

    async def follow(self, account_id: UUID, seq: int, *, store_id: UUID | None) -> AsyncGenerator[Event, None]:
        """The account's (or the store's) events after `seq`: the existing ones, then each new one.

        Never ends: an outage of the database only delays events. Raises CONNECTION_ERRORS at the start of a store's.
        """
        with self._changefeed.listen(account_id) as listener:
            if store_id is not None:  # by the store's index: the account's history may be long
                async with self._sessions() as session:
                    until = await last_seq(session, account_id)
                while seq < until:
                    async with self._sessions() as session:
                        page = await events_after(session, account_id, seq, store_id=store_id)
                    for event in page:
                        yield event
                    last = page[-1].seq if page else seq
                    # a short page holds the store's events up to `until` and newer ones
                    seq = last if len(page) == PAGE_SIZE else max(last, until)
            while True:
                listener.clear()
                try:
                    page = await self._read(account_id, seq)
                except CONNECTION_ERRORS:
                    await asyncio.sleep(RETRY_SECONDS * jitter())
                    continue
                for event in page:
                    seq = event.seq
                    if store_id in (None, event.store_id):
                        yield event
                if len(page) < PAGE_SIZE:
                    await listener.wait()

    async def _read(self, account_id: UUID, seq: int) -> Sequence[Event]:
        # a query that began before the latest notification may miss its events: share only queries of this version
        key = (account_id, seq, self._changefeed.version(account_id))
        task = self._reads.get(key)
        if task is None:
            task = self._reads[key] = asyncio.create_task(self._read_page(account_id, seq))
            task.add_done_callback(lambda _task: self._reads.pop(key, None))
        return await asyncio.shield(task)

    async def _read_page(self, account_id: UUID, seq: int) -> Sequence[Event]:
        try:
            async with self._sessions() as session:
                return await events_after(session, account_id, seq)
        except CONNECTION_ERRORS as error:
            log.warning("event_stream.database_unavailable", error=repr(error), hint="its subscribers read again")
            raise
