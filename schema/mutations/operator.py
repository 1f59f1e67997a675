"""Mutations of operators. What they do is in accounts/operators.py."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import strawberry

from accounts.errors import Code
from accounts.models import Account
from accounts.operators import MAX_REASON, resume_account, set_account_limits, suspend_account
from schema.access import OPERATOR
from schema.context import Info
from schema.ids import decode_account_id
from schema.mutations.descriptions import USER_ERRORS
from schema.types.errors import UserError, may_answer
from schema.types.operator import OperatorAccount
from stores.operator_pages import account_summary

ID = "Global id of the account."


@strawberry.input(description="Input of setAccountLimits.")
class SetAccountLimitsInput:
    account_id: strawberry.ID = strawberry.field(description=ID)
    store_quota: int | None = strawberry.field(
        default=None, description="How many stores the account may have; null: the installation's default."
    )
    creations_per_hour: int | None = strawberry.field(
        default=None, description="How many stores it may create in an hour; null: the installation's default."
    )


@strawberry.input(description="Input of suspendAccount.")
class SuspendAccountInput:
    account_id: strawberry.ID = strawberry.field(description=ID)
    reason: str = strawberry.field(description=f"1 to {MAX_REASON} characters. The account's members read it.")


@strawberry.input(description="Input of resumeAccount.")
class ResumeAccountInput:
    account_id: strawberry.ID = strawberry.field(description=ID)


@strawberry.type
class _Payload:
    account: OperatorAccount | None = strawberry.field(
        default=None, description="The account; null when there are userErrors."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="Result of setAccountLimits.")
class SetAccountLimitsPayload(_Payload): ...


@strawberry.type(description="Result of suspendAccount.")
class SuspendAccountPayload(_Payload): ...


@strawberry.type(description="Result of resumeAccount.")
class ResumeAccountPayload(_Payload): ...


Payload = TypeVar("Payload", bound=_Payload)


@strawberry.type
class OperatorMutations:
    @strawberry.mutation(
        extensions=[OPERATOR, may_answer(Code.INVALID_LIMIT)],
        description="Set both limits of an account. For operators.",
    )
    async def set_account_limits(self, info: Info, input: SetAccountLimitsInput) -> SetAccountLimitsPayload:
        command = partial(
            set_account_limits, store_quota=input.store_quota, creations_per_hour=input.creations_per_hour
        )
        return await _run(info, SetAccountLimitsPayload, input.account_id, command)

    @strawberry.mutation(
        extensions=[OPERATOR, may_answer(Code.INVALID_REASON)],
        description="Suspend an account: its stores sleep, and no store is created. Nothing is lost, and its members "
        "can sign in and read the reason. For operators.",
    )
    async def suspend_account(self, info: Info, input: SuspendAccountInput) -> SuspendAccountPayload:
        return await _run(info, SuspendAccountPayload, input.account_id, partial(suspend_account, reason=input.reason))

    @strawberry.mutation(
        extensions=[OPERATOR],
        description="End the suspension of an account: the stores that it suspended resume. For operators.",
    )
    async def resume_account(self, info: Info, input: ResumeAccountInput) -> ResumeAccountPayload:
        return await _run(info, ResumeAccountPayload, input.account_id, resume_account)


async def _run(
    info: Info, payload: type[Payload], global_id: strawberry.ID, command: Callable[..., Awaitable[Account]]
) -> Payload:
    actor = info.context.require_actor()
    async with info.context.mutation_transaction(info.field_name) as session:
        account = await command(session, actor, account_id=decode_account_id(global_id))
        summary = await account_summary(session, account.id)
    return payload(account=OperatorAccount.from_summary(info, summary))
