"""The root type of all mutations. Each mutation has one input, runs in one transaction, and returns one payload: the
object, or `userErrors`.
"""

import strawberry

from schema.mutations.members import MemberMutations
from schema.mutations.operator import OperatorMutations
from schema.mutations.sessions import SessionMutations
from schema.mutations.stores import StoreMutations
from schema.mutations.tokens import TokenMutations
from schema.mutations.webhooks import WebhookMutations


@strawberry.type(description="What can be changed. Each mutation has one input, and answers with a payload.")
class Mutation(
    StoreMutations, TokenMutations, SessionMutations, MemberMutations, WebhookMutations, OperatorMutations
): ...
