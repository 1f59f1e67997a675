"""Who sent a request: an API token in the Authorization header, or a session cookie from our own origin."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from accounts.actors import Actor, authenticate, fingerprint
from runtime.database import Sessions
from runtime.settings import Settings


class Rejected(Exception):
    """The credentials can't be used; the message says why. `status` is 401 or 403."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def is_https(settings: Settings) -> bool:
    """Whether browsers reach us so."""
    return (settings.public_url or "").startswith("https://")


def session_cookie(settings: Settings) -> str:
    """Its name. With HTTPS one that browsers take from our own host alone: a shop on a host beside ours could set any
    other for the domain of both, and sign somebody in as whom it likes."""
    return "__Host-storefleet_session" if is_https(settings) else "storefleet_session"


def is_foreign(connection: HTTPConnection, settings: Settings) -> bool:
    """Whether a page of another origin sent it; programs other than browsers send no Origin."""
    origin = connection.headers.get("origin")
    if origin is None:
        return False
    if settings.public_url is not None and origin == settings.public_url.rstrip("/"):
        return False
    return urlsplit(origin).netloc != connection.headers.get("host")


async def caller_of(connection: HTTPConnection, sessions: Sessions, settings: Settings) -> Actor | None:
    """None: anonymous. Raises Rejected for a token that is none, and for a cookie that a foreign page sent."""
    header = connection.headers.get("authorization")
    if header is not None:
        return await by_token(header, sessions)
    cookie = connection.cookies.get(session_cookie(settings))
    if cookie is None:
        return None
    if is_foreign(connection, settings):
        raise Rejected(403, "Pages of another origin may not use the session cookie. Send an API token instead.")
    async with sessions() as session:
        return await authenticate(session, fingerprint(cookie), "user")


async def by_token(header: str, sessions: Sessions) -> Actor:
    """From `Bearer sf_…`. Raises Rejected."""
    scheme, _, token = header.partition(" ")
    actor = None
    if scheme.lower() == "bearer":
        async with sessions() as session:
            actor = await authenticate(session, fingerprint(token.strip()), "token")
    if actor is None:
        raise Rejected(401, "This API token is unknown, expired or revoked. Send `Authorization: Bearer sf_…`.")
    return actor
