"""A store is suspended and resumed: nothing runs meanwhile, all data stays, and READY is proven again."""

import json
from functools import partial

import pytest

from runtime.settings import ClusterProfile
from tests.support.harness import DELETE, JSON, RETRY, Harness
from tests.support.stores import (
    count_succeeded,
    create_ready_store,
    exists,
    has_notice,
    is_gone,
    namespace_of,
    notices,
    object_path,
    request_object,
    resync,
    rotate_password,
    wait_until_idle,
)
from tests.support.waiting import wait_until
from workers.main import worker_lifespan

SUSPEND, RESUME = (
    f"mutation ($id: ID!, $key: String) {{ {name}(input: {{id: $id, idempotencyKey: $key}}) {{"
    " store { status health { state } } userErrors { code field message } } }"
    for name in ("suspendStore", "resumeStore")
)
LONG_FAILURE_PATIENCE = pytest.mark.parametrize("settings", [{"failure_patience": 60.0}], indirect=True)
KEPT = {
    "namespace": "/api/v1/namespaces/{}",
    "database volume": "/api/v1/namespaces/{}/persistentvolumeclaims/database",
    "uploads volume": "/api/v1/namespaces/{}/persistentvolumeclaims/uploads",
    "admin password": "/api/v1/namespaces/{}/secrets/admin",
    "service": "/api/v1/namespaces/{}/services/web",
}


async def suspend(harness: Harness, store_id: str, key: str | None = None) -> JSON:
    payload: JSON = (await harness.client().execute(SUSPEND, {"id": store_id, "key": key}))["suspendStore"]
    return payload


async def resume(harness: Harness, store_id: str, key: str | None = None) -> JSON:
    payload: JSON = (await harness.client().execute(RESUME, {"id": store_id, "key": key}))["resumeStore"]
    return payload


async def create_suspended_store(harness: Harness) -> tuple[JSON, str]:
    """A SUSPENDED store, and its namespace."""
    store, namespace = await create_ready_store(harness)
    assert (await suspend(harness, store["id"]))["userErrors"] == []
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
    items = (await request_object(harness, "GET", f"/api/v1/namespaces/{namespace}/pods"))["items"]
    return [item["metadata"]["name"] for item in items]


async def replicas(harness: Harness, namespace: str) -> list[int]:
    """Of web and of the database."""
    paths = (object_path(namespace, "deployments", "web"), object_path(namespace, "statefulsets", "database"))
    return [(await request_object(harness, "GET", path))["spec"]["replicas"] for path in paths]


async def statuses(harness: Harness) -> list[str]:
    rows = await harness.sql("SELECT status FROM events WHERE type = 'STATUS' ORDER BY seq")
    return [row["status"] for row in rows]


async def test_a_suspended_store_keeps_its_data_and_runs_nothing(harness: Harness) -> None:
    store, namespace = await create_ready_store(harness)
    before = await uids(harness, namespace)
    assert await suspend(harness, store["id"]) == {"store": {"status": "SUSPENDING", "health": None}, "userErrors": []}
    await harness.wait_for_status(store["id"], "SUSPENDED")
    await wait_until_idle(harness)

    assert await pods(harness, namespace) == []
    assert await replicas(harness, namespace) == [0, 0]
    cron = await request_object(harness, "GET", object_path(namespace, "cronjobs", "cron"))
    assert cron["spec"]["suspend"] is True
    assert await is_gone(harness, object_path(namespace, "ingresses", "web"))  # the platform's wildcard route answers
    assert await uids(harness, namespace) == before
    headers = {"Host": f"{store['slug']}.localhost"}
    async with harness.http.get(f"{harness.url}/", headers=headers) as page:
        assert (page.status, "is closed for now" in await page.text()) == (503, True)
    [row] = await harness.sql("SELECT desired, generation, observed_generation, trouble, health FROM stores")
    assert tuple(row) == ("SUSPENDED", 2, 2, None, None)
    assert await notices(harness) == []


async def test_a_resumed_store_is_proven_again_with_the_same_data(harness: Harness) -> None:
    store, namespace = await create_suspended_store(harness)
    before = await uids(harness, namespace)
    [old] = await harness.sql("SELECT ready_at FROM stores")
    assert (await resume(harness, store["id"]))["store"]["status"] == "RESUMING"
    after = await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    await wait_until_idle(harness)

    assert await uids(harness, namespace) == before
    assert await replicas(harness, namespace) == [1, 1]
    cron = await request_object(harness, "GET", object_path(namespace, "cronjobs", "cron"))
    assert not cron["spec"].get("suspend")
    assert await exists(harness, object_path(namespace, "ingresses", "web"))
    assert {step["status"] for step in after["steps"]} == {"SUCCEEDED"}
    [row] = await harness.sql("SELECT ready_at, proof_hash = spec_hash AS proven, observed_generation FROM stores")
    assert (row["ready_at"], row["proven"], row["observed_generation"]) == (old["ready_at"], True, 3)
    assert await count_succeeded(harness, "proof") == 2
    assert await count_succeeded(harness, "install") == 1  # the data is there: nothing is installed again
    expected = ["REQUESTED", "PROVISIONING", "READY", "SUSPENDING", "SUSPENDED", "RESUMING", "READY"]
    assert await statuses(harness) == expected
    actions = [row["action"] for row in await harness.sql("SELECT action FROM audit ORDER BY at")]
    assert [action for action in actions if action.startswith("store.")] == [
        "store.created",
        "store.suspended",
        "store.resumed",
    ]
    assert await notices(harness) == []


async def test_asked_for_again_it_is_done_once(harness: Harness) -> None:
    store, _ = await create_ready_store(harness)
    answers = [await suspend(harness, store["id"], key) for key in ("a", "a", None)]
    assert [answer["userErrors"] for answer in answers] == [[], [], []]
    await harness.wait_for_store(store["id"], status="SUSPENDED")
    assert (await suspend(harness, store["id"]))["store"]["status"] == "SUSPENDED"
    answers = [await resume(harness, store["id"], key) for key in ("b", "b", None)]
    assert [answer["userErrors"] for answer in answers] == [[], [], []]
    await harness.wait_for_store(store["id"], status="READY")
    for replayed in (await resume(harness, store["id"]), await suspend(harness, store["id"], "a")):
        assert (replayed["store"]["status"], replayed["userErrors"]) == ("READY", [])
    assert (await statuses(harness))[2:] == ["READY", "SUSPENDING", "SUSPENDED", "RESUMING", "READY"]


def refusal(answer: JSON) -> tuple[str, str]:
    assert answer["store"] is None
    [error] = answer["userErrors"]
    assert error["field"] == "id"
    return error["code"], error["message"]


async def test_in_another_status_it_is_refused_with_advice(api: Harness) -> None:
    store = await api.create_store()
    expected = "Only a READY store can be suspended; this one is REQUESTED. Wait until it is READY."
    assert refusal(await suspend(api, store["id"])) == ("WRONG_STATUS", expected)
    expected = "Only a SUSPENDED store can be resumed; this one is REQUESTED."
    assert refusal(await resume(api, store["id"])) == ("WRONG_STATUS", expected)
    await api.sql("UPDATE stores SET status = 'PROVISIONING'")
    await api.sql("UPDATE stores SET status = 'FAILED', failed_in = 'PROVISIONING', cause = 'x'")
    for answer in (await suspend(api, store["id"]), await resume(api, store["id"])):
        code, message = refusal(answer)
        assert (code, message.endswith("this one is FAILED. Retry it first.")) == ("WRONG_STATUS", True)
    await api.client().execute(DELETE, {"id": store["id"]})
    for answer in (await suspend(api, store["id"]), await resume(api, store["id"])):
        code, message = refusal(answer)
        assert (code, message.endswith("this one is DELETING.")) == ("WRONG_STATUS", True)
    unknown = await suspend(api, "rubbish")
    assert refusal(unknown) == ("NOT_FOUND", "There is no such store.")


async def test_a_rotation_and_a_suspension_exclude_each_other(api: Harness) -> None:
    async with worker_lifespan(api.settings, api.profile):
        store, _ = await create_ready_store(api)
        await wait_until_idle(api)
    await rotate_password(api, store["id"])
    code, message = refusal(await suspend(api, store["id"]))
    assert (code, "password is being changed" in message) == ("NOT_YET", True)
    async with worker_lifespan(api.settings, api.profile):
        await wait_until(lambda: has_notice(api, "The owner's password was changed."))
    await suspend(api, store["id"])  # the worker that would remove what the rotation left is gone
    code, message = refusal(await resume(api, store["id"]))
    assert (code, "Wait until it is SUSPENDED." in message) == ("WRONG_STATUS", True)
    async with worker_lifespan(api.settings, api.profile):
        await api.wait_for_store(store["id"], status="SUSPENDED")
        assert (await rotate_password(api, store["id"]))["userErrors"][0]["code"] == "WRONG_STATUS"
        [row] = await api.sql("SELECT id FROM stores")
        await wait_until(lambda: is_gone(api, f"/api/v1/namespaces/store-{row['id']}/secrets/rotate"))


@pytest.mark.parametrize("settings", [{"store_quota": 1}], indirect=True)
async def test_a_suspended_store_counts(harness: Harness) -> None:
    await create_suspended_store(harness)
    refused = await harness.create_store_payload(name="Another")
    assert [error["code"] for error in refused["userErrors"]] == ["QUOTA_EXCEEDED"]


HOLD_SUSPENSION_AT: tuple[JSON, ...] = (
    {"kind": "Ingress", "verb": "delete"},
    {"kind": "ResourceQuota", "verb": "apply"},
    {"kind": "Deployment", "verb": "apply"},
    {"kind": "Pod", "verb": "list"},
)
HOLD_RESUMPTION_AT: tuple[JSON, ...] = (
    {"kind": "StatefulSet", "verb": "apply"},
    {"kind": "Ingress", "verb": "apply"},
    {"kind": "Job", "verb": "create"},
    {"kind": "Job", "verb": "delete"},
)


@LONG_FAILURE_PATIENCE
async def test_a_worker_killed_at_any_write_ends_right(api: Harness) -> None:
    async with worker_lifespan(api.settings, api.profile):
        stores = [await api.create_store(name=f"Held at {number}") for number in range(len(HOLD_SUSPENSION_AT))]
        namespaces = [namespace_of(store["id"]) for store in stores]
        for store in stores:
            await api.wait_for_store(store["id"], status="READY")
        await wait_until_idle(api)
    before = [await uids(api, namespace) for namespace in namespaces]
    for change, status, requests, count in (
        (suspend, "SUSPENDED", HOLD_SUSPENSION_AT, 0),
        (resume, "READY", HOLD_RESUMPTION_AT, 1),
    ):
        hang = {"fault": "hang", "times": 9}
        pairs = zip(namespaces, requests, strict=True)
        await api.set_faults(*({**hang, **request, "namespace": namespace} for namespace, request in pairs))
        for store in stores:
            assert (await change(api, store["id"]))["userErrors"] == []
        worker = await api.start_worker_process()
        await wait_until(partial(all_hang, api))
        worker.kill()
        await worker.wait()
        await api.set_faults()
        await api.sql("UPDATE stores SET lease_until = now()")  # the leases would expire 10 s later
        await api.sql("UPDATE observer_leases SET until = now()")
        async with worker_lifespan(api.settings, api.profile):
            for store in stores:
                await api.wait_for_store(store["id"], status=status)
            await wait_until_idle(api)
        assert [await replicas(api, namespace) for namespace in namespaces] == [[count, count]] * len(stores)
        assert [await pods(api, namespace) == [] for namespace in namespaces] == [count == 0] * len(stores)
    assert [await uids(api, namespace) for namespace in namespaces] == before
    assert (await statuses(api)).count("READY") == 2 * len(stores)
    assert await notices(api) == []


async def all_hang(harness: Harness) -> bool:
    """Whether each fault holds a request."""
    _, faults = await harness.kubernetes_request("GET", "/_sim/faults")
    return all(fault["times"] < 9 for fault in json.loads(faults))


@pytest.mark.parametrize("status", ["SUSPENDING", "SUSPENDED", "RESUMING"])
async def test_a_deletion_wins(harness: Harness, status: str) -> None:
    store, namespace = await create_ready_store(harness)
    if status == "SUSPENDING":
        await harness.set_faults({"fault": "hang", "seconds": 1, "kind": "Deployment", "verb": "apply"})
    await suspend(harness, store["id"])
    if status != "SUSPENDING":
        await harness.wait_for_store(store["id"], status="SUSPENDED")
    if status == "RESUMING":
        await harness.set_faults({"fault": "unready", "component": "web"})
        await resume(harness, store["id"])
    deleted = await harness.client().execute(DELETE, {"id": store["id"]})
    assert deleted["deleteStore"]["store"]["status"] == "DELETING"
    await harness.wait_for_status(store["id"], "DELETED")
    assert await is_gone(harness, f"/api/v1/namespaces/{namespace}")
    assert (await statuses(harness))[-3:] == [status, "DELETING", "DELETED"]


async def test_a_failed_resumption_is_retried_as_such(harness: Harness) -> None:
    store, namespace = await create_suspended_store(harness)
    await harness.set_faults({"fault": "job", "component": "proof", "exitCode": 1, "message": "The cart is empty."})
    await resume(harness, store["id"])
    failed = await harness.wait_for_store(store["id"], status="FAILED")
    assert failed["cause"] == "The step proof failed: The cart is empty."
    code, message = refusal(await suspend(harness, store["id"]))
    assert (code, "Retry it first." in message) == ("WRONG_STATUS", True)
    await harness.set_faults()
    retried = await harness.client().execute(RETRY, {"id": store["id"]})
    assert retried["retryStore"]["store"]["status"] == "RESUMING"
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
    assert await replicas(harness, namespace) == [1, 1]


async def test_drift_of_a_suspended_store_is_corrected_and_told(harness: Harness) -> None:
    store, namespace = await create_suspended_store(harness)
    scale = {"spec": {"replicas": 2}}
    await request_object(harness, "PATCH", object_path(namespace, "deployments", "web"), scale)
    await wait_until(
        lambda: has_notice(harness, "Somebody changed the Deployment web in the cluster; it was restored.")
    )
    await wait_until_idle(harness)
    assert await replicas(harness, namespace) == [0, 0]
    await wait_until(partial(runs_nothing, harness, namespace))
    await request_object(harness, "DELETE", f"/api/v1/namespaces/{namespace}/secrets/admin")  # Secrets aren't watched
    await resync(harness)
    await wait_until(lambda: has_notice(harness, "Somebody removed the Secret admin in the cluster; it was restored."))
    assert (await harness.get_store(store["id"]))["status"] == "SUSPENDED"


async def runs_nothing(harness: Harness, namespace: str) -> bool:
    return await pods(harness, namespace) == []


async def test_a_removed_namespace_is_told_once_and_fails_the_resumption(harness: Harness) -> None:
    store, namespace = await create_suspended_store(harness)
    await harness.kubernetes_request("DELETE", f"/api/v1/namespaces/{namespace}")
    cause = f"The namespace {namespace} was removed from the cluster, and the store's data with it. "
    cause += "Restore a backup, or delete the store."
    await wait_until(lambda: has_notice(harness, cause))
    await wait_until_idle(harness)
    await resync(harness)
    await wait_until_idle(harness)
    assert (await notices(harness)).count(cause) == 1
    assert (await harness.get_store(store["id"]))["cause"] == cause
    await resume(harness, store["id"])
    failed = await harness.wait_for_store(store["id"], status="FAILED")
    assert failed["cause"] == cause


async def test_a_volume_that_somebody_deletes_keeps_its_pod(harness: Harness) -> None:
    store, namespace = await create_ready_store(harness)
    await harness.kubernetes_request("DELETE", f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/database")
    await suspend(harness, store["id"])
    failed = await harness.wait_for_store(store["id"], status="FAILED")
    assert "Somebody deleted the disk database" in failed["cause"]
    assert await replicas(harness, namespace) == [1, 1]


async def test_another_profile_changes_a_suspended_store_once_and_installs_at_its_resumption(api: Harness) -> None:
    async with worker_lifespan(api.settings, api.profile):
        store, namespace = await create_suspended_store(api)
    other = ClusterProfile(image_registry="registry.example/shops")
    async with worker_lifespan(api.settings, other):
        await resync(api)
        await wait_until(partial(has_image, api, namespace, "registry.example/shops/woocommerce:2026.11"))
        await wait_until_idle(api)
        assert await replicas(api, namespace) == [0, 0]
        assert (await statuses(api))[-1] == "SUSPENDED"
        await resume(api, store["id"])
        await api.wait_for_store(store["id"], status="READY", health="HEALTHY")
    assert await count_succeeded(api, "install") == 2
    assert await notices(api) == []


async def has_image(harness: Harness, namespace: str, image: str) -> bool:
    web = await request_object(harness, "GET", object_path(namespace, "deployments", "web"))
    return bool(web["spec"]["template"]["spec"]["containers"][0]["image"] == image)
