"""Stores that are blocked report the cause, in every status."""

from schema.ids import decode_id
from tests.support.harness import DELETE, JSON, Harness
from tests.support.stores import MERGE, create_ready_store, object_path, request_object, wait_for_health_cause
from tests.support.waiting import wait_until
from workers.main import worker_lifespan


async def test_a_requested_store_whose_secret_cannot_be_opened_fails_with_the_cause(api: Harness) -> None:
    store = await api.create_store()
    await api.sql(
        "INSERT INTO sealed_secrets VALUES ($1, 'database-password', 'lost.AAAA')", decode_id("Store", store["id"])
    )
    async with worker_lifespan(api.worker_settings, api.profile):
        failed = await api.wait_for_store(store["id"], status="FAILED")
        assert failed["cause"] == (
            "The store's secrets can't be opened: database-password: no key named 'lost' here. "
            "Tell the operator, then retry."
        )
        assert failed["steps"][0] == {**failed["steps"][0], "name": "credentials", "status": "FAILED"}
        await api.client().execute(DELETE, {"id": store["id"]})
        await api.wait_for_store(store["id"], status="DELETED")


async def test_the_receipt_lists_volumes_of_a_terminating_namespace(harness: Harness) -> None:
    store, namespace = await create_ready_store(harness)
    paths = [object_path(namespace, "persistentvolumeclaims", name) for name in ("database", "uploads")]
    claims: list[JSON] = [await request_object(harness, "GET", path) for path in paths]
    for path, claim in zip(paths, claims, strict=True):
        held = {"metadata": {"finalizers": [*claim["metadata"]["finalizers"], "backup.example/hold"]}}
        await request_object(harness, "PATCH", path, held, MERGE)
    await harness.kubernetes_request("DELETE", f"/api/v1/namespaces/{namespace}")
    await wait_for_health_cause(harness, store, "being deleted by somebody else")

    await harness.client().execute(DELETE, {"id": store["id"]})
    volumes = sorted(claim["spec"]["volumeName"] for claim in claims)

    async def is_recorded() -> bool:
        looked = await harness.get_store(store["id"])
        assert looked["health"] is None
        return (looked["deletion"] or {}).get("volumes") == volumes

    await wait_until(is_recorded)
    for path in paths:
        await request_object(harness, "PATCH", path, {"metadata": {"finalizers": None}}, MERGE)
    deleted = await harness.wait_for_store(store["id"], status="DELETED", health=None)
    assert deleted["deletion"] == {"namespace": namespace, "volumes": volumes, "leftovers": []}
