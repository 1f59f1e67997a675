"""Following an account's events: each subscriber at its own place, all that wait at one place with one read."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from uuid import UUID

from runtime.changefeed import Changefeed
from runtime.database import Sessions
from stores.events import PAGE, events_after, last_seq
from stores.models import Event


class Tail:
    """Reads events for all subscribers of a process."""

    def __init__(self, sessions: Sessions, changefeed: Changefeed) -> None:
        self._sessions = sessions
        self._changefeed = changefeed
        self._reads: dict[tuple[UUID, int, tuple[int, int]], asyncio.Task[Sequence[Event]]] = {}

    async def follow(
        self,
        account_id: UUID,
        seq: int,
        *,
        store_id: UUID | None,
        may_go_on: Callable[[], Awaitable[bool]],
    ) -> AsyncGenerator[Event, None]:
        """The account's (or the store's) events after that number: those that are there, then each as it comes.

        Ends when `may_go_on`, asked whenever access may have changed, says no.
        """
        with self._changefeed.bell(account_id) as bell:
            if store_id is not None:  # the store's own index leads through a long history of others
                async with self._sessions() as session:
                    until = await last_seq(session, account_id)
                while seq < until:
                    async with self._sessions() as session:
                        page = await events_after(session, account_id, seq, store_id=store_id)
                    for event in page:
                        yield event
                    last = page[-1].seq if page else seq
                    seq = last if len(page) == PAGE else max(last, until)  # what came meanwhile is in the page, too
            while True:
                bell.clear()
                if bell.access_changed:
                    bell.access_changed = False
                    if not await may_go_on():
                        return
                page = await self._read(account_id, seq)
                for event in page:
                    seq = event.seq
                    if store_id in (None, event.store_id):
                        yield event
                if len(page) < PAGE:
                    await bell.wait()

    async def _read(self, account_id: UUID, seq: int) -> Sequence[Event]:
        # a read that began before the latest ring may have missed what that ring tells of: never join an older one
        key = (account_id, seq, self._changefeed.heard(account_id))
        task = self._reads.get(key)
        if task is None:
            task = self._reads[key] = asyncio.create_task(self._read_page(account_id, seq))
            task.add_done_callback(lambda _task: self._reads.pop(key, None))
        return await asyncio.shield(task)

    async def _read_page(self, account_id: UUID, seq: int) -> Sequence[Event]:
        async with self._sessions() as session:
            return await events_after(session, account_id, seq)
