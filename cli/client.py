"""Using a Storefleet from outside, as any integration would: GraphQL over HTTP and WebSocket, with an API token."""

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

PROTOCOL = "graphql-transport-ws"


class ClientError(Exception):
    """The server said no, or nothing; the message is for people."""


@dataclass(frozen=True)
class Access:
    """Where a Storefleet is, and the token for it."""

    url: str
    token: str

    def save(self, data: Path) -> None:
        """For `storefleet watch` on the same data folder; readable by its owner only."""
        path = data / "access.json"
        with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            json.dump({"url": self.url, "token": self.token}, file)

    @classmethod
    def load(cls, data: Path) -> "Access":
        """Raises ClientError."""
        try:
            return cls(**json.loads((data / "access.json").read_text()))
        except (OSError, ValueError, TypeError):
            message = f"{data} knows no running Storefleet: run `make demo`, or give --url and --token"
            raise ClientError(message) from None


class Client:
    """One connection pool."""

    def __init__(self, session: aiohttp.ClientSession, access: Access) -> None:
        self._session = session
        self._url = access.url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {access.token}"} if access.token else {}

    async def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and JSON. Raises ClientError when nobody answers."""
        try:
            async with self._session.post(self._url + path, json=body, headers=self._headers) as response:
                return response.status, await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ClientError(f"{self._url} doesn't answer: {error}") from error

    async def get(self, path: str) -> int:
        """The status of a page; 0 when nobody answers."""
        try:
            async with self._session.get(self._url + path) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    async def execute(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The data. Raises ClientError."""
        _, answer = await self.post("/graphql", {"query": document, "variables": variables or {}})
        if answer.get("errors"):
            raise ClientError("; ".join(error["message"] for error in answer["errors"]))
        data: dict[str, Any] = answer["data"]
        return data

    async def subscribe(self, document: str, variables: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Each result's data, until the server ends it. Raises ClientError."""
        url = self._url.replace("http", "ws", 1) + "/graphql"
        try:
            async with self._session.ws_connect(
                url, protocols=(PROTOCOL,), headers=self._headers, heartbeat=20
            ) as socket:
                await socket.send_json({"type": "connection_init"})
                async for frame in socket:
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
                raise ClientError(f"the connection to {self._url} ended")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ClientError(f"{self._url} doesn't answer: {error}") from error


@asynccontextmanager
async def connected(access: Access) -> AsyncIterator[Client]:
    """A client until the end of the block."""
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield Client(session, access)
