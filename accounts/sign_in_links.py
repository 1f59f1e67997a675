"""Sign-in links: an operator creates one, and its user signs in with it once, without a password.

Also the way in for a user who forgot the password: a session that began with a link may set a new one.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import generate_secret, hash_credential
from accounts.audit import audit, audit_user
from accounts.errors import CallerError, Code
from accounts.models import SignInLink, User
from accounts.sessions import SignedIn, begin_session

LIFETIME = timedelta(minutes=15)


async def create_link(session: AsyncSession, email: str) -> str:
    """The token of a new link for the user. Raises CallerError NOT_FOUND."""
    user_id = await session.scalar(select(User.id).where(User.email == email.lower()))
    if user_id is None:
        raise CallerError(Code.NOT_FOUND, "email", f"There is no user {email}.")
    token = generate_secret()
    await session.execute(
        insert(SignInLink).values(token_hash=hash_credential(token), user_id=user_id, expires_at=func.now() + LIFETIME)
    )
    audit(session, None, "cli", "sign_in_link.created", f"user:{user_id}")
    return token


async def sign_in_with_link(session: AsyncSession, token: str, days: int, user_agent: str | None) -> SignedIn | None:
    """A new session; None: the link is unknown, expired or used.

    Of parallel calls with one token only one succeeds: the others wait for its commit, and then find the link used.
    """
    user_id = await session.scalar(
        update(SignInLink)
        .where(
            SignInLink.token_hash == hash_credential(token),
            SignInLink.used_at.is_(None),
            SignInLink.expires_at > func.now(),
        )
        .values(used_at=func.now())
        .returning(SignInLink.user_id)
    )
    if user_id is None:
        return None
    signed_in = await begin_session(session, user_id, days, user_agent, by_link=True)
    await audit_user(session, user_id, "user.signed_in_with_link", f"user:{user_id}")
    return signed_in


async def expire_links(session: AsyncSession, user_id: UUID) -> None:
    """Make all unused links of the user invalid."""
    await session.execute(delete(SignInLink).where(SignInLink.user_id == user_id, SignInLink.used_at.is_(None)))


def expired() -> ColumnElement[bool]:
    """Links that are no longer valid; the workers' maintenance deletes them."""
    return SignInLink.expires_at < func.now()
