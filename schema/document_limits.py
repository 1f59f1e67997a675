"""How much a GraphQL document may ask for. Checked after parsing and before any validation rule runs.

Validation compares all pairs of fields with the same response name, and follows a fragment at each spread, so a short
document can keep validation busy for hours. This check counts a selection each time it is spread, and stops at the
limit: it takes at most MAX_SELECTIONS steps.
"""

from collections.abc import Iterator, Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from strawberry.extensions import SchemaExtension

MAX_TOKENS = 2000
MAX_SELECTIONS = 1000
"""Fields, inline fragments and fragment spreads of all operations, each counted as often as it is spread."""
MAX_DEPTH = 12
"""Of fields. Introspection is deeper by nature and has MAX_INTROSPECTION_DEPTH."""
MAX_INTROSPECTION_DEPTH = 20
MAX_ALIASES = 30
MAX_OVERLAPS = 1000
"""Pairs of fields with the same response name at the same place: validation compares each pair."""
INTROSPECTION_LISTS = frozenset({"fields", "inputFields", "interfaces", "possibleTypes"})
"""Lists of a `__Type`. Inside each other they multiply."""


class DocumentLimits(SchemaExtension):
    """Refuses a document that is beyond a limit."""

    def on_operation(self) -> Iterator[None]:
        self.execution_context.parse_options["max_tokens"] = MAX_TOKENS
        yield

    def on_validate(self) -> Iterator[None]:
        """Errors that are there already take the place of validation."""
        if document := self.execution_context.graphql_document:
            try:
                check_document(document)
            except GraphQLError as error:
                self.execution_context.pre_execution_errors = [error]
        yield


def check_document(document: DocumentNode) -> None:
    """Raises GraphQLError for the first limit that the document exceeds."""
    fragments = {item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)}
    usage = _Usage(fragments)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            usage.count(definition.selection_set, place=id(definition), depth=1)
    for name, fragment in fragments.items():
        if name not in usage.spread:  # validation looks at unused fragments, too
            usage.count(fragment.selection_set, place=id(fragment), depth=1)


class _Usage:
    """What the operations of one document use."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self.spread: set[str] = set()
        self._spreading: list[str] = []
        self._selections = self._aliases = self._overlaps = self._schemas = 0
        self._places: dict[tuple[int, str], tuple[int, int]] = {}
        """Parent place and response name: the place's number, and how many fields are there."""

    def count(self, selections: SelectionSetNode, place: int, depth: int, lists: int = 0, inside: bool = False) -> None:
        """`lists`: how many INTROSPECTION_LISTS lead here. `inside`: below `__schema` or `__type`."""
        limit = MAX_INTROSPECTION_DEPTH if inside else MAX_DEPTH
        _check(depth <= limit, f"Fields are nested more than {limit} deep.")
        for node in selections.selections:
            self._selections += 1
            _check(self._selections <= MAX_SELECTIONS, f"The document has more than {MAX_SELECTIONS} selections.")
            if isinstance(node, FieldNode):
                self._count_field(node, place, depth, lists, inside)
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                if name in self._fragments and name not in self._spreading:  # validation reports the others
                    self.spread.add(name)
                    self._spreading.append(name)
                    self.count(self._fragments[name].selection_set, place, depth, lists, inside)
                    self._spreading.pop()
            elif isinstance(node, InlineFragmentNode):
                self.count(node.selection_set, place, depth, lists, inside)

    def _count_field(self, node: FieldNode, place: int, depth: int, lists: int, inside: bool) -> None:
        name = node.name.value
        response_name = node.alias.value if node.alias else name
        self._aliases += node.alias is not None
        _check(self._aliases <= MAX_ALIASES, f"The document has more than {MAX_ALIASES} aliases.")
        number, fields = self._places.get((place, response_name), (len(self._places), 0))
        self._places[(place, response_name)] = number, fields + 1
        self._overlaps += fields
        _check(self._overlaps <= MAX_OVERLAPS, f"The document repeats the field {response_name} too often.")
        self._schemas += name == "__schema"
        _check(self._schemas <= 1, "The document may ask for __schema once.")
        lists += name in INTROSPECTION_LISTS and inside
        _check(lists <= 1, "Introspection may not follow lists of types inside each other.")
        if node.selection_set is not None:
            inside = inside or name in ("__schema", "__type")
            self.count(node.selection_set, number, depth + 1, lists, inside)


def _check(within: bool, message: str) -> None:
    if not within:
        raise GraphQLError(f"{message} Ask for less, in several requests.", extensions={"code": "DOCUMENT_TOO_LARGE"})
