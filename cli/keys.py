"""Rotation of sealing keys, `storefleet keys reseal`: seal all secrets with the first key of their ring."""

from cli import output
from runtime.database import session_factory
from runtime.sealing import Keyring
from runtime.settings import Settings
from stores.engines import load_engines, pending_field
from stores.resealing import Batch, reseal_batch, reseal_webhooks


async def reseal(settings: Settings) -> int:
    """Works in batches, each a transaction: after a kill, run it again. Safe beside workers and API processes.

    Returns the exit code: 0: the first keys seal everything; 1: some secrets can't be opened; 2: no worker keys.
    """
    if settings.worker_keys is None:
        output.error("resealing needs STOREFLEET_WORKER_KEYS; see .env.example")
        return 2
    admin_keys = Keyring.parse(settings.admin_keys.get_secret_value())
    worker_keys = Keyring.parse(settings.worker_keys.get_secret_value())
    fields = [
        field.name for engine in load_engines(settings.engines).values() for field in engine.secrets if field.revealable
    ]
    revealable = {*fields, *map(pending_field, fields)}
    batches: list[Batch] = []
    async with session_factory(settings.direct_database_url, 2) as sessions:
        for of_webhooks in (False, True):
            last = None
            while True:
                async with sessions.begin() as session:
                    if of_webhooks:
                        batch = await reseal_webhooks(session, admin_keys, worker_keys, last)
                    else:
                        batch = await reseal_batch(session, admin_keys, worker_keys, revealable, last)
                if batch is None:
                    break
                last = batch.last
                batches.append(batch)
    current, resealed = sum(batch.current for batch in batches), sum(batch.resealed for batch in batches)
    unreadable = [problem for batch in batches for problem in batch.unreadable]
    for problem in unreadable:
        output.error(problem)
    output.echo(f"{resealed} secrets sealed again, {current} were already, {len(unreadable)} can't be opened")
    return 1 if unreadable else 0
