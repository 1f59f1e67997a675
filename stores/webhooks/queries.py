"""Reads webhooks, and the log of their deliveries. The caller checks access, unless there is an actor."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from accounts.actors import Actor
from runtime.pagination import Page, PageRange, page_of, within
from stores.webhooks.models import Webhook, WebhookDelivery


async def webhooks_page(session: AsyncSession, account_id: UUID, wanted: PageRange) -> Page[Webhook]:
    """The account's webhooks, the oldest first. The key of the range: time of creation and id."""
    query = select(Webhook).where(Webhook.account_id == account_id)
    key = [Webhook.created_at, Webhook.id]
    found = (await session.scalars(within(query, key, wanted))).all()
    return page_of(found, wanted, from_the_end=wanted.last)


async def delivery_pages(
    session: AsyncSession, webhook_ids: Collection[UUID], wanted: PageRange
) -> dict[UUID, Page[WebhookDelivery]]:
    """A page of attempts for each webhook, the newest first, with one query. The key of the range: the attempt's id."""
    webhooks = select(Webhook.id).where(Webhook.id.in_(webhook_ids)).subquery()
    query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhooks.c.id)
    limited = within(query, [WebhookDelivery.id], wanted, descending=True).lateral()
    delivery = aliased(WebhookDelivery, limited)
    rows = await session.scalars(
        select(delivery).select_from(webhooks).join(limited, true()).order_by(limited.c.id.desc())
    )
    found: dict[UUID, list[WebhookDelivery]] = {webhook_id: [] for webhook_id in webhook_ids}
    for row in rows:
        found[row.webhook_id].append(row)
    return {webhook_id: page_of(rows, wanted) for webhook_id, rows in found.items()}


async def deliveries_by_id(session: AsyncSession, actor: Actor, numbers: Collection[int]) -> dict[int, WebhookDelivery]:
    """The attempts that are found, of webhooks of the actor's accounts."""
    query = select(WebhookDelivery).join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
    query = query.where(WebhookDelivery.id.in_(numbers), Webhook.account_id.in_(actor.roles))
    return {row.id: row for row in await session.scalars(query)}
