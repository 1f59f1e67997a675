"""Fixtures of the tests of sign-in with an OpenID provider. A test file imports them, and gets an API that has one."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from sandbox.ports import free_port
from tests.support.harness import Harness
from tests.support.oidc_browser import OidcBrowser, open_browser
from tests.support.oidc_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider, Key, run_provider

NewBrowser = Callable[[], Awaitable[OidcBrowser]]


@pytest.fixture(scope="session")
def first_key() -> Key:
    """Made once: it takes a tenth of a second."""
    return Key("first")


@pytest_asyncio.fixture
async def provider(first_key: Key) -> AsyncIterator[FakeProvider]:
    """The API's provider."""
    async with run_provider(first_key, lambda: int(time.time())) as running:
        yield running


@pytest.fixture
def settings(provider: FakeProvider, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Those of an API with the provider; parameters override them."""
    port = free_port()
    return {
        "port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "oidc_issuer": provider.url,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": SecretStr(CLIENT_SECRET),
        "oidc_domains": ("corp.example",),
        "oidc_name": "Corp",
        **getattr(request, "param", {}),
    }


@pytest_asyncio.fixture
async def new_browser(api: Harness, provider: FakeProvider) -> AsyncIterator[NewBrowser]:
    """Opens a browser without cookies."""
    async with AsyncExitStack() as stack:

        async def new() -> OidcBrowser:
            return await stack.enter_async_context(open_browser(api.url, provider))

        yield new
