"""What goes wrong in the cluster: said plainly, never green, and put right when the cause is gone."""

import asyncio
from typing import Any

import pytest

from tests.flow.fleet import DELETE, RETRY, Fleet
from tests.flow.test_drift import rests, resync

LONG = pytest.mark.parametrize("settings", [{"failure_patience": 30.0}], indirect=True)


async def namespace(fleet: Fleet) -> str:
    [row] = await fleet.sql("SELECT id FROM stores")
    return f"store-{row['id']}"


async def cause_of(fleet: Fleet, store: Any) -> object:
    return (await fleet.store(store["id"]))["cause"]


async def ails(fleet: Fleet, store: Any, words: str) -> bool:
    """DOWN, with these words in its cause."""
    health = (await fleet.store(store["id"]))["health"]
    return health["state"] == "DOWN" and words in (health["cause"] or "")


async def there_is(fleet: Fleet, path: str) -> bool:
    return (await fleet.kubernetes("GET", path))[0] == 200


async def there_is_no(fleet: Fleet, path: str) -> bool:
    return (await fleet.kubernetes("GET", path))[0] == 404


async def test_an_image_that_cannot_be_pulled_fails_with_the_cause_and_retry_works(fleet: Fleet) -> None:
    await fleet.fault({"fault": "image", "component": "web"})
    store = await fleet.create()
    events = await fleet.until(store["id"], "FAILED")
    failed = await fleet.store(store["id"])
    assert "storefleet/woocommerce:2026.11 of web can't be pulled" in failed["cause"]
    assert "retry" in failed["cause"]
    assert events[-1]["message"] == failed["cause"]
    assert [step["name"] for step in failed["steps"] if step["status"] == "FAILED"] == ["web"]
    assert failed["receipt"] is None

    await fleet.fault()
    again = (await fleet.client().execute(RETRY, {"id": store["id"]}))["retryStore"]
    assert again["store"]["status"] == "PROVISIONING"
    await fleet.eventually(store["id"], status="READY", health="HEALTHY", cause=None)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"fault": "crash-loop", "component": "web", "message": "PHP Fatal error"}, "keeps crashing"),
        ({"fault": "unschedulable", "component": "database"}, "No node can take the database pod"),
        ({"fault": "job", "component": "install", "exitCode": 3, "message": "plugin is missing"}, "plugin is missing"),
        ({"fault": "job", "component": "proof", "exitCode": 1, "message": "no product"}, "The step proof failed"),
        ({"fault": "quota", "kind": "Pod", "component": "web"}, "The web pod doesn't fit into the store's quota"),
        ({"fault": "quota", "kind": "Pod", "component": "database"}, "The database pod doesn't fit into the store's"),
        ({"fault": "http", "kind": "Ingress", "code": 403, "verb": "apply"}, "The cluster refused"),
    ],
)
async def test_each_trouble_is_told_in_plain_words(fleet: Fleet, fault: dict[str, Any], said: str) -> None:
    await fleet.sim("clock", {"speed": 100})
    await fleet.fault(fault)
    store = await fleet.create()
    await fleet.until(store["id"], "FAILED", 30)  # what only the cluster's warnings tell is asked for after 10 s
    failed = await fleet.store(store["id"])
    assert said in failed["cause"]
    await fleet.fault()
    await fleet.client().execute(RETRY, {"id": store["id"]})
    await fleet.eventually(store["id"], status="READY")


@LONG
async def test_trouble_that_passes_is_told_and_then_forgotten(fleet: Fleet) -> None:
    await fleet.fault({"fault": "image", "component": "web"})
    store = await fleet.create()
    async with asyncio.timeout(10):
        async for event in fleet.events(store["id"]):
            if event["type"] == "STEP" and "can't be pulled" in event["message"]:
                assert event["step"]["status"] == "RUNNING"
                break
    await fleet.fault()
    await fleet.eventually(store["id"], status="READY", seconds=30)


@pytest.mark.parametrize("settings", [{"step_timeout": 1.0, "failure_patience": 60.0}], indirect=True)
async def test_a_step_that_never_ends_fails(fleet: Fleet) -> None:
    await fleet.fault({"fault": "unready", "component": "web"})
    store = await fleet.create()
    await fleet.until(store["id"], "FAILED")
    assert "took longer than 1 s" in (await fleet.store(store["id"]))["cause"]


async def test_errors_of_the_api_server_are_waited_out(fleet: Fleet) -> None:
    await fleet.fault(
        {"fault": "http", "code": 500, "verb": "create", "times": 3},
        {"fault": "http", "code": 429, "retryAfter": 1, "verb": "apply", "times": 5},
        {"fault": "http", "code": 503, "verb": "list", "times": 3},
    )
    store = await fleet.create()
    await fleet.until(store["id"], "READY", 30)


async def test_an_api_server_that_fails_a_list_is_a_back_off_not_a_crash(fleet: Fleet) -> None:
    await fleet.fault({"fault": "http", "code": 500, "verb": "list", "kind": "Pod"})
    store = await fleet.create()
    async with asyncio.timeout(15):
        async for event in fleet.events(store["id"]):
            if event["type"] == "NOTICE":
                break
    await fleet.fault()
    await fleet.until(store["id"], "READY")


async def test_an_api_server_that_does_not_answer_is_waited_out(fleet: Fleet) -> None:
    await fleet.fault({"fault": "hang", "verb": "apply", "seconds": 20, "times": 2})
    store = await fleet.create()
    await fleet.until(store["id"], "READY", 30)


async def test_the_owner_is_told_when_the_cluster_stays_away(fleet: Fleet) -> None:
    await fleet.fault({"fault": "http", "code": 500, "verb": "create"})
    store = await fleet.create()
    async with asyncio.timeout(20):
        async for event in fleet.events(store["id"]):
            if event["type"] == "NOTICE":
                assert "doesn't answer" in event["message"]
                break
    await fleet.fault()
    await fleet.eventually(store["id"], status="READY")


async def test_a_crash_after_ready_shows_within_ten_seconds_and_heals(fleet: Fleet) -> None:
    store = await fleet.create()
    await fleet.until(store["id"], "READY")
    await fleet.fault({"fault": "crash", "component": "web"})
    down = await fleet.eventually(store["id"], health="DOWN", seconds=10)
    assert down["status"] == "READY"
    assert down["health"]["cause"]
    await fleet.fault()
    await fleet.eventually(store["id"], health="HEALTHY", seconds=15)
    told = [event["message"] for event in await history(fleet, store["id"], 2) if event["type"] == "HEALTH"]
    assert told[-1] == "The store is healthy again."


async def history(fleet: Fleet, store_id: str, health_events: int) -> list[Any]:
    seen: list[Any] = []
    async with asyncio.timeout(5):
        async for event in fleet.events(store_id):
            seen.append(event)
            if len([item for item in seen if item["type"] == "HEALTH"]) == health_events:
                break
    return seen


async def test_a_namespace_that_will_not_go_keeps_the_store_deleting_with_the_cause(fleet: Fleet) -> None:
    store = await fleet.create()
    await fleet.until(store["id"], "READY")
    await fleet.fault({"fault": "stuck"})
    await fleet.client().execute(DELETE, {"id": store["id"]})
    await fleet.poll(lambda: cause_of(fleet, store))
    stuck = await fleet.store(store["id"])
    assert stuck["status"] == "DELETING"
    assert "can't be removed" in stuck["cause"]
    await fleet.fault()
    await fleet.until(store["id"], "DELETED")
    assert (await fleet.store(store["id"]))["cause"] is None


async def test_what_somebody_deletes_is_put_back_and_told(fleet: Fleet) -> None:
    store = await fleet.create()
    await fleet.until(store["id"], "READY")
    place = await namespace(fleet)
    await fleet.kubernetes("DELETE", f"/apis/apps/v1/namespaces/{place}/deployments/web")
    await fleet.kubernetes("DELETE", f"/api/v1/namespaces/{place}/services/web")
    await fleet.eventually(store["id"], health="DOWN")
    await fleet.eventually(store["id"], health="HEALTHY", status="READY")
    for path in (f"/apis/apps/v1/namespaces/{place}/deployments/web", f"/api/v1/namespaces/{place}/services/web"):
        status, _ = await fleet.kubernetes("GET", path)
        assert status == 200


async def test_a_removed_namespace_is_never_made_again_empty(fleet: Fleet) -> None:
    store = await fleet.create()
    await fleet.until(store["id"], "READY")
    place = await namespace(fleet)
    await fleet.kubernetes("DELETE", f"/api/v1/namespaces/{place}")
    await fleet.poll(lambda: ails(fleet, store, "Restore a backup"))
    status, _ = await fleet.kubernetes("GET", f"/api/v1/namespaces/{place}")
    assert status == 404


async def test_a_removed_disk_is_never_replaced_by_an_empty_one(fleet: Fleet) -> None:
    store = await fleet.create()
    await fleet.until(store["id"], "READY")
    place = await namespace(fleet)
    await fleet.kubernetes("DELETE", f"/apis/apps/v1/namespaces/{place}/statefulsets/database")
    await fleet.kubernetes("DELETE", f"/api/v1/namespaces/{place}/persistentvolumeclaims/database")
    await fleet.poll(lambda: ails(fleet, store, "disk database was removed"))
    status, _ = await fleet.kubernetes("GET", f"/api/v1/namespaces/{place}/persistentvolumeclaims/database")
    assert status == 404


async def test_a_namespace_whose_labels_were_changed_fails_with_that_cause(fleet: Fleet) -> None:
    await fleet.fault({"fault": "unready", "component": "web"})
    store = await fleet.create()
    await fleet.eventually(store["id"], status="PROVISIONING")
    [row] = await fleet.sql("SELECT id FROM stores")
    await fleet.poll(lambda: there_is(fleet, f"/api/v1/namespaces/store-{row['id']}"))
    label = "pod-security.kubernetes.io/enforce"
    patch = {"metadata": {"labels": {label: "privileged"}}}
    media = {"Content-Type": "application/merge-patch+json"}
    path = f"/api/v1/namespaces/{await namespace(fleet)}"
    status, _ = await fleet.kubernetes("PATCH", path, patch, **media)
    assert status == 200
    await fleet.until(store["id"], "FAILED")
    cause = (await fleet.store(store["id"]))["cause"]
    assert label in cause
    assert "retry" in cause
    await fleet.fault()
    await fleet.kubernetes("PATCH", path, {"metadata": {"labels": {label: "restricted"}}}, **media)
    await fleet.client().execute(RETRY, {"id": store["id"]})
    await fleet.eventually(store["id"], status="READY")


async def test_a_namespace_of_a_deleted_store_that_turns_up_again_is_deleted_again(fleet: Fleet) -> None:
    store = await fleet.create()
    await fleet.until(store["id"], "READY")
    place = await namespace(fleet)
    _, there = await fleet.kubernetes("GET", f"/api/v1/namespaces/{place}")
    await fleet.client().execute(DELETE, {"id": store["id"]})
    await fleet.until(store["id"], "DELETED")
    labels = there["metadata"]["labels"]
    late = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place, "labels": labels}}
    assert (await fleet.kubernetes("POST", "/api/v1/namespaces", late))[0] == 201
    await fleet.poll(lambda: there_is_no(fleet, f"/api/v1/namespaces/{place}"))
    assert (await fleet.store(store["id"]))["deletion"]["volumes"] != []


async def test_a_namespace_without_a_row_is_left_alone(fleet: Fleet) -> None:
    name = "store-00000000-0000-4000-8000-000000000000"
    labels = {"app.kubernetes.io/managed-by": "storefleet", "storefleet.dev/store": name[6:]}
    stray = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    await fleet.kubernetes("POST", "/api/v1/namespaces", stray)
    store = await fleet.create()
    await fleet.until(store["id"], "READY")
    assert (await fleet.kubernetes("GET", f"/api/v1/namespaces/{name}"))[0] == 200


async def test_rights_that_come_a_moment_after_the_role_binding_are_waited_for(fleet: Fleet) -> None:
    """An API server hears of a RoleBinding a moment after it stored it; nobody has to be told of that."""
    late = {"fault": "http", "code": 403, "message": "cannot patch resource", "verb": "apply", "times": 1}
    await fleet.fault({**late, "kind": "ResourceQuota"})
    store = await fleet.create()
    events = await fleet.until(store["id"], "READY")
    assert not [event for event in events if "refused" in event["message"]]

    await rests(fleet)
    await fleet.fault({**late, "kind": "Service"})
    name = await namespace(fleet)
    await fleet.kubernetes("DELETE", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{name}/rolebindings/storefleet")
    await resync(fleet)
    told = "Somebody removed the RoleBinding storefleet in the cluster; it is put back."
    await fleet.poll(lambda: fleet.sql("SELECT 1 FROM events WHERE message = $1", told))
    await fleet.eventually(store["id"], status="READY", health="HEALTHY")
    assert await fleet.sql("SELECT 1 FROM events WHERE message ~ 'refused'") == []
