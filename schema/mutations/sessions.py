"""Mutations of the signed-in user. What they do is in accounts/password_change.py and accounts/sessions.py."""

import strawberry

from accounts.errors import Code
from accounts.password_change import begin_change, finish_change, hash_new_password
from accounts.sessions import end_session
from schema.access import ANY_SESSION
from schema.context import Info
from schema.ids import decode_id
from schema.mutations.descriptions import IDEMPOTENCY_KEY, USER_ERRORS
from schema.types.accounts import User
from schema.types.errors import UserError, may_answer
from schema.types.sessions import Session


@strawberry.input(description="Input of changePassword.")
class ChangePasswordInput:
    current_password: str | None = strawberry.field(
        default=None, description="Optional in a session with passwordOptional."
    )
    new_password: str = strawberry.field(description="10 to 200 characters.")
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.type(description="Result of changePassword.")
class ChangePasswordPayload:
    user: User | None = strawberry.field(default=None, description="The user; null when there are userErrors.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.input(description="Input of endSession.")
class EndSessionInput:
    id: strawberry.ID = strawberry.field(description="Global id of the session.")


@strawberry.type(description="Result of endSession.")
class EndSessionPayload:
    session: Session | None = strawberry.field(default=None, description="The session; null when there are userErrors.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class SessionMutations:
    @strawberry.mutation(
        extensions=[ANY_SESSION, may_answer(Code.INVALID_PASSWORD, Code.RATE_LIMITED)],
        description="Set a new password. All other sessions and all open sign-in links of the user end.",
    )
    async def change_password(self, info: Info, input: ChangePasswordInput) -> ChangePasswordPayload:
        actor = info.context.require_actor()
        key = info.context.choose_idempotency_key(input.idempotency_key)
        async with info.context.mutation_transaction(info.field_name) as session:
            change = await begin_change(session, actor, key)
        if not change.replayed:
            new_hash = await hash_new_password(change, input.current_password, input.new_password)
            async with info.context.mutation_transaction(info.field_name) as session:
                await finish_change(session, actor, change, new_hash, key)
        return ChangePasswordPayload(user=User.from_row(change.user))

    @strawberry.mutation(
        extensions=[ANY_SESSION], description="End a session of the user, as signing out in that browser does."
    )
    async def end_session(self, info: Info, input: EndSessionInput) -> EndSessionPayload:
        actor = info.context.require_actor()
        async with info.context.mutation_transaction(info.field_name) as session:
            row = await end_session(session, actor, decode_id("Session", input.id))
        return EndSessionPayload(session=Session.from_row(row, actor))
