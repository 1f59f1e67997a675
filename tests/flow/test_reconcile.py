"""Leases that are renewed, lost and released; a cluster whose profile changes; releases that a worker doesn't know."""

from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.database import DatabaseUnavailable, session_factory
from runtime.settings import ClusterProfile
from schema.ids import decode_id
from stores.leases import claim_due_stores, requeue
from tests.support.harness import Harness
from tests.support.stores import count_succeeded, wait_until_idle
from tests.support.waiting import HANG_SECONDS, wait_until
from workers import work_loop
from workers.main import worker_lifespan
from workers.orphans import deleted_rows, missing_rows

LONG_FAILURE_PATIENCE = pytest.mark.parametrize("settings", [{"failure_patience": 60.0}], indirect=True)


@LONG_FAILURE_PATIENCE
async def test_a_slow_pass_renews_its_lease(harness: Harness) -> None:
    slow = {"fault": "hang", "seconds": 2.6, "times": 1}
    await harness.set_faults(
        {**slow, "kind": "Namespace", "verb": "create"},
        {**slow, "kind": "RoleBinding", "verb": "create"},
        {**slow, "kind": "ResourceQuota", "verb": "apply"},
    )
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    await wait_until(lambda: harness.sql("SELECT 1 FROM stores WHERE lease_until IS NULL"))


@LONG_FAILURE_PATIENCE
async def test_who_lost_the_lease_writes_nothing_more(harness: Harness) -> None:
    await harness.set_faults({"fault": "hang", "seconds": 2, "times": 1, "kind": "Namespace", "verb": "create"})
    store = await harness.create_store()
    await wait_until(lambda: harness.sql("SELECT 1 FROM stores WHERE lease_until IS NOT NULL"))
    await harness.sql("UPDATE stores SET lease_epoch = lease_epoch + 1, lease_until = now() + interval '1 hour'")
    await wait_until(no_pass_runs)
    assert await harness.sql("SELECT 1 FROM steps WHERE name = 'namespace' AND status = 'SUCCEEDED'") == []
    await harness.sql("UPDATE stores SET lease_until = now()")
    await harness.wait_for_status(store["id"], "READY")


async def no_pass_runs() -> bool:
    return REGISTRY.get_sample_value("storefleet_passes_running") == 0


async def test_a_worker_that_ends_in_order_hands_its_stores_on(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_loop, "RELEASE_SECONDS", HANG_SECONDS)
    await api.set_faults({"fault": "hang", "seconds": 20, "kind": "Namespace", "verb": "create"})
    async with worker_lifespan(api.worker_settings, api.profile):
        store = await api.create_store()
        await wait_until(lambda: api.sql("SELECT 1 FROM stores WHERE lease_until IS NOT NULL"))
    assert await api.sql("SELECT 1 FROM stores WHERE lease_until IS NOT NULL") == []
    await api.set_faults()
    async with worker_lifespan(api.worker_settings, api.profile):
        await api.wait_for_status(store["id"], "READY")


async def test_another_profile_updates_a_ready_store_and_proves_it_again(api: Harness) -> None:
    async with worker_lifespan(api.worker_settings, api.profile):
        store = await api.create_store()
        await api.wait_for_status(store["id"], "READY")
    before = await api.get_store(store["id"])
    other = ClusterProfile(image_registry="registry.example/shops")
    async with worker_lifespan(api.worker_settings, other):
        await api.sql("UPDATE stores SET due_at = now()")
        await api.wait_for_status(store["id"], "UPDATING")
        await api.wait_for_store(store["id"], status="READY")
    after = await api.get_store(store["id"])
    assert after["readyAt"] == before["readyAt"]
    assert await count_succeeded(api, "proof") == 2
    [row] = await api.sql("SELECT id, proof_hash = spec_hash AS proven FROM stores")
    assert row["proven"]
    _, web = await api.kubernetes_request("GET", f"/apis/apps/v1/namespaces/store-{row['id']}/deployments/web")
    image = web["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "registry.example/shops/woocommerce:2026.11"


@LONG_FAILURE_PATIENCE
async def test_a_namespace_removed_during_provisioning_is_recreated(harness: Harness) -> None:
    await harness.set_faults({"fault": "unready", "component": "web"})
    store = await harness.create_store()
    await wait_until(lambda: harness.sql("SELECT 1 FROM steps WHERE name = 'web' AND status = 'RUNNING'"))
    [row] = await harness.sql("SELECT id, namespace_uid FROM stores")
    await harness.kubernetes_request("DELETE", f"/api/v1/namespaces/store-{row['id']}")
    await harness.set_faults()
    await harness.wait_for_status(store["id"], "READY")
    [now] = await harness.sql("SELECT namespace_uid FROM stores")
    assert now["namespace_uid"] != row["namespace_uid"]
    notices = await harness.sql("SELECT message FROM events WHERE type = 'NOTICE'")
    assert any("created again" in event["message"] for event in notices)


async def test_a_worker_claims_only_releases_it_knows(harness: Harness) -> None:
    unknown = await harness.create_store(name="From the future")
    await harness.wait_for_status(unknown["id"], "READY")
    await wait_until_idle(harness)  # a pass that follows READY would say when it is due again
    await harness.sql("UPDATE stores SET release = '2099.01', due_at = now(), applied_hash = NULL")
    known = await harness.create_store(name="Of today")
    await harness.wait_for_status(known["id"], "READY")
    [row] = await harness.sql("SELECT due_at < now() AS waits FROM stores WHERE release = '2099.01'")
    assert row["waits"]


async def test_workers_that_claim_at_the_same_time_keep_the_limit(api: Harness) -> None:
    """They choose the same stores. A worker that dies before its commit has claimed none."""
    for number in range(5):
        await api.create_store(name=f"Store {number}")
    async with session_factory(api.worker_settings.database_url, 3) as sessions:

        async def claim(session: AsyncSession) -> int:
            rows = await session.execute(text("SELECT DISTINCT engine, release FROM stores"))
            given: dict[str, Any] = {"holder": "a", "cluster": api.settings.cluster, "profile_revision": 1, "limit": 9}
            releases = [(row.engine, row.release) for row in rows]
            return len(await claim_due_stores(session, **given, releases=releases, max_provisioning=2))

        async def claim_and_die() -> None:
            async with sessions.begin() as session:
                assert await claim(session) == 2
                pid = await session.scalar(text("SELECT pg_backend_pid()"))
                await api.sql("SELECT pg_terminate_backend($1)", pid)

        with pytest.raises(DatabaseUnavailable):
            await claim_and_die()
        async with sessions.begin() as first, sessions.begin() as second:
            assert (await claim(first), await claim(second)) == (2, 0)
        async with sessions.begin() as third:
            assert await claim(third) == 0


async def test_a_cluster_has_more_namespaces_than_a_statement_has_parameters(api: Harness) -> None:
    known = decode_id("Store", (await api.create_store())["id"])
    assert known is not None
    ids = [known, *(uuid4() for _ in range(33_000))]
    async with session_factory(api.worker_settings.database_url, 1) as sessions, sessions.begin() as session:
        assert await missing_rows(session, ids) == set(ids[1:])
        assert await deleted_rows(session, ids) == []
        assert await requeue(session, ids) == [known]
