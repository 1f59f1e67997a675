"""Each field says who may use it, and one rule decides."""

from uuid import UUID

import pytest
import strawberry

from accounts.access import ADMIN_READ, ADMIN_SESSION, ADMIN_WRITE, ANY_SESSION, VIEWER_READ, Access, require
from accounts.actors import Actor
from accounts.errors import CallerError
from schema import access
from schema.access import check_declared

ACCOUNT, OTHER = UUID(int=1), UUID(int=2)
OWNER_WRITE = Access("write", "owner")
ALLOWED = [
    (VIEWER_READ, "viewer", "token", {"read"}),
    (ADMIN_READ, "admin", "token", {"read"}),
    (ADMIN_WRITE, "owner", "token", {"write"}),
    (OWNER_WRITE, "owner", "user", {"read", "write"}),
    (ANY_SESSION, "viewer", "user", {"read", "write"}),
    (ADMIN_SESSION, "admin", "user", {"read", "write"}),
]
REFUSED = [
    (VIEWER_READ, "owner", "token", {"write"}),
    (ADMIN_READ, "viewer", "token", {"read"}),
    (ADMIN_READ, "owner", "token", {"write"}),
    (ADMIN_WRITE, "owner", "token", {"read"}),
    (ADMIN_WRITE, "viewer", "user", {"read", "write"}),
    (ADMIN_WRITE, "unknown", "user", {"read", "write"}),
    (OWNER_WRITE, "admin", "user", {"read", "write"}),
    (ANY_SESSION, "owner", "token", {"read", "write"}),
    (ADMIN_SESSION, "owner", "token", {"read", "write"}),
    (ADMIN_SESSION, "viewer", "user", {"read", "write"}),
]


def actor(role: str, kind: str, scopes: set[str]) -> Actor:
    return Actor(kind, UUID(int=9), {ACCOUNT: role}, frozenset(scopes), b"")  # type: ignore[arg-type]  # a Literal


@pytest.mark.parametrize(("needed", "role", "kind", "scopes"), ALLOWED)
def test_who_has_the_access(needed: Access, role: str, kind: str, scopes: set[str]) -> None:
    require(actor(role, kind, scopes), needed, ACCOUNT)
    if needed.role is not None:
        with pytest.raises(CallerError, match="role"):
            require(actor(role, kind, scopes), needed, OTHER)
        with pytest.raises(LookupError):
            require(actor(role, kind, scopes), needed)


@pytest.mark.parametrize(("needed", "role", "kind", "scopes"), REFUSED)
def test_who_has_it_not(needed: Access, role: str, kind: str, scopes: set[str]) -> None:
    with pytest.raises(CallerError) as refused:
        require(actor(role, kind, scopes), needed, ACCOUNT)
    assert refused.value.code == "FORBIDDEN"
    assert refused.value.account_id == (ACCOUNT if needed.scope == "write" else None)


async def one() -> int:
    return 1


async def of_a_name(name: str) -> int:
    return len(name)


@strawberry.type
class Thing:
    part: int = strawberry.field(resolver=one)


async def thing() -> Thing:
    return Thing()


@strawberry.type
class Query:
    declared: int = strawberry.field(resolver=one, extensions=[access.VIEWER_READ])
    forgotten: int = strawberry.field(resolver=one)
    without_parent: Thing = strawberry.field(resolver=thing, extensions=[access.AS_PARENT])
    of_no_account: int = strawberry.field(resolver=of_a_name, extensions=[access.ADMIN_READ])


def test_a_field_that_declares_nothing_is_no_schema() -> None:
    with pytest.raises(TypeError) as refused:
        check_declared(strawberry.Schema(Query))
    problems = str(refused.value).split("; ")
    assert sorted(problem.split()[0] for problem in problems) == [
        "Query.forgotten", "Query.of_no_account", "Query.without_parent", "Thing.part",
    ]  # fmt: skip
