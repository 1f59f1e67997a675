"""Member and Invitation: who belongs to an account, and who may join it."""

from datetime import datetime

import strawberry

from accounts.members import Member as MemberRow
from accounts.models import Invitation as InvitationRow
from schema.enums import Role
from schema.ids import encode_id
from schema.types.connections import Connection
from schema.types.nodes import Node


@strawberry.type(description="A user with a role in an account.")
class Member:
    user_id: strawberry.ID = strawberry.field(description="Global id of the user.")
    account_id: strawberry.ID = strawberry.field(description="Global id of the account.")
    email: str = strawberry.field(description="The user's e-mail address.")
    role: Role = strawberry.field(description="The user's role in the account.")
    since: datetime | None = strawberry.field(description="When the user joined; null if that is not known.")

    @classmethod
    def from_member(cls, member: MemberRow) -> "Member":
        return cls(
            user_id=strawberry.ID(encode_id("User", member.user_id)),
            account_id=strawberry.ID(encode_id("Account", member.account_id)),
            email=member.email,
            role=Role(member.role),
            since=member.since,
        )


@strawberry.type(description="An invitation into an account. It works once, for its e-mail address.")
class Invitation(Node):
    email: str = strawberry.field(description="Only a user with this e-mail address can accept it.")
    role: Role = strawberry.field(description="The role that the user gets.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime = strawberry.field(description="Until when it can be accepted.")

    @classmethod
    def from_row(cls, row: InvitationRow) -> "Invitation":
        """Without the link: the database has only its hash."""
        return cls(
            id=strawberry.ID(encode_id("Invitation", row.id)),
            email=row.email,
            role=Role(row.role),
            created_at=row.created_at,
            expires_at=row.expires_at,
        )


@strawberry.type(description="What the link of an invitation leads to.")
class InvitationPreview:
    account_name: str = strawberry.field(description="The name of the account.")
    email: str = strawberry.field(description="The e-mail address that is invited.")
    role: Role = strawberry.field(description="The role in the account.")
    invited_by: str = strawberry.field(description="The e-mail address of the member who made the invitation.")


@strawberry.type(description="A page of an account's members.")
class MemberConnection(Connection[Member]): ...


@strawberry.type(description="A page of an account's open invitations.")
class InvitationConnection(Connection[Invitation]): ...
