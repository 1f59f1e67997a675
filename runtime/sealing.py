"""Encrypts secrets at rest with AES-256-GCM. The ciphertext binds the store and the field, so a sealed value works in
no other row.

A sealed value names its key, so keys can be rotated: docs/OPERATIONS.md.
"""

import base64
import binascii
import json
import os
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12


class UnsealError(Exception):
    """A sealed value can't be decrypted: unknown key, modified bytes, or sealed for another store or field."""


@dataclass(frozen=True)
class Keyring:
    """Keys by id. The first key seals; every key unseals."""

    keys: tuple[tuple[str, bytes], ...]

    def __repr__(self) -> str:
        return f"Keyring({', '.join(name for name, _ in self.keys)})"

    @classmethod
    def parse(cls, text: str) -> "Keyring":
        """Parses `id:base64,id:base64`. Raises ValueError, whose message contains no part of the text."""
        keys = []
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            name, colon, encoded = part.partition(":")
            try:
                key = base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError):
                key = b""
            if not colon or not name.isalnum() or not name.isascii() or len(name) > 20 or len(key) != KEY_BYTES:
                raise ValueError(
                    "must be id:key pairs, comma-separated, each key 32 bytes in base64 (openssl rand -base64 32)"
                )
            keys.append((name, key))
        if not keys:
            raise ValueError("must hold at least one id:key pair")
        if len({name for name, _ in keys}) != len(keys):
            raise ValueError("must not repeat a key's id")
        return cls(tuple(keys))

    def seal(self, store_id: UUID, field: str, value: str) -> str:
        """`<key id>.<base64 of nonce and ciphertext>`, with a random nonce."""
        name, key = self.keys[0]
        nonce = os.urandom(NONCE_BYTES)
        plaintext = json.dumps({"store": str(store_id), "field": field, "value": value}).encode()
        return f"{name}.{base64.b64encode(nonce + AESGCM(key).encrypt(nonce, plaintext, name.encode())).decode()}"

    def is_current(self, sealed: str) -> bool:
        """Whether the first key sealed it, judged by the key's id."""
        return sealed.partition(".")[0] == self.keys[0][0]

    def unseal(self, store_id: UUID, field: str, sealed: str) -> str:
        """The value, if it was sealed for this store and field. Raises UnsealError."""
        name, _, body = sealed.partition(".")
        key = dict(self.keys).get(name)
        if key is None:
            raise UnsealError(f"{field}: no key named {name!r} here")
        try:
            raw = base64.b64decode(body, validate=True)
            plaintext = json.loads(AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], name.encode()))
        except (InvalidTag, ValueError):
            raise UnsealError(f"{field}: the sealed value was modified") from None
        if plaintext["store"] != str(store_id) or plaintext["field"] != field:
            raise UnsealError(f"{field}: sealed for another store or field")
        value: str = plaintext["value"]
        return value


def generate_key(name: str = "k1") -> str:
    """A random key, `id:base64`, as the setting wants it."""
    return f"{name}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"
