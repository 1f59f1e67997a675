"""Secrets at rest: AES-256-GCM, with the store and the field inside the seal so that values can't be swapped."""

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


class SealError(Exception):
    """A value can't be opened here: unknown key, changed bytes, or sealed for another store or field."""


@dataclass(frozen=True)
class Keyring:
    """The first key seals; every key opens, so a new one is put in front and the old one kept until resealed."""

    keys: tuple[tuple[str, bytes], ...]

    def __repr__(self) -> str:
        return f"Keyring({', '.join(name for name, _ in self.keys)})"

    @classmethod
    def parse(cls, text: str) -> "Keyring":
        """From `id:base64,id:base64`. Raises ValueError without repeating any of the text."""
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
        """`id.base64(nonce + ciphertext)`; a new nonce each time."""
        name, key = self.keys[0]
        nonce = os.urandom(NONCE_BYTES)
        inside = json.dumps({"store": str(store_id), "field": field, "value": value}).encode()
        return f"{name}.{base64.b64encode(nonce + AESGCM(key).encrypt(nonce, inside, name.encode())).decode()}"

    def open(self, store_id: UUID, field: str, sealed: str) -> str:
        """The value that was sealed for exactly this store and field. Raises SealError."""
        name, _, body = sealed.partition(".")
        key = dict(self.keys).get(name)
        if key is None:
            raise SealError(f"{field}: no key named {name!r} here")
        try:
            raw = base64.b64decode(body, validate=True)
            inside = json.loads(AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], name.encode()))
        except (InvalidTag, ValueError):
            raise SealError(f"{field}: the sealed value was changed") from None
        if inside["store"] != str(store_id) or inside["field"] != field:
            raise SealError(f"{field}: sealed for another store or field")
        value: str = inside["value"]
        return value


def new_key(name: str = "k1") -> str:
    """A fresh one-key ring in the settings' format."""
    return f"{name}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"
