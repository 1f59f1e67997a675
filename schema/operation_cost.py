"""What an operation costs, in points. Known before it is executed; docs/API.md has the formula.

A field with arguments or with fields below it costs one point, a root field of a mutation ten, `__schema` and `__type`
a hundred. What is below `nodes` or `edges` counts for each item that the page may have (`first` or `last`), what is
below the query `nodes` for each of its ids.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)
from strawberry.extensions import SchemaExtension

from runtime.budgets import Balance
from schema.types.connections import MAX_PAGE, UNPAGED

MUTATION_POINTS = 10
INTROSPECTION_POINTS = 100
REFUSED_POINTS = 10
"""For a request that isn't understood, or whose document is refused: it costs the API time all the same."""
CHARACTERS_PER_POINT = 40
"""Of a refused document: to parse and check it takes 1 to 10 ms, by its length."""
FREE = frozenset({"node", "pageInfo"})
"""Fields of an edge and of a connection that load nothing."""


class OperationCost(SchemaExtension):
    """Charges the caller's budgets, and says in `extensions.cost` what is left."""

    def on_operation(self) -> Iterator[None]:
        self._requested: int | None = None
        self._balance: Balance | None = None
        self._reported = False
        try:
            yield
        finally:  # also when nobody reads on after the errors
            if self._balance is None:
                self.execution_context.context.charge(
                    REFUSED_POINTS + len(self.execution_context.query or "") // CHARACTERS_PER_POINT
                )

    def on_validate(self) -> Iterator[None]:
        """Refuses an operation that costs too much, unless the document was refused before."""
        context = self.execution_context
        document, limit = context.graphql_document, context.context.points_per_request
        if document is not None and not context.pre_execution_errors:
            # operation_name is the document's only operation, if the request names none
            self._requested = operation_cost(document, context.operation_name, context.variables or {})
            if self._requested > limit:
                message = f"The operation costs {self._requested} points; {limit} are allowed. Ask for smaller pages."
                context.pre_execution_errors = [GraphQLError(message, extensions={"code": "DOCUMENT_TOO_LARGE"})]
        yield

    def on_execute(self) -> Iterator[None]:
        self._balance = self.execution_context.context.charge(self._requested or 1)
        yield

    def get_results(self) -> dict[str, Any]:
        """`extensions.cost`; of a subscription in its first result only."""
        if self._balance is None or self._reported:
            return {}
        self._reported = self.execution_context.operation_type.value == "subscription"
        return cost_report(self._requested, self._balance)


def cost_report(requested: int | None, balance: Balance) -> dict[str, Any]:
    """What `extensions` says about the cost."""
    reset_at = datetime.now(UTC) + timedelta(seconds=balance.reset_seconds)
    cost = {
        "requested": requested,
        "remaining": balance.remaining,
        "limit": balance.limit,
        "resetAt": reset_at.isoformat(timespec="seconds"),
    }
    return {"cost": cost}


def operation_cost(document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any]) -> int:
    """Points of an operation; at least 1. DocumentLimits has checked the document, so this takes few steps."""
    fragments = {item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)}
    operations = [item for item in document.definitions if isinstance(item, OperationDefinitionNode)]
    return max(
        1,
        *(
            _Counter(item, fragments, variables).count(item.selection_set, 1, None, root=True)
            for item in operations
            if operation_name is None or (item.name and item.name.value == operation_name)
        ),
        1,
    )


@dataclass
class _Counter:
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]

    def count(
        self,
        selections: SelectionSetNode,
        times: int,
        page: int | None,
        spreading: tuple[str, ...] = (),
        *,
        root: bool = False,
    ) -> int:
        """Points of the selections for `times` objects. `page`: the page's size if they are of a connection."""
        points = 0
        for node in selections.selections:
            if isinstance(node, FieldNode):
                points += self._count_field(node, times, page, spreading, root=root)
            elif isinstance(node, InlineFragmentNode):
                points += self.count(node.selection_set, times, page, spreading, root=root)
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                if name in self.fragments and name not in spreading:  # validation reports the others
                    below = self.fragments[name].selection_set
                    points += self.count(below, times, page, (*spreading, name), root=root)
        return points

    def _count_field(
        self, node: FieldNode, times: int, page: int | None, spreading: tuple[str, ...], *, root: bool
    ) -> int:
        name, below = node.name.value, node.selection_set
        if name in ("__schema", "__type"):
            return INTROSPECTION_POINTS * times
        if root and self.operation.operation == OperationType.MUTATION:
            points = MUTATION_POINTS
        elif root and name == "nodes":
            points = times = self._count_ids(node)
        elif page is not None and name in ("nodes", "edges"):
            points = times = times * page
        elif name in FREE and not node.arguments:
            points = 0
        else:
            points = times if node.arguments or below is not None else 0
        sizes = [self._size(item.value) for item in node.arguments or () if item.name.value in ("first", "last")]
        return points + (self.count(below, times, max(sizes, default=UNPAGED), spreading) if below is not None else 0)

    def _count_ids(self, node: FieldNode) -> int:
        """How many ids the query `nodes` gets; those that can't be counted are as many as there may be."""
        for item in node.arguments or ():
            if item.name.value == "ids":
                value: Any = item.value
                if isinstance(value, VariableNode):
                    given = self.variables.get(value.name.value)
                    return min(len(given), MAX_PAGE) if isinstance(given, list) else MAX_PAGE
                return min(len(value.values), MAX_PAGE) if isinstance(value, ListValueNode) else 1
        return 1

    def _size(self, value: ValueNode) -> int:
        """The size of a page. One that can't be known, or that is refused later, counts as the largest."""
        given: Any = None
        if isinstance(value, IntValueNode):
            given = int(value.value) if len(value.value) < 10 else None
        elif isinstance(value, VariableNode):
            name = value.name.value
            given = self.variables.get(name)
            if name not in self.variables:
                defaults = [
                    item.default_value
                    for item in self.operation.variable_definitions or ()
                    if item.variable.name.value == name
                ]
                return self._size(defaults[0]) if defaults and isinstance(defaults[0], IntValueNode) else 0
            if given is None:
                return 0
        return min(max(given, 1), MAX_PAGE) if isinstance(given, int) else MAX_PAGE
