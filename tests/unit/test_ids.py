"""Ids and cursors come back as they went out; what didn't come from us stands for nothing."""

import base64
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schema.ids import (
    account_id,
    decode,
    encode,
    event_cursor,
    page_cursor,
    read_event_cursor,
    read_page_cursor,
)
from stores.queries import Place

STORE = UUID("0b6f1a52-8a0e-4a4e-9d3c-2f0d5c1f7a11")
AT = datetime(2026, 11, 23, 18, 30, 1, 234567, tzinfo=UTC)
INT64 = 2**63 - 1


def raw(text: str) -> str:
    """As a caller would encode something of its own."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


strange = st.one_of(
    st.text(),
    st.text("ABCDabcd0123456789-_=+/ \n", max_size=80),
    st.text(max_size=60).filter(lambda text: text.isprintable()).map(raw),
    st.from_regex(r"(Store|v1|p1):[0-9a-f{}:|+ _T.-]{0,70}", fullmatch=True).map(raw),
)


@given(st.uuids(), st.sampled_from(["Store", "Account", "User"]))
def test_an_id_comes_back(value: UUID, kind: str) -> None:
    assert decode(kind, encode(kind, value)) == value
    assert encode(kind, value).replace("-", "").replace("_", "").isalnum()


@given(st.uuids(), st.integers(0, 10**18 - 1))
def test_an_event_cursor_comes_back(account: UUID, seq: int) -> None:
    assert read_event_cursor(event_cursor(account, seq)) == (account, seq)


@given(st.uuids(), st.datetimes(timezones=st.just(UTC)))
def test_a_page_cursor_comes_back(store: UUID, at: datetime) -> None:
    assert read_page_cursor(page_cursor(Place(at, store))) == Place(at, store)


@given(strange)
@example(encode("Store", STORE) + "=")
@example(encode("Store", STORE) + "\n")
@example(encode("Store", STORE)[:9] + "!" + encode("Store", STORE)[9:])
@example(raw(f"Store:{{{STORE}}}"))
@example(raw(f"Store:urn:uuid:{STORE}"))
@example(raw(f"Store:{STORE.hex}"))
@example(raw(f"Store:{str(STORE).upper()}"))
def test_any_string_is_our_own_id_or_none(text: str) -> None:
    found = decode("Store", text)
    assert found is None or encode("Store", found) == text


@given(strange)
@example(raw(f"v1:{STORE}:007"))
@example(raw(f"v1:{STORE}:\u0663"))
@example(raw(f"v1:{STORE}:-1"))
@example(raw(f"v1:{STORE}:{INT64 + 1}"))
@example(raw(f"v1:{STORE.hex}:7"))
@example(raw(f"v2:{STORE}:7"))
@example(raw(f"v1:{STORE}:7:8"))
def test_any_string_is_our_own_event_cursor_or_none(text: str) -> None:
    found = read_event_cursor(text)
    assert found is None or event_cursor(*found) == text
    assert found is None or 0 <= found[1] <= INT64


@given(strange)
@example(raw(f"p1:2026-11-23|{STORE}"))
@example(raw(f"p1:{AT.replace(tzinfo=None).isoformat()}|{STORE}"))
@example(raw(f"p1:{AT.astimezone(timezone(timedelta(hours=2))).isoformat()}|{STORE}"))
@example(raw(f"p1:0001-01-01T00:00:00+23:59|{STORE}"))
@example(raw(f"p1:{AT.isoformat().replace('T', ' ')}|{STORE}"))
@example(raw(f"{AT.isoformat()}|{STORE}"))
def test_any_string_is_our_own_page_cursor_or_none(text: str) -> None:
    found = read_page_cursor(text)
    assert found is None or page_cursor(found) == text
    assert found is None or found.created_at.tzinfo == UTC


@pytest.mark.parametrize("at", ["2026-11-23", "2026-11-23T18:30:01", "9999-12-31T23:59:59-23:59", "soon"])
def test_a_place_without_a_clear_time_is_none(at: str) -> None:
    """The database would fail on some of them."""
    assert read_page_cursor(raw(f"p1:{at}|{STORE}")) is None


def test_an_id_of_another_kind_is_none() -> None:
    assert decode("Account", encode("Store", STORE)) is None
    assert read_event_cursor(encode("v1", STORE)) is None
    assert read_page_cursor(event_cursor(STORE, 7)) is None


def test_an_account_left_out_isnt_an_account_that_there_isnt() -> None:
    assert account_id(None) is None
    assert account_id(encode("Account", STORE)) == STORE
    assert account_id(encode("Store", STORE)) == UUID(int=0)
    assert account_id("") == UUID(int=0)
