"""Answers of introspection are kept, and nothing else is. What isn't kept is limited in number."""

from types import SimpleNamespace
from typing import Any

import pytest
from graphql import DocumentNode, get_introspection_query, parse

from runtime.budgets import Balance
from schema import introspection_cache
from schema.build import schema
from schema.introspection_cache import MAX_ANSWERS, MAX_QUERY, PER_MINUTE, is_introspection

STANDARD = get_introspection_query()
KEPT = {
    STANDARD: None,
    '{ ... on Query { a: __type(name: "Query") { name } ...F } } fragment F on Query { __typename }': None,
    'query A { __type(name: "Query") { name } } query B { viewer { user { id } } }': "A",
}
NOT_KEPT = {
    "{ __typename }": None,
    '{ __type(name: "Query") { name } viewer { user { id } } }': None,
    '{ __type(name: "Query") { name } ...F } fragment F on Query { viewer { user { id } } }': None,
    "query ($name: String!) { __type(name: $name) { name } }": None,
    "query A { __schema { queryType { name } } } query B { viewer { user { id } } }": "B",
}


@pytest.fixture(autouse=True)
def _nothing_asked_yet() -> None:
    introspection_cache._answers.clear()
    introspection_cache._budget.left = PER_MINUTE


async def execute(query: str, **options: Any) -> Any:
    context: Any = SimpleNamespace(
        actor=None,
        points_per_request=1000,
        shows_schema=True,
        only_trusted=None,
        charge=lambda points: Balance("address", 1000, 1000 - points),
    )
    return await schema.execute(query, context_value=context, **options)


@pytest.mark.parametrize("query", KEPT)
async def test_an_answer_is_kept(query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await execute(query, operation_name=KEPT[query])
    assert first.errors is None

    def fail(*_: object, **__: object) -> DocumentNode:
        raise AssertionError("it is parsed again")

    monkeypatch.setattr("strawberry.schema.schema.parse", fail)
    for same in (query, f"{query} # changed", f"  {query},,,\n"):
        second = await execute(same, operation_name=KEPT[query])
        assert (second.data, second.errors) == (first.data, None)


@pytest.mark.parametrize("query", NOT_KEPT)
async def test_other_answers_are_not_kept(query: str) -> None:
    await execute(query, operation_name=NOT_KEPT[query], variable_values={"name": "Query"})
    assert not introspection_cache._answers


@pytest.mark.parametrize("query", ["{ __schema { nothing } }", "{ __schema", "{ __schema ...F }", '{ __type(a: " }'])
async def test_errors_are_not_kept(query: str) -> None:
    assert (await execute(query)).errors
    assert not introspection_cache._answers


def test_a_mutation_is_not_introspection() -> None:
    assert not is_introspection(parse("mutation { __typename }"), None)


async def test_a_long_document_is_kept_by_its_text_only() -> None:
    long = STANDARD + " " * MAX_QUERY
    assert (await execute(long)).errors is None
    assert [query for query, _ in introspection_cache._answers] == [long]


async def test_the_least_recently_used_answers_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(introspection_cache._budget, "take", lambda: True)
    queries = [f'{{a{number}:__type(name:"Query"){{name}}}}' for number in range(MAX_ANSWERS + 1)]
    for query in queries[:-1]:
        await execute(query)
    await execute(queries[0])
    await execute(queries[-1])
    assert {query for query, _ in introspection_cache._answers} == set(queries) - {queries[1]}


async def test_uncached_introspection_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("schema.introspection_cache.monotonic", lambda: now)
    monkeypatch.setattr(introspection_cache, "_budget", introspection_cache._Budget())
    queries = [f'{{ a{number}: __type(name: "Query") {{ name }} }}' for number in range(int(PER_MINUTE) + 2)]
    for query in queries[:-2]:
        assert (await execute(query)).errors is None
    [error] = (await execute(queries[-2])).errors
    assert error.extensions == {"code": "RATE_LIMITED", "retryAfterSeconds": 2}
    assert (await execute(queries[-3])).errors is None  # its answer is kept
    assert (await execute("{ __typename }")).errors is None
    now = 60 / PER_MINUTE
    assert (await execute(queries[-2])).errors is None
    assert (await execute(queries[-1])).errors
