"""Deletes expired rows from time to time: each table by itself, so that one that fails doesn't keep the others."""

import asyncio
from collections.abc import Mapping

import structlog
from prometheus_client import Counter
from sqlalchemy import ColumnElement, delete, func, inspect, select, tuple_

from accounts import audit, idempotency, invitations, sessions, sign_in_links, throttle, tokens
from accounts.models import ApiToken, AuditEntry, IdempotencyKey, Invitation, Session, SignInLink, SignInThrottle
from runtime.database import CONNECTION_ERRORS, Base, DatabaseBusy, SessionFactory
from runtime.jitter import jitter
from runtime.settings import Settings
from stores import events
from stores.models import Event
from stores.webhooks import deliveries
from stores.webhooks.models import WebhookDelivery, WebhookSecret
from workers.context import Context

MAINTENANCE_SECONDS = 600.0
BATCH = 1000
"""Rows that one transaction deletes: a long one would hold its locks, and lose its work if it failed."""

FAILURES = Counter("storefleet_maintenance_failures", "Deletions of a table's expired rows that failed", ["table"])

log = structlog.get_logger()


def expired_rows(settings: Settings) -> Mapping[type[Base], ColumnElement[bool]]:
    """Which rows are deleted, by table."""
    return {
        ApiToken: tokens.expired(),
        AuditEntry: audit.expired(settings.audit_days),
        Event: events.expired(),
        IdempotencyKey: idempotency.expired(),
        Invitation: invitations.expired(),
        Session: sessions.expired(),
        SignInLink: sign_in_links.expired(),
        SignInThrottle: throttle.expired(),
        WebhookDelivery: deliveries.expired_deliveries(),
        WebhookSecret: deliveries.expired_secrets(),
    }


async def run_maintenance(context: Context) -> None:
    """Never returns. Several workers may do it at once.

    It waits first, so that workers that start together, and those that crash again and again, don't all do it.
    """
    while True:
        await asyncio.sleep(MAINTENANCE_SECONDS * jitter(0.5, 1.5))
        await delete_expired(context.sessions, context.settings)


async def delete_expired(factory: SessionFactory, settings: Settings) -> None:
    """Delete all expired rows. What is left is deleted the next time.

    A table's failure is logged and counted. An outage of the database ends the round, and is not counted.
    """
    for table, condition in expired_rows(settings).items():
        try:
            while await _delete_batch(factory, table, condition) == BATCH:
                pass
        except DatabaseBusy as error:
            log.warning("maintenance.database_busy", table=table.__tablename__, error=repr(error))
            FAILURES.labels(table.__tablename__).inc()
        except CONNECTION_ERRORS as error:
            log.warning("maintenance.database_unavailable", table=table.__tablename__, error=repr(error))
            return
        except Exception:
            log.exception("maintenance.failed", table=table.__tablename__)
            FAILURES.labels(table.__tablename__).inc()


async def _delete_batch(factory: SessionFactory, table: type[Base], condition: ColumnElement[bool]) -> int:
    """How many rows it deleted."""
    key = inspect(table).primary_key
    some = select(*key).where(condition).limit(BATCH)
    deleted = delete(table).where(tuple_(*key).in_(some)).returning(*key).cte()
    async with factory.begin() as session:
        return (await session.execute(select(func.count()).select_from(deleted))).scalar_one()
