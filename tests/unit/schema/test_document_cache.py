"""Documents that are kept: which, how many, and what is known of each."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from graphql import GraphQLObjectType, parse

from schema import document_cache
from schema.build import schema
from schema.compiled.selections import NotCompilable, Selections
from schema.context import RequestError
from schema.document_cache import CachedDocument, Documents
from schema.shared_events import SharedSubscription
from schema.trusted_documents import TrustedDocuments
from schema.types.events import Event
from schema.types.stores import Store

STORES = "query Stores($first: Int! = 7, $after: String) { stores(first: $first, after: $after) { nodes { id name } } }"


def test_the_documents_that_were_used_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_cache, "MAX_TEXTS", 60)
    kept, texts = Documents(), [f"{{ languages }} # {number:03}" for number in range(4)]
    for text in texts[:3]:
        kept.add(text, parse(text))
    assert kept.get(texts[0]) is not None
    kept.add(texts[3], parse(texts[3]))
    assert [kept.get(text) is not None for text in texts] == [True, False, True, True]


@pytest.mark.parametrize(
    "text", ["{ __schema { description } }", '{ __type(name: "Store") { name } }', "# " + "x" * 8000]
)
def test_a_document_that_is_long_or_asks_for_the_schema_is_not_kept(text: str) -> None:
    kept = Documents()
    kept.add(text, parse("{ languages }"))
    assert kept.get(text) is None


def test_costs_differ_by_the_sizes_of_pages_only() -> None:
    cached = CachedDocument(parse(STORES))
    cost: Any = lambda **variables: cached.cost(None, variables)  # noqa: E731  # short
    assert [cost(first=1), cost(first=50), cost(first=100), cost(), cost(first="x"), cost(first=True)] == [
        2, 51, 101, 8, 101, 2,
    ]  # fmt: skip
    assert cost(first=1, after="a") == cost(first=1, after="b", other="c") == 2
    assert len(cached._costs) < 8


def test_a_document_is_trusted_by_those_that_have_it() -> None:
    cached = CachedDocument(parse(STORES))
    assert not cached.is_trusted(TrustedDocuments({}))
    assert all(cached.is_trusted(TrustedDocuments({"a": STORES})) for _ in range(2))
    assert not cached.is_trusted(TrustedDocuments({}))


@pytest.mark.parametrize(
    "text",
    [
        "mutation { revokeApiToken(input: {id: 1}) { userErrors { message } } }",
        "subscription { accountEvents { message } }",
        "{ languages @include(if: true) }",
        "query A { languages } query B { languages }",
        '{ node(id: "x") { id } }',
        "{ ... on Query @skip(if: false) { languages } }",
        "{ ...F } fragment F on Query @skip(if: false) { languages }",
        "query A @skip(if: false) { languages }",
    ],
)
def test_the_executor_answers_what_is_not_compiled(text: str) -> None:
    assert CachedDocument(parse(text)).query(schema._schema, None) is None


@pytest.mark.parametrize(
    ("text", "is_shared"),
    [
        ("subscription ($id: ID!) { storeEvents(storeId: $id) { __typename message step { name } } }", True),
        ("subscription { accountEvents { message store { id steps { name } } } }", True),
        ("subscription { accountEvents { message store { events(first: 1) { edges { cursor } } } } }", False),
        ('subscription { storeLogs(storeId: "x", component: "web") { text } }', False),
        ("subscription { a: accountEvents { message } b: accountEvents { message } }", False),
        ("subscription { accountEvents { message @skip(if: false) } }", False),
        ("{ languages }", False),
    ],
)
def test_events_that_are_the_same_for_all_are_shared(text: str, is_shared: bool) -> None:
    cached = CachedDocument(parse(text))
    assert (cached.subscription(schema._schema, None) is not None) is is_shared


@pytest.mark.parametrize(
    ("kind", "fields", "source"),
    [
        ("User", "email", SimpleNamespace(email=None)),
        ("PageInfo", "hasNextPage", SimpleNamespace(has_next_page=None)),
        ("StoreConnection", "nodes { id }", SimpleNamespace(nodes=(1,))),
        ("StoreConnection", "nodes { id }", SimpleNamespace(nodes=[None])),
        ("StoreConnection", "pageInfo { endCursor }", SimpleNamespace(page_info=None)),
    ],
)
def test_a_value_that_is_not_as_its_type_says_is_left_to_the_executor(kind: str, fields: str, source: object) -> None:
    parent: Any = schema._schema.type_map[kind]
    assert isinstance(parent, GraphQLObjectType)
    [operation] = parse(f"{{ {fields} }}").definitions
    selection_set: Any = operation
    write = Selections(schema._schema, {}).of_object(parent, [selection_set.selection_set])
    with pytest.raises(NotCompilable):
        write(source, [])


ACCOUNT, NOON = uuid4(), datetime(2026, 11, 1, 12, tzinfo=UTC)


def event_for(message: str, at: datetime = NOON, role: str = "OWNER", **context: Any) -> tuple[Any, Any]:
    """An event with the number 5, and the context of its subscriber."""
    actor = SimpleNamespace(roles={ACCOUNT: role}, scopes=None)
    row = SimpleNamespace(account_id=ACCOUNT, at=at, store_id=ACCOUNT)
    event = Event(cursor="5", message=message, row=row, **dict.fromkeys(("store_id", "type", "status", "step", "at")))  # type: ignore[arg-type]  # only what the document asks for
    return event, SimpleNamespace(require_actor=lambda: actor, **context)


def subscription_of(text: str) -> SharedSubscription:
    found = CachedDocument(parse(text)).subscription(schema._schema, None)
    assert found is not None
    return found


async def test_an_event_is_written_again_if_it_has_the_number_of_another_one() -> None:
    """As in a database that was restored, or for a caller with other rights."""
    subscription = subscription_of("subscription { accountEvents { message } }")
    first = await subscription.write(*event_for("first"))
    assert (first, await subscription.write(*event_for("kept"))) == ('{"accountEvents":{"message":"first"}}',) * 2
    assert "restored" in await subscription.write(*event_for("restored", NOON + timedelta(seconds=1)))
    assert "viewer" in await subscription.write(*event_for("viewer", role="VIEWER"))


async def test_those_who_wait_at_the_same_moment_share_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an error, which may be of the first one's rights, each of the others reads for itself."""
    monkeypatch.setattr(Store, "from_row", lambda _info, row: row)
    subscription = subscription_of("subscription { accountEvents { store { name } } }")

    class Stores:
        def __init__(self, *names: str | Exception) -> None:
            self.names = list(names)

        async def load(self, _store_id: UUID) -> SimpleNamespace:
            await asyncio.sleep(0)
            name = self.names.pop(0)
            if isinstance(name, Exception):
                raise name
            return SimpleNamespace(row=SimpleNamespace(name=name))

    async def together(*stores: Stores) -> list[Any]:
        writing = [subscription.write(*event_for("x", stores=item)) for item in stores]
        return await asyncio.gather(*writing, return_exceptions=True)

    fig, olive = ('{"accountEvents":{"store":{"name":"%s"}}}' % name for name in ("Fig", "Olive"))  # noqa: UP031  # braces
    assert await together(Stores("Fig"), Stores(), Stores()) == [fig] * 3
    assert await together(Stores("Olive")) == [olive]
    error = RequestError("NOT_FOUND", "There is no such store.")
    assert await together(Stores(error), Stores("Fig"), Stores("Olive")) == [error, fig, olive]
