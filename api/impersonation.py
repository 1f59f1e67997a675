"""An operator signs in as a user, and returns. The operator's own session waits in a second cookie."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from accounts.actors import hash_credential, load_actor
from accounts.audit import set_origin
from accounts.errors import CallerError, Code
from accounts.impersonation import LIFETIME, impersonate
from accounts.sessions import sign_out
from api.authentication import AuthenticationError, authenticate_request, is_cross_origin
from api.client_address import audit_address
from api.cookies import delete_cookie, operator_cookie_name, session_cookie_name, set_cookie, set_session_cookie
from api.responses import error_response
from api.sign_in import cross_origin_error, read_strings, transaction, user_agent
from schema.context import Platform
from schema.ids import decode_id, encode_id


async def post_impersonation(request: Request) -> Response:
    """POST {userId, reason} of an operator: 200, signed in as the user; 403 for everybody else."""
    platform: Platform = request.app.state.platform
    settings = platform.settings
    if is_cross_origin(request, settings):
        return cross_origin_error()
    values = await read_strings(request, "userId", "reason")
    if values is None:
        return error_response(400, "BAD_USER_INPUT", 'Send JSON: {"userId": "…", "reason": "…"}.')
    try:
        actor = await authenticate_request(request, platform.sessions, settings)
    except AuthenticationError as error:
        return error_response(error.status, "UNAUTHENTICATED" if error.status == 401 else "FORBIDDEN", error.message)
    if actor is None:
        return error_response(401, "UNAUTHENTICATED", "Sign in first.")
    try:
        async with transaction(request, platform) as session:
            set_origin(session, actor.origin(audit_address(request), user_agent(request)))
            signed_in = await impersonate(session, actor, decode_id("User", values[0]), values[1], user_agent(request))
    except CallerError as error:
        status = {Code.FORBIDDEN: 403, Code.NOT_FOUND: 404}.get(error.code, 422)
        return error_response(status, error.code, error.message, error.field)
    account = encode_id("Account", signed_in.account_id) if signed_in.account_id is not None else None
    response = JSONResponse({"userId": encode_id("User", signed_in.user_id), "accountId": account})
    own = request.cookies[session_cookie_name(settings)]  # an operator has a session
    set_cookie(response, operator_cookie_name(settings), own, settings.session_days * 24 * 3600, settings)
    seconds = int(LIFETIME.total_seconds())
    set_cookie(response, session_cookie_name(settings), signed_in.cookie, seconds, settings)
    return response


async def delete_impersonation(request: Request) -> Response:
    """DELETE: 204, and the operator is signed in as before. A user who has signed in meanwhile stays signed in."""
    platform: Platform = request.app.state.platform
    settings = platform.settings
    if is_cross_origin(request, settings):
        return cross_origin_error()
    response = Response(status_code=204)
    own = request.cookies.get(operator_cookie_name(settings))
    if own is None:
        return response
    delete_cookie(response, operator_cookie_name(settings), settings)
    operator = await load_actor(platform.sessions, hash_credential(own), "user")
    if (cookie := request.cookies.get(session_cookie_name(settings))) is not None:
        current = await load_actor(platform.sessions, hash_credential(cookie), "user")
        if current is not None and current.operator_id is None:
            return response
        async with transaction(request, platform) as session:
            await sign_out(session, cookie)
    if operator is not None:
        set_session_cookie(response, own, settings)
    else:
        delete_cookie(response, session_cookie_name(settings), settings)
    return response


ROUTES = [
    Route("/auth/impersonation", post_impersonation, methods=["POST"]),
    Route("/auth/impersonation", delete_impersonation, methods=["DELETE"]),
]
