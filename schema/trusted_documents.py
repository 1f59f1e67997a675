"""Trusted documents: known by a hash, which a client may send instead of the text. A setting allows only these.

Each `*.json` file of a folder is one object: documents, each by its sha256 in hex. Where only these are allowed, a
client may also send the text of one: spaces, the order of definitions, and `__typename` that clients add don't matter.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from graphql import REMOVE, DocumentNode, FieldNode, GraphQLError, Visitor, parse, print_ast, visit
from strawberry.extensions import SchemaExtension

PREFIX = "sha256:"


class TrustedDocumentsError(Exception):
    """A file can't be used. The message says which one, and why."""


class TrustedDocuments:
    """The documents of some folders."""

    def __init__(self, documents: Mapping[str, str]) -> None:
        self._documents = documents
        self._canonical = {canonical_hash(parse(text)) for text in documents.values()}

    def find(self, document_id: object) -> str | None:
        """The text of `sha256:<hex>`, or None."""
        if not isinstance(document_id, str):
            return None
        return self._documents.get(document_id.removeprefix(PREFIX))

    def has(self, document: DocumentNode) -> bool:
        """Whether the document, once printed alike, is one of these."""
        return canonical_hash(document) in self._canonical


def load_trusted_documents(folders: Iterable[Path]) -> TrustedDocuments:
    """The documents of the folders that exist. Raises TrustedDocumentsError."""
    documents: dict[str, str] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.json"))):
        try:
            given = json.loads(path.read_bytes())
            for identity, text in given.items():
                if hashlib.sha256(text.encode()).hexdigest() != identity:
                    raise ValueError(f"{identity[:80]} is not the sha256 of its document")
                parse(text)
        except (ValueError, AttributeError, OSError, GraphQLError) as error:
            raise TrustedDocumentsError(f"{path}: {error}") from error
        documents |= given
    return TrustedDocuments(documents)


class _WithoutTypename(Visitor):
    def enter_field(self, node: FieldNode, *_: object) -> object:
        return REMOVE if node.name.value == "__typename" and node.alias is None else None


def canonical_hash(document: DocumentNode) -> bytes:
    """The same for documents that differ only in spaces, in the order of their definitions, and in `__typename`."""
    definitions = sorted(print_ast(visit(item, _WithoutTypename())) for item in document.definitions)
    return hashlib.sha256("\n".join(definitions).encode(errors="surrogatepass")).digest()


class RequireTrustedDocument(SchemaExtension):
    """Refuses other documents before validation, if the setting says so."""

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        document, only = context.graphql_document, context.context.only_trusted
        if document is not None and only is not None and not context.pre_execution_errors and not only.has(document):
            message = "Only trusted documents are accepted here. Ask the operator to add yours."
            context.pre_execution_errors = [GraphQLError(message, extensions={"code": "DOCUMENT_NOT_TRUSTED"})]
        yield
