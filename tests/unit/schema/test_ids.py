"""Ids and cursors survive a round trip; any other text is rejected."""

import base64
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schema.ids import (
    decode_account_id,
    decode_event_cursor,
    decode_id,
    decode_page_cursor,
    encode_event_cursor,
    encode_id,
    encode_page_cursor,
)
from stores.store_pages import OrderField, StoreCursor, StoreOrder

STORE = UUID("0b6f1a52-8a0e-4a4e-9d3c-2f0d5c1f7a11")
AT = datetime(2026, 11, 23, 18, 30, 1, 234567, tzinfo=UTC)
INT64 = 2**63 - 1
ORDERS = [StoreOrder(field, descending=descending) for field in OrderField for descending in (True, False)]


def raw(text: str) -> str:
    """The text in the encoding of ids."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


any_text = st.one_of(
    st.text(),
    st.text("ABCDabcd0123456789-_=+/ \n", max_size=80),
    st.text(max_size=60).filter(lambda text: text.isprintable()).map(raw),
    st.from_regex(r"(Store|v1|p1):[0-9a-f{}:|+ _T.-]{0,70}", fullmatch=True).map(raw),
)


@given(st.uuids(), st.sampled_from(["Store", "Account", "User"]))
def test_an_id_comes_back(value: UUID, kind: str) -> None:
    assert decode_id(kind, encode_id(kind, value)) == value
    assert encode_id(kind, value).replace("-", "").replace("_", "").isalnum()


@given(st.uuids(), st.integers(0, 10**18 - 1))
def test_an_event_cursor_comes_back(account: UUID, seq: int) -> None:
    assert decode_event_cursor(encode_event_cursor(account, seq)) == (account, seq)


@given(st.uuids(), st.datetimes(timezones=st.just(UTC)))
def test_a_page_cursor_comes_back(store: UUID, at: datetime) -> None:
    for order in (StoreOrder(), StoreOrder(OrderField.CREATED_AT, descending=False)):
        cursor = StoreCursor(order, at, store)
        assert decode_page_cursor(encode_page_cursor(cursor), order) == cursor


@given(st.uuids(), st.text().filter(lambda text: "\0" not in text), st.integers(1, 10), st.booleans())
@example(STORE, "a|b:c", 1, True)
def test_a_page_cursor_comes_back_in_every_order(store: UUID, name: str, status: int, descending: bool) -> None:
    keys: list[tuple[OrderField, str | int]] = [(OrderField.NAME, name), (OrderField.STATUS, status)]
    cursors = [StoreCursor(StoreOrder(field, descending=descending), key, store) for field, key in keys]
    for cursor in cursors:
        assert decode_page_cursor(encode_page_cursor(cursor), cursor.order) == cursor
        for other in (StoreOrder(), StoreOrder(cursor.order.field, descending=not descending)):
            assert decode_page_cursor(encode_page_cursor(cursor), other) is None


@given(any_text)
@example(encode_id("Store", STORE) + "=")
@example(encode_id("Store", STORE) + "\n")
@example(encode_id("Store", STORE)[:9] + "!" + encode_id("Store", STORE)[9:])
@example(raw(f"Store:{{{STORE}}}"))
@example(raw(f"Store:urn:uuid:{STORE}"))
@example(raw(f"Store:{STORE.hex}"))
@example(raw(f"Store:{str(STORE).upper()}"))
def test_any_other_string_is_no_id(text: str) -> None:
    found = decode_id("Store", text)
    assert found is None or encode_id("Store", found) == text


@given(any_text)
@example(raw(f"v1:{STORE}:007"))
@example(raw(f"v1:{STORE}:\u0663"))
@example(raw(f"v1:{STORE}:-1"))
@example(raw(f"v1:{STORE}:{INT64 + 1}"))
@example(raw(f"v1:{STORE.hex}:7"))
@example(raw(f"v2:{STORE}:7"))
@example(raw(f"v1:{STORE}:7:8"))
def test_any_other_string_is_no_event_cursor(text: str) -> None:
    found = decode_event_cursor(text)
    assert found is None or encode_event_cursor(*found) == text
    assert found is None or 0 <= found[1] <= INT64


@given(any_text)
@example(raw(f"p1:2026-11-23|{STORE}"))
@example(raw(f"p1:{AT.replace(tzinfo=None).isoformat()}|{STORE}"))
@example(raw(f"p1:{AT.astimezone(timezone(timedelta(hours=2))).isoformat()}|{STORE}"))
@example(raw(f"p1:0001-01-01T00:00:00+23:59|{STORE}"))
@example(raw(f"p1:{AT.isoformat().replace('T', ' ')}|{STORE}"))
@example(raw(f"{AT.isoformat()}|{STORE}"))
@example(raw(f"p2:STATUS:asc:11|{STORE}"))
@example(raw(f"p2:STATUS:asc:0|{STORE}"))
@example(raw(f"p2:STATUS:asc:+1|{STORE}"))
@example(raw(f"p2:NAME:asc:a\0b|{STORE}"))
def test_any_other_string_is_no_page_cursor(text: str) -> None:
    for order in ORDERS:
        found = decode_page_cursor(text, order)
        assert found is None or encode_page_cursor(found) == text


@pytest.mark.parametrize("at", ["2026-11-23", "2026-11-23T18:30:01", "9999-12-31T23:59:59-23:59", "soon"])
def test_a_page_cursor_without_a_clear_time_is_none(at: str) -> None:
    """PostgreSQL would reject some of these values."""
    assert decode_page_cursor(raw(f"p1:{at}|{STORE}"), StoreOrder()) is None
    assert decode_page_cursor(raw(f"p2:CREATED_AT:asc:{at}|{STORE}"), StoreOrder(descending=False)) is None


def test_an_id_of_another_kind_is_none() -> None:
    assert decode_id("Account", encode_id("Store", STORE)) is None
    assert decode_event_cursor(encode_id("v1", STORE)) is None
    assert decode_page_cursor(encode_event_cursor(STORE, 7), StoreOrder()) is None


def test_an_account_left_out_isnt_an_account_that_there_isnt() -> None:
    assert decode_account_id(None) is None
    assert decode_account_id(encode_id("Account", STORE)) == STORE
    assert decode_account_id(encode_id("Store", STORE)) == UUID(int=0)
    assert decode_account_id("") == UUID(int=0)
