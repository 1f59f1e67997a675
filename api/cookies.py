"""The API's cookies: their names, and the attributes that all of them have."""

from typing import Any

from starlette.responses import Response

from runtime.settings import Settings


def session_cookie_name(settings: Settings) -> str:
    """The name of the cookie that has the session."""
    return _cookie_name("session", settings)


def operator_cookie_name(settings: Settings) -> str:
    """The name of the cookie that keeps the operator's own session, while the operator is signed in as a user."""
    return _cookie_name("operator", settings)


def oidc_cookie_name(settings: Settings) -> str:
    """The name of the cookie of a sign-in at the OpenID provider, until the provider leads back."""
    return _cookie_name("oidc", settings)


def set_session_cookie(response: Response, session: str, settings: Settings) -> None:
    """The browser has the session after this response."""
    set_cookie(response, session_cookie_name(settings), session, settings.session_days * 24 * 3600, settings)


def set_cookie(response: Response, name: str, value: str, max_age: int, settings: Settings) -> None:
    """`max_age`: in seconds."""
    response.set_cookie(name, value, max_age=max_age, **_attributes(settings))


def delete_cookie(response: Response, name: str, settings: Settings) -> None:
    response.delete_cookie(name, **_attributes(settings))


def _cookie_name(name: str, settings: Settings) -> str:
    """With HTTPS, the name has the prefix `__Host-`: browsers then accept the cookie from our own host only. Otherwise
    a store on a sibling host could set a cookie for the parent domain, and sign a user in to another account."""
    return f"__Host-storefleet_{name}" if _uses_https(settings) else f"storefleet_{name}"


def _attributes(settings: Settings) -> dict[str, Any]:
    """Scripts can't read it, and other sites' requests don't have it unless they open a page."""
    return {"httponly": True, "samesite": "lax", "secure": _uses_https(settings)}


def _uses_https(settings: Settings) -> bool:
    """Whether browsers reach the API over HTTPS."""
    return (settings.public_url or "").startswith("https://")
