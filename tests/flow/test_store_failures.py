"""Failures in the cluster: their cause is reported, the store isn't READY until they end, and then it recovers."""

from functools import partial
from typing import Any

import pytest

from tests.support.harness import DELETE, RETRY, Harness
from tests.support.stores import (
    exists,
    has_notice,
    is_gone,
    namespace_of,
    notices,
    object_path,
    resync,
    wait_until_idle,
)
from tests.support.waiting import hang_limit, wait_until

LONG = pytest.mark.parametrize("settings", [{"failure_patience": 30.0}], indirect=True)


async def cause_of(harness: Harness, store: Any) -> object:
    return (await harness.get_store(store["id"]))["cause"]


async def is_down(harness: Harness, store: Any, words: str) -> bool:
    """Whether its health is DOWN, with these words in the cause."""
    health = (await harness.get_store(store["id"]))["health"]
    return health["state"] == "DOWN" and words in (health["cause"] or "")


async def test_an_image_that_cannot_be_pulled_fails_with_the_cause_and_retry_works(harness: Harness) -> None:
    await harness.set_faults({"fault": "image", "component": "web"})
    store = await harness.create_store()
    events = await harness.wait_for_status(store["id"], "FAILED")
    failed = await harness.get_store(store["id"])
    assert "storefleet/woocommerce:2026.11 of web can't be pulled" in failed["cause"]
    assert "retry" in failed["cause"]
    assert events[-1]["message"] == failed["cause"]
    assert [step["name"] for step in failed["steps"] if step["status"] == "FAILED"] == ["web"]
    assert failed["receipt"] is None

    await harness.set_faults()
    again = (await harness.client().execute(RETRY, {"id": store["id"]}))["retryStore"]
    assert again["store"]["status"] == "PROVISIONING"
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY", cause=None)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ({"fault": "crash-loop", "component": "web", "message": "PHP Fatal error"}, "(exit code 1). PHP Fatal error."),
        ({"fault": "unschedulable", "component": "database"}, "No node can take the database pod"),
        ({"fault": "job", "component": "install", "exitCode": 3, "message": "plugin is missing"}, "plugin is missing"),
        (
            {"fault": "job", "component": "proof", "exitCode": 1, "message": "no product"},
            'The step "A synthetic shopper buys something" failed',
        ),
        ({"fault": "quota", "kind": "Pod", "component": "web"}, "The web pod doesn't fit into the store's quota"),
        ({"fault": "quota", "kind": "Pod", "component": "database"}, "The database pod doesn't fit into the store's"),
        ({"fault": "http", "kind": "Ingress", "code": 403, "verb": "apply"}, "The cluster refused"),
    ],
)
async def test_each_trouble_is_told_in_plain_words(harness: Harness, fault: dict[str, Any], cause: str) -> None:
    await harness.call_simulator("clock", {"speed": 100})
    await harness.set_faults(fault)
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "FAILED")  # warning Events are read after 10 s
    failed = await harness.get_store(store["id"])
    assert cause in failed["cause"]
    await harness.set_faults()
    await harness.client().execute(RETRY, {"id": store["id"]})
    await harness.wait_for_store(store["id"], status="READY")


@LONG
async def test_trouble_that_passes_is_told_and_then_forgotten(harness: Harness) -> None:
    await harness.set_faults({"fault": "image", "component": "web"})
    store = await harness.create_store()
    async with hang_limit():
        async for event in harness.store_events(store["id"]):
            if event["type"] == "STEP" and "can't be pulled" in event["message"]:
                assert event["step"]["status"] == "RUNNING"
                break
    await harness.set_faults()
    await harness.wait_for_store(store["id"], status="READY")


@pytest.mark.parametrize("settings", [{"step_timeout": 1.0, "failure_patience": 60.0}], indirect=True)
async def test_a_step_that_never_ends_fails(harness: Harness) -> None:
    await harness.set_faults({"fault": "unready", "component": "web"})
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "FAILED")
    assert "took longer than 1 s" in (await harness.get_store(store["id"]))["cause"]


async def test_errors_of_the_api_server_are_waited_out(harness: Harness) -> None:
    await harness.set_faults(
        {"fault": "http", "code": 500, "verb": "create", "times": 3},
        {"fault": "http", "code": 429, "retryAfter": 1, "verb": "apply", "times": 5},
        {"fault": "http", "code": 503, "verb": "list", "times": 3},
    )
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")


async def test_an_api_server_that_fails_a_list_is_a_back_off_not_a_crash(harness: Harness) -> None:
    await harness.set_faults({"fault": "http", "code": 500, "verb": "list", "kind": "Pod"})
    store = await harness.create_store()
    async with hang_limit():
        async for event in harness.store_events(store["id"]):
            if event["type"] == "NOTICE":
                break
    await harness.set_faults()
    await harness.wait_for_status(store["id"], "READY")


async def test_an_api_server_that_does_not_answer_is_waited_out(harness: Harness) -> None:
    await harness.set_faults({"fault": "hang", "verb": "apply", "seconds": 20, "times": 2})
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")


async def test_the_owner_is_told_when_the_cluster_stays_away(harness: Harness) -> None:
    await harness.set_faults({"fault": "http", "code": 500, "verb": "create"})
    store = await harness.create_store()
    async with hang_limit():
        async for event in harness.store_events(store["id"]):
            if event["type"] == "NOTICE":
                assert "doesn't answer" in event["message"]
                break
    await harness.set_faults()
    await harness.wait_for_store(store["id"], status="READY")


async def test_a_crash_after_ready_shows_within_ten_seconds_and_heals(harness: Harness) -> None:
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    await harness.set_faults({"fault": "crash", "component": "web"})
    down = await harness.wait_for_store(store["id"], health="DOWN")
    assert down["status"] == "READY"
    assert down["health"]["cause"]
    # visitors get the platform's page meanwhile
    ingress = object_path(namespace_of(store["id"]), "ingresses", "web")
    await wait_until(lambda: is_gone(harness, ingress))
    async with harness.http.get(f"{harness.url}/", headers={"Host": f"{store['slug']}.localhost"}) as page:
        assert (page.status, "will be back in a moment" in await page.text()) == (503, True)
    # at 20 times the speed, the pod crashes again before the passes after the last crash have ended
    await harness.call_simulator("clock", {"speed": 1})
    await wait_until_idle(harness)  # the route's deletion by us is no drift
    assert await is_gone(harness, ingress)
    await harness.set_faults()
    await harness.call_simulator("clock", {"speed": 20})
    await harness.wait_for_store(store["id"], health="HEALTHY")
    assert await exists(harness, ingress)
    assert await notices(harness) == []
    messages = [event["message"] for event in await health_events(harness, store["id"])]
    assert all("The web container " in message and "(exit code 1)" in message for message in messages[:-1]), messages


async def health_events(harness: Harness, store_id: str) -> list[Any]:
    """The events of type HEALTH until the store is healthy again."""
    seen: list[Any] = []
    async with hang_limit():
        async for event in harness.store_events(store_id):
            seen += [event] if event["type"] == "HEALTH" else []
            if event["message"] == "The store is healthy again.":
                break
    return seen


async def test_a_namespace_that_will_not_go_keeps_the_store_deleting_with_the_cause(harness: Harness) -> None:
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    await harness.set_faults({"fault": "stuck"})
    await harness.client().execute(DELETE, {"id": store["id"]})
    await wait_until(lambda: cause_of(harness, store))
    stuck = await harness.get_store(store["id"])
    assert stuck["status"] == "DELETING"
    assert "can't be removed" in stuck["cause"]
    await harness.set_faults()
    await harness.wait_for_status(store["id"], "DELETED")
    assert (await harness.get_store(store["id"]))["cause"] is None


async def test_deleted_objects_are_recreated_and_reported(harness: Harness) -> None:
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    place = namespace_of(store["id"])
    await harness.kubernetes_request("DELETE", f"/apis/apps/v1/namespaces/{place}/deployments/web")
    await harness.kubernetes_request("DELETE", f"/api/v1/namespaces/{place}/services/web")
    for removed in ("Deployment web", "Service web"):
        await wait_until(partial(has_notice, harness, f"removed the {removed}"))
    await harness.wait_for_store(store["id"], health="HEALTHY", status="READY")
    for path in (f"/apis/apps/v1/namespaces/{place}/deployments/web", f"/api/v1/namespaces/{place}/services/web"):
        status, _ = await harness.kubernetes_request("GET", path)
        assert status == 200


async def test_a_removed_namespace_is_never_made_again_empty(harness: Harness) -> None:
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    place = namespace_of(store["id"])
    await harness.kubernetes_request("DELETE", f"/api/v1/namespaces/{place}")
    await wait_until(lambda: is_down(harness, store, "Restore a backup"))
    status, _ = await harness.kubernetes_request("GET", f"/api/v1/namespaces/{place}")
    assert status == 404


async def test_a_removed_disk_is_never_replaced_by_an_empty_one(harness: Harness) -> None:
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    place = namespace_of(store["id"])
    await harness.kubernetes_request("DELETE", f"/apis/apps/v1/namespaces/{place}/statefulsets/database")
    await harness.kubernetes_request("DELETE", f"/api/v1/namespaces/{place}/persistentvolumeclaims/database")
    await wait_until(lambda: is_down(harness, store, "disk database was removed"))
    status, _ = await harness.kubernetes_request("GET", f"/api/v1/namespaces/{place}/persistentvolumeclaims/database")
    assert status == 404


async def test_a_namespace_whose_labels_were_changed_fails_with_that_cause(harness: Harness) -> None:
    await harness.set_faults({"fault": "unready", "component": "web"})
    store = await harness.create_store()
    await harness.wait_for_store(store["id"], status="PROVISIONING")
    [row] = await harness.sql("SELECT id FROM stores")
    await wait_until(lambda: exists(harness, f"/api/v1/namespaces/store-{row['id']}"))
    label = "pod-security.kubernetes.io/enforce"
    patch = {"metadata": {"labels": {label: "privileged"}}}
    media = {"Content-Type": "application/merge-patch+json"}
    path = f"/api/v1/namespaces/{namespace_of(store['id'])}"
    status, _ = await harness.kubernetes_request("PATCH", path, patch, **media)
    assert status == 200
    await harness.wait_for_status(store["id"], "FAILED")
    cause = (await harness.get_store(store["id"]))["cause"]
    assert label in cause
    assert "retry" in cause
    await harness.set_faults()
    await harness.kubernetes_request("PATCH", path, {"metadata": {"labels": {label: "restricted"}}}, **media)
    await harness.client().execute(RETRY, {"id": store["id"]})
    await harness.wait_for_store(store["id"], status="READY")


async def test_a_namespace_of_a_deleted_store_that_turns_up_again_is_deleted_again(harness: Harness) -> None:
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    place = namespace_of(store["id"])
    _, there = await harness.kubernetes_request("GET", f"/api/v1/namespaces/{place}")
    await harness.client().execute(DELETE, {"id": store["id"]})
    await harness.wait_for_status(store["id"], "DELETED")
    labels = there["metadata"]["labels"]
    late = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place, "labels": labels}}
    assert (await harness.kubernetes_request("POST", "/api/v1/namespaces", late))[0] == 201
    await wait_until(lambda: is_gone(harness, f"/api/v1/namespaces/{place}"))
    assert (await harness.get_store(store["id"]))["deletion"]["volumes"] != []


async def test_a_namespace_without_a_row_is_left_alone(harness: Harness) -> None:
    name = "store-00000000-0000-4000-8000-000000000000"
    labels = {"app.kubernetes.io/managed-by": "storefleet", "storefleet.dev/store": name[6:]}
    stray = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    await harness.kubernetes_request("POST", "/api/v1/namespaces", stray)
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    assert (await harness.kubernetes_request("GET", f"/api/v1/namespaces/{name}"))[0] == 200


async def test_rights_that_come_a_moment_after_the_role_binding_are_waited_for(harness: Harness) -> None:
    """An API server applies a RoleBinding a moment after it stored it; that isn't reported to the owner."""
    late = {"fault": "http", "code": 403, "message": "cannot patch resource", "verb": "apply", "times": 1}
    await harness.set_faults({**late, "kind": "ResourceQuota"})
    store = await harness.create_store()
    events = await harness.wait_for_status(store["id"], "READY")
    assert not [event for event in events if "refused" in event["message"]]

    await wait_until_idle(harness)
    await harness.set_faults({**late, "kind": "Service"})
    bindings = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace_of(store['id'])}/rolebindings"
    _, found = await harness.kubernetes_request("GET", bindings)
    path = f"{bindings}/{found['items'][0]['metadata']['name']}"
    await harness.kubernetes_request("DELETE", path)
    await resync(harness)
    await wait_until(partial(exists, harness, path))
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    assert await harness.sql("SELECT 1 FROM events WHERE message ~ 'refused'") == []
