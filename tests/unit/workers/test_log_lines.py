"""Lines that are safe to show, for any bytes that a program prints: without secrets and control characters."""

import base64
import json
import secrets
from collections.abc import AsyncIterator
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.log_protocol import MAX_LINE_BYTES
from workers.logs.lines import (
    MASKED,
    MAX_RAW_LINE_BYTES,
    SecretMasker,
    parse_timestamp,
    split_lines,
    strip_control_characters,
)

SECRET = 'pa/ss+w ö"rd&<x>=%~'


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for piece in given:
        yield piece


async def lines(*given: bytes) -> list[bytes]:
    return [line async for line in split_lines(pieces(*given))]


async def test_lines_come_in_any_pieces() -> None:
    text = b"one\n\ntwo \xc3\xb6\nthree"
    whole = [b"one", b"", b"two \xc3\xb6", b"three"]
    assert await lines(text) == whole
    assert await lines(*(text[number : number + 1] for number in range(len(text)))) == whole
    assert await lines(b"one\n") == [b"one"]
    assert await lines() == []


async def test_of_an_endless_line_only_the_beginning_is_held() -> None:
    assert await lines(*([b"x" * 1000] * 100), b"y\nnext\n") == [b"x" * MAX_RAW_LINE_BYTES, b"next"]


@pytest.mark.parametrize(
    ("line", "at", "text"),
    [
        (b"2026-11-24T08:27:59.754558042Z hello", 1795508879_754558042, b"hello"),
        (b"2026-11-24T08:27:59.5Z ", 1795508879_500000000, b""),
        (b"2026-11-24T08:27:59Z  two", 1795508879_000000000, b" two"),
        (b"2026-11-24T09:27:59.000000001+01:00 x", 1795508879_000000001, b"x"),
        (b"unable to retrieve container logs", None, b"unable to retrieve container logs"),
        (b"2026-11-24 08:27:59Z x", None, b"2026-11-24 08:27:59Z x"),
    ],
)
def test_when_a_line_was_printed(line: bytes, at: int | None, text: bytes) -> None:
    assert parse_timestamp(line) == (at, text)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"\x1b[1;31mred\x1b[0m", "red"),
        (b"\x1b]0;title\x07text\x1b]8;;http://x\x1b\\link", "textlink"),
        (b"a\x1b(Bb\x1b7c\x1b=d", "abcd"),
        (b"tab\there\r\x00\x07\x08\x7f\x9b", "tab\there\ufffd"),
        ("a\u202eb\u2066c\u2028d\x85e".encode(), "abcde"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"\x1b", ""),
    ],
)
def test_nothing_moves_or_colours_a_terminal(raw: bytes, shown: str) -> None:
    assert strip_control_characters(raw) == shown


FORMS = (
    SECRET,
    base64.b64encode(SECRET.encode()).decode(),
    base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    quote(SECRET),
    quote(SECRET, safe="").lower(),
    quote_plus(SECRET),
    json.dumps(SECRET)[1:-1],
    json.dumps(SECRET, ensure_ascii=False)[1:-1],
)


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_masked_in_each_form(form: str) -> None:
    mask = SecretMasker([SECRET, "another", ""])
    assert mask.mask(f"before {form}, {form} after".encode()) == f"before {MASKED}, {MASKED} after"
    coloured = f"{form[:3]}\x1b[0m{form[3:]}".encode()
    assert mask.mask(coloured) == MASKED


@pytest.mark.parametrize("before", ["", "a", "ab", "admin:"])
def test_a_secret_inside_base64_is_masked(before: str) -> None:
    password = secrets.token_urlsafe(24)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        line = encode(f"{before}{password}:after".encode())
        shown = SecretMasker([password]).mask(line)
        assert MASKED in shown
        hidden = base64.b64encode(password.encode()).decode()[2:-3]
        assert hidden not in shown


def test_a_short_secret_hides_itself_and_not_everything() -> None:
    assert SecretMasker(["ab"]).mask(b"cab YWI= abba YW") == f"c{MASKED} {MASKED} {MASKED}ba YW"


def test_a_secret_that_contains_another_is_masked_whole() -> None:
    assert SecretMasker(["pass", "password"]).mask(b"password pass") == f"{MASKED} {MASKED}"


def test_long_lines_are_cut_to_whole_characters() -> None:
    assert SecretMasker(()).mask(b"x" * MAX_LINE_BYTES) == "x" * MAX_LINE_BYTES
    shown = SecretMasker(()).mask("ö".encode() * MAX_LINE_BYTES)
    assert shown.lstrip("ö") == "…"
    assert MAX_LINE_BYTES - 2 <= len(shown.encode()) <= MAX_LINE_BYTES


@given(st.integers(0, MAX_RAW_LINE_BYTES + 50), st.sampled_from([b"x", b"\x1b[0m", b"s3cret-value!"]))
def test_no_part_of_a_secret_is_left_where_a_line_is_cut(place: int, filling: bytes) -> None:
    secret = b"The-Secret-of-the-store"
    line = ((filling * MAX_RAW_LINE_BYTES)[:place] + secret + b"y" * MAX_RAW_LINE_BYTES)[:MAX_RAW_LINE_BYTES]
    shown = SecretMasker([secret.decode(), "s3cret-value!"]).mask(line)
    assert "The-S" not in shown
    assert "s3cret" not in shown or filling == b"s3cret-value!"
