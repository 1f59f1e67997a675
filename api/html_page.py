"""The HTML layout of the API's own pages, and headers that forbid caching, scripts and framing."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from starlette.responses import HTMLResponse

STYLE = Path(__file__).with_name("html_page.css").read_text()
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
"""Without Vary: the response depends on the URL only, host included."""
_LOGO = (
    '<svg class="logo" viewBox="0 0 48 39" width="48" height="39" aria-hidden="true">'
    '<path d="M9 2h7.5L13 18a5.5 5.5 0 0 1-11 0zM24 2h7.5L35 18a5.5 5.5 0 0 1-11 0z"/>'
    '<path class="logo-light" d="M16.5 2H24v16a5.5 5.5 0 0 1-11 0zM31.5 2H39l7 16a5.5 5.5 0 0 1-11 0z"/>'
    '<path class="logo-outline" d="M7.5 24v13.5h33V24M27 37.5v-9h7v9"/></svg>'
)


def html_page(
    title: str,
    body: str,
    *,
    footer: str = "",
    tone: str = "",
    status: int = 200,
    retry_after: int = 0,
    reloads: bool = False,
) -> HTMLResponse:
    """A complete page. `title`, `body` and `footer` are HTML: the caller must escape untrusted text.

    `tone`: a CSS class of html_page.css. `retry_after`: seconds, 0 for no header; `reloads`: the page reloads
    itself after that time.
    """
    footer_html = f"<footer>{footer}</footer>\n" if footer else ""
    refresh = f'<meta http-equiv="refresh" content="{retry_after}">\n' if reloads else ""
    html = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
{refresh}<title>{title}</title>
<style>{STYLE}</style>
</head>
<body class="{tone}">
<main>
{_LOGO}
{body}
</main>
{footer_html}</body>
</html>
"""
    headers = {**HEADERS, "retry-after": str(retry_after)} if retry_after else HEADERS
    return HTMLResponse(html, status, headers)
