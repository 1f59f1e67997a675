"""Builds the schema from its three root types, with limits and error masking for every operation."""

from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types import ExecutionResult
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.graphql import OperationType

from schema.access import check_declared
from schema.context import Context
from schema.document_cache import CachedDocument, DocumentCache, documents
from schema.document_limits import DocumentLimits
from schema.error_masking import MaskInternalErrors
from schema.execution_context import PlainFieldsExecutionContext
from schema.introspection import HideSchema
from schema.introspection_cache import IntrospectionCache
from schema.mutations import Mutation
from schema.operation_cost import OperationCost, cost_report
from schema.queries import Query
from schema.shared_events import SharedStream, written_events
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
        if not args and OperationType.QUERY in allowed:
            variables, name = options.get("variable_values") or {}, options.get("operation_name")
            answer = await self._run_compiled(query or "", variables, name, options["context_value"])
            if answer is not None:
                return answer
        run = super().execute
        return await run(query, *args, **{**options, "allowed_operation_types": allowed})

    async def _run_compiled(
        self, query: str, variables: dict[str, Any], operation_name: str | None, context: Context
    ) -> ExecutionResult | None:
        """The answer to a query that was accepted before; None: the executor has to answer.

        Makes the checks of the extensions that depend on the caller. The executor reports the one that fails.
        """
        cached = documents.get(query)
        compiled = cached.query(self._schema, operation_name) if cached is not None else None
        if cached is None or compiled is None:
            return None
        cost = _accepted_cost(cached, operation_name, variables, context)
        if cost is None:
            return None
        balance = context.charge(cost)
        try:
            data = await compiled.run(context, variables)
        except Exception:
            context.charge(-cost)  # the executor takes the points again, and reports or logs the error
            return None
        return ExecutionResult(data=data, errors=None, extensions=cost_report(cost, balance))

    async def share(
        self, query: str, variables: dict[str, Any], operation_name: str | None, context: Context
    ) -> SharedStream | None:
        """The events of a subscription that was accepted before; None: `stream` has to answer. Checks as above."""
        cached = documents.get(query)
        shared = cached.subscription(self._schema, operation_name) if cached is not None else None
        if cached is None or shared is None:
            return None
        cost = _accepted_cost(cached, operation_name, variables, context)
        if cost is None:
            return None
        balance = context.charge(cost)
        try:
            events = await shared.subscribe(context, variables)
        except Exception:
            context.charge(-cost)
            return None
        return SharedStream(written_events(shared, events, context), cost_report(cost, balance))

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Logs nothing: MaskInternalErrors logs internal errors, and the caller's errors go to the caller only."""


def _accepted_cost(
    cached: CachedDocument, operation_name: str | None, variables: dict[str, Any], context: Context
) -> int | None:
    """What the operation costs the caller; None: it is refused."""
    trusted = context.only_trusted
    if trusted is not None and not cached.is_trusted(trusted):
        return None
    cost = cached.cost(operation_name, variables)
    return cost if cost <= context.points_per_request else None


schema = _Schema(
    execution_context_class=PlainFieldsExecutionContext,
    config=StrawberryConfig(name_converter=_Names()),
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[
        DocumentCache,
        IntrospectionCache,
        DocumentLimits,
        RequireTrustedDocument,
        HideSchema,
        OperationCost,
        MaskInternalErrors,
    ],
)
check_declared(schema)
