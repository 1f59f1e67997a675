"""Mutations of an account's members. What they do is in accounts/members.py and accounts/invitations.py."""

import strawberry

from accounts.errors import Code
from accounts.invitations import accept_invitation, invitation_by_token, invite_member, revoke_invitation
from accounts.members import change_role, remove_member
from runtime.mail import send_mail
from schema.access import ADMIN_SESSION, ANY_SESSION
from schema.context import Info
from schema.enums import Role
from schema.ids import decode_account_id, decode_id, encode_id
from schema.mutations.descriptions import ACCOUNT_ID, IDEMPOTENCY_KEY, USER_ERRORS
from schema.types.errors import UserError, may_answer
from schema.types.members import Invitation, Member


@strawberry.input(description="Input of inviteMember.")
class InviteMemberInput:
    email: str = strawberry.field(description="Only a user with this e-mail address can accept the invitation.")
    role: Role = strawberry.field(description="The role in the account. Only an owner can invite an OWNER.")
    account_id: strawberry.ID | None = strawberry.field(default=None, description=ACCOUNT_ID)
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="Input of revokeInvitation.")
class RevokeInvitationInput:
    id: strawberry.ID = strawberry.field(description="Global id of the invitation.")


@strawberry.input(description="Input of acceptInvitation.")
class AcceptInvitationInput:
    token: str = strawberry.field(description="The token in the link of the invitation.")


@strawberry.input(description="Input of changeRole.")
class ChangeRoleInput:
    user_id: strawberry.ID = strawberry.field(description="Global id of the member's user.")
    role: Role = strawberry.field(description="The new role.")
    account_id: strawberry.ID | None = strawberry.field(default=None, description=ACCOUNT_ID)


@strawberry.input(description="Input of removeMember.")
class RemoveMemberInput:
    user_id: strawberry.ID = strawberry.field(description="Global id of the member's user; one's own to leave.")
    account_id: strawberry.ID | None = strawberry.field(default=None, description=ACCOUNT_ID)


@strawberry.type(description="Result of inviteMember.")
class InviteMemberPayload:
    invitation: Invitation | None = strawberry.field(
        default=None, description="The invitation; null when there are userErrors."
    )
    link: str | None = strawberry.field(
        default=None,
        description="To be sent to the invited person. Shown only once; null when it was mailed, or a key is replayed.",
    )
    mailed: bool = strawberry.field(
        default=False, description="Whether the link was mailed: only where the operator has set a mail server."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="Result of revokeInvitation.")
class RevokeInvitationPayload:
    invitation: Invitation | None = strawberry.field(
        default=None, description="The invitation; null when there are userErrors."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="Result of acceptInvitation.")
class AcceptInvitationPayload:
    account_id: strawberry.ID | None = strawberry.field(
        default=None, description="Global id of the account; null when there are userErrors."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="Result of changeRole.")
class ChangeRolePayload:
    member: Member | None = strawberry.field(default=None, description="The member; null when there are userErrors.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="Result of removeMember.")
class RemoveMemberPayload:
    member: Member | None = strawberry.field(
        default=None, description="The former member; null if the user was no member any more, or with userErrors."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class MemberMutations:
    @strawberry.mutation(
        extensions=[ADMIN_SESSION, may_answer(Code.INVALID_EMAIL, Code.EMAIL_TAKEN, Code.QUOTA_EXCEEDED)],
        description="Invite a person into an account, with a link that works once within 7 days. An earlier invitation "
        "of the same address ends. For signed-in owners and admins.",
    )
    async def invite_member(self, info: Info, input: InviteMemberInput) -> InviteMemberPayload:
        actor, platform = info.context.require_actor(), info.context.platform
        preview = None
        key = info.context.choose_idempotency_key(input.idempotency_key)
        async with info.context.mutation_transaction(info.field_name) as session:
            invitation, token = await invite_member(
                session,
                actor,
                decode_account_id(input.account_id),
                input.email,
                input.role.value,
                key,
            )
            if token is not None:
                preview = await invitation_by_token(session, token)
        link = f"{platform.settings.origin}/invitation#token={token}" if token is not None else None
        mailed = False
        if preview is not None and link is not None and platform.profile.smtp_url is not None:
            _, account, inviter = preview
            mailed = await send_mail(  # after the commit: if the process dies before it, a new invitation replaces this
                platform.profile.smtp_url,
                f"storefleet@{platform.profile.base_domain}",
                invitation.email,
                "You are invited to Storefleet",
                f"{inviter} invites you to “{account}”. This link works once, until "
                f"{invitation.expires_at:%Y-%m-%d %H:%M} UTC:\n\n{link}\n",
            )
        return InviteMemberPayload(
            invitation=Invitation.from_row(invitation), link=None if mailed else link, mailed=mailed
        )

    @strawberry.mutation(
        extensions=[ADMIN_SESSION],
        description="End an invitation: its link no longer works. For signed-in owners and admins.",
    )
    async def revoke_invitation(self, info: Info, input: RevokeInvitationInput) -> RevokeInvitationPayload:
        actor = info.context.require_actor()
        async with info.context.mutation_transaction(info.field_name) as session:
            invitation = await revoke_invitation(session, actor, decode_id("Invitation", input.id))
        return RevokeInvitationPayload(invitation=Invitation.from_row(invitation))

    @strawberry.mutation(
        extensions=[ANY_SESSION], description="Join an account. For the signed-in user with the invited e-mail address."
    )
    async def accept_invitation(self, info: Info, input: AcceptInvitationInput) -> AcceptInvitationPayload:
        actor = info.context.require_actor()
        async with info.context.mutation_transaction(info.field_name) as session:
            account_id = await accept_invitation(session, actor, input.token)
        return AcceptInvitationPayload(account_id=strawberry.ID(encode_id("Account", account_id)))

    @strawberry.mutation(
        extensions=[ADMIN_SESSION, may_answer(Code.LAST_OWNER)],
        description="Give a member another role. Only an owner can make or demote an owner, and one owner stays. For "
        "signed-in owners and admins.",
    )
    async def change_role(self, info: Info, input: ChangeRoleInput) -> ChangeRolePayload:
        actor = info.context.require_actor()
        async with info.context.mutation_transaction(info.field_name) as session:
            account_id, user_id = decode_account_id(input.account_id), decode_id("User", input.user_id)
            member = await change_role(session, actor, account_id, user_id, input.role.value)
        return ChangeRolePayload(member=Member.from_member(member))

    @strawberry.mutation(
        extensions=[ANY_SESSION, may_answer(Code.LAST_OWNER)],
        description="Remove a member, or leave. The member's tokens for the account end. Only an owner can remove an "
        "owner, and one owner stays. For signed-in owners and admins; anyone may leave.",
    )
    async def remove_member(self, info: Info, input: RemoveMemberInput) -> RemoveMemberPayload:
        actor = info.context.require_actor()
        async with info.context.mutation_transaction(info.field_name) as session:
            account_id, user_id = decode_account_id(input.account_id), decode_id("User", input.user_id)
            member = await remove_member(session, actor, account_id, user_id)
        return RemoveMemberPayload(member=Member.from_member(member) if member is not None else None)
