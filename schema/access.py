"""Who may use a field: declared with one word in `extensions`, and enforced before the field's resolver runs.

A root field, and each other field with a resolver, must have a word: check_declared fails at start otherwise. What the
words mean is in accounts/access.py.
"""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import strawberry
from graphql import OperationType
from strawberry.extensions import FieldExtension
from strawberry.types import get_object_definition
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.utils.await_maybe import await_maybe

from accounts import access
from accounts.access import Access
from accounts.errors import CallerError, Code
from accounts.operators import require_operator
from schema.context import Info, RequestError
from schema.ids import decode_account_id
from schema.types.errors import declare_errors, refuse
from stores.ownership import account_of

ACCOUNT_FIELDS = ("account_id", "id")
"""What names the account, or an object of it, in the input of a field that needs a role."""


class AsParent(FieldExtension):
    """Whoever got the object may also read this field of it."""


class Require(FieldExtension):
    """Refuses the callers who haven't the access: a mutation with userErrors, another field with an error."""

    def __init__(self, needed: Access) -> None:
        self.needed = needed

    def apply(self, field: StrawberryField) -> None:
        """The argument of each mutation is its input, whose fields have the descriptions."""
        for argument in field.arguments:
            if argument.python_name == "input":
                argument.description = "The input of the mutation."
        declare_errors(field)

    async def resolve_async(self, next_: Callable[..., Any], source: Any, info: Info, **given: Any) -> Any:
        is_mutation = info.operation.operation == OperationType.MUTATION and info.path.prev is None
        try:
            await self._require(source, info, given, is_mutation=is_mutation)
            return await await_maybe(next_(source, info, **given))  # a subscription's is a generator
        except CallerError as error:
            if is_mutation:
                return refuse(info.return_type, error)
            raise RequestError(error.code.value, error.message) from None

    async def _require(self, source: Any, info: Info, given: dict[str, Any], *, is_mutation: bool) -> None:
        """Raises RequestError UNAUTHENTICATED, or CallerError."""
        if self.needed.anonymous and info.context.actor is None:
            return
        actor = info.context.require_actor()
        account_id = None if self.needed.role is None else await _account(info, source, given)
        if self.needed.role is not None and account_id is None:
            return  # there is no such object: the resolver says so
        try:
            access.require(actor, self.needed, account_id)
        except CallerError as error:
            if is_mutation:
                async with info.context.mutation_transaction(info.field_name):
                    raise error from None  # in here, so that the audit log says it
            raise


class RequireOperator(Require):
    """Refuses everybody but operators in sessions of their own, in the same words."""

    async def _require(self, source: Any, info: Info, given: dict[str, Any], *, is_mutation: bool) -> None:
        actor = info.context.require_actor()
        async with info.context.platform.sessions() as session:
            await require_operator(session, actor)


ANYONE = Require(access.ANYONE)
VIEWER_READ = Require(access.VIEWER_READ)
ADMIN_READ = Require(access.ADMIN_READ)
ADMIN_WRITE = Require(access.ADMIN_WRITE)
ANY_SESSION = Require(access.ANY_SESSION)
ADMIN_SESSION = Require(access.ADMIN_SESSION)
OPERATOR = RequireOperator(access.ANY_SESSION)
AS_PARENT = AsParent()


async def _account(info: Info, source: Any, given: dict[str, Any]) -> UUID | None:
    """The account that the field concerns: the parent's, the one in the input, or that of the object in the input.

    None: there is no such object. Raises CallerError NOT_FOUND, ACCOUNT_REQUIRED.
    """
    actor = info.context.require_actor()
    if source is not None:
        account_id: UUID = getattr(source.row, "account_id", source.row.id)
        return account_id
    named = vars(given["input"]) if "input" in given else given
    if "account_id" in named:
        return actor.resolve_account(decode_account_id(named["account_id"]))
    async with info.context.platform.sessions() as session:
        found = await account_of(session, named["id"])
    if found is not None and found not in actor.roles:
        raise CallerError(Code.NOT_FOUND, "id", "There is no such object.")
    return found


def check_declared(schema: strawberry.Schema) -> None:
    """Raises TypeError: a field doesn't say who may use it, or needs a role but names no account."""
    problems = [
        f"{kind.name}.{field.name} {problem}" for kind, field in _fields(schema) if (problem := _problem(kind, field))
    ]
    if problems:
        raise TypeError(f"{'; '.join(problems)}: see schema/access.py")


def _fields(schema: strawberry.Schema) -> Iterator[tuple[StrawberryObjectDefinition, StrawberryField]]:
    for concrete in schema.schema_converter.type_map.values():
        kind = concrete.definition
        if isinstance(kind, StrawberryObjectDefinition) and not kind.is_input:
            yield from ((kind, field) for field in kind.fields)


def _problem(kind: StrawberryObjectDefinition, field: StrawberryField) -> str | None:
    is_root = kind.name in ("Query", "Mutation", "Subscription")
    words = [item for item in field.extensions if isinstance(item, Require | AsParent)]
    if len(words) != 1 or (is_root and words == [AS_PARENT]):
        return "doesn't say who may use it" if is_root or field.base_resolver else None
    if isinstance(words[0], AsParent) or words[0].needed.role is None:
        return None
    if not is_root:
        return None if "row" in kind.origin.__annotations__ else "needs a role, but its type has no row of an account"
    arguments = {argument.python_name: argument.type for argument in field.arguments}
    given = get_object_definition(arguments["input"]) if "input" in arguments else None
    names = {item.python_name for item in given.fields} if given else set(arguments)
    return None if names & set(ACCOUNT_FIELDS) else "needs a role, but its input names no account and no object of one"
