"""Errors of GraphQL without the values that the client sent: one of them may be a password."""

import re

from graphql import GraphQLError

VALUE = re.compile(
    r"(?:[,;] found|(?<=\?) Found|(?<=value)(?<!invalid value)(?<!default value)|(?<=represent a DateTime)): .*",
    re.DOTALL,
)
TOKEN = re.compile(r"(?<=found|ected) (String|BlockString) '.*", re.DOTALL)
"""In graphql-core's messages a value comes last."""


def without_values(error: GraphQLError) -> None:
    """Cut the value off the message, such as that of `String cannot represent a non string value: …`."""
    error.message = TOKEN.sub(r" \1.", VALUE.sub(".", error.message)).replace("?.", "?")
