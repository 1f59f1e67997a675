"""How long the provisioning steps of each engine usually take in this installation."""

import asyncio
import time
from collections.abc import Mapping

from sqlalchemy import Integer, cast, extract, func, select, true
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.database import SessionFactory
from stores.models import Step, Store
from stores.status import StepStatus

SAMPLE = 50
"""Stores of each engine: those that became READY last."""
CACHE_SECONDS = 60.0

Durations = Mapping[tuple[str, str], int]
"""Milliseconds by engine and step."""


async def median_durations(session: AsyncSession, engines: list[str]) -> Durations:
    """The median duration of each step over the last SAMPLE stores of its engine. Steps that never ran are left out."""
    names = select(func.unnest(array(engines)).label("engine")).subquery()
    latest = (
        select(Store.id)
        .where(Store.engine == names.c.engine, Store.ready_at.is_not(None))
        .order_by(Store.ready_at.desc())
        .limit(SAMPLE)
        .lateral()
    )
    seconds = extract("epoch", Step.finished_at - Step.started_at)
    median = func.percentile_cont(0.5).within_group(seconds)
    rows = await session.execute(
        select(names.c.engine, Step.name, cast(median * 1000, Integer))
        .select_from(names)
        .join(latest, true())
        .join(Step, Step.store_id == latest.c.id)
        .where(Step.status == StepStatus.SUCCEEDED)
        .group_by(names.c.engine, Step.name)
    )
    return {(engine, step): milliseconds for engine, step, milliseconds in rows}


class StepDurations:
    """The median durations, read at most once in CACHE_SECONDS by a process."""

    def __init__(self, sessions: SessionFactory) -> None:
        self._sessions = sessions
        self._lock = asyncio.Lock()
        self._durations: Durations = {}
        self._read_at = float("-inf")
        """Monotonic."""

    async def get(self, engines: list[str]) -> Durations:
        """`engines`: the same at each call."""
        async with self._lock:  # callers that come at the same time share one read
            if time.monotonic() - self._read_at >= CACHE_SECONDS:
                async with self._sessions() as session:
                    self._durations = await median_durations(session, engines)
                self._read_at = time.monotonic()
            return self._durations
