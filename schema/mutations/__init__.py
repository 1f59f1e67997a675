"""The root type of all mutations. Each mutation has one input, runs in one transaction, and returns one payload: the
object, or `userErrors`.
"""

from strawberry.tools import merge_types

from schema.mutations.members import MemberMutations
from schema.mutations.sessions import SessionMutations
from schema.mutations.stores import StoreMutations
from schema.mutations.tokens import TokenMutations
from schema.mutations.webhooks import WebhookMutations

Mutation = merge_types(
    "Mutation", (StoreMutations, TokenMutations, SessionMutations, MemberMutations, WebhookMutations)
)
