"""From a log's bytes to lines that may be shown: whole, without control characters and secrets, and not too long."""

import base64
import html
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from urllib.parse import quote, quote_plus

from stores.logs import LINE_BYTES

HELD = 4 * LINE_BYTES
"""Bytes of a line that are looked at."""
MASK = "[masked]"
CUT = "…"
SECOND = 1_000_000_000
UNMISTAKABLE = 8
"""Characters from the middle of a base64 text that are taken for a secret's."""

_TIME = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)(?: |$)")
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\|$)|[ -/]*[0-~])")
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""All but the tab; also what makes text run backwards."""


async def whole_lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Without their ends; of each at most HELD bytes. What comes after the last end is a line, too."""
    held = b""
    async for piece in pieces:
        *lines, rest = (held + piece).split(b"\n")
        for line in lines:
            yield line[:HELD]
        held = rest[:HELD]
    if held:
        yield held


def stamped(line: bytes) -> tuple[int | None, bytes]:
    """When it was printed, in nanoseconds since 1970, and the rest; None for what has no time: the node's own words."""
    found = _TIME.match(line)
    if found is None:
        return None, line
    seconds, fraction, zone = (part.decode() for part in found.groups(b""))
    at = int(datetime.fromisoformat(seconds + zone).timestamp()) * SECOND + int(fraction.ljust(9, "0"))
    return at, line[found.end() :]


def plain(raw: bytes) -> str:
    """As text, without what would move a terminal's cursor or colour it."""
    return _CONTROLS.sub("", _ESCAPES.sub("", raw.decode(errors="replace")))


class Mask:
    """Takes a store's secrets out of a text, in the forms in which programs print them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        self._forms = sorted(forms, key=lambda form: (-len(form), form))  # the longest first: others are parts of it
        self._longest = max(map(len, forms), default=0)

    def shown(self, raw: bytes) -> str:
        """The line as it may be shown: at most LINE_BYTES of UTF-8."""
        text = plain(raw)
        if len(raw) >= HELD:  # there may be more of it, and at the end the beginning of a secret
            text = text[: len(text) - self._longest]
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return _cut(text)


def _cut(text: str) -> str:
    encoded = text.encode()
    if len(encoded) <= LINE_BYTES:
        return text
    return encoded[: LINE_BYTES - len(CUT.encode())].decode(errors="ignore") + CUT


def _forms(secret: str) -> Iterator[str]:
    """The secret itself, and encoded for URLs, JSON, HTML and in base64, alone or behind something (as in Basic)."""
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
            # the characters that no byte beside the secret has a part in
            middle = encode(bytes(before) + data).decode()[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
            if len(middle) >= UNMISTAKABLE:
                yield middle
