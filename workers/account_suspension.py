"""Suspends and resumes the stores of accounts that an operator suspends and resumes (stores/account_suspension.py)."""

import asyncio

from stores.account_suspension import suspend_or_resume_stores
from workers.context import Context

POLL_SECONDS = 2.0


async def run_account_suspension(context: Context) -> None:
    """Never returns. Raises database errors; then call it again. Several workers may do it at once."""
    while True:
        async with context.sessions.begin() as session:
            store_ids = await suspend_or_resume_stores(
                session, context.settings.cluster, context.settings.provisioning_at_once
            )
        if store_ids:
            context.enqueuer.enqueue(store_ids)
        else:
            await asyncio.sleep(POLL_SECONDS)
