"""The schema as a whole, with what every operation has to pass before it runs."""

from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.extensions import MaxAliasesLimiter, MaxTokensLimiter, QueryDepthLimiter
from strawberry.types.graphql import OperationType

from schema.masking import Mask
from schema.mutations import Mutation
from schema.queries import Query
from schema.subscriptions import Subscription

MAX_DEPTH = 12
MAX_ALIASES = 30
MAX_TOKENS = 2000


class _Schema(strawberry.Schema):
    async def execute(self, query: str | None, *args: Any, **options: Any) -> Any:
        """What is answered at once. Subscriptions go another way (`stream`), over WebSocket only."""
        allowed: Any = options.pop("allowed_operation_types", None) or OperationType
        allowed = set(allowed) - {OperationType.SUBSCRIPTION}
        run = super().execute
        return await run(query, *args, **{**options, "allowed_operation_types": allowed})

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Masked errors are logged where they are masked; the caller's own mistakes are not ours to log."""


schema = _Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[
        lambda: QueryDepthLimiter(max_depth=MAX_DEPTH),
        lambda: MaxAliasesLimiter(max_alias_count=MAX_ALIASES),
        lambda: MaxTokensLimiter(max_token_count=MAX_TOKENS),
        Mask,
    ],
)
