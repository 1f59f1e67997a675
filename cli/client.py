"""A client of the API, as an integration would write it: GraphQL over HTTP and WebSocket, with an API token."""

import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import aiohttp.abc

PROTOCOL = "graphql-transport-ws"
ACCESS_FILE = "access.json"
"""In the demo's data folder: the fields of Access."""


class ClientError(Exception):
    """The server refused, or didn't answer. The message is for people."""


@dataclass(frozen=True)
class Access:
    """The address of a Storefleet, and an API token."""

    url: str
    token: str

    @classmethod
    def load(cls, data: Path) -> "Access":
        """Read what the demo saved in its data folder. Raises ClientError."""
        try:
            return cls(**json.loads((data / ACCESS_FILE).read_text()))
        except (OSError, ValueError, TypeError):
            message = f"{data} has no data of a demo: run `make demo`, or give --url, with a token in STOREFLEET_TOKEN"
            raise ClientError(message) from None


class Client:
    """A client of one server."""

    def __init__(self, session: aiohttp.ClientSession, access: Access) -> None:
        self._session = session
        self._url = access.url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {access.token}"} if access.token else {}

    async def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """POST JSON. Returns the status and the JSON body. Raises ClientError when the server doesn't answer."""
        try:
            async with self._session.post(self._url + path, json=body, headers=self._headers) as response:
                return response.status, await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ClientError(f"{self._url} doesn't answer: {error}") from error

    async def get(self, path: str) -> int:
        """GET a page. Returns the status; 0 when the server doesn't answer."""
        try:
            async with self._session.get(self._url + path) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    async def execute(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Execute a GraphQL query or mutation. Returns `data`. Raises ClientError."""
        _, answer = await self.post("/graphql", {"query": document, "variables": variables or {}})
        if answer.get("errors"):
            raise ClientError("; ".join(error["message"] for error in answer["errors"]))
        data: dict[str, Any] = answer["data"]
        return data

    async def subscribe(self, document: str, variables: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Subscribe. Yields `data` of each result until the server completes the subscription. Raises ClientError."""
        url = self._url.replace("http", "ws", 1) + "/graphql"
        try:
            async with self._session.ws_connect(
                url, protocols=(PROTOCOL,), headers=self._headers, heartbeat=20
            ) as socket:
                await socket.send_json({"type": "connection_init"})
                while (frame := await socket.receive()).type == aiohttp.WSMsgType.TEXT:
                    message = json.loads(frame.data)
                    if message["type"] == "connection_ack":
                        payload = {"query": document, "variables": variables}
                        await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
                    elif message["type"] == "next":
                        if message["payload"].get("errors"):
                            raise ClientError(message["payload"]["errors"][0]["message"])
                        yield message["payload"]["data"]
                    elif message["type"] == "error":
                        raise ClientError(message["payload"][0]["message"])
                    elif message["type"] == "complete":
                        return
                raise ClientError(frame.extra or f"the connection to {self._url} ended")  # the reason of a CLOSE frame
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ClientError(f"{self._url} doesn't answer: {error}") from error


class _Resolver(aiohttp.ThreadedResolver):
    """Resolves `*.localhost` as browsers do: not every system does."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        return await super().resolve("127.0.0.1" if host.endswith(".localhost") else host, port, family)


def open_session(cookie_jar: aiohttp.CookieJar | None = None) -> aiohttp.ClientSession:
    timeout, connector = aiohttp.ClientTimeout(total=30), aiohttp.TCPConnector(resolver=_Resolver())
    return aiohttp.ClientSession(timeout=timeout, connector=connector, cookie_jar=cookie_jar)


@asynccontextmanager
async def connected(access: Access) -> AsyncIterator[Client]:
    """A Client until the end of the block."""
    async with open_session() as session:
        yield Client(session, access)
