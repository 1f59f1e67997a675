"""Reads an account's audit log: pages, the newest entry first, and the names of what the entries refer to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.models import Account, ApiToken, AuditEntry, User


@dataclass(frozen=True)
class AuditCursor:
    """The place of an entry in its account's log."""

    account_id: UUID
    at: datetime
    id: int


@dataclass(frozen=True)
class AuditPage:
    """The newest entry first, or the oldest first if it was asked so."""

    entries: Sequence[AuditEntry]
    has_more: bool
    """Whether entries follow in the direction of reading."""


def cursor_of(entry: AuditEntry) -> AuditCursor:
    """The entry must be one of an account."""
    return AuditCursor(cast("UUID", entry.account_id), entry.at, entry.id)


async def audit_page(
    session: AsyncSession,
    account_id: UUID,
    limit: int,
    *,
    older_than: AuditCursor | None = None,
    newer_than: AuditCursor | None = None,
    oldest_first: bool = False,
) -> AuditPage:
    """At most `limit` entries between the cursors: the newest ones, or the oldest ones."""
    place = tuple_(AuditEntry.at, AuditEntry.id)
    query = select(AuditEntry).where(AuditEntry.account_id == account_id)
    if older_than is not None:
        query = query.where(place < tuple_(older_than.at, older_than.id))
    if newer_than is not None:
        query = query.where(place > tuple_(newer_than.at, newer_than.id))
    order = (AuditEntry.at, AuditEntry.id) if oldest_first else (AuditEntry.at.desc(), AuditEntry.id.desc())
    found = (await session.scalars(query.order_by(*order).limit(limit + 1))).all()
    return AuditPage(found[:limit], len(found) > limit)


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
