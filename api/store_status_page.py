"""The page that visitors of a store's host see while the store doesn't run: it shows the store's status.

A running store's own Ingress is more specific than the platform's wildcard Ingress, so only requests for other hosts
arrive here. The API never answers on a store's host, over HTTP or WebSocket: that origin belongs to a merchant.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from html import escape

import structlog
from prometheus_client import Counter
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from api.html_page import html_page
from runtime.database import CONNECTION_ERRORS
from schema.context import Platform
from stores.engines import Engine
from stores.names import host_label, slug_syntax_problem
from stores.public_status import PublicStatus, public_status
from stores.status import Status
from stores.steps import step_titles

LOOKUP_TIMEOUT_SECONDS = 3
"""Timeout for the database."""
RETRY_SOON, RETRY_LATER, RETRY_MUCH_LATER = 5, 60, 3600
"""Values of Retry-After, in seconds."""
SHORT_OUTAGE = timedelta(minutes=2)
"""Most outages end earlier: a pod that is started again."""

PAGES = Counter("storefleet_store_pages", "Pages on hosts of stores", ["status"])

log = structlog.get_logger()


@dataclass(frozen=True)
class Notice:
    """The content of a page. Status 503 for stores that may come back: search engines then keep their pages indexed."""

    heading: str
    """`{store}` is replaced by the store's name."""
    text: str
    tone: str = ""
    status: int = 503
    retry_after: int = RETRY_SOON
    reloads: bool = True
    """Whether the page reloads itself. False where the status doesn't change by itself."""


UNKNOWN = Notice(
    "There is no store at this address",
    "Check the spelling. If somebody gave you the address, ask them for the correct one.",
    tone="muted",
    status=404,
    retry_after=0,
    reloads=False,
)
MALFORMED = replace(UNKNOWN, heading="This request names more than one address", text="It has to name one.", status=400)
DATABASE_UNAVAILABLE = Notice(
    "One moment, please",
    "The store can&rsquo;t be looked up just now. This page tries again by itself.",
    tone="muted",
)
LOOKUP_FAILED = replace(DATABASE_UNAVAILABLE, status=500)
OPENING = Notice(
    "{store} is being set up",
    "It will open at this address. This page follows along by itself.",
)
CLOSED = Notice(
    "{store} is closed for now",
    "It is paused, and nothing can be ordered meanwhile. Please come back another time.",
    tone="muted",
    retry_after=RETRY_MUCH_LATER,
    reloads=False,
)
UNAVAILABLE = Notice(
    "{store} isn&rsquo;t available right now",
    "It has run into a problem. Please try again later. If it is yours, sign in to see what to do.",
    tone="warning",
    retry_after=RETRY_LATER,
    reloads=False,
)
BACK_SOON = Notice(
    "{store} will be back in a moment",
    "It is being started again. This page tries again by itself.",
)
SIMULATED = Notice(
    "{store} is ready, and simulated",
    "Its pods only pretend to run, so there is no shop to show. On a real cluster the shop itself answers here.",
    retry_after=RETRY_MUCH_LATER,
    reloads=False,
)
NOTICES = {
    Status.REQUESTED: OPENING,
    Status.PROVISIONING: OPENING,
    Status.READY: Notice(
        "{store} opens in a moment",
        "Everything is in place, and its address is just being connected. This page tries again by itself.",
    ),
    Status.UPDATING: Notice(
        "{store} is being updated",
        "It will be back at this address. This page follows along by itself.",
    ),
    Status.SUSPENDING: CLOSED,
    Status.SUSPENDED: CLOSED,
    Status.RESUMING: Notice(
        "{store} is coming back",
        "It was paused, and is being started again. This page follows along by itself.",
    ),
    Status.FAILED: UNAVAILABLE,
}
"""By status. A store that is being deleted gets UNKNOWN."""


class StoreStatusPages:
    """ASGI middleware that answers requests for stores' hosts. It passes all others to the application."""

    def __init__(self, app: ASGIApp, base_domain: str, platform_label: str | None) -> None:
        self._app, self._base_domain, self._platform_label = app, base_domain, platform_label

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ignores the body: the response is the same for every method and path."""
        hosts = [value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"host"]
        label = host_label(hosts[0], self._base_domain) if hosts else None
        if len(hosts) > 1:
            response = notice_page(MALFORMED)
        elif label is None or label == self._platform_label:
            await self._app(scope, receive, send)
            return
        else:
            response = await self._status_page(scope["app"].state.platform, label)
        PAGES.labels(str(response.status_code)).inc()
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(response)
        else:
            await response(scope, receive, send)

    async def _status_page(self, platform: Platform, label: str) -> Response:
        if slug_syntax_problem(label):
            return notice_page(UNKNOWN)
        address = f"{label}.{self._base_domain}"
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_SECONDS), platform.sessions() as session:
                store = await public_status(session, label)
        except CONNECTION_ERRORS as error:
            log.warning("store_status_page.database_unavailable", error=repr(error))
            return notice_page(DATABASE_UNAVAILABLE, address)
        except Exception:
            log.exception("store_status_page.failed")
            return notice_page(LOOKUP_FAILED, address)
        if store is None:
            return notice_page(UNKNOWN, address)
        notice = notice_for(store)
        progress = _progress(store, platform.engines.get(store.engine)) if notice.reloads else ""
        return notice_page(notice, address, store.name, progress)


def notice_for(store: PublicStatus) -> Notice:
    """The notice for a store's public status."""
    if store.status == Status.READY and store.down_for is not None:
        return BACK_SOON if store.down_for < SHORT_OUTAGE else UNAVAILABLE
    if store.status == Status.READY and store.is_simulated:
        return SIMULATED
    return NOTICES[store.status]


def notice_page(notice: Notice, address: str = "", name: str | None = None, progress: str = "") -> Response:
    """The notice as a page. The name is the only untrusted text on it."""
    escaped_name = escape(name or "This store")
    heading = notice.heading.format(store=f"<bdi>{escaped_name}</bdi>")
    return html_page(
        notice.heading.format(store=escaped_name),
        f"<h1>{heading}</h1>\n<p>{notice.text}</p>{progress}",
        footer=address,
        tone=notice.tone,
        status=notice.status,
        retry_after=notice.retry_after,
        reloads=notice.reloads,
    )


def _progress(store: PublicStatus, engine: Engine | None) -> str:
    """The current step, as HTML. `engine`: None if this process doesn't know the engine."""
    if store.step is None:
        return ""
    title = step_titles(engine).get(store.step, "") if engine is not None else ""
    classes = ["done"] * (store.position - 1) + ["now"] + [""] * (store.steps - store.position)
    bars = "".join(f'<li class="{name}"></li>' for name in classes)
    text = f"<b>Step {store.position} of {store.steps}</b> {title}"
    return f'\n<ol class="steps" aria-hidden="true">{bars}</ol>\n<p>{text}</p>'
