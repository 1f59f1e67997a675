"""Which account owns an object, by the global id of the object."""

from collections.abc import Collection, Mapping
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.errors import CallerError, Code
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
    """The account that has the object; None: there is no such object, or the id is malformed.

    Raises CallerError NOT_FOUND for a type that isn't OWNED: nobody may change such an object.
    """
    kind = decode_text(global_id).partition(":")[0]
    if kind and kind not in OWNED:
        raise CallerError(Code.NOT_FOUND, "id", "There is no such object.")
    object_id = decode_id(kind, global_id)
    if object_id is None:
        return None
    model = OWNED[kind]
    account_id: UUID | None = await session.scalar(select(model.account_id).where(model.id == object_id))
    return account_id


async def owned_by_id(
    session: AsyncSession, actor: Actor, model: type[Owned], ids: Collection[UUID]
) -> dict[UUID, Owned]:
    """The objects of the actor's accounts that are found."""
    query = select(model).where(model.id.in_(ids), model.account_id.in_(actor.roles))
    return {row.id: row for row in await session.scalars(query)}
