"""The audit log of an account as a download: JSON lines, the oldest entry first.

Read and sent page by page: a slow client holds no database connection. The rights are those of each page's moment.
"""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from accounts.access import ADMIN_READ, require
from accounts.actors import Actor, load_actor
from accounts.audit import audit, set_origin
from accounts.audit_pages import audit_page, names_of
from accounts.errors import CallerError, Code
from accounts.models import AuditEntry
from api.authentication import AuthenticationError, authenticate_request
from api.client_address import audit_address
from api.responses import error_response
from runtime.database import SessionFactory
from runtime.pagination import PageRange
from schema.context import Platform
from schema.ids import decode_account_id

PAGE = 500


async def get_audit_log(request: Request) -> Response:
    """GET ?accountId=…: 200 for an owner or admin, also with an API token. Without accountId: the only account."""
    platform: Platform = request.app.state.platform
    try:
        actor = await authenticate_request(request, platform.sessions, platform.settings)
    except AuthenticationError as error:
        return error_response(error.status, "UNAUTHENTICATED" if error.status == 401 else "FORBIDDEN", error.message)
    if actor is None:
        return error_response(401, "UNAUTHENTICATED", "Sign in, or send an API token: `Authorization: Bearer sf_…`.")
    try:
        account_id = actor.resolve_account(decode_account_id(request.query_params.get("accountId")))
        require(actor, ADMIN_READ, account_id)
    except CallerError as error:
        status = {Code.NOT_FOUND: 404, Code.FORBIDDEN: 403}.get(error.code, 400)
        return error_response(status, error.code, error.message, error.field)
    async with platform.sessions.begin() as session:
        set_origin(session, actor.origin(audit_address(request), request.headers.get("user-agent")))
        audit(session, account_id, actor.name, "audit.exported", f"account:{account_id}")
    name = f"audit-{datetime.now(UTC):%Y-%m-%d}.jsonl"
    return StreamingResponse(
        _lines(platform.sessions, actor, account_id),
        media_type="application/jsonl",
        headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"},
    )


async def _lines(sessions: SessionFactory, actor: Actor, account_id: UUID) -> AsyncIterator[str]:
    """Raises CallerError in the middle of the download when the actor's rights have ended: the client sees that it is
    not complete."""
    wanted, page = PageRange(PAGE), None
    while page is None or page.has_next:
        current = await load_actor(sessions, actor.credential, actor.kind)
        if current is None:
            raise CallerError(Code.FORBIDDEN, None, "The session or token has ended.")
        require(current, ADMIN_READ, account_id)
        async with sessions() as session:
            page = await audit_page(session, account_id, wanted, oldest_first=True)
            users = {user for entry in page.rows for user in (entry.user_id, entry.operator_id)}
            references = {entry.actor for entry in page.rows} | {f"user:{user}" for user in users}
            names = await names_of(session, current, references - {"user:None"})
        if page.rows:
            wanted = PageRange(PAGE, after=(page.rows[-1].at, page.rows[-1].id))
        yield "".join(_line(entry, names) for entry in page.rows)


def _line(entry: AuditEntry, names: Mapping[str, str]) -> str:
    values = {
        "at": entry.at.isoformat(),
        "action": entry.action,
        "result": entry.result,
        "actor": entry.actor,
        "actorName": names.get(entry.actor),
        "user": names.get(f"user:{entry.user_id}"),
        "credential": entry.credential,
        "operator": names.get(f"user:{entry.operator_id}"),
        "subject": entry.subject,
        "address": entry.address,
        "userAgent": entry.user_agent,
        "detail": entry.detail,
    }
    return json.dumps(values, ensure_ascii=False) + "\n"


ROUTES = [Route("/export/audit", get_audit_log, methods=["GET"])]
