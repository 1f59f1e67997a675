"""Opaque global ids and event cursors: unpadded base64url of a text such as `Store:<uuid>`. Clients must not parse
them.

Each value has exactly one encoding: decoding any other text gives None.
"""

import base64
import binascii
from uuid import UUID

MAX_SEQ = 10**18
"""Event numbers below this limit fit PostgreSQL's bigint."""


def encode_id(type_name: str, value: UUID) -> str:
    """A Relay global id: unique across all types."""
    return encode_text(f"{type_name}:{value}")


def decode_id(type_name: str, global_id: str) -> UUID | None:
    """The UUID in a global id; None for a malformed id or an id of another type."""
    decoded_type, _, value = decode_text(global_id).partition(":")
    try:
        uuid = UUID(value)
    except ValueError:
        return None
    return uuid if decoded_type == type_name and encode_id(type_name, uuid) == global_id else None


def encode_event_cursor(account_id: UUID, seq: int) -> str:
    """A cursor after event number `seq` of the account."""
    return encode_text(f"v1:{account_id}:{seq}")


def decode_event_cursor(cursor: str) -> tuple[UUID, int] | None:
    """Account id and number of the last event that the client has seen; None for a malformed cursor."""
    parts = decode_text(cursor).split(":")
    try:
        _, account, number = parts
        account_id, seq = UUID(account), int(number)
    except ValueError:
        return None
    return (account_id, seq) if 0 <= seq < MAX_SEQ and encode_event_cursor(account_id, seq) == cursor else None


def encode_text(text: str) -> str:
    """Unpadded base64url."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_text(encoded: str) -> str:
    """The text; empty if it isn't base64url of UTF-8."""
    try:
        return base64.urlsafe_b64decode(encoded.encode() + b"=" * (-len(encoded) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""
