"""Sign-up, sign-in and sign-out: JSON in, JSON and a cookie out. Guessing passwords is throttled."""

import json
from ipaddress import ip_address, ip_network
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from accounts.errors import CallerError
from accounts.throttle import count_try, forgive
from accounts.users import SignedIn, sign_in, sign_out, sign_up
from api.answers import problem
from api.callers import is_foreign, is_https, session_cookie
from schema.context import Platform
from schema.ids import encode


async def _given(request: Request) -> tuple[str, str] | None:
    """E-mail and password from the body, or None when it isn't what we asked for."""
    try:
        body: Any = json.loads(await request.body())
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    email, password = body.get("email"), body.get("password")
    return (email, password) if isinstance(email, str) and isinstance(password, str) else None


def _signed_in(signed_in: SignedIn, platform: Platform, status: int) -> Response:
    account = encode("Account", signed_in.account_id) if signed_in.account_id is not None else None
    response = JSONResponse({"userId": encode("User", signed_in.user_id), "accountId": account}, status)
    settings = platform.settings
    response.set_cookie(
        session_cookie(settings),
        signed_in.cookie,
        max_age=settings.session_days * 24 * 3600,
        httponly=True,
        samesite="lax",
        secure=is_https(settings),
    )
    return response


def _refused(request: Request) -> Response | None:
    platform: Platform = request.app.state.platform
    if is_foreign(request, platform.settings):
        return problem(403, "FORBIDDEN", "Pages of another origin may not sign in here.")
    return None


async def sign_up_here(request: Request) -> Response:
    """POST {email, password}: 201, signed in, with an account of one's own."""
    platform: Platform = request.app.state.platform
    if (refusal := _refused(request)) is not None:
        return refusal
    if platform.settings.sign_up != "open":
        return problem(403, "FORBIDDEN", "Sign-up is closed here. Ask the operator for an account.")
    given = await _given(request)
    if given is None:
        return problem(400, "BAD_USER_INPUT", 'Send JSON: {"email": "…", "password": "…"}.')
    if not await _may_try(platform, [_address(request)]):
        return _too_many()
    try:
        async with platform.sessions.begin() as session:
            signed_in = await sign_up(session, *given, platform.settings.session_days)
    except CallerError as error:
        return problem(422, error.code, error.message, error.field)
    return _signed_in(signed_in, platform, 201)


async def sign_in_here(request: Request) -> Response:
    """POST {email, password}: 200, or 401 when they don't match."""
    platform: Platform = request.app.state.platform
    if (refusal := _refused(request)) is not None:
        return refusal
    given = await _given(request)
    if given is None:
        return problem(400, "BAD_USER_INPUT", 'Send JSON: {"email": "…", "password": "…"}.')
    keys = [f"email:{given[0].lower()[:320]}", _address(request)]
    if not await _may_try(platform, keys):
        return _too_many()
    async with platform.sessions.begin() as session:
        signed_in = await sign_in(session, *given, platform.settings.session_days)
        if signed_in is not None:
            await forgive(session, keys)
    if signed_in is None:
        return problem(401, "UNAUTHENTICATED", "E-mail and password don't match.")
    return _signed_in(signed_in, platform, 200)


async def sign_out_here(request: Request) -> Response:
    """POST: 204, whoever asks."""
    platform: Platform = request.app.state.platform
    if (refusal := _refused(request)) is not None:
        return refusal
    name = session_cookie(platform.settings)
    cookie = request.cookies.get(name)
    if cookie is not None:
        async with platform.sessions.begin() as session:
            await sign_out(session, cookie)
    response = Response(status_code=204)
    response.delete_cookie(name, httponly=True, samesite="lax", secure=is_https(platform.settings))
    return response


def _address(request: Request) -> str:
    """IPv6 by its network: whoever has one address of it has them all. What a proxy says may be no address."""
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        return "ip:unknown"
    return f"ip:{address if address.version == 4 else ip_network((int(address), 64), strict=False)}"


async def _may_try(platform: Platform, keys: list[str]) -> bool:
    async with platform.sessions.begin() as session:  # committed before the try, so that parallel tries count
        return await count_try(session, keys)


def _too_many() -> Response:
    return problem(429, "RATE_LIMITED", "Too many tries. Wait a quarter of an hour.")


ROUTES = [
    Route("/auth/sign-up", sign_up_here, methods=["POST"]),
    Route("/auth/sign-in", sign_in_here, methods=["POST"]),
    Route("/auth/sign-out", sign_out_here, methods=["POST"]),
]
