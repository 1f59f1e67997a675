"""The HTTP client of webhooks. It connects to public addresses only, and trusts nothing that it gets.

The address is checked when the socket for it is made: after DNS, for each connection. So a name that leads elsewhere
the next time (DNS rebinding) changes nothing. No connection is kept, no redirect followed, no body read.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from runtime.public_addresses import is_reachable
from stores.webhooks.deliveries import Attempt

ATTEMPT_SECONDS = 15.0
"""From the look-up of the name to the headers of the answer."""
PRIVATE = "Its host leads to an address that is not public."
NO_ADDRESS = "Its host has no address."
BAD_CERTIFICATE = "Its certificate is not valid for its host."
NO_CONNECTION = "No connection to it is possible."
NO_HTTP = "The connection to it ended, or its answer is not HTTP."
NO_ANSWER = f"It did not answer within {ATTEMPT_SECONDS:g} s."


class _AddressRefused(OSError):
    """The address is not public."""


class WebhookClient:
    """Sends messages. All deliveries of a worker share it."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def post(self, url: str, body: str, headers: Mapping[str, str]) -> Attempt:
        """One attempt. Never raises for what the other side does."""
        started = time.monotonic()
        status, error = await self._status(url, body, headers)
        return Attempt(round((time.monotonic() - started) * 1000), status, error)

    async def _status(self, url: str, body: str, headers: Mapping[str, str]) -> tuple[int | None, str | None]:
        """The status of the answer, and why the message is not delivered."""
        try:
            async with (
                asyncio.timeout(ATTEMPT_SECONDS),
                self._session.post(
                    URL(url, encoded=True), data=body.encode(), headers=headers, allow_redirects=False
                ) as response,
            ):
                return response.status, _refusal(response.status)
        except _AddressRefused:
            return None, PRIVATE
        except aiohttp.ClientConnectorDNSError:
            return None, NO_ADDRESS
        except aiohttp.ClientSSLError:
            return None, BAD_CERTIFICATE
        except TimeoutError:
            return None, NO_ANSWER
        except aiohttp.ClientConnectorError as failed:
            return None, PRIVATE if isinstance(failed.os_error, _AddressRefused) else NO_CONNECTION
        except (aiohttp.ClientError, OSError, ValueError):  # ValueError: what only aiohttp refuses in a URL
            return None, NO_HTTP


def _refusal(status: int) -> str | None:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    if status < HTTPStatus.BAD_REQUEST:
        return f"It answered {status}: redirects are not followed. Give the address that it leads to."
    return f"It answered {status}."


class _Resolver(AbstractResolver):
    """Looks names up in threads of its own: a slow name server must not hold the threads of others."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        )
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=family,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for family, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """The threads have their own end."""


@asynccontextmanager
async def open_client(private_networks: Sequence[str], at_once: int) -> AsyncIterator[WebhookClient]:
    """A client for `at_once` parallel attempts, which also connects to the `private_networks`."""

    def make_socket(info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = info
        if not is_reachable(str(address[0]), private_networks):
            raise _AddressRefused
        return socket.socket(family=family, type=kind, proto=protocol)

    threads = ThreadPoolExecutor(at_once, thread_name_prefix="webhook-dns")
    connector = aiohttp.TCPConnector(
        limit=0, force_close=True, use_dns_cache=False, resolver=_Resolver(threads), socket_factory=make_socket
    )
    try:
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=ATTEMPT_SECONDS),
            auto_decompress=False,
        ) as session:
            yield WebhookClient(session)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
