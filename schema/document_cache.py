"""Keeps parsed and validated documents, with what is known of each: its compiled query, and what it costs.

Only documents that were accepted are kept, and none with introspection. Whether a caller may use a document is never
kept: each request is checked.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode
from strawberry.extensions import SchemaExtension

from schema.compiled.operations import CompiledQuery, compile_query
from schema.introspection_cache import COSTLY
from schema.operation_cost import operation_cost
from schema.shared_events import SharedSubscription, share_subscription
from schema.trusted_documents import TrustedDocuments

MAX_TEXT = 8000
"""Characters of a document that is kept."""
MAX_TEXTS = 100_000
"""Characters of all of them: a parsed and compiled document takes about 200 bytes for each."""
MAX_COSTS = 100
"""Costs of an operation that are kept, by its variables."""


class NotGiven:
    """Instead of the value of a variable that isn't there."""


NOT_GIVEN = NotGiven()


@dataclass
class CachedDocument:
    """A valid document within the limits."""

    document: DocumentNode
    trusted_by: TrustedDocuments | None = None
    """The documents to which it is known to belong."""
    _queries: dict[str | None, CompiledQuery | None] = field(default_factory=dict)
    _subscriptions: dict[str | None, SharedSubscription | None] = field(default_factory=dict)
    _costs: dict[tuple[object, ...], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        operations = [item for item in self.document.definitions if isinstance(item, OperationDefinitionNode)]
        names = {item.variable.name.value for one in operations for item in one.variable_definitions or ()}
        self._variables = sorted(names)

    def query(self, schema: GraphQLSchema, operation_name: str | None) -> CompiledQuery | None:
        """The compiled query; None: the executor has to run the operation."""
        if operation_name not in self._queries:
            if len(self._queries) >= MAX_COSTS:
                return None
            self._queries[operation_name] = compile_query(schema, self.document, operation_name)
        return self._queries[operation_name]

    def subscription(self, schema: GraphQLSchema, operation_name: str | None) -> SharedSubscription | None:
        """The subscription whose events are shared; None: the executor has to run the operation."""
        if operation_name not in self._subscriptions:
            if len(self._subscriptions) >= MAX_COSTS:
                return None
            self._subscriptions[operation_name] = share_subscription(schema, self.document, operation_name)
        return self._subscriptions[operation_name]

    def cost(self, operation_name: str | None, variables: Mapping[str, Any]) -> int:
        """Points of the operation."""
        sizes = (variables.get(name, NOT_GIVEN) for name in self._variables)
        # the size of a page is a number or null, or counts as the largest
        key = (operation_name, *(size if size is None or isinstance(size, int | NotGiven) else "" for size in sizes))
        if key not in self._costs:
            if len(self._costs) >= MAX_COSTS:
                self._costs.clear()
            self._costs[key] = operation_cost(self.document, operation_name, variables)
        return self._costs[key]

    def is_trusted(self, trusted: TrustedDocuments) -> bool:
        """Whether it is one of these."""
        if self.trusted_by is not trusted and trusted.has(self.document):
            self.trusted_by = trusted
        return self.trusted_by is trusted


class Documents:
    """The documents that were used last."""

    def __init__(self) -> None:
        self._by_text: OrderedDict[str, CachedDocument] = OrderedDict()
        self._characters = 0

    def get(self, text: str) -> CachedDocument | None:
        found = self._by_text.get(text)
        if found is not None:
            self._by_text.move_to_end(text)
        return found

    def add(self, text: str, document: DocumentNode) -> None:
        """Keep it, unless it is too long or about the schema itself."""
        if len(text) > MAX_TEXT or text in self._by_text or COSTLY.search(text):
            return
        self._by_text[text] = CachedDocument(document)
        self._characters += len(text)
        while self._characters > MAX_TEXTS:
            removed, _ = self._by_text.popitem(last=False)
            self._characters -= len(removed)


documents = Documents()


class DocumentCache(SchemaExtension):
    """Must be the first extension: what it finds isn't parsed and validated again. All other checks are made."""

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        self._cached = documents.get(context.query or "")
        if self._cached is not None:
            context.graphql_document = self._cached.document
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        if self._cached is not None:
            context.pre_execution_errors = []
        yield
        if self._cached is None and context.graphql_document is not None and not context.pre_execution_errors:
            documents.add(context.query or "", context.graphql_document)
