"""Sign-in with an OpenID provider: to the provider and back, by redirects. Problems lead to the sign-in page.

A cookie binds a sign-in to its browser: it has a random secret, from which state, nonce and code verifier are made, and
the path to which the person wants to go. Nothing is stored until the person is known.
"""

from base64 import urlsafe_b64encode
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from urllib.parse import quote, unquote, urlencode

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from accounts.errors import CallerError, Code
from accounts.identities import sign_in_with_identity
from accounts.throttle import MAX_ATTEMPTS, refund_attempt
from api.authentication import AuthenticationError, authenticate_request
from api.cookies import delete_cookie, oidc_cookie_name, set_cookie, set_session_cookie
from api.oidc_provider import Flow, OidcError, OidcProvider, Person, Problem
from api.sign_in import client_key, count_sign_in, transaction, user_agent
from runtime.database import CONNECTION_ERRORS
from runtime.settings import Settings
from schema.context import Platform

FLOW_SECONDS = 900
"""How long a person has at the provider."""
MAX_NEXT = 1000
PROBLEMS_OF_PROVIDER = {
    "access_denied": Problem.CANCELLED,
    "temporarily_unavailable": Problem.UNAVAILABLE,
    "server_error": Problem.UNAVAILABLE,
}
"""By the provider's error codes (RFC 6749, 4.1.2.1); all others are a fault of ours or of the settings."""
PROBLEMS_OF_USERS = {
    Code.INVALID_EMAIL: Problem.NOT_VERIFIED,
    Code.FORBIDDEN: Problem.NO_USER,
    Code.EMAIL_TAKEN: Problem.OTHER_IDENTITY,
}

log = structlog.get_logger()


async def get_start(request: Request) -> Response:
    """GET ?next=/path: leads to the provider. `choose`: also a person who is signed in there is asked who to be."""
    provider, platform = _provider(request), _platform(request)
    secret, next_path = token_urlsafe(32), safe_path(request.query_params.get("next"))
    try:
        url = await provider.authorization_url(_flow(secret), choose="choose" in request.query_params)
    except OidcError as error:
        return _back(platform.settings, error, next_path)
    response = RedirectResponse(url, 303)
    value, settings = f"{secret}.{quote(next_path, safe='')}", platform.settings
    set_cookie(response, oidc_cookie_name(settings), value, FLOW_SECONDS, settings)
    return response


async def get_callback(request: Request) -> Response:
    """GET ?code&state from the provider: signed in, and at the path where the person wanted to go."""
    provider, platform = _provider(request), _platform(request)
    secret, _, path = request.cookies.get(oidc_cookie_name(platform.settings), "").partition(".")
    next_path, flow = safe_path(unquote(path)), _flow(secret)
    try:
        if not secret or not compare_digest(request.query_params.get("state", "").encode(), flow.state.encode()):
            if await _is_signed_in(request, platform):  # they went back to a page that had led here
                return RedirectResponse("/", 303)
            raise OidcError(Problem.EXPIRED, "this browser began no such sign-in, or too long ago")
        code = _code(request, provider)
        limits = {client_key(request): MAX_ATTEMPTS}
        if not await count_sign_in(platform, limits):
            raise OidcError(Problem.RATE_LIMITED, "too many attempts")
        person = await provider.identify(code, flow)
        return await _signed_in(request, platform, provider.issuer, person, next_path)
    except OidcError as error:
        return _back(platform.settings, error, next_path)
    except CONNECTION_ERRORS as error:
        return _back(platform.settings, OidcError(Problem.UNAVAILABLE, f"database: {type(error).__name__}"), next_path)


async def _signed_in(
    request: Request, platform: Platform, issuer: str, person: Person, next_path: str
) -> RedirectResponse:
    settings = platform.settings
    try:
        async with transaction(request, platform) as session:
            signed_in = await sign_in_with_identity(
                session,
                issuer,
                person.subject,
                person.email,
                sign_up_open=settings.sign_up == "open",
                days=settings.session_days,
                user_agent=user_agent(request),
            )
            await refund_attempt(session, [client_key(request)])
    except CallerError as error:
        raise OidcError(PROBLEMS_OF_USERS[error.code], error.message) from None
    response = RedirectResponse(next_path, 303)
    set_session_cookie(response, signed_in.cookie, settings)
    _end_flow(response, settings)
    return response


def _code(request: Request, provider: OidcProvider) -> str:
    """The code that the provider sent. Raises OidcError."""
    sent = request.query_params
    if sent.get("iss", provider.issuer) != provider.issuer:
        raise OidcError(Problem.REFUSED, "the answer is of another issuer")
    if "error" in sent:
        problem = PROBLEMS_OF_PROVIDER.get(sent["error"], Problem.REFUSED)
        raise OidcError(problem, f"the provider answered {sent['error'][:100]!r}")
    return sent.get("code", "")


async def _is_signed_in(request: Request, platform: Platform) -> bool:
    try:
        return await authenticate_request(request, platform.sessions, platform.settings) is not None
    except AuthenticationError:
        return False


def _flow(secret: str) -> Flow:
    state, nonce, verifier = (_derive(name, secret) for name in ("state", "nonce", "verifier"))
    return Flow(state, nonce, verifier, _base64(sha256(verifier.encode()).digest()))


def _derive(name: str, secret: str) -> str:
    return _base64(sha256(f"{name} {secret}".encode()).digest())


def _base64(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def safe_path(path: str | None) -> str:
    """The path if it stays on this origin, else `/`. Browsers read a backslash as a slash."""
    fits = path is not None and len(path) <= MAX_NEXT and path.isprintable()
    return path if path and fits and path[:1] == "/" and path[1:2] not in ("/", "\\") else "/"


def _back(settings: Settings, error: OidcError, next_path: str) -> RedirectResponse:
    """To the sign-in page, which says what to do."""
    log.warning("oidc.not_signed_in", problem=error.problem.value, detail=error.detail)
    query = {"problem": error.problem.value} | ({} if next_path == "/" else {"next": next_path})
    response = RedirectResponse(f"/sign-in?{urlencode(query)}", 303)
    _end_flow(response, settings)
    return response


def _end_flow(response: Response, settings: Settings) -> None:
    delete_cookie(response, oidc_cookie_name(settings), settings)


def _platform(request: Request) -> Platform:
    platform: Platform = request.app.state.platform
    return platform


def _provider(request: Request) -> OidcProvider:
    provider: OidcProvider = request.app.state.oidc_provider
    return provider


ROUTES = [
    Route("/auth/oidc", get_start, methods=["GET"]),
    Route("/auth/oidc/callback", get_callback, methods=["GET"]),
]
