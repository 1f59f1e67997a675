"""The formula of docs/API.md, and that the dashboard's own operations are far below the limit."""

from typing import Any

import pytest
from graphql import get_introspection_query, parse

from schema.operation_cost import INTROSPECTION_POINTS, MUTATION_POINTS, operation_cost

COSTS: dict[str, int] = {
    "{ __typename }": 1,
    "{ signUpOpen }": 1,
    "{ viewer { user { email } accounts { name } } }": 3,
    '{ store(slug: "a") { id } }': 1,
    "{ stores(first: 100) { nodes { id name } pageInfo { endCursor } } }": 101,
    "{ stores(first: 100) { edges { cursor node { id } } } }": 101,
    "{ stores(first: 10) { nodes { id events(last: 5) { nodes { message } } } } }": 1 + 10 + 10 + 50,
    "{ viewer { accountsConnection(first: 5) { nodes { membersConnection(last: 10) { nodes { email } } } } } }": 62,
    "{ account(id: 1) { webhooks { nodes { deliveries(first: 2) { nodes { at } } } } } }": 1 + 1 + 20 + 20 + 40,
    '{ node(id: "a") { ... on Store { steps { name } } } }': 2,
    '{ nodes(ids: ["a", "b", "c"]) { id ... on Store { steps { name } } } }': 3 + 3,
    '{ nodes(ids: "a") { id } }': 1,
    "{ nodes(ids: $unknown) { id } }": 100,
    "{ stores(first: 100) { nodes { health { state } steps { name } } } }": 301,
    "{ ...F } fragment F on Query { stores(first: 10) { ...P } } fragment P on StoreConnection { nodes { id } }": 11,
    "{ ... on Query { a: viewer { user { id } } b: viewer { user { id } } } }": 4,
    "{ ...Unknown ...F } fragment F on Query { ...F }": 1,
    "{ account(id: 1) { a: storeCount(filter: {}) b: storeCount(filter: {}) } }": 3,
    "mutation { retryStore(input: {}) { store { id steps { name } } } }": MUTATION_POINTS + 2,
    "subscription { accountEvents { cursor store { id } } }": 2,
    '{ __type(name: "Query") { name } }': INTROSPECTION_POINTS,
    get_introspection_query(): INTROSPECTION_POINTS,
    "{ stores(first: 100000000000000000000) { nodes { id } } }": 101,
    "{ stores(first: -5) { nodes { id } } }": 2,
    '{ stores(first: "x") { nodes { id } } }': 101,
}
PAGE = "query ($n: Int = 7) { stores(first: $n) { nodes { id } } }"
VARIABLES: list[tuple[str, dict[str, Any], int]] = [
    (PAGE, {"n": 50}, 51),
    (PAGE, {}, 8),
    (PAGE, {"n": "many"}, 101),
    (PAGE, {"n": None}, 1),
    (PAGE.replace(" = 7", ""), {}, 1),
    ("query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Store { steps { name } } } }", {"ids": ["a", "b"]}, 4),
]


@pytest.mark.parametrize("document", COSTS)
def test_the_formula(document: str) -> None:
    assert operation_cost(parse(document), None, {}) == COSTS[document]


@pytest.mark.parametrize(("document", "variables", "cost"), VARIABLES)
def test_the_size_of_a_page_may_be_a_variable(document: str, variables: dict[str, Any], cost: int) -> None:
    assert operation_cost(parse(document), None, variables) == cost


def test_only_the_operation_that_runs_costs() -> None:
    document = parse("query A { viewer { user { id } } } query B { __schema { queryType { name } } }")
    assert operation_cost(document, "A", {}) == 2
    assert operation_cost(document, "B", {}) == INTROSPECTION_POINTS
