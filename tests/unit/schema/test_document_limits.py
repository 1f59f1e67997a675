"""Documents are refused at their limits, before validation; what clients really send is within them."""

import pytest
from graphql import GraphQLError, get_introspection_query, parse

from schema.document_limits import (
    MAX_ALIASES,
    MAX_DEPTH,
    MAX_INTROSPECTION_DEPTH,
    MAX_SELECTIONS,
    check_document,
)


def repeated(*names: str, count: int) -> str:
    return " ".join(" ".join(names) for _ in range(count))


def doubling(levels: int) -> str:
    """Fragments that spread the next one twice: `2 ** levels` fields of some hundred bytes."""
    spreads = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels))
    return f"{spreads} fragment F{levels} on Query {{ x }}"


def nested(depth: int, *, root: str = "a") -> str:
    return f"{{ {root} {{" + " a {" * (depth - 2) + " a " + "}" * depth


REFUSED = {
    "fragments that double": "{ ...F0 } " + doubling(30),
    "fragments that double, not used": "{ x } " + doubling(30),
    "inline fragments": "{" + repeated("... { x }", count=46) + "}",
    "selections": "{" + " ".join(f"f{n}" for n in range(MAX_SELECTIONS + 1)) + "}",
    "selections of two operations": " ".join(
        f"query Q{q} {{" + " ".join(f"f{n}" for n in range(MAX_SELECTIONS // 2 + 1)) + "}" for q in range(2)
    ),
    "aliases": "{" + " ".join(f"a{n}: x" for n in range(MAX_ALIASES + 1)) + "}",
    "aliases in fragments": "{ ...F ...F } fragment F on Query {" + " ".join(f"a{n}: x" for n in range(16)) + "}",
    "equal fields": "{" + repeated("x", count=47) + "}",
    "equal fields below equal fields": "{" + repeated("x { y }", count=33) + "}",
    "depth": nested(MAX_DEPTH + 1),
    "depth of introspection": nested(MAX_INTROSPECTION_DEPTH + 1, root="__schema"),
    "__schema twice": "{ a: __schema { description } b: __schema { description } }",
    "lists of types in lists of types": "{ __schema { types { fields { type { fields { name } } } } } }",
}
ALLOWED = {
    "selections": "{" + " ".join(f"f{n}" for n in range(MAX_SELECTIONS)) + "}",
    "aliases": "{" + " ".join(f"a{n}: x" for n in range(MAX_ALIASES)) + "}",
    "equal fields": "{" + repeated("x", count=45) + "}",
    "depth": nested(MAX_DEPTH),
    "fields called fields": "{ a { fields { b { fields { c } } } } }",
    "a fragment that spreads itself, which validation reports": "{ ...F } fragment F on Query { x ...F }",
    "a missing fragment, which validation reports": "{ ...Nope }",
    "introspection of tools": get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_too_much_is_refused(case: str) -> None:
    with pytest.raises(GraphQLError) as refused:
        check_document(parse(REFUSED[case]))
    assert refused.value.extensions == {"code": "DOCUMENT_TOO_LARGE"}


@pytest.mark.parametrize("case", ALLOWED)
def test_what_is_within_the_limits_passes(case: str) -> None:
    check_document(parse(ALLOWED[case]))
