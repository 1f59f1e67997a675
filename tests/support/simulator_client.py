"""An HTTP client of the simulator, and manifests for its tests."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from sandbox.simulator.programs import Program
from sandbox.simulator.server import run_simulator
from tests.support.waiting import HANG_SECONDS, hang_limit

JSON = dict[str, Any]
V1 = "/api/v1/namespaces"
APPS = "/apis/apps/v1/namespaces"
BATCH = "/apis/batch/v1/namespaces"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
PROGRAMS = {
    "web": Program(heartbeat="GET /readyz"),
    "migrate": Program(waits_for=("StatefulSet",)),
    "smoke-test": Program(waits_for=("Deployment", "StatefulSet"), log=("Testing.",), termination_message="passed"),
}


class Client:
    """Requests to one simulator."""

    def __init__(self, session: aiohttp.ClientSession, token: str) -> None:
        self.session = session
        self.token = token

    async def raw(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json", **query: str
    ) -> tuple[int, JSON]:
        """The status code and the JSON of a response."""
        data = body if isinstance(body, bytes | None) else json.dumps(body)
        headers = {"Content-Type": content_type}
        async with self.session.request(method, path, data=data, headers=headers, params=query) as response:
            return response.status, await response.json()

    async def ok(self, method: str, path: str, body: Any = None, **options: str) -> JSON:
        """The JSON of a response that must be 200 or 201."""
        status, answer = await self.raw(method, path, body, **options)
        assert status in (200, 201), answer
        return answer

    async def get(self, path: str, **query: str) -> JSON:
        return await self.ok("GET", path, **query)

    async def items(self, path: str, **query: str) -> list[JSON]:
        found: list[JSON] = (await self.get(path, **query))["items"]
        return found

    async def names(self, path: str, **query: str) -> list[str]:
        return [item["metadata"]["name"] for item in await self.items(path, **query)]

    async def apply(self, path: str, body: JSON, manager: str = "tests", **query: str) -> JSON:
        return await self.ok("PATCH", path, body, content_type=APPLY, **{"fieldManager": manager, **query})

    async def merge(self, path: str, body: JSON) -> JSON:
        return await self.ok("PATCH", path, body, content_type=MERGE)

    async def faults(self, *rows: JSON) -> None:
        await self.ok("POST", "/_sim/faults", list(rows))

    async def until(self, path: str, good: Callable[[Any], Any]) -> JSON:
        """GET until the response is good; a 404 counts as {}. Raises TimeoutError."""
        async with hang_limit():
            while True:
                status, answer = await self.raw("GET", path)
                answer = {} if status == 404 else answer
                if good(answer):
                    return answer
                await asyncio.sleep(0.005)

    async def gone(self, path: str) -> None:
        await self.until(path, lambda answer: not answer)

    @asynccontextmanager
    async def watch(self, path: str, **query: str) -> AsyncIterator[Callable[[], Any]]:
        """Start a watch; gives a function that awaits its next (type, object), or None at its end."""
        query = {"watch": "true", **query}
        async with self.session.get(path, params=query) as response:
            assert response.status == 200, await response.text()

            async def next_event() -> tuple[str, JSON] | None:
                async with hang_limit():
                    line = await response.content.readline()
                if not line:
                    return None
                event = json.loads(line)
                return event["type"], event["object"]

            yield next_event


@asynccontextmanager
async def simulated(speed: float = math.inf) -> AsyncIterator[Client]:
    """A client of a new simulator that has the namespace `shop`."""
    async with (
        run_simulator(speed=speed, programs=PROGRAMS) as simulator,
        connected(simulator.url, simulator.token) as client,
    ):
        await client.ok("POST", V1, manifest("shop"))
        await client.until(f"{V1}/shop/serviceaccounts/default", bool)
        yield client


@asynccontextmanager
async def connected(url: str, token: str) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(
        url, headers=headers, timeout=aiohttp.ClientTimeout(total=HANG_SECONDS)
    ) as session:
        yield Client(session, token)


def manifest(name: str, /, labels: dict[str, str] | None = None, **parts: Any) -> JSON:
    """An object with that name; the path says its kind."""
    return {"metadata": {"name": name, **({"labels": labels} if labels else {})}, **parts}


def template(component: str = "web", **spec: Any) -> JSON:
    """A pod template with one container."""
    labels = {"app.kubernetes.io/component": component}
    return {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "main", "image": "example/one:1"}], **spec},
    }


def deployment(name: str = "web", replicas: int = 1, *, recreate: bool = False, **spec: Any) -> JSON:
    selector = {"matchLabels": {"app.kubernetes.io/component": "web"}}
    strategy = {"strategy": {"type": "Recreate"}} if recreate else {}
    return manifest(name, spec={"replicas": replicas, "selector": selector, "template": template(**spec), **strategy})


def statefulset(name: str = "database", replicas: int = 1, **spec: Any) -> JSON:
    selector = {"matchLabels": {"app.kubernetes.io/component": "database"}}
    pods = template("database", **spec)
    return manifest(name, spec={"replicas": replicas, "selector": selector, "serviceName": name, "template": pods})


def job(name: str, component: str = "task", *, spec: JSON | None = None, **pod: Any) -> JSON:
    return manifest(name, spec={"template": template(component, restartPolicy="Never", **pod), **(spec or {})})


def claim(name: str, size: str = "1Gi") -> JSON:
    return manifest(name, spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}})


def condition(type_: str, status: str = "True") -> Callable[[JSON], bool]:
    """Whether an object has that condition."""

    def has(answer: JSON) -> bool:
        rows = answer.get("status", {}).get("conditions", [])
        return any(row["type"] == type_ and row["status"] == status for row in rows)

    return has


def waiting(reason: str) -> Callable[[JSON], bool]:
    """Whether a pod of a list has a container that waits with that reason."""

    def has(answer: JSON) -> bool:
        rows = [row for pod in answer["items"] for row in pod["status"].get("containerStatuses", [])]
        return any(row["state"].get("waiting", {}).get("reason") == reason for row in rows)

    return has


def ready(count: int) -> Callable[[JSON], bool]:
    """Whether a workload has that many replicas and all are ready."""

    def has(answer: JSON) -> bool:
        status = answer.get("status", {})
        seen = status.get("observedGeneration") == answer["metadata"]["generation"]
        return seen and (status.get("replicas", 0), status.get("readyReplicas", 0)) == (count, count)

    return has
