"""Objects of accounts, by their global ids."""

from collections.abc import Collection, Mapping
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.models import ApiToken, Invitation
from stores.ids import decode_id, decode_text
from stores.models import Store
from stores.webhooks.models import Webhook

OWNED: Mapping[str, type[Store | Webhook | ApiToken | Invitation]] = {
    "Store": Store,
    "Webhook": Webhook,
    "ApiToken": ApiToken,
    "Invitation": Invitation,
}
"""What belongs to an account, by the type in its global id."""
Owned = TypeVar("Owned", Webhook, ApiToken)


async def account_of(session: AsyncSession, global_id: str) -> UUID | None:
    """The account that has the object; None: there is none, or the id is malformed."""
    kind = decode_text(global_id).partition(":")[0]
    model, object_id = OWNED.get(kind), decode_id(kind, global_id)
    if model is None or object_id is None:
        return None
    account_id: UUID | None = await session.scalar(select(model.account_id).where(model.id == object_id))
    return account_id


async def owned_by_id(
    session: AsyncSession, actor: Actor, model: type[Owned], ids: Collection[UUID]
) -> dict[UUID, Owned]:
    """The objects of the actor's accounts that are found."""
    query = select(model).where(model.id.in_(ids), model.account_id.in_(actor.roles))
    return {row.id: row for row in await session.scalars(query)}
