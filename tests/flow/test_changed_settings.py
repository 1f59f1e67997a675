"""Workers with different settings side by side, as during a rolling change of settings."""

from collections.abc import Collection
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from runtime.settings import ClusterProfile
from stores import leases
from tests.support.harness import JSON, Harness
from tests.support.stores import create_ready_store, notices, object_path, request_object, resync, wait_until_idle
from tests.support.suspension import statuses
from tests.support.waiting import wait_until
from workers import profile_revision, work_loop
from workers.context import Context
from workers.main import worker_lifespan

OLD = ClusterProfile()
NEW = ClusterProfile(database_image="mysql:8.4.9")


@pytest.fixture(autouse=True)
def _quick_refreshes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile_revision, "REFRESH_SECONDS", 0.5)
    monkeypatch.setattr(work_loop, "POLL_SECONDS", 0.1)


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The holders whose workers claim no store now. Which of two workers claims a due store is chance."""
    holders: set[str] = set()

    async def claim(*given: Any, holder: str, **named: Any) -> Collection[leases.Lease]:
        return [] if holder in holders else await leases.claim_due_stores(*given, holder=holder, **named)

    monkeypatch.setattr(work_loop, "claim_due_stores", claim)
    return holders


async def database_image(harness: Harness, namespace: str) -> Any:
    found = await request_object(harness, "GET", object_path(namespace, "statefulsets", "database"))
    return found["spec"]["template"]["spec"]["containers"][0]["image"]


async def has_number(context: Context, number: int) -> bool:
    return context.profile_revision.number == number


async def has_updated(harness: Harness, times: int) -> bool:
    found = await statuses(harness)
    return found.count("UPDATING") == times and found[-1] == "READY"


async def resync_with(harness: Harness, paused: set[str], *others: Context) -> None:
    """A resync in which the other workers claim nothing."""
    paused.update(other.holder for other in others)
    await wait_until_idle(harness)  # the end of a pass would delay the resync
    await resync(harness)
    await wait_until_idle(harness)
    paused.clear()


async def resync_often(harness: Harness) -> None:
    for _ in range(4):
        await resync(harness)
        await wait_until_idle(harness)


async def test_a_store_is_not_changed_in_turns(api: Harness, paused: set[str]) -> None:
    async with worker_lifespan(api.worker_settings, OLD) as old:
        _, namespace = await create_ready_store(api)
        async with worker_lifespan(api.worker_settings, NEW) as new:
            await wait_until(partial(has_number, new, 2))
            await resync_with(api, paused, old)
            await wait_until(partial(has_updated, api, 1))
            await resync_often(api)
            assert await statuses(api) == ["REQUESTED", "PROVISIONING", "READY", "UPDATING", "READY"]
            assert await database_image(api, namespace) == "mysql:8.4.9"
        await resync(api)
        await create_ready_store(api)  # the old worker sets up others, and leaves the first alone
        assert (await statuses(api)).count("UPDATING") == 1
        assert await database_image(api, namespace) == "mysql:8.4.9"
        assert await api.sql("SELECT 1 FROM stores WHERE due_at < now()") != []


async def test_a_rollback_wins_over_the_settings_before_it(api: Harness, paused: set[str]) -> None:
    async with worker_lifespan(api.worker_settings, OLD) as first:
        _, namespace = await create_ready_store(api)
        async with worker_lifespan(api.worker_settings, NEW) as new:
            await wait_until(partial(has_number, new, 2))
            await resync_with(api, paused, first)
            await wait_until(partial(has_updated, api, 1))
            async with worker_lifespan(api.worker_settings, OLD) as again:
                await wait_until(partial(has_number, again, 3))
                await wait_until(partial(has_number, first, 3))
                await resync_with(api, paused, new)
                await wait_until(partial(has_updated, api, 2))
                await resync_often(api)
            assert (await statuses(api)).count("UPDATING") == 2
            assert await database_image(api, namespace) == OLD.database_image


async def test_a_restart_with_the_same_settings_changes_nothing(api: Harness) -> None:
    for _ in range(2):
        async with worker_lifespan(api.worker_settings, OLD) as context:
            await wait_until(partial(has_number, context, 1))
    assert len(await api.sql("SELECT 1 FROM profile_revisions")) == 1


async def test_stores_whose_workers_stay_away_are_taken_over(api: Harness) -> None:
    """The new settings are gone, and nothing restarts the old workers."""
    async with worker_lifespan(api.worker_settings, OLD) as old:
        await wait_until(partial(has_number, old, 1))
        async with worker_lifespan(api.worker_settings, NEW) as new:
            await wait_until(partial(has_number, new, 2))
        await api.sql("UPDATE profile_revisions SET seen_at = now() - interval '9 minutes'")
        await wait_until_refreshed(old)
        assert old.profile_revision.number == 1
        await api.sql("UPDATE profile_revisions SET seen_at = now() - interval '11 minutes'")
        await wait_until(partial(has_number, old, 3))


async def wait_until_refreshed(context: Context) -> None:
    """Two refreshes later."""
    seen = context.profile_revision.refreshes

    async def refreshed() -> bool:
        return context.profile_revision.refreshes > seen + 1

    await wait_until(refreshed)


async def role_bindings(harness: Harness, namespace: str) -> list[JSON]:
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings"
    items: list[JSON] = (await request_object(harness, "GET", path))["items"]
    return items


async def is_bound(harness: Harness, namespace: str, account: str, role: str) -> bool:
    return any(
        item["subjects"][0]["name"] == account and item["roleRef"]["name"] == role
        for item in await role_bindings(harness, namespace)
    )


@pytest.mark.parametrize(
    "changes", [{"worker_service_account": "fleet/prod-worker"}, {"manager_role": "prod-store-manager"}]
)
async def test_another_account_or_role_is_bound_in_existing_stores(api: Harness, changes: dict[str, str]) -> None:
    """Without another proof, and without a word to the owner."""
    profile = ClusterProfile.model_validate(changes)
    account = profile.worker_service_account.partition("/")[2]
    async with worker_lifespan(api.worker_settings, OLD):
        _, namespace = await create_ready_store(api)
    async with worker_lifespan(api.worker_settings, profile):
        await wait_until_idle(api)
        await resync(api)
        await wait_until(partial(is_bound, api, namespace, account, profile.manager_role))
        await wait_until_idle(api)
    assert await is_bound(api, namespace, "storefleet-worker", "storefleet-store-manager")
    assert await statuses(api) == ["REQUESTED", "PROVISIONING", "READY"]
    assert await notices(api) == []


async def test_a_missing_role_binding_is_created_when_rights_are_missing(api: Harness) -> None:
    """A new service account may meet a store before its resync: it binds itself at the first refusal."""
    async with worker_lifespan(api.worker_settings, OLD):
        store, namespace = await create_ready_store(api)
    profile = ClusterProfile(worker_service_account="fleet/prod-worker")
    refused = {"fault": "http", "code": 403, "message": "cannot list pods", "verb": "list", "kind": "Pod", "times": 1}
    await api.set_faults({**refused, "namespace": namespace})
    await api.sql("UPDATE stores SET requeues = requeues + 1, due_at = now()")  # no resync
    with capture_logs() as logs:
        async with worker_lifespan(api.worker_settings, profile):
            await wait_until(partial(is_bound, api, namespace, "prod-worker", "storefleet-store-manager"))
            await wait_until_idle(api)
    assert [line for line in logs if "aren't in force yet" in line.get("error", "")]
    assert not [line for line in logs if line["event"] == "reconcile.blocked"]
    assert (await api.get_store(store["id"]))["health"]["state"] == "HEALTHY"
