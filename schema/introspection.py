"""Without the setting `introspection`, neither introspection nor suggestions in errors show the schema."""

import re
from collections.abc import Iterator

from graphql import GraphQLError, NoSchemaIntrospectionCustomRule, validate
from strawberry.extensions import SchemaExtension

SUGGESTION = re.compile(r" Did you mean [^?]*\?$")


class HideSchema(SchemaExtension):
    """Refuses introspection before validation, if the setting says so. It stands before what answers introspection."""

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        document = context.graphql_document
        if document is not None and not context.context.shows_schema and not context.pre_execution_errors:
            errors = validate(context.schema._schema, document, [NoSchemaIntrospectionCustomRule], max_errors=1)
            context.pre_execution_errors = errors or context.pre_execution_errors
        yield


def without_suggestion(error: GraphQLError) -> None:
    """Cut the question off: it names fields, arguments or values of the schema."""
    error.message = SUGGESTION.sub("", error.message)
