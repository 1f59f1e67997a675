"""Authenticates a request by an API token in the Authorization header, or by a session cookie from our own origin."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from accounts.actors import Actor, hash_credential, load_actor
from api.cookies import session_cookie_name
from runtime.database import SessionFactory
from runtime.settings import Settings


class AuthenticationError(Exception):
    """The credential was refused; the message says why. `status` is 401 or 403."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def is_cross_origin(connection: HTTPConnection, settings: Settings) -> bool:
    """Whether a page of another origin sent the request (CSRF). Only browsers send the Origin header."""
    origin = connection.headers.get("origin")
    if origin is None:
        return False
    if settings.public_url is not None and origin == settings.public_url.rstrip("/"):
        return False
    try:
        return urlsplit(origin).netloc != connection.headers.get("host")
    except ValueError:  # a malformed origin
        return True


async def authenticate_request(
    connection: HTTPConnection, sessions: SessionFactory, settings: Settings
) -> Actor | None:
    """None: anonymous. Raises AuthenticationError for an invalid token, and for a cookie in a cross-origin request."""
    header = connection.headers.get("authorization")
    if header is not None:
        return await authenticate_token(header, sessions)
    cookie = connection.cookies.get(session_cookie_name(settings))
    if cookie is None:
        return None
    if is_cross_origin(connection, settings):
        raise AuthenticationError(
            403, "Pages of another origin may not use the session cookie. Send an API token instead."
        )
    return await load_actor(sessions, hash_credential(cookie), "user")


async def authenticate_token(header: str, sessions: SessionFactory) -> Actor:
    """The actor of the header `Bearer sf_…`. Raises AuthenticationError."""
    scheme, _, token = header.partition(" ")
    actor = None
    if scheme.lower() == "bearer":
        actor = await load_actor(sessions, hash_credential(token.strip()), "token")
    if actor is None:
        raise AuthenticationError(
            401, "This API token is unknown, expired or revoked. Send `Authorization: Bearer sf_…`."
        )
    return actor
