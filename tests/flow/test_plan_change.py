"""changePlan: a store gets more CPU, memory and disk, and READY is proven again. Disks only grow."""

from tests.support.harness import JSON, Harness
from tests.support.stores import (
    MERGE,
    change_plan,
    count_succeeded,
    create_ready_store,
    notices,
    object_path,
    request_object,
    rotate_password,
    wait_for_health_cause,
    wait_until_idle,
)
from tests.support.suspension import statuses

STORAGE_CLASS = "/apis/storage.k8s.io/v1/storageclasses/simulated"


def refusal(payload: JSON) -> tuple[str, str]:
    """Code and field of the payload's only user error."""
    [error] = payload["userErrors"]
    assert (payload["store"], bool(error["message"])) == (None, True)
    return error["code"], error["field"]


async def disks(harness: Harness, namespace: str) -> dict[str, str]:
    """The capacities of both volumes."""
    paths = {name: object_path(namespace, "persistentvolumeclaims", name) for name in ("database", "uploads")}
    claims = {name: await request_object(harness, "GET", path) for name, path in paths.items()}
    return {name: claim["status"]["capacity"]["storage"] for name, claim in claims.items()}


async def disallow_expansion(harness: Harness) -> None:
    await request_object(harness, "PATCH", STORAGE_CLASS, {"allowVolumeExpansion": False}, MERGE)


async def test_a_store_grows_with_its_plan_and_is_proven_again(harness: Harness) -> None:
    store, namespace = await create_ready_store(harness)
    await wait_until_idle(harness)
    assert await disks(harness, namespace) == {"database": "2Gi", "uploads": "2Gi"}

    assert (await change_plan(harness, store["id"], "LARGE"))["store"] == {"status": "UPDATING", "plan": "LARGE"}
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY", plan="LARGE")
    await wait_until_idle(harness)

    assert await disks(harness, namespace) == {"database": "20Gi", "uploads": "40Gi"}
    quota = await request_object(harness, "GET", object_path(namespace, "resourcequotas", "store"))
    assert quota["status"]["hard"]["requests.storage"] == "60Gi"
    database = await request_object(harness, "GET", object_path(namespace, "statefulsets", "database"))
    [container] = database["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["memory"] == "2048Mi"
    pod = await request_object(harness, "GET", f"/api/v1/namespaces/{namespace}/pods/database-0")
    assert pod["spec"]["containers"][0]["resources"] == container["resources"]
    assert await statuses(harness) == ["REQUESTED", "PROVISIONING", "READY", "UPDATING", "READY"]
    assert await count_succeeded(harness, "proof") == 2
    assert not [message for message in await notices(harness) if "Somebody" in message]
    [row] = await harness.sql("SELECT plan, generation, observed_generation, proof_hash = spec_hash AS ok FROM stores")
    assert tuple(row) == ("large", 2, 2, True)
    [entry] = await harness.sql("SELECT detail FROM audit WHERE action = 'store.plan_changed'")
    assert '"large"' in entry["detail"]


async def test_a_repeated_key_and_the_current_plan_change_nothing(harness: Harness) -> None:
    store, _ = await create_ready_store(harness)
    first = await change_plan(harness, store["id"], "MEDIUM", key="one")
    assert first["store"]["plan"] == "MEDIUM"
    assert (await change_plan(harness, store["id"], "MEDIUM", key="one"))["userErrors"] == []
    assert refusal(await change_plan(harness, store["id"], "LARGE", key="one")) == (
        "IDEMPOTENCY_KEY_REUSED",
        "idempotencyKey",
    )
    await harness.wait_for_store(store["id"], status="READY")
    assert (await change_plan(harness, store["id"], "MEDIUM", key="one"))["store"]["status"] == "READY"
    assert (await change_plan(harness, store["id"], "MEDIUM"))["store"]["status"] == "READY"
    [row] = await harness.sql("SELECT generation FROM stores")
    assert row["generation"] == 2


async def test_invalid_plan_changes_are_refused(harness: Harness) -> None:
    store = await harness.create_store(plan="MEDIUM")
    assert refusal(await change_plan(harness, "nonsense", "LARGE")) == ("NOT_FOUND", "id")
    assert refusal(await change_plan(harness, store["id"], "LARGE")) == ("WRONG_STATUS", "id")
    await harness.wait_for_status(store["id"], "READY")
    assert refusal(await change_plan(harness, store["id"], "SMALL")) == ("DISK_TOO_SMALL", "plan")
    await rotate_password(harness, store["id"])
    assert refusal(await change_plan(harness, store["id"], "LARGE")) == ("NOT_YET", "id")
    assert (await harness.get_store(store["id"]))["plan"] == "MEDIUM"


async def test_a_disk_that_cannot_grow_fails_the_update_and_the_shop_keeps_running(harness: Harness) -> None:
    store, namespace = await create_ready_store(harness)
    await wait_until_idle(harness)
    web = await request_object(harness, "GET", object_path(namespace, "deployments", "web"))
    await disallow_expansion(harness)
    await change_plan(harness, store["id"], "MEDIUM")
    failed = await harness.wait_for_store(store["id"], status="FAILED")
    assert failed["cause"] == (
        "The disk database can't grow: the storage class simulated doesn't allow expansion. "
        "Go back to the plan before, or have the operator set allowVolumeExpansion, then retry."
    )
    await wait_until_idle(harness)
    assert (await harness.get_store(store["id"]))["health"]["state"] == "HEALTHY"
    assert (await request_object(harness, "GET", object_path(namespace, "deployments", "web")))["spec"] == web["spec"]
    assert not [message for message in await notices(harness) if "Somebody" in message]

    assert (await change_plan(harness, store["id"], "SMALL"))["store"] == {"status": "UPDATING", "plan": "SMALL"}
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY", cause=None)
    assert await disks(harness, namespace) == {"database": "2Gi", "uploads": "2Gi"}


async def test_a_failed_update_can_return_to_the_old_plan_and_grown_disks_stay(harness: Harness) -> None:
    store, namespace = await create_ready_store(harness)
    await harness.set_faults({"fault": "unschedulable", "component": "web"})
    await change_plan(harness, store["id"], "LARGE")
    await harness.wait_for_store(store["id"], status="FAILED")
    assert refusal(await change_plan(harness, store["id"], "MEDIUM")) == ("DISK_TOO_SMALL", "plan")
    await harness.set_faults()
    assert (await change_plan(harness, store["id"], "SMALL"))["store"]["status"] == "UPDATING"
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY", plan="SMALL")
    assert await disks(harness, namespace) == {"database": "20Gi", "uploads": "40Gi"}


async def test_a_store_that_failed_for_memory_is_set_up_with_a_larger_plan(harness: Harness) -> None:
    await harness.set_faults({"fault": "job", "component": "install", "exitCode": 137, "message": "killed"})
    store = await harness.create_store()
    await harness.wait_for_store(store["id"], status="FAILED")
    await harness.set_faults()
    assert (await change_plan(harness, store["id"], "MEDIUM"))["store"] == {"status": "PROVISIONING", "plan": "MEDIUM"}
    await harness.wait_for_store(store["id"], status="READY")


async def test_a_disk_that_an_operator_enlarged_keeps_its_size(harness: Harness) -> None:
    store, namespace = await create_ready_store(harness)
    path = object_path(namespace, "persistentvolumeclaims", "uploads")
    quota = object_path(namespace, "resourcequotas", "store")
    await wait_until_idle(harness)
    await request_object(harness, "DELETE", quota)
    await wait_until_idle(harness)
    await request_object(harness, "PATCH", quota, {"spec": {"hard": {"requests.storage": "1Ti"}}}, MERGE)
    await request_object(harness, "PATCH", path, {"spec": {"resources": {"requests": {"storage": "7Gi"}}}}, MERGE)
    await wait_until_idle(harness)
    assert (await harness.get_store(store["id"]))["health"]["state"] == "HEALTHY"
    claim = await request_object(harness, "GET", path)
    assert claim["spec"]["resources"]["requests"]["storage"] == "7Gi"


async def test_causes_of_a_ready_store_suggest_only_possible_remedies(harness: Harness) -> None:
    store, _ = await create_ready_store(harness)
    await harness.set_faults({"fault": "crash", "component": "web", "message": "No space left on device"})
    down = await wait_for_health_cause(harness, store, "The disk")
    assert down["health"] == {
        "state": "DOWN",
        "cause": "The disk of web is full. Choose a larger plan, or have the operator free space.",
        "since": down["health"]["since"],
    }
