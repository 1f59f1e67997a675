"""From a log's bytes to lines that are safe to show: no control characters, no secrets, limited length."""

import base64
import html
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from urllib.parse import quote, quote_plus

from stores.log_protocol import MAX_LINE_BYTES

MAX_RAW_LINE_BYTES = 4 * MAX_LINE_BYTES
"""Bytes of a line that are kept before masking."""
MASKED = "[masked]"
ELLIPSIS = "…"
NANOSECONDS = 1_000_000_000
MIN_BASE64_MATCH = 8
"""A secret inside longer base64 text is masked if at least so many of its characters can be recognised."""

_TIME = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)(?: |$)")
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\|$)|[ -/]*[0-~])")
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""All except the tab; with the characters that change the direction of text."""


async def split_lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Lines without their line feed, each cut to MAX_RAW_LINE_BYTES. The last line needs no line feed."""
    partial = b""
    async for chunk in chunks:
        *lines, rest = (partial + chunk).split(b"\n")
        for line in lines:
            yield line[:MAX_RAW_LINE_BYTES]
        partial = rest[:MAX_RAW_LINE_BYTES]
    if partial:
        yield partial


def parse_timestamp(line: bytes) -> tuple[int | None, bytes]:
    """Nanoseconds since 1970 and the text. None without a timestamp: then the line is a message of the kubelet."""
    found = _TIME.match(line)
    if found is None:
        return None, line
    seconds, fraction, zone = (part.decode() for part in found.groups(b""))
    at = int(datetime.fromisoformat(seconds + zone).timestamp()) * NANOSECONDS + int(fraction.ljust(9, "0"))
    return at, line[found.end() :]


def strip_control_characters(raw: bytes) -> str:
    """Decoded text without ANSI escape sequences and control characters."""
    return _CONTROLS.sub("", _ESCAPES.sub("", raw.decode(errors="replace")))


class SecretMasker:
    """Replaces a store's secrets in log lines, also where they are encoded."""

    def __init__(self, secrets: Iterable[str]) -> None:
        encoded = {text for secret in secrets for text in _encodings(secret)}
        self._encoded = sorted(encoded, key=lambda text: (-len(text), text))  # longest first: it may contain others
        self._longest = max(map(len, encoded), default=0)

    def mask(self, raw: bytes) -> str:
        """The line in a form that is safe to show: at most MAX_LINE_BYTES of UTF-8."""
        text = strip_control_characters(raw)
        if len(raw) >= MAX_RAW_LINE_BYTES:  # the line was cut: its end may be the first part of a secret
            text = text[: len(text) - self._longest]
        for secret in self._encoded:
            if secret in text:
                text = text.replace(secret, MASKED)
        return _truncate(text)


def _truncate(text: str) -> str:
    encoded = text.encode()
    if len(encoded) <= MAX_LINE_BYTES:
        return text
    return encoded[: MAX_LINE_BYTES - len(ELLIPSIS.encode())].decode(errors="ignore") + ELLIPSIS


def _encodings(secret: str) -> Iterator[str]:
    """The secret itself, and encoded for URLs, JSON, HTML and base64; base64 also of a longer text that contains it."""
    if not secret:
        return
    for encoded in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield encoded
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), encoded)
    yield from (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], html.escape(secret))
    data = secret.encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        exact = encode(data).decode()
        yield from (exact, exact.rstrip("="))
        for before in range(3):
            # the characters that depend on bytes of the secret only
            middle = encode(bytes(before) + data).decode()[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
            if len(middle) >= MIN_BASE64_MATCH:
                yield middle
