"""Finds objects by their global ids: Query.node and Query.nodes. What the caller may not see isn't found."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from accounts.access import ADMIN_READ, allows
from accounts.actors import Actor
from accounts.audit_pages import entries_by_id
from accounts.invitations import invitations_by_id
from accounts.models import ApiToken as ApiTokenRow
from accounts.queries import accounts_by_id, users_by_id
from accounts.sessions import sessions_by_id
from schema.context import Info
from schema.ids import decode_audit_cursor, decode_id, decode_number_cursor
from schema.types.accounts import Account, ApiToken, User
from schema.types.audit import AuditEntry, audit_entries
from schema.types.members import Invitation
from schema.types.nodes import Node
from schema.types.sessions import Session
from schema.types.stores import Store
from schema.types.webhooks import Webhook, WebhookDelivery
from stores.ids import decode_text
from stores.ownership import owned_by_id
from stores.queries import stores_by_id
from stores.webhooks.models import Webhook as WebhookRow
from stores.webhooks.queries import deliveries_by_id

Found = dict[str, Node]
"""By global id."""
Finder = Callable[[Info, AsyncSession, Actor, Sequence[str]], Awaitable[Found]]
Row = TypeVar("Row")


async def find_nodes(info: Info, ids: Sequence[str]) -> list[Node | None]:
    """The objects in the order of their ids, with one query for each type; None: there is no such object."""
    found: Found = {}
    by_type: dict[str, list[str]] = {}
    for global_id in ids:
        by_type.setdefault(decode_text(global_id).partition(":")[0], []).append(global_id)
    async with info.context.platform.sessions() as session:
        for kind, of_kind in by_type.items():
            if kind in FINDERS:
                found |= await FINDERS[kind](info, session, info.context.require_actor(), of_kind)
    return [found.get(global_id) for global_id in ids]


def _by_uuid(kind: str, load: Callable[..., Awaitable[dict[UUID, Row]]], to_node: Callable[..., Node]) -> Finder:
    """For types whose ids are UUIDs. `load(session, actor, uuids)`, `to_node(info, actor, row)`."""

    async def find(info: Info, session: AsyncSession, actor: Actor, ids: Sequence[str]) -> Found:
        uuids = {global_id: uuid for global_id in ids if (uuid := decode_id(kind, global_id)) is not None}
        rows = await load(session, actor, set(uuids.values()))
        return {global_id: to_node(info, actor, rows[uuid]) for global_id, uuid in uuids.items() if uuid in rows}

    return find


async def _find_deliveries(info: Info, session: AsyncSession, actor: Actor, ids: Sequence[str]) -> Found:
    numbers = {each: number for each in ids if (number := decode_number_cursor("WebhookDelivery", each)) is not None}
    rows = await deliveries_by_id(session, actor, set(numbers.values()))
    return {each: WebhookDelivery.from_row(rows[number]) for each, number in numbers.items() if number in rows}


async def _find_entries(info: Info, session: AsyncSession, actor: Actor, ids: Sequence[str]) -> Found:
    cursors = [cursor for each in ids if (cursor := decode_audit_cursor(each)) is not None]
    rows = await entries_by_id(session, _managed(actor), {cursor.id for cursor in cursors})
    entries: Sequence[AuditEntry] = await audit_entries(session, actor, list(rows.values()))
    return {str(entry.id): entry for entry in entries}


def _managed(actor: Actor) -> list[UUID]:
    return [account_id for account_id in actor.roles if allows(actor, ADMIN_READ, account_id)]


FINDERS: Mapping[str, Finder] = {
    "Account": _by_uuid("Account", accounts_by_id, lambda info, actor, row: Account.from_row(info, actor, row)),
    "ApiToken": _by_uuid(
        "ApiToken",
        lambda session, actor, ids: owned_by_id(session, actor, ApiTokenRow, ids),
        lambda info, actor, row: ApiToken.from_row(row),
    ),
    "AuditEntry": _find_entries,
    "Invitation": _by_uuid(
        "Invitation",
        lambda session, actor, ids: invitations_by_id(session, _managed(actor), ids),
        lambda info, actor, row: Invitation.from_row(row),
    ),
    "Session": _by_uuid("Session", sessions_by_id, lambda info, actor, row: Session.from_row(row, actor)),
    "Store": _by_uuid("Store", stores_by_id, lambda info, actor, row: Store.from_row(info, row)),
    "User": _by_uuid("User", users_by_id, lambda info, actor, row: User.from_row(row)),
    "Webhook": _by_uuid(
        "Webhook",
        lambda session, actor, ids: owned_by_id(session, actor, WebhookRow, ids),
        lambda info, actor, row: Webhook.from_row(row),
    ),
    "WebhookDelivery": _find_deliveries,
}
"""By the type in a global id. A test compares them with the types that are a Node."""
