"""A compiled query answers byte for byte what the executor does, whoever asks: over generated documents and variables.

The first request with a document is answered by the executor, and the next one by the compiled query. What both have to
answer is what graphql-core's own executor does, without schema/execution_context.py.
"""

import itertools
import json
import re
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from accounts import last_used
from schema import shared_events
from schema.build import schema
from schema.compiled.operations import CompiledQuery
from schema.ids import decode_id, encode_event_cursor, encode_id
from tests.flow.test_api_lists import SET_STATUS
from tests.support.harness import JSON, Harness
from tests.support.sockets import open_socket
from tests.support.waiting import HANG_SECONDS
from tests.support.whole_schema import SCHEMA

BALANCE = re.compile(rb'("remaining": ?)\d+|("resetAt": ?)"[^"]+"|("correlationId": ?)"[^"]+"|(this id: )\w+')
"""What differs between two equal requests."""
ZERO = rb"\1\2\3\g<4>0"
"""Its replacement."""
CALLERS = ("owner", "viewer", "without READ", "revoked", "anonymous")
MAX_DEPTH = 5
ROOTS = {
    "viewer": "",
    "account": "(id: $account)",
    "node": "(id: $account)",
    "store": "(id: $store, slug: $slug)",
    "stores": "(first: $first, after: $after, filter: $filter, orderBy: $order, includeDeleted: true)",
    "slugSuggestion": "(name: $slug)",
    "plans": "",
    "engines": "",
    "languages": "",
    "signUpOpen": "",
}
DECLARED = {
    "account": "ID!",
    "store": "ID",
    "slug": "String",
    "first": "Int!",
    "after": "String",
    "filter": "StoreFilter",
    "order": "StoreOrder",
}
PLACES = itertools.count()
WITHOUT_LIMITS = dict.fromkeys(("points_per_minute", "account_points_per_minute", "anonymous_points_per_minute"), 10**9)


@st.composite
def selections(draw: st.DrawFn, kind: GraphQLObjectType, depth: int) -> str:
    """A selection set of some fields, some with an alias, in fragments or twice."""
    parts = []
    for name in draw(st.lists(st.sampled_from(["__typename", *kind.fields]), min_size=1, max_size=6)):
        has_pages = name != "__typename" and "first" in kind.fields[name].args
        parts.append(draw(field_of(kind, name, "(first: 2)" if has_pages else "", depth)))
    return f"{{ __typename {' '.join(filter(None, parts))} }}"


@st.composite
def field_of(draw: st.DrawFn, kind: GraphQLObjectType, name: str, arguments: str, depth: int) -> str:
    """A field with what is below it, "" if that is too deep."""
    if name == "__typename":
        return "__typename"
    below = get_named_type(kind.fields[name].type)
    text = f"{name}{arguments}"
    if isinstance(below, GraphQLObjectType):
        if depth == MAX_DEPTH:
            return ""
        text += " " + draw(selections(below, depth + 1))
    elif isinstance(below, GraphQLInterfaceType):
        text += " { __typename id }"
    form = draw(st.sampled_from(["{0}", "{0}", "{0}", "a{1}: {0}", "... on {2} {{ {0} }}", "... {{ {0} }}", "{0} {0}"]))
    return form.format(text, next(PLACES), kind.name)


@st.composite
def documents(draw: st.DrawFn) -> str:
    assert SCHEMA.query_type is not None
    names = draw(st.lists(st.sampled_from(list(ROOTS)), min_size=1, max_size=2, unique=True))
    text = " ".join(draw(field_of(SCHEMA.query_type, name, ROOTS[name], 0)) for name in names)
    used = {name for name in DECLARED if re.search(rf"\${name}\b", text)}
    declared = ", ".join(f"${name}: {DECLARED[name]}" for name in sorted(used))
    return f"query Generated{f'({declared})' if declared else ''} {{ {text} }}"


VARIABLES = st.fixed_dictionaries(
    {
        "account": st.sampled_from(["own", "foreign", "nonsense"]),
        "store": st.sampled_from(["own", "foreign", "nonsense", None]),
        "slug": st.sampled_from([None, None, "a", "A shop"]),
        "first": st.sampled_from([1, 2, 50, 100, 0, 101, None, "x"]),
        "after": st.sampled_from([None, None, "nonsense"]),
        "filter": st.sampled_from([None, {"search": "a"}, {"statuses": ["READY"]}, {"health": ["DOWN"]}, {"no": 1}]),
        "order": st.sampled_from(
            [None, {"field": "NAME", "direction": "ASC"}, {"field": "STATUS", "direction": "DESC"}]
        ),
    }
)


async def become(api: Harness, caller: str) -> dict[str, str]:
    """The headers of such a caller."""
    await api.sql("UPDATE memberships SET role = $1", "viewer" if caller == "viewer" else "owner")
    scopes = ["write"] if caller == "without READ" else ["read", "write"]
    await api.sql(
        "UPDATE api_tokens SET scopes = $1, revoked_at = CASE WHEN $2 THEN now() END", scopes, caller == "revoked"
    )
    return {} if caller == "anonymous" else {"Authorization": f"Bearer {api.token}"}


async def ask(api: Harness, headers: dict[str, str], body: JSON) -> tuple[int, str]:
    """Status and answer. Errors are sorted: the executor gives them in the order in which fields fail, which varies."""
    async with api.http.post(f"{api.url}/graphql", json=body, headers=headers) as response:
        answer = json.loads(BALANCE.sub(ZERO, await response.read()))
        if "errors" in answer:
            answer["errors"].sort(key=json.dumps)
        return response.status, json.dumps(answer)


@pytest.fixture
async def ids(api: Harness, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dict[str, JSON]]:
    """Ids of objects of the caller, of others, and of nothing. At the end compiled queries must have answered."""
    monkeypatch.setattr(last_used, "INTERVAL_SECONDS", 1e9)  # `lastUsedAt` would change every minute
    stores = [(await api.create_store(name=name))["id"] for name in ("a", "b", "c")]
    await api.sql("ALTER TABLE stores DISABLE TRIGGER USER")  # these moves of status are not allowed
    for store, status, health in zip(stores, ("READY", "FAILED", "DELETED"), ("DOWN", "HEALTHY", "DOWN"), strict=True):
        await api.sql(SET_STATUS, decode_id("Store", store), status, health)
    answered = 0
    run = CompiledQuery.run

    async def counting_run(*args: Any) -> Any:
        nonlocal answered
        data = await run(*args)
        answered += 1
        return data

    monkeypatch.setattr(CompiledQuery, "run", counting_run)
    yield {
        "own": {"account": api.account, "store": stores[0]},
        "foreign": {"account": encode_id("Account", UUID(int=1)), "store": encode_id("Store", UUID(int=1))},
        "nonsense": {"account": "x", "store": "y"},
    }
    assert answered > 0


@pytest.mark.parametrize("settings", [WITHOUT_LIMITS], indirect=True)
@settings_of_hypothesis(max_examples=100, suppress_health_check=list(HealthCheck))
@given(document=documents(), variables=VARIABLES, caller=st.sampled_from(CALLERS))
async def test_it_answers_as_the_executor(
    api: Harness, ids: dict[str, JSON], document: str, variables: JSON, caller: str
) -> None:
    headers = await become(api, caller)
    chosen = {name: ids[kind][name] if (kind := variables[name]) else None for name in ("account", "store")}
    text, given = f"{document} # {next(PLACES)}", variables | chosen
    with patch.object(schema, "execution_context_class", StrawberryGraphQLCoreExecutionContext):
        executed = await ask(api, headers, {"query": text, "variables": given})
    body = {"query": f"{text} again", "variables": given}
    for _ in range(3):
        assert await ask(api, headers, body) == executed, json.dumps(body)


EVENTS = "subscription ($after: String) {{ events: accountEvents(after: $after) {{ cursor at step {{ name }} {} }} }}"
JOIN = """
WITH viewer AS (SELECT id FROM users WHERE email = 'viewer@example.com'),
  joined AS (INSERT INTO memberships (account_id, user_id, role) SELECT $1, id, 'viewer' FROM viewer)
UPDATE api_tokens SET account_id = $1 FROM viewer WHERE created_by = viewer.id
"""


async def frames(api: Harness, query: str, token: str, after: str, count: int = 2) -> list[bytes]:
    """What a new socket gets first, without what is left of its budget."""
    socket = await open_socket(api, token)
    payload = {"query": query, "variables": {"after": after}}
    await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
    found = [BALANCE.sub(ZERO, (await socket.receive_str(timeout=HANG_SECONDS)).encode()) for _ in range(count)]
    await socket.close()
    return found


async def test_events_are_written_once_for_equal_rights(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    after = (await api.client().execute("{ stores(first: 1) { eventCursor } }"))["stores"]["eventCursor"]
    for name in ("a", "b"):
        await api.create_store(name=name)
    viewer, _ = await api.sign_up("viewer@example.com")
    await api.sql(JOIN, decode_id("Account", api.account))
    written: list[object] = []

    def dumps(data: object, **how: Any) -> str:
        written.append(data)
        return json.dumps(data, **how)

    monkeypatch.setattr(shared_events, "json", SimpleNamespace(dumps=dumps))
    plain, with_store = EVENTS.format("message"), EVENTS.format("store { id }")
    executed = await frames(api, plain, api.token, after)
    assert written == []
    for _ in range(3):
        assert await frames(api, plain, api.token, after) == executed
    assert len(written) == 2
    for _ in range(2):
        assert await frames(api, plain, viewer, after) == executed
    assert len(written) == 4
    executed = await frames(api, with_store, api.token, after)
    for token in (api.token, viewer):
        assert await frames(api, with_store, token, after) == executed
    assert len(written) == 8  # what is read for an event is shared only by those who wait for it at the same moment
    other = encode_event_cursor(UUID(int=1), 0)
    refused = [await frames(api, query, api.token, other, 1) for query in (plain, f"{plain}#")]
    assert refused[0] == refused[1]
    assert b"not a cursor" in refused[0][0]
