"""The members of an account, and their roles.

A command locks the account's row first, and then reads the actor's role: of two owners who demote each other at the
same moment, the second one is no owner any more. So an account always keeps an owner.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.audit import audit
from accounts.errors import CallerError, Code
from accounts.models import Account, Membership, User
from runtime.pagination import Page, PageRange, page_of, within


@dataclass(frozen=True)
class Member:
    """A user with the role in one account. `since`: None for memberships older than the column."""

    account_id: UUID
    user_id: UUID
    email: str
    role: str
    since: datetime | None


async def members_page(session: AsyncSession, account_id: UUID, wanted: PageRange) -> Page[Member]:
    """The account's members by e-mail address. The key of the range: e-mail address and user id."""
    query = (
        select(User.id, User.email, Membership.role, Membership.created_at)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.account_id == account_id)
    )
    rows = (await session.execute(within(query, [User.email, User.id], wanted))).all()
    return page_of([Member(account_id, *row) for row in rows], wanted, from_the_end=wanted.last)


async def lock_role(session: AsyncSession, actor: Actor, account_id: UUID | None) -> tuple[UUID, str]:
    """Lock the account; returns its id and the role that the actor has now. Raises CallerError."""
    account_id = actor.resolve_account(account_id)
    await session.execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))
    role = await session.scalar(  # a separate statement: it sees what was committed while the lock was waited for
        select(Membership.role).where(Membership.account_id == account_id, Membership.user_id == actor.user_id)
    )
    if role is None:
        raise CallerError(Code.NOT_FOUND, "accountId", "There is no such account.")
    return account_id, role


def require_manager(account_id: UUID, role: str, *roles: str) -> None:
    """An owner manages all members, an admin all but owners; `roles`: of the members concerned. Raises CallerError."""
    if role == "owner" or (role == "admin" and "owner" not in roles):
        return
    needed = "Only an owner can make, change or remove an owner."
    message = needed if role == "admin" else "This needs the role owner or admin in the account."
    raise CallerError(Code.FORBIDDEN, None, message, account_id=account_id)


async def change_role(
    session: AsyncSession, actor: Actor, account_id: UUID | None, user_id: UUID | None, role: str
) -> Member:
    """Give a member another role. The role that the member has already changes nothing. Raises CallerError."""
    account_id, own_role = await lock_role(session, actor, account_id)
    require_manager(account_id, own_role, role)
    member, email = await _member(session, account_id, user_id)
    require_manager(account_id, own_role, member.role)
    if member.role != role:
        if member.role == "owner":
            await _require_other_owner(session, account_id, member.user_id)
        audit(
            session,
            account_id,
            actor.name,
            "member.role_changed",
            f"user:{member.user_id}",
            previous=member.role,
            role=role,
        )
        member.role = role
        await session.flush()
    return Member(account_id, member.user_id, email, role, member.created_at)


async def remove_member(
    session: AsyncSession, actor: Actor, account_id: UUID | None, user_id: UUID | None
) -> Member | None:
    """Remove a member; anyone may leave. None: the user isn't a member any more. Raises CallerError."""
    account_id, own_role = await lock_role(session, actor, account_id)
    if user_id != actor.user_id:
        require_manager(account_id, own_role)
    try:
        member, email = await _member(session, account_id, user_id)
    except CallerError:
        if user_id is None:
            raise
        return None
    if user_id != actor.user_id:
        require_manager(account_id, own_role, member.role)
    if member.role == "owner":
        await _require_other_owner(session, account_id, member.user_id)
    await session.delete(member)
    action = "member.left" if user_id == actor.user_id else "member.removed"
    audit(session, account_id, actor.name, action, f"user:{member.user_id}", role=member.role)
    await session.flush()
    return Member(account_id, member.user_id, email, member.role, member.created_at)


async def _member(session: AsyncSession, account_id: UUID, user_id: UUID | None) -> tuple[Membership, str]:
    query = (
        select(Membership, User.email)
        .join(User, User.id == Membership.user_id)
        .where(Membership.account_id == account_id, Membership.user_id == user_id)
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise CallerError(Code.NOT_FOUND, "userId", "There is no such member.")
    return found[0], found[1]


async def _require_other_owner(session: AsyncSession, account_id: UUID, user_id: UUID) -> None:
    others = select(func.count()).where(
        Membership.account_id == account_id, Membership.role == "owner", Membership.user_id != user_id
    )
    if not await session.scalar(others):
        message = "An account needs an owner. Make another member an owner first."
        raise CallerError(Code.LAST_OWNER, "userId", message)
