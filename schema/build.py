"""Builds the schema from its three root types, with limits and error masking for every operation."""

from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.graphql import OperationType

from schema.access import check_declared
from schema.document_limits import DocumentLimits
from schema.error_masking import MaskInternalErrors
from schema.introspection import HideSchema
from schema.introspection_cache import IntrospectionCache
from schema.mutations import Mutation
from schema.operation_cost import OperationCost
from schema.queries import Query
from schema.subscriptions import Subscription
from schema.trusted_documents import RequireTrustedDocument


class _Names(NameConverter):
    def from_generic(self, generic_type: StrawberryObjectDefinition, types: Any) -> str:
        """AuditEdge, not AuditEntryEdge: a published name stays."""
        return super().from_generic(generic_type, types).replace("AuditEntry", "Audit")


class _Schema(strawberry.Schema):
    async def execute(self, query: str | None, *args: Any, **options: Any) -> Any:
        """Runs a query or mutation. Subscriptions run over WebSocket only, through `subscribe`."""
        allowed: Any = options.pop("allowed_operation_types", None) or OperationType
        allowed = set(allowed) - {OperationType.SUBSCRIPTION}
        run = super().execute
        return await run(query, *args, **{**options, "allowed_operation_types": allowed})

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Logs nothing: MaskInternalErrors logs internal errors, and the caller's errors go to the caller only."""


schema = _Schema(
    config=StrawberryConfig(name_converter=_Names()),
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[
        IntrospectionCache,
        DocumentLimits,
        RequireTrustedDocument,
        HideSchema,
        OperationCost,
        MaskInternalErrors,
    ],
)
check_declared(schema)
