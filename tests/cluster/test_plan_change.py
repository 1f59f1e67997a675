"""changePlan with the workers' service account: a real API server grows the claims, after the quota."""

from pathlib import Path

from tests.cluster.platform import Platform
from tests.support.harness import run_harness
from tests.support.stores import MERGE, change_plan, create_ready_store, notices, object_path, request_object

STORAGE_CLASS = "/apis/storage.k8s.io/v1/storageclasses/fake"


async def test_the_claims_grow_where_the_storage_class_allows_it(
    platform: Platform, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async with run_harness(database_url, redis_url, tmp_path, cluster=(platform.account, platform.admin)) as harness:
        store, namespace = await create_ready_store(harness)
        await change_plan(harness, store["id"], "MEDIUM")
        failed = await harness.wait_for_store(store["id"], status="FAILED")
        assert "the storage class fake doesn't allow expansion" in failed["cause"]

        await request_object(harness, "PATCH", STORAGE_CLASS, {"allowVolumeExpansion": True}, MERGE)
        try:
            await change_plan(harness, store["id"], "LARGE")
            await harness.wait_for_store(store["id"], status="READY", health="HEALTHY", plan="LARGE")
        finally:
            await request_object(harness, "PATCH", STORAGE_CLASS, {"allowVolumeExpansion": False}, MERGE)
        for name, size in (("database", "20Gi"), ("uploads", "40Gi")):
            claim = await request_object(harness, "GET", object_path(namespace, "persistentvolumeclaims", name))
            assert claim["spec"]["resources"]["requests"]["storage"] == size
        assert not [message for message in await notices(harness) if "Somebody" in message]
        refused = await harness.sql("SELECT message FROM events WHERE message ~ 'refused'")
        assert [row["message"] for row in refused] == []
