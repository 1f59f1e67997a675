"""The look of every page that the API itself sends, and the headers that keep a page from being cached or scripted."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from starlette.responses import HTMLResponse

STYLE = Path(__file__).with_name("pages.css").read_text()
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "; ".join(
        (
            "default-src 'none'",
            f"style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex",
}
"""No Vary: the address, Host included, is what a cache goes by, and one address has one answer for everybody."""
_AWNING = (
    '<svg class="mark" viewBox="0 0 48 39" width="48" height="39" aria-hidden="true">'
    '<path d="M9 2h7.5L13 18a5.5 5.5 0 0 1-11 0zM24 2h7.5L35 18a5.5 5.5 0 0 1-11 0z"/>'
    '<path class="pale" d="M16.5 2H24v16a5.5 5.5 0 0 1-11 0zM31.5 2H39l7 16a5.5 5.5 0 0 1-11 0z"/>'
    '<path class="wall" d="M7.5 24v13.5h33V24M27 37.5v-9h7v9"/></svg>'
)


def page(
    title: str,
    body: str,
    *,
    footer: str = "",
    tone: str = "",
    status: int = 200,
    retry_after: int = 0,
    follows: bool = False,
) -> HTMLResponse:
    """A whole page. All text is HTML already: whoever calls it escapes what others wrote.

    `tone`: a class of pages.css. `retry_after`: seconds, 0 for never; a page that `follows` loads itself again then.
    """
    foot = f"<footer>{footer}</footer>\n" if footer else ""
    again = f'<meta http-equiv="refresh" content="{retry_after}">\n' if follows else ""
    html = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
{again}<title>{title}</title>
<style>{STYLE}</style>
</head>
<body class="{tone}">
<main>
{_AWNING}
{body}
</main>
{foot}</body>
</html>
"""
    headers = {**HEADERS, "retry-after": str(retry_after)} if retry_after else HEADERS
    return HTMLResponse(html, status, headers)
