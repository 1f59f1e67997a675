"""Opaque ids and cursors: base64 of what they stand for. Clients must not look inside, and we check what comes back."""

import base64
import binascii
from datetime import datetime
from uuid import UUID

from stores.queries import Place


def encode(kind: str, value: UUID) -> str:
    """A global id, unique over all kinds."""
    return _encode(f"{kind}:{value}")


def decode(kind: str, given: str) -> UUID | None:
    """The id inside, or None when it isn't a global id of that kind."""
    found, _, value = _decode(given).partition(":")
    try:
        return UUID(value) if found == kind else None
    except ValueError:
        return None


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
        version, account_id, seq = parts
        number = int(seq) if seq.isdecimal() and len(seq) < 19 else -1
        return (UUID(account_id), number) if version == "v1" and number >= 0 else None
    except ValueError:
        return None


def page_cursor(place: Place) -> str:
    """Where a page of stores ended."""
    return _encode(f"p1:{place.created_at.isoformat()}|{place.store_id}")


def read_page_cursor(given: str) -> Place | None:
    """The place, or None when it is no cursor."""
    text = _decode(given)
    created_at, _, store_id = text.removeprefix("p1:").partition("|")
    try:
        at = datetime.fromisoformat(created_at)
        return Place(at, UUID(store_id)) if text.startswith("p1:") and at.tzinfo else None
    except ValueError:
        return None


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(given: str) -> str:
    try:
        return base64.urlsafe_b64decode(given.encode() + b"=" * (-len(given) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""
