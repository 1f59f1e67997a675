"""A MedusaJS store on the simulated cluster: its steps, its credentials, a new password, and plans with a worker."""

from tests.support.harness import Harness
from tests.support.stores import (
    change_plan,
    create_ready_store,
    object_path,
    request_object,
    rotate_password,
    wait_until_idle,
)

STEPS = ["credentials", "namespace", "isolation", "database", "install", "web", "worker", "proof"]
REVEAL = "mutation ($id: ID!) { revealAdminCredentials(input: {id: $id}) { credentials { url username password } } }"


async def test_a_medusa_store_is_made_like_any_other(harness: Harness) -> None:
    store = await harness.create_store(engine="MEDUSA", name="Fig", adminEmail="Owner@Example.com")
    assert [step["name"] for step in store["steps"]] == STEPS
    await harness.wait_for_status(store["id"], "READY")
    await wait_until_idle(harness)
    ready = await harness.get_store(store["id"])
    assert ready["receipt"]["simulated"] is True
    revealed = await harness.client().execute(REVEAL, {"id": store["id"]})
    credentials = revealed["revealAdminCredentials"]["credentials"]
    # Medusa's users have no other name
    assert credentials["username"] == "owner@example.com"
    assert credentials["url"] == f"{ready['url']}/app"
    assert (await rotate_password(harness, store["id"]))["userErrors"] == []


async def count_pods(harness: Harness, namespace: str) -> dict[str, int]:
    """Ready pods of what only a larger plan has."""
    paths = {"worker": "deployments", "valkey": "statefulsets"}
    items = {
        name: await request_object(harness, "GET", object_path(namespace, kind, name)) for name, kind in paths.items()
    }
    return {name: item.get("status", {}).get("readyReplicas", 0) for name, item in items.items()}


async def test_the_large_plan_has_a_worker_and_the_way_back_stops_it(harness: Harness) -> None:
    store, namespace = await create_ready_store(harness, engine="MEDUSA", plan="MEDIUM")
    await wait_until_idle(harness)
    assert await count_pods(harness, namespace) == {"worker": 0, "valkey": 0}
    await harness.set_faults({"fault": "unschedulable", "component": "web"})
    await change_plan(harness, store["id"], "LARGE")
    await harness.wait_for_store(store["id"], status="FAILED")
    assert await count_pods(harness, namespace) == {"worker": 1, "valkey": 1}
    await harness.set_faults()
    await change_plan(harness, store["id"], "MEDIUM")
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    assert await count_pods(harness, namespace) == {"worker": 0, "valkey": 0}
    await wait_until_idle(harness)
    await change_plan(harness, store["id"], "LARGE")
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    assert await count_pods(harness, namespace) == {"worker": 1, "valkey": 1}
