"""Opaque global ids and cursors: unpadded base64url of a text such as `Store:<uuid>`. Clients must not parse them.

Each value has exactly one encoding: decoding any other text gives None.
"""

import base64
import binascii
from datetime import UTC, datetime
from uuid import UUID

from stores.status import Status
from stores.store_pages import OrderField, StoreCursor, StoreOrder

MAX_SEQ = 10**18
"""Event numbers below this limit fit PostgreSQL's bigint."""


def encode_id(type_name: str, value: UUID) -> str:
    """A Relay global id: unique across all types."""
    return _encode(f"{type_name}:{value}")


def decode_id(type_name: str, global_id: str) -> UUID | None:
    """The UUID in a global id; None for a malformed id or an id of another type."""
    decoded_type, _, value = _decode(global_id).partition(":")
    try:
        uuid = UUID(value)
    except ValueError:
        return None
    return uuid if decoded_type == type_name and encode_id(type_name, uuid) == global_id else None


def decode_account_id(global_id: str | None) -> UUID | None:
    """The UUID in an account's id; None when the argument was left out. A malformed id gives the nil UUID, which no
    account has."""
    return None if global_id is None else decode_id("Account", global_id) or UUID(int=0)


def encode_event_cursor(account_id: UUID, seq: int) -> str:
    """A cursor after event number `seq` of the account."""
    return _encode(f"v1:{account_id}:{seq}")


def decode_event_cursor(cursor: str) -> tuple[UUID, int] | None:
    """Account id and number of the last event that the client has seen; None for a malformed cursor."""
    parts = _decode(cursor).split(":")
    try:
        _, account, number = parts
        account_id, seq = UUID(account), int(number)
    except ValueError:
        return None
    return (account_id, seq) if 0 <= seq < MAX_SEQ and encode_event_cursor(account_id, seq) == cursor else None


def encode_page_cursor(cursor: StoreCursor) -> str:
    """The cursor of a store in a StoreConnection."""
    order, key = cursor.order, cursor.key
    text = key.isoformat() if isinstance(key, datetime) else str(key)
    if order == StoreOrder():
        return _encode(f"p1:{text}|{cursor.store_id}")
    return _encode(f"p2:{order.field}:{'desc' if order.descending else 'asc'}:{text}|{cursor.store_id}")


def decode_page_cursor(text: str, order: StoreOrder) -> StoreCursor | None:
    """The sort key and id in a page cursor; None for a malformed cursor, or a cursor of another order."""
    prefixed, _, store_id = _decode(text).rpartition("|")
    key = prefixed.partition(":")[2] if order == StoreOrder() else prefixed.split(":", 3)[-1]
    try:
        cursor = StoreCursor(order, _sort_key(order, key), UUID(store_id))
    except ValueError:
        return None
    return cursor if encode_page_cursor(cursor) == text else None


def _sort_key(order: StoreOrder, text: str) -> datetime | str | int:
    """Raises ValueError for a text that PostgreSQL wouldn't take."""
    if order.field == OrderField.CREATED_AT:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo != UTC:
            raise ValueError("not in UTC")
        return moment
    if order.field == OrderField.STATUS:
        number = int(text)
        if not 0 < number <= len(Status):
            raise ValueError("no status has this number")
        return number
    if "\0" in text:
        raise ValueError("PostgreSQL has no texts with NUL")
    return text


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(encoded: str) -> str:
    try:
        return base64.urlsafe_b64decode(encoded.encode() + b"=" * (-len(encoded) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""
