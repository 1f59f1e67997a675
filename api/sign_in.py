"""Sign-up, sign-in, sign-in links and sign-out: JSON in, JSON and a session cookie out. Attempts are throttled."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from accounts.audit import Origin, set_origin
from accounts.errors import CallerError, Code
from accounts.invitations import hash_invited_password, sign_up_with_invitation
from accounts.sessions import SignedIn, sign_out
from accounts.sign_in_links import sign_in_with_link
from accounts.throttle import MAX_ATTEMPTS, MAX_ATTEMPTS_PER_EMAIL, WINDOW, count_attempt, refund_attempt
from accounts.users import check_password, refuse_sign_in, sign_in, sign_up
from api.authentication import is_cross_origin
from api.client_address import audit_address, client_address
from api.cookies import delete_cookie, operator_cookie_name, session_cookie_name, set_session_cookie
from api.responses import error_response
from runtime.concurrency_limiter import LimitTimeout
from runtime.database import DatabaseBusy
from schema.context import Platform
from schema.ids import encode_id


async def post_sign_up(request: Request) -> Response:
    """POST {email, password}: 201, signed in, with a new account."""
    platform: Platform = request.app.state.platform
    if is_cross_origin(request, platform.settings):
        return cross_origin_error()
    if platform.settings.sign_up != "open":
        return error_response(403, "FORBIDDEN", "Sign-up is closed here. Ask the operator for an account.")
    credentials = await read_strings(request, "email", "password")
    if credentials is None:
        return error_response(400, "BAD_USER_INPUT", 'Send JSON: {"email": "…", "password": "…"}.')
    if not await count_sign_in(platform, {client_key(request): MAX_ATTEMPTS}):
        return _throttled_error()
    email, password = credentials
    try:
        async with transaction(request, platform) as session:
            settings = platform.settings
            signed_in = await sign_up(
                session, email, password, settings.session_days, user_agent(request), settings.oidc_domains
            )
    except CallerError as error:
        return _caller_error(error)
    return _signed_in_response(signed_in, platform, 201)


async def post_sign_in(request: Request) -> Response:
    """POST {email, password}: 200, or 401 when they don't match."""
    platform: Platform = request.app.state.platform
    if is_cross_origin(request, platform.settings):
        return cross_origin_error()
    credentials = await read_strings(request, "email", "password")
    if credentials is None:
        return error_response(400, "BAD_USER_INPUT", 'Send JSON: {"email": "…", "password": "…"}.')
    email, password = credentials
    limits = {f"email:{email.lower()[:320]}": MAX_ATTEMPTS_PER_EMAIL, client_key(request): MAX_ATTEMPTS}
    if not await count_sign_in(platform, limits):
        return _throttled_error()
    try:
        user, matches = await check_password(platform.sessions, email, password)
    except CallerError as error:
        return _caller_error(error)
    signed_in = None
    if user is not None:
        async with transaction(request, platform) as session:
            if not matches:
                await refuse_sign_in(session, user)
            elif signed_in := await sign_in(session, user, platform.settings.session_days, user_agent(request)):
                await refund_attempt(session, limits)
    if signed_in is None:
        return error_response(401, "UNAUTHENTICATED", "E-mail and password don't match.")
    return _signed_in_response(signed_in, platform, 200)


async def post_link(request: Request) -> Response:
    """POST {token} of a sign-in link: 200, or 401 for a link that is unknown, expired or used."""
    platform: Platform = request.app.state.platform
    if is_cross_origin(request, platform.settings):
        return cross_origin_error()
    values = await read_strings(request, "token")
    if values is None:
        return error_response(400, "BAD_USER_INPUT", 'Send JSON: {"token": "…"}.')
    limits = {client_key(request): MAX_ATTEMPTS}
    if not await count_sign_in(platform, limits):
        return _throttled_error()
    async with transaction(request, platform) as session:
        signed_in = await sign_in_with_link(session, values[0], platform.settings.session_days, user_agent(request))
        if signed_in is not None:
            await refund_attempt(session, limits)
    if signed_in is None:
        return error_response(401, "UNAUTHENTICATED", "This link is unknown, expired or used. Ask for a new link.")
    return _signed_in_response(signed_in, platform, 200)


async def post_invitation(request: Request) -> Response:
    """POST {token, password} of an invitation: 201, signed in as a new user, who is a member of the account."""
    platform: Platform = request.app.state.platform
    if is_cross_origin(request, platform.settings):
        return cross_origin_error()
    values = await read_strings(request, "token", "password")
    if values is None:
        return error_response(400, "BAD_USER_INPUT", 'Send JSON: {"token": "…", "password": "…"}.')
    if not await count_sign_in(platform, {client_key(request): MAX_ATTEMPTS}):
        return _throttled_error()
    (token, password), settings = values, platform.settings
    try:
        password_hash = await hash_invited_password(platform.sessions, token, password, settings.oidc_domains)
        async with transaction(request, platform) as session:
            signed_in = await sign_up_with_invitation(
                session, token, password_hash, settings.session_days, user_agent(request)
            )
    except CallerError as error:
        return _caller_error(error)
    return _signed_in_response(signed_in, platform, 201)


async def post_sign_out(request: Request) -> Response:
    """POST: 204, also without a session."""
    platform: Platform = request.app.state.platform
    if is_cross_origin(request, platform.settings):
        return cross_origin_error()
    response = Response(status_code=204)
    for name in (session_cookie_name(platform.settings), operator_cookie_name(platform.settings)):
        if (cookie := request.cookies.get(name)) is not None:
            async with transaction(request, platform) as session:
                await sign_out(session, cookie)
        delete_cookie(response, name, platform.settings)
    return response


@asynccontextmanager
async def transaction(request: Request, platform: Platform) -> AsyncIterator[AsyncSession]:
    """A transaction whose entries in the audit log say where the request came from."""
    async with platform.sessions.begin() as session:
        set_origin(session, Origin(audit_address(request), user_agent(request)))
        yield session


async def read_strings(request: Request, *names: str) -> list[str] | None:
    """These fields of the body; None if the body is not JSON in which each of them is a string."""
    try:
        body: Any = json.loads(await request.body())
    except (ValueError, RecursionError):
        return None
    values = [body.get(name) for name in names] if isinstance(body, dict) else []
    strings = [value for value in values if isinstance(value, str)]
    return strings if len(strings) == len(names) else None


def user_agent(request: Request) -> str | None:
    """The browser's, as it says."""
    return request.headers.get("user-agent")


def _signed_in_response(signed_in: SignedIn, platform: Platform, status: int) -> Response:
    """The ids of the user and of their account, and the session cookie."""
    account = encode_id("Account", signed_in.account_id) if signed_in.account_id is not None else None
    response = JSONResponse({"userId": encode_id("User", signed_in.user_id), "accountId": account}, status)
    set_session_cookie(response, signed_in.cookie, platform.settings)
    return response


def client_key(request: Request) -> str:
    """The throttle's key for the client's address."""
    return f"ip:{client_address(request)}"


async def count_sign_in(platform: Platform, limits: Mapping[str, int]) -> bool:
    """False: too many attempts. Commits before the attempt is made, so that parallel attempts count.

    Raises DatabaseBusy after SIGN_IN_WAIT_SECONDS: while the database doesn't answer, one attempt after the other waits
    for a timeout.
    """
    try:
        async with platform.sign_in_limiter.hold("count"), platform.sessions.begin() as session:
            return await count_attempt(session, limits)
    except LimitTimeout:
        raise DatabaseBusy("other sign-ins wait for the database") from None


def cross_origin_error() -> Response:
    """403."""
    return error_response(403, "FORBIDDEN", "Pages of another origin may not sign in here.")


def _throttled_error() -> Response:
    wait = int(WINDOW.total_seconds())
    return error_response(429, "RATE_LIMITED", "Too many attempts. Wait a quarter of an hour.", retry_after=wait)


def _caller_error(error: CallerError) -> Response:
    status = 503 if error.code == Code.RATE_LIMITED else 422
    return error_response(status, error.code, error.message, error.field, retry_after=error.retry_after)


ROUTES = [
    Route("/auth/sign-up", post_sign_up, methods=["POST"]),
    Route("/auth/sign-in", post_sign_in, methods=["POST"]),
    Route("/auth/link", post_link, methods=["POST"]),
    Route("/auth/invitation", post_invitation, methods=["POST"]),
    Route("/auth/sign-out", post_sign_out, methods=["POST"]),
]
