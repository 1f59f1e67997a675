"""Between passes: a lease that is renewed, one that is lost, and a cluster whose profile changes."""

import asyncio

import pytest

from runtime.settings import ClusterProfile
from tests.flow.fleet import Fleet
from tests.flow.test_drift import rests
from workers.main import working

PATIENT = pytest.mark.parametrize("settings", [{"failure_patience": 60.0}], indirect=True)


@PATIENT
async def test_a_slow_pass_renews_its_lease(fleet: Fleet) -> None:
    slow = {"fault": "hang", "seconds": 2.6, "times": 1}
    await fleet.fault(
        {**slow, "kind": "Namespace", "verb": "create"},
        {**slow, "kind": "RoleBinding", "verb": "create"},
        {**slow, "kind": "ResourceQuota", "verb": "apply"},
    )
    store = await fleet.create()
    await fleet.until(store["id"], "READY", 25)
    await fleet.poll(lambda: fleet.sql("SELECT 1 FROM stores WHERE lease_until IS NULL"))


@PATIENT
async def test_who_lost_the_lease_writes_nothing_more(fleet: Fleet) -> None:
    await fleet.fault({"fault": "hang", "seconds": 2, "times": 1, "kind": "Namespace", "verb": "create"})
    store = await fleet.create()
    await fleet.poll(lambda: fleet.sql("SELECT 1 FROM stores WHERE lease_until IS NOT NULL"))
    await fleet.sql("UPDATE stores SET lease_epoch = lease_epoch + 1, lease_until = now() + interval '3 seconds'")
    await asyncio.sleep(2.5)
    assert await fleet.sql("SELECT 1 FROM steps WHERE name = 'namespace' AND status = 'SUCCEEDED'") == []
    await fleet.until(store["id"], "READY", 15)


async def test_a_worker_that_ends_in_order_hands_its_stores_on(api: Fleet) -> None:
    await api.fault({"fault": "hang", "seconds": 20, "kind": "Namespace", "verb": "create"})
    async with working(api.settings, api.profile):
        store = await api.create()
        await api.poll(lambda: api.sql("SELECT 1 FROM stores WHERE lease_until IS NOT NULL"))
    assert await api.sql("SELECT 1 FROM stores WHERE lease_until IS NOT NULL") == []
    await api.fault()
    async with working(api.settings, api.profile):
        await api.until(store["id"], "READY", 8)


async def test_another_profile_updates_a_ready_store_and_proves_it_again(api: Fleet) -> None:
    async with working(api.settings, api.profile):
        store = await api.create()
        await api.until(store["id"], "READY")
    before = await api.store(store["id"])
    other = ClusterProfile(image_registry="registry.example/shops")
    async with working(api.settings, other):
        await api.sql("UPDATE stores SET due_at = now()")
        await api.until(store["id"], "UPDATING")
        await api.eventually(store["id"], status="READY")
    after = await api.store(store["id"])
    assert after["readyAt"] == before["readyAt"]
    assert after["receipt"] != before["receipt"]
    [row] = await api.sql("SELECT id, proof_hash = spec_hash AS proven FROM stores")
    assert row["proven"]
    _, web = await api.kubernetes("GET", f"/apis/apps/v1/namespaces/store-{row['id']}/deployments/web")
    image = web["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "registry.example/shops/woocommerce:2026.11"


@PATIENT
async def test_a_namespace_removed_on_the_way_is_made_anew(fleet: Fleet) -> None:
    await fleet.fault({"fault": "unready", "component": "web"})
    store = await fleet.create()
    await fleet.poll(lambda: fleet.sql("SELECT 1 FROM steps WHERE name = 'web' AND status = 'RUNNING'"))
    [row] = await fleet.sql("SELECT id, namespace_uid FROM stores")
    await fleet.kubernetes("DELETE", f"/api/v1/namespaces/store-{row['id']}")
    await fleet.fault()
    await fleet.until(store["id"], "READY", 30)
    [now] = await fleet.sql("SELECT namespace_uid FROM stores")
    assert now["namespace_uid"] != row["namespace_uid"]
    told = await fleet.sql("SELECT message FROM events WHERE type = 'NOTICE'")
    assert any("made anew" in event["message"] for event in told)


async def test_a_worker_claims_only_releases_it_knows(fleet: Fleet) -> None:
    unknown = await fleet.create(name="From the future")
    await fleet.until(unknown["id"], "READY")
    await rests(fleet)  # a pass that follows READY would say when it is due again
    await fleet.sql("UPDATE stores SET release = '2099.01', due_at = now(), applied_hash = NULL")
    known = await fleet.create(name="Of today")
    await fleet.until(known["id"], "READY")
    [row] = await fleet.sql("SELECT due_at < now() AS waits FROM stores WHERE release = '2099.01'")
    assert row["waits"]
