"""`storefleet users`: people who may sign in, and what their accounts may have."""

import argparse
import sys

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.errors import CallerError, Code
from accounts.models import Account, Membership, User
from accounts.passwords import hash_password, password_problem
from accounts.users import add_account, add_user, normal_email
from cli import screen
from runtime.database import connect
from runtime.settings import Settings


async def users(settings: Settings, options: argparse.Namespace) -> int:
    """Add, list, or set limits."""
    async with connect(settings.database_url, 2) as sessions, sessions.begin() as session:
        if options.action == "list":
            for email in await session.scalars(select(User.email).order_by(User.email)):
                screen.say(email)
            return 0
        try:
            if options.action == "add":
                await _add(session, options.email)
            else:
                await set_limits(session, options.email, options.stores, options.per_hour)
        except CallerError as error:
            screen.failed(error.message)
            return 1
    screen.done(options.email)
    return 0


async def _add(session: AsyncSession, email: str) -> None:
    password = sys.stdin.readline().rstrip("\n")
    email = normal_email(email)
    if problem := password_problem(password):
        raise CallerError(Code.INVALID_PASSWORD, "password", f"The password (one line on stdin) {problem}.")
    user_id = await add_user(session, email, await hash_password(password))
    await add_account(session, f"{email.partition('@')[0]}'s stores", user_id)


async def set_limits(session: AsyncSession, email: str, stores: int | None, per_hour: int | None) -> None:
    """Of all accounts that the user owns; None goes back to the settings' default. Raises CallerError."""
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
