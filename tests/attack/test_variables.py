"""Each query, mutation and subscription of the schema with generated variables: valid ones, and any JSON instead."""

import asyncio
import json
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    build_schema,
    get_named_type,
    is_leaf_type,
)
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.attack.conftest import WITHOUT_THROTTLE, Target
from tests.support.harness import JSON, ROOT

SCHEMA = build_schema((ROOT / "schema.graphql").read_text())
EXAMPLES = 20
"""For each field."""
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
TEXTS = (
    st.text()
    | st.sampled_from(
        ["", "\0", "\ud800", "a" * 300, "v1:AAAA", "sf_wrong", "owner@example.com", "https://[::1]/", "-1"]
    )
    | st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True)
)
NUMBERS = st.integers(-(2**31), 2**31 - 1) | st.sampled_from([0, 1, 100, 101, 2**31, 2**63, -1])
FIELDS = [
    (operation, name)
    for operation, kind in (
        ("query", SCHEMA.query_type),
        ("mutation", SCHEMA.mutation_type),
        ("subscription", SCHEMA.subscription_type),
    )
    if kind is not None
    for name in kind.fields
]


def values(kind: GraphQLInputType, ids: list[str]) -> st.SearchStrategy[Any]:
    """Variables of that type; now and then any JSON, which must be refused."""
    return st.one_of(*[_valid(kind, ids)] * 9, ANY_JSON)


def _valid(kind: GraphQLInputType, ids: list[str]) -> st.SearchStrategy[Any]:
    match kind:
        case GraphQLNonNull():
            return values(kind.of_type, ids)
        case GraphQLList():
            return st.none() | st.lists(values(kind.of_type, ids), max_size=3)
        case GraphQLInputObjectType():
            required = {name: field for name, field in kind.fields.items() if isinstance(field.type, GraphQLNonNull)}
            optional = {name: field for name, field in kind.fields.items() if name not in required}
            return st.fixed_dictionaries(
                {name: values(field.type, ids) for name, field in required.items()},
                optional={name: values(field.type, ids) for name, field in optional.items()},
            )
        case GraphQLEnumType():
            return st.none() | st.sampled_from(sorted(kind.values))
    scalars = {
        "Int": NUMBERS,
        "Float": st.floats(),
        "Boolean": st.booleans(),
        "ID": st.sampled_from(ids) | TEXTS,
        "DateTime": st.datetimes().map(lambda value: f"{value.isoformat()}Z") | TEXTS,
    }
    return st.none() | scalars.get(get_named_type(kind).name, TEXTS)


def document(operation: str, name: str, field: GraphQLField) -> str:
    declared = ", ".join(f"${argument}: {of.type}" for argument, of in field.args.items())
    given_values = ", ".join(f"{argument}: ${argument}" for argument in field.args)
    kind = get_named_type(field.type)
    selection = "" if is_leaf_type(kind) else " { __typename }"
    if "userErrors" in getattr(kind, "fields", {}):
        selection = " { userErrors { code field message } }"
    if field.args:
        return f"{operation} ({declared}) {{ {name}({given_values}){selection} }}"
    return f"{operation} {{ {name}{selection} }}"


def untyped(answer: JSON) -> list[JSON]:
    """Errors without a code, or of the platform itself."""
    codes = [error.get("extensions", {}).get("code") for error in answer.get("errors", ())]
    return [error for error, code in zip(answer.get("errors", ()), codes, strict=True) if code in (None, "INTERNAL")]


async def attack(target: Target, headers: JSON, body: JSON) -> tuple[int, JSON]:
    return await target.post("/graphql", body, headers)


async def first_of_stream(target: Target, headers: JSON, body: JSON) -> tuple[int, JSON]:
    """What a subscription answers at once; nothing, if it waits for events."""
    async with target.harness.http.post(f"{target.url}/graphql/stream", json=body, headers=headers) as response:
        if response.content_type == "application/json":
            return response.status, await response.json()
        try:
            async with asyncio.timeout(0.05):
                async for line in response.content:
                    if line.startswith(b"data: {"):
                        return response.status, json.loads(line.removeprefix(b"data: "))
        except TimeoutError:
            pass
        return response.status, {}


@pytest.mark.parametrize(("operation", "name"), FIELDS)
def test_no_variables_make_an_internal_error(target: Target, operation: str, name: str) -> None:
    root = {"query": SCHEMA.query_type, "mutation": SCHEMA.mutation_type, "subscription": SCHEMA.subscription_type}
    kind = root[operation]
    assert kind is not None
    field = kind.fields[name]
    text = document(operation, name, field)
    callers = [{"Authorization": f"Bearer {target.harness.token}"}, target.run(target.harness.sign_in())]
    send = first_of_stream if operation == "subscription" else attack

    @seed(len(name))
    @settings(max_examples=EXAMPLES if field.args else 2, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.fixed_dictionaries({argument: values(of.type, target.ids) for argument, of in field.args.items()}),
        st.sampled_from([0, 1]),
    )
    def check(variables: JSON, caller: int) -> None:
        body = {"query": text, "variables": variables}
        status, answer = target.run(send(target, callers[caller], body))
        if status == 401:  # an attack has ended this session or token
            target.run(target.harness.sql(WITHOUT_THROTTLE))
            callers[:] = [target.run(target.harness.sign_in())] * 2
            status, answer = target.run(send(target, callers[caller], body))
        assert status < 500, answer
        assert untyped(answer) == []
        target.assert_alive()

    check()
