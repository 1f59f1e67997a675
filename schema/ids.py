"""Ids of arguments and cursors of pages, beside the global ids and event cursors of stores/ids.py."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from accounts.audit_pages import AuditCursor
from stores.ids import decode_event_cursor, decode_id, decode_text, encode_event_cursor, encode_id, encode_text
from stores.status import Status
from stores.store_pages import OrderField, StoreCursor, StoreOrder

MAX_INTEGER = 2**31

__all__ = [
    "RowCursors",
    "decode_account_id",
    "decode_audit_cursor",
    "decode_event_cursor",
    "decode_id",
    "decode_number_cursor",
    "decode_page_cursor",
    "decode_page_cursor_of",
    "encode_audit_cursor",
    "encode_event_cursor",
    "encode_id",
    "encode_number_cursor",
    "encode_page_cursor",
]


def decode_account_id(global_id: str | None) -> UUID | None:
    """The UUID in an account's id; None when the argument was left out. A malformed id gives the nil UUID, which no
    account has."""
    return None if global_id is None else decode_id("Account", global_id) or UUID(int=0)


def encode_audit_cursor(cursor: AuditCursor) -> str:
    """The id and cursor of an entry of the audit log."""
    return encode_text(f"AuditEntry:{cursor.account_id}|{cursor.at.isoformat()}|{cursor.id}")


def decode_audit_cursor(text: str) -> AuditCursor | None:
    """None for a malformed cursor."""
    try:
        account, at, number = decode_text(text).removeprefix("AuditEntry:").split("|")
        cursor = AuditCursor(UUID(account), datetime.fromisoformat(at), int(number))
    except ValueError:
        return None
    is_valid = cursor.at.tzinfo == UTC and 0 < cursor.id < MAX_INTEGER
    return cursor if is_valid and encode_audit_cursor(cursor) == text else None


@dataclass(frozen=True)
class RowCursors:
    """The cursors of a list of rows that is ordered by a time or a text, and then by id. `kind`: of the rows."""

    kind: str
    by_text: bool = False

    def encode(self, key: datetime | str, row_id: UUID) -> str:
        return encode_text(f"{self.kind}:{key.isoformat() if isinstance(key, datetime) else key}|{row_id}")

    def decode(self, text: str) -> tuple[datetime | str, UUID] | None:
        """The sort key and the id; None for a malformed cursor, or one of another kind."""
        kind, _, rest = decode_text(text).partition(":")
        key, _, row_id = rest.rpartition("|")
        try:
            found = _text(key) if self.by_text else _moment(key), UUID(row_id)
        except ValueError:
            return None
        return found if kind == self.kind and self.encode(*found) == text else None


def encode_number_cursor(kind: str, number: int) -> str:
    """The id or cursor of a row that has a number, such as an attempt of a webhook."""
    return encode_text(f"{kind}:{number}")


def decode_number_cursor(kind: str, text: str) -> int | None:
    """None for a malformed cursor, or one of another kind."""
    found, _, number = decode_text(text).partition(":")
    if found == kind and number.isdecimal() and len(number) < 19 and encode_number_cursor(kind, int(number)) == text:
        return int(number)
    return None


def encode_page_cursor(cursor: StoreCursor) -> str:
    """The cursor of a store in a StoreConnection."""
    order, key = cursor.order, cursor.key
    text = key.isoformat() if isinstance(key, datetime) else str(key)
    if order == StoreOrder():
        return encode_text(f"p1:{text}|{cursor.store_id}")
    return encode_text(f"p2:{order.field}:{'desc' if order.descending else 'asc'}:{text}|{cursor.store_id}")


def decode_page_cursor(text: str, order: StoreOrder) -> StoreCursor | None:
    """The sort key and id in a page cursor; None for a malformed cursor, or a cursor of another order."""
    prefixed, _, store_id = decode_text(text).rpartition("|")
    key = prefixed.partition(":")[2] if order == StoreOrder() else prefixed.split(":", 3)[-1]
    try:
        cursor = StoreCursor(order, _sort_key(order, key), UUID(store_id))
    except ValueError:
        return None
    return cursor if encode_page_cursor(cursor) == text else None


def decode_page_cursor_of(order: StoreOrder) -> Callable[[str], tuple[datetime | str | int, UUID] | None]:
    """Decodes a page cursor of this order to sort key and id; None for another one."""

    def decode(text: str) -> tuple[datetime | str | int, UUID] | None:
        cursor = decode_page_cursor(text, order)
        return (cursor.key, cursor.store_id) if cursor is not None else None

    return decode


def _sort_key(order: StoreOrder, text: str) -> datetime | str | int:
    """Raises ValueError for a text that PostgreSQL wouldn't take."""
    if order.field == OrderField.CREATED_AT:
        return _moment(text)
    if order.field == OrderField.STATUS:
        number = int(text)
        if not 0 < number <= len(Status):
            raise ValueError("no status has this number")
        return number
    return _text(text)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo != UTC:
        raise ValueError("not in UTC")
    return moment


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueError("PostgreSQL has no texts with NUL")
    return text
