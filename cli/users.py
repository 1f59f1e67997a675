"""`storefleet users`: manage users, and the limits of their accounts."""

import argparse
import sys

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.errors import CallerError, Code
from accounts.identities import unlink
from accounts.models import Account, Membership, User
from accounts.operators import set_operator
from accounts.passwords import hash_password, password_problem
from accounts.sign_in_links import create_link
from accounts.users import add_first_account, add_user, normalize_email
from cli import output
from runtime.database import session_factory
from runtime.settings import Settings


async def users(settings: Settings, options: argparse.Namespace) -> int:
    """Add, list or unlink users, print a sign-in link, set limits, or make an operator. Returns the exit code."""
    async with session_factory(settings.direct_database_url, 2) as sessions, sessions.begin() as session:
        if options.action == "list":
            for email in await session.scalars(select(User.email).order_by(User.email)):
                output.echo(email)
            return 0
        try:
            if options.action == "link":
                token = await create_link(session, options.email)
                await session.commit()  # before the link is printed
                output.echo(sign_in_url(settings, token))
                return 0
            if options.action == "add":
                await _add(session, options.email)
            elif options.action == "unlink":
                await unlink(session, options.email)
            elif options.action == "operator":
                await set_operator(session, options.email, operator=options.state == "on")
            else:
                await set_limits(session, options.email, options.stores, options.per_hour)
        except CallerError as error:
            output.error(error.message)
            return 1
    output.success(options.email)
    return 0


def sign_in_url(settings: Settings, token: str) -> str:
    """The dashboard's sign-in page with the token in its fragment, which browsers don't send to servers."""
    return f"{settings.origin}/sign-in#token={token}"


async def _add(session: AsyncSession, email: str) -> None:
    password = sys.stdin.readline().rstrip("\n")
    email = normalize_email(email)
    if problem := password_problem(password):
        raise CallerError(Code.INVALID_PASSWORD, "password", f"The password (one line on stdin) {problem}.")
    user_id = await add_user(session, email, await hash_password(password))
    await add_first_account(session, email, user_id)


async def set_limits(session: AsyncSession, email: str, stores: int | None, per_hour: int | None) -> None:
    """Set the limits of all accounts that the user owns. None: the settings' default. Raises CallerError."""
    owned = (
        select(Membership.account_id)
        .join(User, User.id == Membership.user_id)
        .where(User.email == email.lower(), Membership.role == "owner")
    )
    changed = await session.scalars(
        update(Account)
        .where(Account.id.in_(owned))
        .values(store_quota=stores, creations_per_hour=per_hour)
        .returning(Account.id)
    )
    if not changed.all():
        raise CallerError(Code.NOT_FOUND, "email", f"{email} owns no account.")
