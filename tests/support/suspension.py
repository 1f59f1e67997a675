"""What tests of suspendStore and resumeStore share."""

from schema.ids import decode_id
from tests.support.harness import JSON, Harness
from tests.support.stores import create_ready_store, object_path, request_object, wait_until_idle

SUSPEND, RESUME = (
    f"mutation ($id: ID!, $key: String) {{ {name}(input: {{id: $id, idempotencyKey: $key}}) {{"
    " store { status health { state } } userErrors { code field message } } }"
    for name in ("suspendStore", "resumeStore")
)
KEPT = {
    "namespace": "/api/v1/namespaces/{}",
    "database volume": "/api/v1/namespaces/{}/persistentvolumeclaims/database",
    "uploads volume": "/api/v1/namespaces/{}/persistentvolumeclaims/uploads",
    "admin password": "/api/v1/namespaces/{}/secrets/admin",
    "service": "/api/v1/namespaces/{}/services/web",
}
"""What a suspension keeps."""


async def suspend_store(harness: Harness, store_id: str, key: str | None = None) -> JSON:
    """The payload of suspendStore. `key`: the idempotency key."""
    payload: JSON = (await harness.client().execute(SUSPEND, {"id": store_id, "key": key}))["suspendStore"]
    return payload


async def resume_store(harness: Harness, store_id: str, key: str | None = None) -> JSON:
    """The payload of resumeStore. `key`: the idempotency key."""
    payload: JSON = (await harness.client().execute(RESUME, {"id": store_id, "key": key}))["resumeStore"]
    return payload


async def create_suspended_store(harness: Harness) -> tuple[JSON, str]:
    """A SUSPENDED store, and its namespace."""
    store, namespace = await create_ready_store(harness)
    assert (await suspend_store(harness, store["id"]))["userErrors"] == []
    await harness.wait_for_store(store["id"], status="SUSPENDED")
    await wait_until_idle(harness)
    return store, namespace


async def uids(harness: Harness, namespace: str) -> dict[str, str]:
    """The UIDs of what a suspension keeps."""
    found = {}
    for name, path in KEPT.items():
        found[name] = (await request_object(harness, "GET", path.format(namespace)))["metadata"]["uid"]
    return found


async def pods(harness: Harness, namespace: str) -> list[str]:
    """The names of all pods."""
    items = (await request_object(harness, "GET", f"/api/v1/namespaces/{namespace}/pods"))["items"]
    return [item["metadata"]["name"] for item in items]


async def replicas(harness: Harness, namespace: str) -> list[int]:
    """Of web and of the database."""
    paths = (object_path(namespace, "deployments", "web"), object_path(namespace, "statefulsets", "database"))
    return [(await request_object(harness, "GET", path))["spec"]["replicas"] for path in paths]


async def statuses(harness: Harness) -> list[str]:
    """The statuses of all events of type STATUS, in order."""
    rows = await harness.sql("SELECT status FROM events WHERE type = 'STATUS' ORDER BY seq")
    return [row["status"] for row in rows]


async def status_changes(harness: Harness, store_id: str) -> list[str]:
    """The statuses of one store's events of type STATUS, in order."""
    events = await harness.sql(
        "SELECT status FROM events WHERE type = 'STATUS' AND store_id = $1 ORDER BY seq", decode_id("Store", store_id)
    )
    return [row["status"] for row in events]


def refusal(payload: JSON) -> tuple[str, str]:
    """Code and message of the payload's only user error."""
    assert payload["store"] is None
    [error] = payload["userErrors"]
    assert error["field"] == "id"
    return error["code"], error["message"]
