"""Reads webhooks, and the log of their deliveries. The caller checks access to the account."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from stores.webhooks.models import Webhook, WebhookDelivery


@dataclass(frozen=True)
class DeliveryRange:
    """At most `limit` attempts between two of them, the newest first: the first or the `last` of them.

    `after` and `before`: numbers of attempts, exclusive; `after` is the newer one.
    """

    limit: int
    last: bool = False
    after: int | None = None
    before: int | None = None


@dataclass(frozen=True)
class DeliveryPage:
    """The attempts, the newest first, and whether the range has more: before a page of the last, after another."""

    deliveries: Sequence[WebhookDelivery]
    has_more: bool


async def webhooks_by_account(session: AsyncSession, account_ids: Collection[UUID]) -> dict[UUID, list[Webhook]]:
    """All webhooks of each account, the oldest first: there are few (MAX_WEBHOOKS)."""
    found: dict[UUID, list[Webhook]] = {account_id: [] for account_id in account_ids}
    query = select(Webhook).where(Webhook.account_id.in_(account_ids)).order_by(Webhook.created_at, Webhook.id)
    for webhook in await session.scalars(query):
        found[webhook.account_id].append(webhook)
    return found


async def delivery_pages(
    session: AsyncSession, webhook_ids: Collection[UUID], wanted: DeliveryRange
) -> dict[UUID, DeliveryPage]:
    """A page for each webhook, with one query."""
    webhooks = select(Webhook.id).where(Webhook.id.in_(webhook_ids)).subquery()
    query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhooks.c.id)
    if wanted.after is not None:
        query = query.where(WebhookDelivery.id < wanted.after)
    if wanted.before is not None:
        query = query.where(WebhookDelivery.id > wanted.before)
    order = WebhookDelivery.id if wanted.last else WebhookDelivery.id.desc()
    limited = query.order_by(order).limit(wanted.limit + 1).lateral()
    delivery = aliased(WebhookDelivery, limited)
    rows = await session.scalars(
        select(delivery).select_from(webhooks).join(limited, true()).order_by(limited.c.id.desc())
    )
    found: dict[UUID, list[WebhookDelivery]] = {webhook_id: [] for webhook_id in webhook_ids}
    for row in rows:
        found[row.webhook_id].append(row)
    return {webhook_id: _page(rows, wanted) for webhook_id, rows in found.items()}


def _page(rows: list[WebhookDelivery], wanted: DeliveryRange) -> DeliveryPage:
    kept = rows[-wanted.limit :] if wanted.last else rows[: wanted.limit]
    return DeliveryPage(kept, has_more=len(rows) > wanted.limit)
