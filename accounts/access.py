"""What a caller needs for a field of the API, and the one rule that decides it.

schema/access.py declares an Access for each field; other callers than the schema call `require` themselves.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from accounts.actors import Actor
from accounts.errors import CallerError, Code

RANKS = {"viewer": 0, "admin": 1, "owner": 2}
"""A role may what the roles below it may."""


@dataclass(frozen=True)
class Access:
    """`role`: the lowest one in the account concerned; None: the field concerns the caller, or all of its accounts.

    `session`: only a signed-in user, no API token. `anonymous`: also a caller without credentials.
    """

    scope: Literal["read", "write"]
    role: Literal["admin", "owner"] | None = None
    session: bool = False
    anonymous: bool = False


ANYONE = Access("read", anonymous=True)
VIEWER_READ = Access("read")
ADMIN_READ = Access("read", "admin")
ADMIN_WRITE = Access("write", "admin")
ANY_SESSION = Access("write", session=True)
ADMIN_SESSION = Access("write", "admin", session=True)
"""For members: a stolen token must not add its own user."""


def require(actor: Actor, access: Access, account_id: UUID | None = None) -> None:
    """Raises CallerError FORBIDDEN. `account_id`: the account concerned, one of the actor's, where a role is needed.

    Raises LookupError for a role without an account: nobody has it then.
    """
    if access.session and actor.kind != "user":
        raise _forbidden("This needs a signed-in user; API tokens can't do it.", access, account_id)
    if access.scope not in actor.scopes:
        raise _forbidden(f"This needs a token with the scope {access.scope.upper()}.", access, account_id)
    if access.role is not None:
        if account_id is None:
            raise LookupError("a role is needed, but in which account?")
        if RANKS.get(actor.roles.get(account_id, ""), -1) < RANKS[access.role]:
            needed = "owner or admin" if access.role == "admin" else "owner"
            raise _forbidden(f"This needs the role {needed} in the account.", access, account_id)


def allows(actor: Actor, access: Access, account_id: UUID | None = None) -> bool:
    """Whether `require` raises nothing."""
    try:
        require(actor, access, account_id)
    except CallerError:
        return False
    return True


def _forbidden(message: str, access: Access, account_id: UUID | None) -> CallerError:
    """What was tried to change in an account is written to its audit log."""
    return CallerError(Code.FORBIDDEN, None, message, account_id=account_id if access.scope == "write" else None)
