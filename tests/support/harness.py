"""The test harness: a whole Storefleet in the test's process, with a real PostgreSQL, a real Valkey and a cluster."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import uvicorn
from pydantic import SecretStr

from api.serve import create_server
from cli.client import Access, Client
from cli.demo_cluster import SIMULATED_PROGRAMS
from runtime.listening_socket import bind_socket
from runtime.sealing import generate_key
from runtime.settings import ClusterProfile, Settings
from sandbox.simulator.programs import load_programs
from sandbox.simulator.server import run_simulator
from tests.support.database_roles import as_role
from tests.support.kubernetes_user import KubernetesUser
from tests.support.processes import StorefleetProcess, start_storefleet
from tests.support.waiting import hang_limit
from workers.main import worker_lifespan

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
AnyProcess = asyncio.subprocess.Process | StorefleetProcess


@dataclass
class Harness:
    """A Storefleet, its first user and its cluster. Its methods act as users and operators do."""

    settings: Settings
    """With the role that owns the tables; API and worker have others (`as_role`)."""
    profile: ClusterProfile
    url: str
    admin: KubernetesUser
    http: aiohttp.ClientSession
    server: uvicorn.Server
    token: str = ""
    """An API token of the first user, with both scopes."""
    account: str = ""
    processes: list[AnyProcess] = field(default_factory=list)
    _connection: asyncpg.Connection | None = None
    _connection_lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def api_settings(self) -> Settings:
        return as_role(self.settings, "api")

    @property
    def worker_settings(self) -> Settings:
        return as_role(self.settings, "worker")

    def client(self, token: str | None = None) -> Client:
        """A GraphQL client. `token`: the first user's by default, "" for none."""
        return Client(self.http, Access(self.url, self.token if token is None else token))

    async def sign_up(self, email: str = "owner@example.com") -> tuple[str, str]:
        """Sign up a user. Returns an API token and the account's id."""
        user = {"email": email, "password": PASSWORD}
        async with self.http.post(f"{self.url}/auth/sign-up", json=user) as response:
            answer = await response.json()
            assert response.status == 201, answer
            [(name, session)] = response.cookies.items()
            cookie = {"Cookie": f"{name}={session.value}"}
        body = {"query": 'mutation { createApiToken(input: {name: "test", scopes: [READ, WRITE]}) { secret } }'}
        async with self.http.post(f"{self.url}/graphql", json=body, headers=cookie) as response:
            token = (await response.json())["data"]["createApiToken"]["secret"]
        return token, answer["accountId"]

    async def sign_in(self, email: str = "owner@example.com", browser: str = "Test") -> JSON:
        """The headers of a new session of the user."""
        user = {"email": email, "password": PASSWORD}
        async with self.http.post(f"{self.url}/auth/sign-in", json=user, headers={"User-Agent": browser}) as response:
            assert response.status == 200, await response.text()
            [(name, cookie)] = response.cookies.items()
            return {"Cookie": f"{name}={cookie.value}"}

    async def ask(self, headers: JSON, query: str, variables: JSON | None = None) -> JSON:
        """The whole answer to a query or mutation with these headers."""
        body = {"query": query, "variables": variables}
        async with self.http.post(f"{self.url}/graphql", json=body, headers=headers) as response:
            answer: JSON = await response.json()
            return answer

    async def create_store(self, token: str | None = None, **values: Any) -> JSON:
        """The store that createStore returns. Fails when there are user errors."""
        payload = await self.create_store_payload(token, **values)
        assert payload["userErrors"] == []
        store: JSON = payload["store"]
        return store

    async def create_store_payload(self, token: str | None = None, **values: Any) -> JSON:
        """The payload of createStore: `store` and `userErrors`. `values`: fields of the input."""
        values = {"name": "🫒 Fig & Olive", "engine": "WOOCOMMERCE"} | values
        data = await self.client(token).execute(CREATE, {"input": values})
        payload: JSON = data["createStore"]
        return payload

    async def get_store(self, store_id: str) -> JSON:
        store: JSON = (await self.client().execute(STORE, {"id": store_id}))["store"]
        return store

    async def wait_for_status(self, store_id: str, status: str) -> list[JSON]:
        """Follow the store's events from the first one until a STATUS event has that status. Returns all events."""
        seen: list[JSON] = []
        try:
            async with hang_limit():
                async for event in self.store_events(store_id):
                    seen.append(event)
                    if event["type"] == "STATUS" and event["status"] == status:
                        return seen
        except TimeoutError:
            history = "\n".join(f"{event['status']} {event['message']}" for event in seen)
            raise AssertionError(f"never {status}:\n{history}") from None
        raise AssertionError("the subscription ended")

    async def store_events(self, store_id: str, after: str | None = None) -> AsyncGenerator[JSON, None]:
        async for data in self.client().subscribe(EVENTS, {"id": store_id, "after": after}):
            yield data["storeEvents"]

    async def wait_for_store(self, store_id: str, **wanted: Any) -> JSON:
        """Query the store after each event until its fields are as wanted; `health` is compared by its state."""

        def matches(store: JSON) -> bool:
            flat = {**store, "health": (store["health"] or {}).get("state")}
            return all(flat[name] == value for name, value in wanted.items())

        store = await self.get_store(store_id)
        try:
            async with hang_limit(), aclosing(self.store_events(store_id, store["eventCursor"])) as events:
                while not matches(store):
                    await anext(events)
                    store = await self.get_store(store_id)
        except TimeoutError:
            raise AssertionError(f"never {wanted}: {store}") from None
        return store

    async def set_faults(self, *rows: JSON) -> None:
        """Replace the faults that the simulator injects."""
        await self.call_simulator("faults", list(rows))

    async def call_simulator(self, path: str, body: Any = None) -> Any:
        """POST to the simulator's control API, e.g. `clock` or `faults`."""
        status, answer = await self.kubernetes_request("POST", f"/_sim/{path}", body if body is not None else {})
        assert status == 200, answer
        return answer

    async def kubernetes_request(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """A request to the Kubernetes API as the cluster's administrator. Returns status and answer."""
        return await self.admin.request(self.http, method, path, body, **headers)

    async def sql(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Rows from the database. All queries share a connection: a new one costs 10 ms of CPU, and tests poll."""
        async with self._connection_lock:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(
                    self.settings.database_url.get_secret_value(), statement_cache_size=0
                )  # without cached plans: a test may change the schema
            rows: list[asyncpg.Record] = await self._connection.fetch(query, *values)
            return rows

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()

    async def start_worker_process(self, **variables: str) -> StorefleetProcess:
        """Start a worker as a separate process, which a test can kill. It is killed when the test ends."""
        environment = process_environment(self.worker_settings, **variables)
        process = await start_storefleet("worker", environment=environment)
        self.processes.append(process)
        async with hang_limit():
            while b"worker.started" not in (line := await process.stdout.readline()):
                assert line, "the worker ended before it started"  # at the end of output, readline doesn't wait
        asyncio.get_running_loop().create_task(_drain(process.stdout))
        return process


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.readline():
        pass


def process_environment(settings: Settings, **variables: str) -> dict[str, str]:
    """Environment variables from which a process reads the same settings. `variables` override them."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STOREFLEET_")}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        environment[f"STOREFLEET_{name.upper()}"] = ",".join(text) if isinstance(text, tuple) else str(text)
    return environment | variables


@asynccontextmanager
async def run_harness(
    database_url: str,
    redis_url: str,
    folder: Path,
    *,
    worker: bool = True,
    speed: float = 20,
    cluster: tuple[Path, Path] | None = None,
    profile: ClusterProfile | None = None,
    port: int = 0,
    **overrides: Any,
) -> AsyncIterator[Harness]:
    """Run API and worker, with a first user. `overrides`: settings.

    `cluster`: the kubeconfigs of the worker and of the administrator; None: a simulator, `speed` times as fast.
    """
    listener = bind_socket("127.0.0.1", port)
    kubeconfig, admin = cluster or (folder / "kubeconfig", folder / "kubeconfig")
    settings = Settings(
        **{
            "environment": "development",
            "database_url": SecretStr(database_url),
            "redis_url": SecretStr(redis_url),
            "admin_keys": SecretStr(generate_key("a1")),
            "worker_keys": SecretStr(generate_key("w1")),
            "sign_up": "open",
            "kubeconfig": kubeconfig,
            "failure_patience": 30.0 if cluster else 0.5,  # a real cluster is slower
            "store_quota": 100,
            "creations_per_hour": 1000,
            "database_pool": 10,
            "points_per_minute": 10**9,
            "account_points_per_minute": 10**9,
            "anonymous_points_per_minute": 10**9,
            **overrides,
        }
    )
    profile = profile or ClusterProfile()
    async with AsyncExitStack() as stack:
        if cluster is None:
            await stack.enter_async_context(
                run_simulator(speed=speed, kubeconfig=kubeconfig, programs=load_programs(SIMULATED_PROGRAMS))
            )
        api = create_server(as_role(settings, "api"), profile)
        serving = asyncio.create_task(api.serve(sockets=[listener]))
        while not api.started:
            assert not serving.done(), "the API didn't start"
            await asyncio.sleep(0.01)
        stack.push_async_callback(_stop, api, serving)
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        harness = Harness(settings, profile, url, KubernetesUser.from_kubeconfig(admin), http, api)
        if settings.sign_up == "open":
            harness.token, harness.account = await harness.sign_up()
        if worker:
            await stack.enter_async_context(worker_lifespan(harness.worker_settings, profile))
        stack.push_async_callback(_kill_all, harness.processes)
        stack.push_async_callback(harness.close)
        yield harness


async def _stop(api: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    api.should_exit = True
    await serving


async def _kill_all(processes: list[AnyProcess]) -> None:
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.wait()
