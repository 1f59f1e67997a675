"""Serves the built dashboard and the GraphQL playground: files with cache headers, precompressed, and one page each.

Files are read once, as soon as a folder is built. Until then `/` says how to build it.
"""

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.index_page import index_page
from runtime.frontend import FRONTEND, STAMP

ROUTES = re.compile(
    r"/(sign-in|sign-up|invitation|new|account(/members|/audit|/webhooks(/[^/]+)?)?|operator(/[^/]+)?"
    r"|stores/[^/]+(/[^/]+)?)?"
)
"""Paths of the dashboard's pages (frontend/src/app/App.tsx). Other paths are a 404, which the dashboard shows, too."""
ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""Suffixes of precompressed files, the best encoding first."""
EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
"""The hash of an empty text: Emotion makes empty style elements, and fills them by the CSSOM."""
COMMON_POLICY = (
    "default-src 'none'; script-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; "
)
POLICIES = {
    "dashboard": COMMON_POLICY
    + f"style-src 'self' {EMPTY_STYLE}; require-trusted-types-for 'script'; trusted-types 'none'",
    "graphiql": COMMON_POLICY + "style-src 'self'",
}
"""Content-Security-Policies; Vite's previews send the same. The playground has no Trusted Types: it renders the
schema's documentation from Markdown by innerHTML. It refuses one
style element, which locks the scrolling below a dialog."""


@dataclass(frozen=True)
class BuiltFile:
    """`contents`: by encoding; `identity` is always there."""

    contents: Mapping[str, bytes]
    media_type: str
    immutable: bool


def load_files(folder: Path) -> dict[str, BuiltFile]:
    """The files of a folder by their path below it; empty until the build is complete."""
    files: dict[str, BuiltFile] = {}
    if not (folder / STAMP).exists():
        return files
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != STAMP and path.suffix not in ENCODINGS.values():
            packed = {name: path.with_name(path.name + suffix) for name, suffix in ENCODINGS.items()}
            contents = {name: file.read_bytes() for name, file in packed.items() if file.exists()}
            name = path.relative_to(folder).as_posix()
            media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            files[name] = BuiltFile(
                {**contents, "identity": path.read_bytes()}, media_type, immutable=name.startswith("assets/")
            )
    return files


class Dashboard:
    """The files of both folders, which the application serves where no route matches."""

    def __init__(self, frontend: Path = FRONTEND) -> None:
        self._folders = {"dashboard": frontend / "dist", "graphiql": frontend / "graphiql" / "dist"}
        self._files: dict[str, dict[str, BuiltFile]] = {}

    def _load(self, name: str) -> dict[str, BuiltFile]:
        if not self._files.get(name):
            self._files[name] = load_files(self._folders[name])
        return self._files[name]

    def with_fallback(self, not_found: ASGIApp) -> ASGIApp:
        """The router's default: GET requests get a file or a page; `not_found` answers all others."""

        async def default(scope: Scope, receive: Receive, send: Send) -> None:
            response = None
            if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
                response = self._find(Request(scope))
            await (response or not_found)(scope, receive, send)

        return default

    def _find(self, request: Request) -> Response | None:
        path, dashboard = request.url.path, self._load("dashboard")
        if path == "/graphiql" or path.startswith("/graphiql/"):
            graphiql = self._load("graphiql")
            name = path.removeprefix("/graphiql").removeprefix("/") or "index.html"
            if name in graphiql:
                return _respond(request, graphiql[name], "graphiql")
        elif path.removeprefix("/") in dashboard:
            return _respond(request, dashboard[path.removeprefix("/")], "dashboard")
        elif dashboard and ROUTES.fullmatch(path):
            return _respond(request, dashboard["index.html"], "dashboard")
        elif path == "/":
            return index_page()
        if dashboard and "text/html" in request.headers.get("accept", ""):
            return _respond(request, dashboard["index.html"], "dashboard", status=404)
        return None


def _respond(request: Request, file: BuiltFile, page: str, status: int = 200) -> Response:
    accepted = {part.partition(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")}
    encoding = next((name for name in ENCODINGS if name in accepted and name in file.contents), "identity")
    headers = {
        "cache-control": "public, max-age=31536000, immutable" if file.immutable else "no-cache",
        "content-security-policy": POLICIES[page],
        "vary": "accept-encoding",
    }
    if encoding != "identity":
        headers["content-encoding"] = encoding
    return Response(file.contents[encoding], status, headers, file.media_type)
