"""Decides before a request is read whether its caller has points left. If not, it is answered 429 after a pause.

A refusal is cheap, and a paused one costs nothing: so a client that never stops can't keep the event loop busy.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from starlette.requests import HTTPConnection
from starlette.responses import Response

from accounts.actors import Actor, hash_credential
from accounts.point_budgets import budgets_of, budgets_of_address, budgets_of_credentials
from api.client_address import client_address
from api.cookies import session_cookie_name
from api.responses import graphql_error_response
from runtime.budgets import WINDOW_SECONDS, Budget, Budgets
from runtime.settings import Settings

MAX_KNOWN = 10_000
"""Credentials that are remembered."""
WRONG_CREDENTIAL_POINTS = 10
SOCKET_POINTS = 10
"""To open a WebSocket."""
FLOOD_POINTS = 1000
"""For a WebSocket that is closed because it sent too many messages."""
NO_POINTS = "You have used up your points. Wait, and ask for less: docs/API.md says what costs how much."
MIN_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 10.0
REFUSALS_PER_SECOND = 20
"""The most of one caller. Further ones wait for their turn. Who would wait longer than MAX_PAUSE_SECONDS is cut off."""


class RateLimiting:
    """The callers of this process that ask with points, and those that wait without."""

    def __init__(self, settings: Settings, budgets: Budgets) -> None:
        self._settings = settings
        self._budgets = budgets
        self._known: OrderedDict[bytes, tuple[Budget, ...]] = OrderedDict()
        """By hash of the credential; the least recently used first."""
        self._turns: dict[str, float] = {}
        """When the last refusal of a caller is answered, by key of its budget."""

    def budgets_before(self, connection: HTTPConnection) -> tuple[Budget, ...]:
        """The budgets of a request before it is authenticated: the caller's, if its credential was valid before."""
        credential = self._credential(connection)
        if credential is None:
            return budgets_of_address(client_address(connection), self._settings)
        return self._known.get(credential) or budgets_of_credentials(client_address(connection), self._settings)

    def authenticated(self, connection: HTTPConnection, actor: Actor) -> None:
        """Remember the caller."""
        credential = self._credential(connection)
        if credential == actor.credential:
            self._known[credential] = budgets_of(actor, self._settings)
            self._known.move_to_end(credential)
            if len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)

    def wrong_credential(self, connection: HTTPConnection) -> None:
        """Forget the credential, and charge the address for it."""
        self._known.pop(self._credential(connection) or b"", None)
        budgets = budgets_of_credentials(client_address(connection), self._settings)
        self._budgets.charge(budgets, WRONG_CREDENTIAL_POINTS)

    async def refusal(self, budgets: Sequence[Budget]) -> Response | None:
        """The answer 429, after a pause; None: the caller has points."""
        lowest = self._budgets.lowest(budgets)
        if lowest.retry_after is None:
            return None
        now, key = asyncio.get_running_loop().time(), budgets[0].key
        turn = max(now + MIN_PAUSE_SECONDS, self._turns.get(key, 0) + 1 / REFUSALS_PER_SECOND)
        connected = turn <= now + MAX_PAUSE_SECONDS
        if connected:
            self._turns[key] = turn
            await asyncio.sleep(turn - now)
            if self._turns.get(key) == turn:
                del self._turns[key]
        lowest = self._budgets.lowest(budgets)
        response = graphql_error_response(429, "RATE_LIMITED", NO_POINTS, retry_after=lowest.retry_after or 1)
        response.headers.update(self.headers(budgets))
        if not connected:
            response.headers["connection"] = "close"
        return response

    def headers(self, budgets: Sequence[Budget]) -> dict[str, str]:
        """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers)."""
        policies = (f'"{budget.kind}";q={budget.limit};w={WINDOW_SECONDS}' for budget in budgets)
        left = (
            f'"{balance.kind}";r={balance.remaining};t={balance.reset_seconds}'
            for balance in self._budgets.balances(budgets)
        )
        return {"ratelimit-policy": ", ".join(policies), "ratelimit": ", ".join(left)}

    def _credential(self, connection: HTTPConnection) -> bytes | None:
        """The hash of the token, or of the session cookie."""
        header = connection.headers.get("authorization")
        if header is not None:
            return hash_credential(header.partition(" ")[2].strip())
        cookie = connection.cookies.get(session_cookie_name(self._settings))
        return None if cookie is None else hash_credential(cookie)
