"""The API's own pages: sufficient contrast in both colour schemes, valid HTML, and no external resources."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from accounts.errors import CallerError
from api.html_page import HEADERS, STYLE, html_page
from api.index_page import BODY
from api.store_status_page import (
    CLOSED,
    DATABASE_UNAVAILABLE,
    MALFORMED,
    NOTICES,
    SIMULATED,
    UNAVAILABLE,
    UNKNOWN,
    Notice,
    notice_page,
)
from stores.names import normalize_store_name
from stores.status import Status

ALL = {
    notice.heading: notice
    for notice in (UNKNOWN, MALFORMED, DATABASE_UNAVAILABLE, CLOSED, UNAVAILABLE, SIMULATED, *NOTICES.values())
}
VOID = {"meta", "path"}


class PageParser(HTMLParser):
    """Parses a page strictly: every tag must be closed."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self.feed(bytes(response.body).decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in self.open:
            self.text[tag] = self.text.get(tag, "") + data


def themes() -> dict[str, dict[str, str]]:
    """The colours by name, light and dark."""
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    return {name: dict(re.findall(r"--(\w+): (#\w{6});", text)) for name, text in (("light", light), ("dark", dark))}


def luminance(colour: str) -> float:
    """As WCAG 2 defines it."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_the_background(theme: str) -> None:
    colours = themes()[theme]
    assert set(colours) == {"background", "text", "muted", "border", "accent", "warning"}
    for name in set(colours) - {"background", "border"}:
        lighter, darker = sorted((luminance(colours[name]), luminance(colours["background"])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, name


def test_who_wants_less_motion_gets_none() -> None:
    everywhere, _, if_welcome = STYLE.partition("@media (prefers-reduced-motion: no-preference)")
    assert "animation" in if_welcome
    assert not re.search("animation|transition", everywhere)


@pytest.mark.parametrize("notice", ALL.values(), ids=lambda notice: notice.heading)
def test_a_page_is_whole(notice: Notice) -> None:
    read = PageParser(notice_page(notice, "fig.example.com", "Fig & Olive"))
    tags = [tag for tag, _ in read.tags]
    assert read.tags[0] == ("html", {"lang": "en"})
    assert tags.count("h1") == tags.count("title") == tags.count("main") == 1
    assert read.text["title"] == read.text["h1"]
    assert read.text["footer"] == "fig.example.com"
    assert ("Fig & Olive" in read.text["h1"]) == ("{store}" in notice.heading)
    assert notice.status in (400, 404, 503)
    assert (notice.status == 503) == (notice.retry_after > 0)


@pytest.mark.parametrize("response", [notice_page(DATABASE_UNAVAILABLE), html_page("Storefleet", BODY)])
def test_a_page_needs_nothing_but_itself(response: Response) -> None:
    read = PageParser(response)
    assert not {"script", "link", "img", "iframe", "form", "object", "base"} & {tag for tag, _ in read.tags}
    for _, attributes in read.tags:
        assert not {name for name in attributes if name in ("src", "style") or name.startswith("on")}
        assert re.fullmatch(r"/\w*", attributes.get("href") or "/")
    assert not re.search(r"url\(|@import|@font-face|https?:", STYLE)
    allowed = base64.b64encode(hashlib.sha256(read.text["style"].encode()).digest()).decode()
    assert f"style-src 'sha256-{allowed}';" in HEADERS["content-security-policy"]
    assert "script" not in HEADERS["content-security-policy"]


def test_each_state_that_can_be_seen_has_a_page() -> None:
    assert set(NOTICES) == set(Status) - {Status.DELETING, Status.DELETED}


@given(st.text(min_size=1, max_size=80))
def test_a_name_stays_text(given_name: str) -> None:
    try:
        name = normalize_store_name(given_name)
    except CallerError:
        return
    read = PageParser(notice_page(CLOSED, "", name))
    assert read.text["h1"] == read.text["title"] == f"{name} is closed for now"
