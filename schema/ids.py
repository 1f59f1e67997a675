"""Opaque ids and cursors: base64 of what they stand for. Clients must not look inside, and we check what comes back:
each has one spelling, and what isn't spelled as we do is none of ours.
"""

import base64
import binascii
from datetime import UTC, datetime
from uuid import UUID

from stores.queries import Place

MAX_SEQ = 10**18
"""More than any account has, and less than what the database's numbers hold."""


def encode(kind: str, value: UUID) -> str:
    """A global id, unique over all kinds."""
    return _encode(f"{kind}:{value}")


def decode(kind: str, given: str) -> UUID | None:
    """The id inside, or None when it isn't a global id of that kind."""
    found, _, value = _decode(given).partition(":")
    try:
        identity = UUID(value)
    except ValueError:
        return None
    return identity if found == kind and encode(kind, identity) == given else None


def account_id(given: str | None) -> UUID | None:
    """The account that an argument names; None if it was left out. What is no account's id stands for no account."""
    return None if given is None else decode("Account", given) or UUID(int=0)


def event_cursor(account_id: UUID, seq: int) -> str:
    """A place in an account's history."""
    return _encode(f"v1:{account_id}:{seq}")


def read_event_cursor(given: str) -> tuple[UUID, int] | None:
    """The account and the number of the last event seen, or None when it is no cursor."""
    parts = _decode(given).split(":")
    try:
        _, account, seq = parts
        place = UUID(account), int(seq)
    except ValueError:
        return None
    return place if 0 <= place[1] < MAX_SEQ and event_cursor(*place) == given else None


def page_cursor(place: Place) -> str:
    """Where a page of stores ended."""
    return _encode(f"p1:{place.created_at.isoformat()}|{place.store_id}")


def read_page_cursor(given: str) -> Place | None:
    """The place, or None when it is no cursor."""
    text = _decode(given)
    created_at, _, store_id = text.removeprefix("p1:").partition("|")
    try:
        place = Place(datetime.fromisoformat(created_at), UUID(store_id))
    except ValueError:
        return None
    return place if place.created_at.tzinfo == UTC and page_cursor(place) == given else None


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(given: str) -> str:
    try:
        return base64.urlsafe_b64decode(given.encode() + b"=" * (-len(given) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""
