"""A whole Storefleet in the test's process: real Postgres and Valkey, a cluster, API and worker over HTTP."""

import asyncio
import base64
import itertools
import json
import os
import signal
import ssl
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import uvicorn
from pydantic import SecretStr

from api.serve import server
from cli.client import Access, Client
from runtime.listener import bind
from runtime.sealing import new_key
from runtime.settings import ClusterProfile, Settings
from sandbox.simulator.server import running
from workers.main import working

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"
CREATE = """
mutation ($input: CreateStoreInput!) { createStore(input: $input) {
  store { id slug name status health { state cause } url engine plan createdAt readyAt eventCursor
    receipt { simulated totalMs steps { name ms } } steps { name status startedAt finishedAt message } }
  userErrors { code field message }
} }
"""
STORE = """
query ($id: ID!) { store(id: $id) {
  id slug name status cause health { state cause since } url engine release plan adminEmail country currency
  createdAt readyAt deletedAt eventCursor accountId deletion { namespace volumes leftovers }
  receipt { simulated totalMs steps { name ms } } steps { name status startedAt finishedAt message }
} }
"""
EVENTS = """
subscription ($id: ID!, $after: String) { storeEvents(storeId: $id, after: $after) {
  cursor storeId type status step { name status message } message at
} }
"""
RETRY = "mutation ($id: ID!) { retryStore(input: {id: $id}) { store { status } userErrors { code field message } } }"
DELETE = "mutation ($id: ID!) { deleteStore(input: {id: $id}) { store { status } userErrors { code field message } } }"
JSON = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """Somebody with kubectl: how they reach the cluster."""

    url: str
    headers: dict[str, str]
    tls: ssl.SSLContext | bool

    @classmethod
    def of(cls, kubeconfig: Path) -> "Person":
        """From a file with a token, or with certificates inside."""
        config = json.loads(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        inside = {name: base64.b64decode(text) for name, text in {**cluster, **user}.items() if name.endswith("-data")}
        authority = inside.get("certificate-authority-data")
        tls = ssl.create_default_context(cadata=authority.decode()) if authority else True
        if "token" in user:
            return cls(cluster["server"], {"Authorization": f"Bearer {user['token']}"}, tls)
        assert isinstance(tls, ssl.SSLContext)
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(inside["client-certificate-data"] + inside["client-key-data"])
            pair.flush()
            tls.load_cert_chain(pair.name)
        return cls(cluster["server"], {}, tls)

    async def send(
        self, http: aiohttp.ClientSession, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        """The status and the answer: JSON, or text."""
        headers = {**self.headers, "Content-Type": "application/json"} | headers
        async with http.request(method, self.url + path, json=body, headers=headers, ssl=self.tls) as response:
            text = await response.text()
            return response.status, json.loads(text) if text.startswith("{") else text


@dataclass
class Fleet:
    """What a test holds."""

    settings: Settings
    profile: ClusterProfile
    url: str
    administrator: Person
    http: aiohttp.ClientSession
    uvicorn: uvicorn.Server
    token: str = ""
    """Of the first user, with both scopes."""
    account: str = ""
    children: list[asyncio.subprocess.Process] = field(default_factory=list)

    def client(self, token: str | None = None) -> Client:
        """As an integration; with the first user's token unless another is given."""
        return Client(self.http, Access(self.url, self.token if token is None else token))

    async def sign_up(self, email: str = "owner@example.com") -> tuple[str, str]:
        """A new user; an API token and the account's id."""
        user = {"email": email, "password": PASSWORD}
        async with self.http.post(f"{self.url}/auth/sign-up", json=user) as response:
            answer = await response.json()
            assert response.status == 201, answer
            [(name, given)] = response.cookies.items()
            cookie = {"Cookie": f"{name}={given.value}"}
        body = {"query": 'mutation { createApiToken(input: {name: "test", scopes: [READ, WRITE]}) { secret } }'}
        async with self.http.post(f"{self.url}/graphql", json=body, headers=cookie) as response:
            made = (await response.json())["data"]["createApiToken"]
        return made["secret"], answer["accountId"]

    async def create(self, token: str | None = None, **given: Any) -> JSON:
        """createStore's store; the answer must be without errors."""
        payload = await self.try_create(token, **given)
        assert payload["userErrors"] == []
        store: JSON = payload["store"]
        return store

    async def try_create(self, token: str | None = None, **given: Any) -> JSON:
        """createStore's payload."""
        given = {"name": "🫒 Fig & Olive", "engine": "WOOCOMMERCE"} | given
        data = await self.client(token).execute(CREATE, {"input": given})
        payload: JSON = data["createStore"]
        return payload

    async def store(self, store_id: str) -> JSON:
        store: JSON = (await self.client().execute(STORE, {"id": store_id}))["store"]
        return store

    async def until(self, store_id: str, status: str, seconds: float = 15) -> list[JSON]:
        """Follow the store's events from its beginning until one of STATUS has that status; all of them."""
        seen: list[JSON] = []
        try:
            async with asyncio.timeout(seconds):
                async for event in self.events(store_id):
                    seen.append(event)
                    if event["type"] == "STATUS" and event["status"] == status:
                        return seen
        except TimeoutError:
            told = "\n".join(f"{event['status']} {event['message']}" for event in seen)
            raise AssertionError(f"not {status} after {seconds} s:\n{told}") from None
        raise AssertionError("the subscription ended")

    async def events(self, store_id: str, after: str | None = None) -> AsyncGenerator[JSON, None]:
        async for data in self.client().subscribe(EVENTS, {"id": store_id, "after": after}):
            yield data["storeEvents"]

    async def eventually(self, store_id: str, *, seconds: float = 15, **wanted: Any) -> JSON:
        """Ask until the store's fields are as wanted (`health` is compared by its state)."""
        store: JSON = {}
        try:
            async with asyncio.timeout(seconds):
                while True:
                    store = await self.store(store_id)
                    flat = {**store, "health": (store["health"] or {}).get("state")}
                    if all(flat[name] == value for name, value in wanted.items()):
                        return store
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"never {wanted}: {store}") from None

    async def poll(self, wanted: Callable[[], Awaitable[object]], seconds: float = 10) -> None:
        """Ask until the answer is true."""
        async with asyncio.timeout(seconds):
            for pause in itertools.repeat(0.05):
                if await wanted():
                    return
                await asyncio.sleep(pause)

    async def fault(self, *rows: JSON) -> None:
        """Replace the cluster's faults."""
        await self.sim("faults", list(rows))

    async def sim(self, path: str, body: Any = None) -> Any:
        """To the simulation itself: its clock, its faults."""
        status, answer = await self.kubernetes("POST", f"/_sim/{path}", body if body is not None else {})
        assert status == 200, answer
        return answer

    async def kubernetes(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """As somebody with kubectl."""
        return await self.administrator.send(self.http, method, path, body, **headers)

    async def sql(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Straight from the database."""
        connection = await asyncpg.connect(self.settings.database_url.get_secret_value())
        try:
            rows: list[asyncpg.Record] = await connection.fetch(query, *values)
            return rows
        finally:
            await connection.close()

    async def worker_process(self, **more: str) -> asyncio.subprocess.Process:
        """A worker as a process of its own, to be killed; it runs until the test ends."""
        environment = process_environment(self.settings, **more)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli", "worker", cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
        )
        self.children.append(process)
        assert process.stdout is not None
        async with asyncio.timeout(20):
            while b"worker.started" not in await process.stdout.readline():
                assert process.returncode is None
        asyncio.get_running_loop().create_task(_drain(process.stdout))
        return process


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.readline():
        pass


def process_environment(settings: Settings, **more: str) -> dict[str, str]:
    """The environment in which a process reads the same settings; `more` wins."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STOREFLEET_")}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        environment[f"STOREFLEET_{name.upper()}"] = ",".join(text) if isinstance(text, tuple) else str(text)
    return environment | more


@asynccontextmanager
async def fleet(
    database_url: str,
    redis_url: str,
    folder: Path,
    *,
    worker: bool = True,
    speed: float = 20,
    cluster: tuple[Path, Path] | None = None,
    profile: ClusterProfile | None = None,
    port: int = 0,
    **more: Any,
) -> AsyncIterator[Fleet]:
    """Everything up, with a user and a token. `more`: settings.

    `cluster`: the kubeconfigs of the worker and of the administrator; None: a simulated one, at that speed.
    """
    listener = bind("127.0.0.1", port)
    kubeconfig, admin = cluster or (folder / "kubeconfig", folder / "kubeconfig")
    settings = Settings(
        **{
            "environment": "development",
            "database_url": SecretStr(database_url),
            "redis_url": SecretStr(redis_url),
            "admin_keys": SecretStr(new_key("a1")),
            "worker_keys": SecretStr(new_key("w1")),
            "sign_up": "open",
            "kubeconfig": kubeconfig,
            "failure_patience": 30.0 if cluster else 0.5,  # a real one takes its time
            "store_quota": 100,
            "creations_per_hour": 1000,
            "database_pool": 10,
            **more,
        }
    )
    profile = profile or ClusterProfile()
    async with AsyncExitStack() as stack:
        if cluster is None:
            await stack.enter_async_context(running(speed=speed, kubeconfig=kubeconfig))
        api = server(settings, profile)
        api.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # the test runner has its own
        serving = asyncio.create_task(api.serve(sockets=[listener]))
        while not api.started:
            assert not serving.done(), "the API didn't start"
            await asyncio.sleep(0.01)
        stack.push_async_callback(_stop, api, serving)
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        made = Fleet(settings, profile, url, Person.of(admin), http, api)
        if settings.sign_up == "open":
            made.token, made.account = await made.sign_up()
        if worker:
            await stack.enter_async_context(working(settings, profile))
        stack.push_async_callback(_end_children, made.children)
        yield made


async def _stop(api: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    api.should_exit = True
    await serving


async def _end_children(children: list[asyncio.subprocess.Process]) -> None:
    for child in children:
        if child.returncode is None:
            child.send_signal(signal.SIGKILL)
        await child.wait()
