"""Users and how they sign in. A new user gets an account of its own."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import fingerprint, new_secret
from accounts.audit import audit
from accounts.errors import CallerError, Code
from accounts.models import Account, Membership, Session, User
from accounts.passwords import hash_password, password_problem, verify_password
from runtime.changefeed import ring


@dataclass(frozen=True)
class SignedIn:
    """A fresh session: the cookie's value is shown once."""

    user_id: UUID
    account_id: UUID | None
    cookie: str


def normal_email(email: str) -> str:
    """Lower case, ASCII only (what WordPress keeps unchanged). Raises CallerError."""
    try:
        checked = validate_email(email, allow_smtputf8=False, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise CallerError(Code.INVALID_EMAIL, "email", f"This is not an e-mail address we can use: {error}") from None
    address = checked.ascii_email
    if address is None or not checked.normalized.isascii():
        message = "International e-mail domains can't be used: WordPress would change them. Use another address."
        raise CallerError(Code.INVALID_EMAIL, "email", message)
    return address.lower()


async def sign_up(session: AsyncSession, email: str, password: str, days: int) -> SignedIn:
    """Make a user with an account, and sign in. Raises CallerError."""
    email = normal_email(email)
    if problem := password_problem(password):
        raise CallerError(Code.INVALID_PASSWORD, "password", f"The password {problem}.")
    password_hash = await hash_password(password)
    user_id = await add_user(session, email, password_hash)
    account_id = await add_account(session, f"{email.partition('@')[0]}'s stores", user_id)
    audit(session, account_id, f"user:{user_id}", "user.signed_up", f"user:{user_id}")
    return SignedIn(user_id, account_id, await _open_session(session, user_id, days))


async def add_user(session: AsyncSession, email: str, password_hash: str) -> UUID:
    """Raises CallerError when the address is taken."""
    user_id: UUID | None = await session.scalar(
        insert(User)
        .values(id=uuid4(), email=email, password_hash=password_hash)
        .on_conflict_do_nothing(index_elements=[User.email])
        .returning(User.id)
    )
    if user_id is None:
        raise CallerError(Code.EMAIL_TAKEN, "email", "There is a user with this e-mail address. Sign in instead.")
    return user_id


async def add_account(session: AsyncSession, name: str, owner: UUID) -> UUID:
    """An account without stores, owned by that user. Its event stream is made with its first store."""
    account_id = uuid4()
    session.add(Account(id=account_id, name=name))
    await session.flush()
    session.add(Membership(account_id=account_id, user_id=owner, role="owner"))
    await session.flush()
    return account_id


async def sign_in(session: AsyncSession, email: str, password: str, days: int) -> SignedIn | None:
    """A session, or None when e-mail and password don't match. Throttling is the caller's (throttle.py)."""
    user = await session.scalar(select(User).where(User.email == email.lower()))
    if not await verify_password(user.password_hash if user else None, password[:1000]) or user is None:
        return None
    account_id = await session.scalar(
        select(Membership.account_id).where(Membership.user_id == user.id).order_by(Membership.account_id).limit(1)
    )
    audit(session, account_id, f"user:{user.id}", "user.signed_in", f"user:{user.id}")
    return SignedIn(user.id, account_id, await _open_session(session, user.id, days))


async def _open_session(session: AsyncSession, user_id: UUID, days: int) -> str:
    cookie = new_secret()
    await session.execute(
        insert(Session).values(
            token_hash=fingerprint(cookie), user_id=user_id, expires_at=func.now() + timedelta(days=days)
        )
    )
    return cookie


async def sign_out(session: AsyncSession, cookie: str) -> None:
    """End the session and what is open under it. Unknown and ended sessions are no error."""
    user_id = await session.scalar(
        update(Session)
        .where(Session.token_hash == fingerprint(cookie), Session.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(Session.user_id)
    )
    if user_id is not None:
        for account_id in await session.scalars(select(Membership.account_id).where(Membership.user_id == user_id)):
            await ring(session, account_id, access=True)  # its sockets look whether they may go on
