"""Reads an account's audit log: pages, the newest entry first, and the names of what the entries refer to."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.models import Account, ApiToken, AuditEntry, User
from runtime.pagination import Page, PageRange, page_of, within


@dataclass(frozen=True)
class AuditCursor:
    """The place of an entry in its account's log."""

    account_id: UUID
    at: datetime
    id: int


def cursor_of(entry: AuditEntry) -> AuditCursor:
    """The entry must be one of an account."""
    return AuditCursor(cast("UUID", entry.account_id), entry.at, entry.id)


async def audit_page(
    session: AsyncSession, account_id: UUID, wanted: PageRange, *, oldest_first: bool = False
) -> Page[AuditEntry]:
    """A page of the account's entries, the newest first by default. The key of the range: time and id."""
    query = select(AuditEntry).where(AuditEntry.account_id == account_id)
    key = [AuditEntry.at, AuditEntry.id]
    found = (await session.scalars(within(query, key, wanted, descending=not oldest_first))).all()
    return page_of(found, wanted, from_the_end=wanted.last)


async def entries_by_id(
    session: AsyncSession, account_ids: Collection[UUID], ids: Collection[int]
) -> dict[int, AuditEntry]:
    """The entries of the accounts that are found."""
    query = select(AuditEntry).where(AuditEntry.id.in_(ids), AuditEntry.account_id.in_(account_ids))
    return {row.id: row for row in await session.scalars(query)}


async def names_of(session: AsyncSession, actor: Actor, references: Collection[str]) -> Mapping[str, str]:
    """The e-mail addresses and names of users, tokens and accounts, by reference such as `user:<id>`.

    A token or account of an account that isn't the actor's has no name here. Users have: an operator or a former member
    has acted in the actor's account.
    """
    ids: dict[str, set[UUID]] = {}
    for reference in references:
        kind, _, identity = reference.partition(":")
        if identity:
            ids.setdefault(kind, set()).add(UUID(identity))
    queries = {
        "user": select(User.id, User.email).where(User.id.in_(ids.get("user", ()))),
        "token": select(ApiToken.id, ApiToken.name).where(
            ApiToken.id.in_(ids.get("token", ())), ApiToken.account_id.in_(actor.roles)
        ),
        "account": select(Account.id, Account.name).where(
            Account.id.in_(ids.get("account", ())), Account.id.in_(actor.roles)
        ),
    }
    return {
        f"{kind}:{identity}": name
        for kind, query in queries.items()
        if ids.get(kind)
        for identity, name in await session.execute(query)
    }
