"""What visitors of a store get when its host leads here rather than to the store: a page that says why.

A running store's own Ingress is more specific than the platform's wildcard, so whatever comes here found no shop.
There is no API on a store's host, neither over HTTP nor WebSocket: its cookies and scripts are a merchant's.
"""

import asyncio
from dataclasses import dataclass, replace
from html import escape

import structlog
from prometheus_client import Counter
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from api.pages import page
from schema.context import Platform
from stores.engines import Engine
from stores.names import label_of, shape_problem
from stores.status import Status
from stores.steps import titles
from stores.storefronts import Storefront, storefront

LOOKUP_SECONDS = 3
"""How long a visitor waits for a database that doesn't answer."""
SOON, LATER, MUCH_LATER = 5, 60, 3600
"""Seconds until it makes sense to ask again."""

PAGES = Counter("storefleet_store_pages", "Pages on hosts of stores", ["status"])

log = structlog.get_logger()


@dataclass(frozen=True)
class Notice:
    """What a page says. 503 for all that may come back: search engines then keep what they know of the shop."""

    heading: str
    """`{store}` stands for its name."""
    text: str
    tone: str = ""
    status: int = 503
    retry_after: int = SOON
    follows: bool = True
    """The page loads itself again; one of a store at rest doesn't."""


UNKNOWN = Notice(
    "There is no store at this address",
    "Perhaps there is a slip in the spelling. If somebody gave you the address, ask them for the right one.",
    tone="quiet",
    status=404,
    retry_after=0,
    follows=False,
)
MALFORMED = replace(UNKNOWN, heading="This request names more than one address", text="It has to name one.", status=400)
AWAY = Notice(
    "One moment, please",
    "The store can&rsquo;t be looked up just now. This page tries again by itself.",
    tone="quiet",
)
OPENING = Notice(
    "{store} is being set up",
    "It will open at this address. This page follows along by itself.",
)
CLOSED = Notice(
    "{store} is closed for now",
    "It is paused, and nothing can be ordered meanwhile. Please come back another time.",
    tone="quiet",
    retry_after=MUCH_LATER,
    follows=False,
)
AMISS = Notice(
    "{store} isn&rsquo;t available right now",
    "It has run into a problem. Please try again later. If it is yours, sign in to see what to do.",
    tone="amiss",
    retry_after=LATER,
    follows=False,
)
SIMULATED = Notice(
    "{store} is ready, and simulated",
    "Its pods only pretend to run, so there is no shop to show. On a real cluster the shop itself answers here.",
    retry_after=MUCH_LATER,
    follows=False,
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
    Status.FAILED: AMISS,
}
"""What is being deleted is as good as unknown."""


class Storefronts:
    """ASGI middleware around the whole API; it answers what is for a store's host, and passes on what isn't."""

    def __init__(self, app: ASGIApp, base_domain: str, own_label: str | None) -> None:
        self._app, self._base_domain, self._own_label = app, base_domain, own_label

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The body isn't read: the answer is the same for every method and path."""
        hosts = [value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"host"]
        label = label_of(hosts[0], self._base_domain) if hosts else None
        if len(hosts) > 1:
            answer = show(MALFORMED)
        elif label is None or label == self._own_label:
            await self._app(scope, receive, send)
            return
        else:
            answer = await self._answer(scope["app"].state.platform, label)
        PAGES.labels(str(answer.status_code)).inc()
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(answer)
        else:
            await answer(scope, receive, send)

    async def _answer(self, platform: Platform, label: str) -> Response:
        if shape_problem(label):
            return show(UNKNOWN)
        address = f"{label}.{self._base_domain}"
        try:
            async with asyncio.timeout(LOOKUP_SECONDS), platform.sessions() as session:
                front = await storefront(session, label)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("storefronts.no_database", error=type(error).__name__)
            return show(AWAY, address)
        if front is None:
            return show(UNKNOWN, address)
        notice = notice_of(front)
        progress = _progress(front, platform.engines.get(front.engine)) if notice.follows else ""
        return show(notice, address, front.name, progress)


def notice_of(front: Storefront) -> Notice:
    """What its page says."""
    if front.status == Status.READY and front.is_down:
        return AMISS
    if front.status == Status.READY and front.is_simulated:
        return SIMULATED
    return NOTICES[front.status]


def show(notice: Notice, address: str = "", name: str | None = None, progress: str = "") -> Response:
    """The notice as a page. The name is the one thing on it that others wrote."""
    store = escape(name or "This store")
    heading = notice.heading.format(store=f"<bdi>{store}</bdi>")
    return page(
        notice.heading.format(store=store),
        f"<h1>{heading}</h1>\n<p>{notice.text}</p>{progress}",
        footer=address,
        tone=notice.tone,
        status=notice.status,
        retry_after=notice.retry_after,
        follows=notice.follows,
    )


def _progress(front: Storefront, engine: Engine | None) -> str:
    """The step that it is at. `engine`: None when only a newer API knows it."""
    if front.step is None:
        return ""
    title = titles(engine).get(front.step, "") if engine is not None else ""
    kinds = ["done"] * (front.position - 1) + ["now"] + [""] * (front.steps - front.position)
    bars = "".join(f'<li class="{kind}"></li>' for kind in kinds)
    words = f"<b>Step {front.position} of {front.steps}</b> {title}"
    return f'\n<ol class="steps" aria-hidden="true">{bars}</ol>\n<p>{words}</p>'
