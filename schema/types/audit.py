"""The audit log of an account: AuditEntry, and what it refers to."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.audit_pages import audit_page, cursor_of, names_of
from accounts.models import AuditEntry as AuditEntryRow
from runtime.pagination import PageRange
from schema.context import Info
from schema.ids import decode_audit_cursor, encode_audit_cursor, encode_id
from schema.types.connections import Connection
from schema.types.nodes import Node
from stores.queries import stores_by_id

TYPES = {
    "invitation": "Invitation",
    "webhook": "Webhook",
    "user": "User",
    "token": "ApiToken",
    "session": "Session",
    "store": "Store",
    "account": "Account",
}
"""The types of global ids, by the kinds of references in the audit log."""


@strawberry.enum(description="How an audited action ended.")
class AuditResult(Enum):
    SUCCEEDED = strawberry.enum_value("succeeded", description="It was done.")
    REFUSED = strawberry.enum_value("refused", description="The caller may not do it, or the password was wrong.")


@strawberry.type(description="A user, token, session, store or account in the audit log.")
class AuditReference:
    kind: str = strawberry.field(
        description="user, token, session, store, account or another kind of object; cli or operator for commands of "
        "the operator."
    )
    id: strawberry.ID | None = strawberry.field(description="Global id; null for commands of the operator.")
    name: str | None = strawberry.field(
        description="The user's e-mail address, or the name of the token, store or account; null if it is gone."
    )

    @classmethod
    def from_text(cls, text: str, names: Mapping[str, str]) -> "AuditReference":
        """`text`: such as `user:<id>` or `cli`."""
        kind, _, identity = text.partition(":")
        global_id = strawberry.ID(encode_id(TYPES[kind], UUID(identity))) if identity and kind in TYPES else None
        return cls(kind=kind, id=global_id, name=names.get(text))


@strawberry.type(description="One more fact about an audited action.")
class AuditDetail:
    name: str = strawberry.field(description="The name of the fact, such as plan.")
    value: str = strawberry.field(description="The fact; lists are separated by commas.")


@strawberry.type(description="An entry of the audit log: who did what, when, from where, and with what result.")
class AuditEntry(Node):
    at: datetime = strawberry.field(description="When it happened.")
    action: str = strawberry.field(
        description="What was done, such as store.deleted; of a refused mutation its name, such as deleteStore."
    )
    result: AuditResult = strawberry.field(description="How it ended.")
    actor: AuditReference = strawberry.field(description="Who did it.")
    user: AuditReference | None = strawberry.field(
        description="The signed-in user, or the user who created the token; null for commands of the operator."
    )
    credential: AuditReference | None = strawberry.field(description="The session or token of the request.")
    operator: AuditReference | None = strawberry.field(
        description="The operator who was signed in as the user; null if the user was."
    )
    subject: AuditReference = strawberry.field(description="What it was done to.")
    address: str | None = strawberry.field(description="The client's IP address.")
    user_agent: str | None = strawberry.field(description="The client's User-Agent header.")
    details: list[AuditDetail] = strawberry.field(description="More facts about the action. Never a secret.")

    @classmethod
    def from_row(cls, row: AuditEntryRow, names: Mapping[str, str]) -> "AuditEntry":
        return cls(
            id=strawberry.ID(encode_audit_cursor(cursor_of(row))),
            at=row.at,
            action=row.action,
            result=AuditResult(row.result),
            actor=AuditReference.from_text(row.actor, names),
            user=AuditReference.from_text(f"user:{row.user_id}", names) if row.user_id else None,
            credential=AuditReference.from_text(row.credential, names) if row.credential else None,
            operator=AuditReference.from_text(f"user:{row.operator_id}", names) if row.operator_id else None,
            subject=AuditReference.from_text(row.subject, names),
            address=row.address,
            user_agent=row.user_agent,
            details=[AuditDetail(name=name, value=_text(value)) for name, value in row.detail.items()],
        )


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@strawberry.type(name="AuditConnection", description="A page of an account's audit log, the newest entry first.")
class AuditConnection(Connection[AuditEntry]): ...


async def audit_connection(info: Info, account_id: UUID, wanted: PageRange) -> AuditConnection:
    """A page of the account's audit log."""
    async with info.context.platform.sessions() as session:
        page = await audit_page(session, account_id, wanted)
        nodes = await audit_entries(session, info.context.require_actor(), page.rows)
    return AuditConnection.of(nodes, [str(node.id) for node in nodes], page)


async def audit_entries(session: AsyncSession, actor: Actor, rows: Sequence[AuditEntryRow]) -> list[AuditEntry]:
    """The entries, with the names of what they refer to."""
    references = {text for row in rows for text in _references(row)}
    names = {**await names_of(session, actor, references), **await store_names(session, actor, references)}
    return [AuditEntry.from_row(row, names) for row in rows]


def decode_audit_cursor_of(account_id: UUID) -> Callable[[str], tuple[datetime, int] | None]:
    """Decodes a cursor of the account's audit log; None for another one."""

    def decode(cursor: str) -> tuple[datetime, int] | None:
        decoded = decode_audit_cursor(cursor)
        return (decoded.at, decoded.id) if decoded is not None and decoded.account_id == account_id else None

    return decode


async def store_names(session: AsyncSession, actor: Actor, references: set[str]) -> dict[str, str]:
    """The names of the actor's stores, by reference."""
    ids = {UUID(text.removeprefix("store:")) for text in references if text.startswith("store:")}
    found = await stores_by_id(session, actor, ids) if ids else {}
    return {f"store:{store_id}": each.store.name for store_id, each in found.items()}


def _references(row: AuditEntryRow) -> list[str]:
    users = [f"user:{user}" for user in (row.user_id, row.operator_id) if user]
    return [row.actor, row.subject, *users, *([row.credential] if row.credential else [])]
