"""Lists of the API: stores with filters, orders and cursors, their events, counts, and the limits of pages."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from cli.client import ClientError
from schema.ids import decode_id
from tests.support.harness import Harness

STORES = """
query ($first: Int!, $after: String, $filter: StoreFilter, $order: StoreOrder, $deleted: Boolean! = false) {
  stores(first: $first, after: $after, filter: $filter, orderBy: $order, includeDeleted: $deleted) {
    nodes { name } edges { cursor node { id } }
    pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
  }
  viewer { accounts { storeCount(filter: $filter) } }
}
"""
EVENTS = """
query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
  store(id: $id) { events(first: $first, after: $after, last: $last, before: $before) {
    nodes { message store { id } } edges { cursor }
    pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
  } }
}
"""
CREATED = [
    ("Zucchini & Co", "REQUESTED", None),
    ("apples_100%", "FAILED", None),
    ("Apples", "READY", "HEALTHY"),
    ("bananas", "READY", "DOWN"),
    ("Cherries", "DELETED", "DEGRADED"),
]

SET_STATUS = """
UPDATE stores SET status = $2, health = $3, cause = 'It broke.', ready_at = now(), proof_hash = 'a', spec_hash = 'a',
  receipt = '{"simulated": true, "totalMs": 1, "steps": []}',
  desired = CASE WHEN $2 = 'DELETED' THEN 'DELETED' ELSE 'RUNNING' END,
  deleted_at = CASE WHEN $2 = 'DELETED' THEN now() END,
  failed_in = CASE WHEN $2 = 'FAILED' THEN 'PROVISIONING' END
WHERE id = $1
"""


@pytest.fixture(autouse=True)
async def stores(api: Harness) -> list[str]:
    """The ids of one store for each of CREATED, in this order."""
    ids = [(await api.create_store(name=name))["id"] for name, *_ in CREATED]
    await api.sql("ALTER TABLE stores DISABLE TRIGGER USER")  # these moves of status are not allowed
    for store_id, (_, status, health) in zip(ids, CREATED, strict=True):
        await api.sql(SET_STATUS, decode_id("Store", store_id), status, health or "HEALTHY")
    return ids


async def names(api: Harness, **variables: Any) -> list[str]:
    """The names of all pages, read two by two; every cursor leads on where its page ends."""
    found: list[str] = []
    after = None
    while True:
        page = (await api.client().execute(STORES, {"first": 2, "after": after, **variables}))["stores"]
        found += [node["name"] for node in page["nodes"]]
        info = page["pageInfo"]
        assert info["hasPreviousPage"] == (after is not None)
        assert [info["startCursor"], info["endCursor"]] == (
            [page["edges"][0]["cursor"], page["edges"][-1]["cursor"]] if page["edges"] else [None, None]
        )
        if not info["hasNextPage"]:
            return found
        after = info["endCursor"]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("CREATED_AT", ["Zucchini & Co", "apples_100%", "Apples", "bananas"]),
        ("NAME", ["Apples", "apples_100%", "bananas", "Zucchini & Co"]),
        ("STATUS", ["Zucchini & Co", {"Apples", "bananas"}, "apples_100%"]),
    ],
)
async def test_every_order_is_paged_in_both_directions(api: Harness, field: str, expected: list[Any]) -> None:
    ascending = await names(api, order={"field": field, "direction": "ASC"})
    descending = await names(api, order={"field": field, "direction": "DESC"})
    assert descending == ascending[::-1]
    for group in expected:
        size = len(group) if isinstance(group, set) else 1
        assert set(ascending[:size]) == (group if isinstance(group, set) else {group})
        ascending = ascending[size:]
    assert ascending == []


async def test_the_newest_store_is_first_by_default(api: Harness) -> None:
    assert await names(api) == ["bananas", "Apples", "apples_100%", "Zucchini & Co"]
    assert await names(api, deleted=True) == [name for name, *_ in reversed(CREATED)]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, {"Zucchini & Co", "apples_100%", "Apples", "bananas"}),
        ({"status": []}, {"Zucchini & Co", "apples_100%", "Apples", "bananas"}),
        ({"status": ["READY"]}, {"Apples", "bananas"}),
        ({"status": ["READY", "DELETED"]}, {"Apples", "bananas", "Cherries"}),
        ({"status": ["READY"], "health": ["DOWN", "DEGRADED"]}, {"bananas"}),
        ({"health": ["DEGRADED"]}, set()),
        ({"engine": ["WOOCOMMERCE"], "status": ["FAILED"]}, {"apples_100%"}),
        ({"engine": ["MEDUSA"]}, set()),
        ({"search": " APPLE "}, {"apples_100%", "Apples"}),
        ({"search": "zucchini-co"}, {"Zucchini & Co"}),
        ({"search": "%"}, {"apples_100%"}),
        ({"search": "s_1"}, {"apples_100%"}),
        ({"search": "é"}, set()),
    ],
)
async def test_filters_choose_stores_and_count_them(api: Harness, wanted: dict[str, Any], expected: set[str]) -> None:
    with capture_logs() as logs:
        assert set(await names(api, filter=wanted)) == expected
    assert not [entry for entry in logs if entry["event"] == "statement.repeated"]
    data = await api.client().execute(STORES, {"first": 1, "filter": wanted})
    assert data["viewer"]["accounts"] == [{"storeCount": len(expected)}]


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": 0},
        {"first": 101},
        {"after": "nonsense"},
        {"filter": {"search": "x" * 81}},
        {"filter": {"search": "a\0b"}},
        {"filter": {"search": "a\ud800"}},
        {"filter": {"status": ["SOLD"]}},
        {"order": {"field": "SECRETS"}},
    ],
)
async def test_bad_input_is_refused(api: Harness, wrong: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match=r"first|after|search|StoreStatus|StoreOrderField"):
        await api.client().execute(STORES, {"first": 2} | wrong)


async def test_a_cursor_belongs_to_its_order(api: Harness) -> None:
    order = {"field": "NAME", "direction": "ASC"}
    page = (await api.client().execute(STORES, {"first": 2, "order": order}))["stores"]
    for other in (None, {"field": "NAME", "direction": "DESC"}, {"field": "STATUS", "direction": "ASC"}):
        with pytest.raises(ClientError, match="not a cursor of this list in this order"):
            await api.client().execute(STORES, {"first": 2, "order": other, "after": page["pageInfo"]["endCursor"]})


async def events_page(api: Harness, store_id: str, **variables: Any) -> dict[str, Any]:
    data = await api.client().execute(EVENTS, {"id": store_id, **variables})
    page: dict[str, Any] = data["store"]["events"]
    return page


async def test_events_are_paged_in_both_directions(api: Harness, stores: list[str]) -> None:
    for store_id in stores[:2]:
        await api.sql(
            "INSERT INTO events (account_id, store_id, type, status, message) "
            "SELECT account_id, id, 'NOTICE', status, 'number ' || n FROM stores, generate_series(1, 4) n"
            " WHERE id = $1",
            decode_id("Store", store_id),
        )
    first = await events_page(api, stores[0], first=3)
    messages = [node["message"] for node in first["nodes"]]
    assert messages == ["Zucchini & Co was requested.", "number 1", "number 2"]
    assert {node["store"]["id"] for node in first["nodes"]} == {stores[0]}
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    assert first["pageInfo"]["startCursor"] == first["edges"][0]["cursor"]
    second = await events_page(api, stores[0], first=3, after=first["pageInfo"]["endCursor"])
    assert [node["message"] for node in second["nodes"]] == ["number 3", "number 4"]
    assert (second["pageInfo"]["hasNextPage"], second["pageInfo"]["hasPreviousPage"]) == (False, True)
    last = await events_page(api, stores[0], last=2, before=second["pageInfo"]["startCursor"])
    assert [node["message"] for node in last["nodes"]] == ["number 1", "number 2"]
    assert (last["pageInfo"]["hasNextPage"], last["pageInfo"]["hasPreviousPage"]) == (True, True)
    everything = await events_page(api, stores[0], last=100)
    assert [node["message"] for node in everything["nodes"]] == [*messages, "number 3", "number 4"]
    assert (everything["pageInfo"]["hasNextPage"], everything["pageInfo"]["hasPreviousPage"]) == (False, False)
    empty = await events_page(api, stores[0], first=1, after=second["pageInfo"]["endCursor"])
    assert empty["nodes"] == []
    assert empty["pageInfo"] == {
        "hasNextPage": False, "endCursor": None, "hasPreviousPage": True, "startCursor": None,
    }  # fmt: skip


async def test_events_of_many_stores_come_with_one_list(api: Harness, stores: list[str]) -> None:
    query = "{ stores(first: 5) { nodes { id name events(last: 1) { nodes { message store { name } } } } } }"
    nodes = (await api.client().execute(query))["stores"]["nodes"]
    assert len(nodes) == 4
    for node in nodes:
        assert node["events"]["nodes"] == [
            {"message": f"{node['name']} was requested.", "store": {"name": node["name"]}}
        ]


async def test_one_request_gets_a_limited_number_of_events(api: Harness) -> None:
    query = "{ stores(first: 4) { nodes { %s } } }"
    some, more = "a: events(first: 100) { nodes { type } }", "b: events(last: 100) { nodes { type } }"
    assert len((await api.client().execute(query % f"{some} {more}"))["stores"]["nodes"]) == 4
    with pytest.raises(ClientError, match="1000 are allowed"):
        await api.client().execute(query % f"{some} {more} c: events(first: 99) {{ nodes {{ type }} }}")


async def test_ranges_of_events_that_are_none(api: Harness, stores: list[str]) -> None:
    token, _ = await api.sign_up("other@example.com")
    foreign = (await api.create_store_payload(token))["store"]["eventCursor"]
    for wrong in (
        {}, {"first": 1, "last": 1}, {"first": 0}, {"last": 101}, {"first": 1, "after": "nonsense"},
        {"last": 1, "before": foreign}, {"first": 1, "after": stores[0]},
    ):  # fmt: skip
        with pytest.raises(ClientError, match=r"first|last|not a cursor of this list"):
            await events_page(api, stores[0], **wrong)


async def test_another_account_sees_none_of_it(api: Harness, stores: list[str]) -> None:
    token, _ = await api.sign_up("other@example.com")
    other = api.client(token)
    data = await other.execute(STORES, {"first": 5, "deleted": True})
    assert data["stores"]["nodes"] == []
    assert data["viewer"]["accounts"] == [{"storeCount": 0}]
    assert (await other.execute(EVENTS, {"id": stores[0], "first": 1}))["store"] is None
    with pytest.raises(ClientError, match="no such account"):
        await other.execute(
            "query ($id: ID!) { stores(first: 1, accountId: $id) { nodes { id } } }", {"id": api.account}
        )


async def test_a_pushed_event_has_the_store_as_it_is_now(api: Harness, stores: list[str]) -> None:
    query = """subscription ($id: ID!) { storeEvents(storeId: $id) {
      message status store { id status steps { name status } } } }"""
    async for data in api.client().subscribe(query, {"id": stores[1]}):
        event = data["storeEvents"]
        assert (event["message"], event["status"]) == ("apples_100% was requested.", "REQUESTED")
        assert (event["store"]["id"], event["store"]["status"]) == (stores[1], "FAILED")
        assert event["store"]["steps"][0] == {"name": "credentials", "status": "PENDING"}
        break
