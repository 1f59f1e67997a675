"""Users, sign-up and sign-in. A new user gets a new account."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.audit import audit_user
from accounts.errors import CallerError, Code
from accounts.models import Account, Membership, User
from accounts.passwords import hash_password, password_problem, verify_password
from accounts.sessions import SignedIn, begin_session
from runtime.database import SessionFactory


def normalize_email(email: str) -> str:
    """The address in lower case. Only ASCII, because WordPress changes others. Raises CallerError."""
    try:
        checked = validate_email(email, allow_smtputf8=False, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise CallerError(Code.INVALID_EMAIL, "email", f"This is not an e-mail address we can use: {error}") from None
    address = checked.ascii_email
    if address is None or not checked.normalized.isascii():
        message = "International e-mail domains can't be used: WordPress would change them. Use another address."
        raise CallerError(Code.INVALID_EMAIL, "email", message)
    return address.lower()


def require_password_domain(email: str, oidc_domains: Sequence[str]) -> None:
    """Only the OpenID provider makes users of its domains, so that nobody signs up with the address of another person,
    and is there when that person signs in for the first time. Raises CallerError."""
    domain = email.rpartition("@")[2]
    if domain in oidc_domains:
        message = f"Addresses of {domain} have no password here. Go to the sign-in page, and continue from there."
        raise CallerError(Code.INVALID_EMAIL, "email", message)


async def sign_up(
    session: AsyncSession, email: str, password: str, days: int, user_agent: str | None, oidc_domains: Sequence[str]
) -> SignedIn:
    """Create a user with an account, and sign in. `days`: lifetime of the session. Raises CallerError."""
    email = normalize_email(email)
    require_password_domain(email, oidc_domains)
    if problem := password_problem(password):
        raise CallerError(Code.INVALID_PASSWORD, "password", f"The password {problem}.")
    password_hash = await hash_password(password)
    user_id = await add_user(session, email, password_hash)
    await add_first_account(session, email, user_id)
    signed_in = await begin_session(session, user_id, days, user_agent)
    await audit_user(session, user_id, "user.signed_up", f"user:{user_id}")
    return signed_in


async def add_user(session: AsyncSession, email: str, password_hash: str) -> UUID:
    """Create a user; returns its id. Raises CallerError EMAIL_TAKEN."""
    user_id: UUID | None = await session.scalar(
        insert(User)
        .values(id=uuid4(), email=email, password_hash=password_hash)
        .on_conflict_do_nothing(index_elements=[User.email])
        .returning(User.id)
    )
    if user_id is None:
        raise CallerError(Code.EMAIL_TAKEN, "email", "There is a user with this e-mail address. Sign in instead.")
    return user_id


async def add_first_account(session: AsyncSession, email: str, owner: UUID) -> UUID:
    """The account that a new user gets; returns its id."""
    return await add_account(session, f"{email.partition('@')[0]}'s stores", owner)


async def add_account(session: AsyncSession, name: str, owner: UUID) -> UUID:
    """Create an account that the user owns; returns its id. Its event stream is created with its first store."""
    account_id = uuid4()
    session.add(Account(id=account_id, name=name))
    await session.flush()
    session.add(Membership(account_id=account_id, user_id=owner, role="owner"))
    await session.flush()
    return account_id


async def check_password(sessions: SessionFactory, email: str, password: str) -> tuple[User | None, bool]:
    """The user of the e-mail address, and whether the password is theirs. The caller throttles (accounts/throttle.py).

    Holds no database connection while the password waits for its turn. Raises CallerError RATE_LIMITED.
    """
    async with sessions() as session:
        user = await session.scalar(select(User).where(User.email == email.lower()))
    return user, await verify_password(user.password_hash if user else None, password[:1000])


async def refuse_sign_in(session: AsyncSession, user: User) -> None:
    """Write to the audit log that somebody gave a wrong password for this user."""
    await audit_user(session, user.id, "user.signed_in", f"user:{user.id}", result="refused")


async def sign_in(session: AsyncSession, user: User, days: int, user_agent: str | None) -> SignedIn | None:
    """A new session of a user whose password was checked; None: the password was changed meanwhile."""
    unchanged = select(User.id).where(User.id == user.id, User.password_hash == user.password_hash)
    if await session.scalar(unchanged.with_for_update(read=True)) is None:
        return None  # a password change that was in progress has committed: it ends all sessions but its own
    signed_in = await begin_session(session, user.id, days, user_agent)
    await audit_user(session, user.id, "user.signed_in", f"user:{user.id}")
    return signed_in
