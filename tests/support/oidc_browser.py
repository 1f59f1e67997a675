"""A browser without a screen: it keeps cookies, and follows a sign-in with an OpenID provider by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp

from tests.support.oidc_provider import FakeProvider


@dataclass
class OidcBrowser:
    """`url`: the API's address."""

    http: aiohttp.ClientSession
    url: str
    provider: FakeProvider

    async def get(self, path: str) -> tuple[int, str]:
        """The status, and where a redirect leads; without the API's own address."""
        url = path if path.startswith("http") else f"{self.url}{path}"
        async with self.http.get(url, allow_redirects=False) as response:
            return response.status, response.headers.get("Location", "").removeprefix(self.url)

    async def begin(self, query: str = "") -> dict[str, str]:
        """Go to the provider; returns what it is asked for."""
        status, location = await self.get(f"/auth/oidc{query}")
        assert (status, location.partition("?")[0]) == (303, f"{self.provider.url}/authorize"), location
        return dict(parse_qsl(urlsplit(location).query))

    async def sign_in(self, query: str = "") -> str:
        """Begin, agree at the provider, and come back; returns where the callback leads."""
        callback = self.provider.authorize(await self.begin(query))
        status, location = await self.get(callback)
        assert status == 303, status
        return location

    async def ask(self, query: str, variables: dict[str, Any] | None = None) -> Any:
        """The data of a GraphQL operation with this browser's session."""
        body = {"query": query, "variables": variables}
        async with self.http.post(f"{self.url}/graphql", json=body) as response:
            return (await response.json())["data"]

    async def post(self, path: str, **body: str) -> tuple[int, Any]:
        """POST JSON to a sign-in endpoint. Returns the status and the answer."""
        async with self.http.post(f"{self.url}{path}", json=body) as response:
            return response.status, await response.json()

    def cookies(self) -> dict[str, str]:
        return {cookie.key: cookie.value for cookie in self.http.cookie_jar}


@asynccontextmanager
async def open_browser(url: str, provider: FakeProvider) -> AsyncIterator[OidcBrowser]:
    """A browser without cookies, until the end of the block."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:  # for IP addresses
        yield OidcBrowser(http, url, provider)
