"""A store is suspended and resumed: nothing runs meanwhile, all data stays, and READY is proven again."""

import pytest

from tests.support.harness import DELETE, Harness
from tests.support.stores import (
    count_succeeded,
    create_ready_store,
    exists,
    has_notice,
    is_gone,
    notices,
    object_path,
    request_object,
    rotate_password,
    wait_until_idle,
)
from tests.support.suspension import (
    create_suspended_store,
    pods,
    refusal,
    replicas,
    resume_store,
    statuses,
    suspend_store,
    uids,
)
from tests.support.waiting import wait_until
from workers.main import worker_lifespan


async def test_a_suspended_store_keeps_its_data_and_runs_nothing(harness: Harness) -> None:
    store, namespace = await create_ready_store(harness)
    before = await uids(harness, namespace)
    assert await suspend_store(harness, store["id"]) == {
        "store": {"status": "SUSPENDING", "health": None},
        "userErrors": [],
    }
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
    assert (await resume_store(harness, store["id"]))["store"]["status"] == "RESUMING"
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
    answers = [await suspend_store(harness, store["id"], key) for key in ("a", "a", None)]
    assert [answer["userErrors"] for answer in answers] == [[], [], []]
    await harness.wait_for_store(store["id"], status="SUSPENDED")
    assert (await suspend_store(harness, store["id"]))["store"]["status"] == "SUSPENDED"
    answers = [await resume_store(harness, store["id"], key) for key in ("b", "b", None)]
    assert [answer["userErrors"] for answer in answers] == [[], [], []]
    await harness.wait_for_store(store["id"], status="READY")
    for replayed in (await resume_store(harness, store["id"]), await suspend_store(harness, store["id"], "a")):
        assert (replayed["store"]["status"], replayed["userErrors"]) == ("READY", [])
    assert (await statuses(harness))[2:] == ["READY", "SUSPENDING", "SUSPENDED", "RESUMING", "READY"]


async def test_in_another_status_it_is_refused_with_advice(api: Harness) -> None:
    store = await api.create_store()
    expected = "Only a READY store can be suspended; this one is REQUESTED. Wait until it is READY."
    assert refusal(await suspend_store(api, store["id"])) == ("WRONG_STATUS", expected)
    expected = "Only a SUSPENDED store can be resumed; this one is REQUESTED."
    assert refusal(await resume_store(api, store["id"])) == ("WRONG_STATUS", expected)
    await api.sql("UPDATE stores SET status = 'PROVISIONING'")
    await api.sql("UPDATE stores SET status = 'FAILED', failed_in = 'PROVISIONING', cause = 'x'")
    for answer in (await suspend_store(api, store["id"]), await resume_store(api, store["id"])):
        code, message = refusal(answer)
        assert (code, message.endswith("this one is FAILED. Retry it first.")) == ("WRONG_STATUS", True)
    await api.client().execute(DELETE, {"id": store["id"]})
    for answer in (await suspend_store(api, store["id"]), await resume_store(api, store["id"])):
        code, message = refusal(answer)
        assert (code, message.endswith("this one is DELETING.")) == ("WRONG_STATUS", True)
    unknown = await suspend_store(api, "rubbish")
    assert refusal(unknown) == ("NOT_FOUND", "There is no such store.")


async def test_a_rotation_and_a_suspension_exclude_each_other(api: Harness) -> None:
    async with worker_lifespan(api.worker_settings, api.profile):
        store, _ = await create_ready_store(api)
        await wait_until_idle(api)
    await rotate_password(api, store["id"])
    code, message = refusal(await suspend_store(api, store["id"]))
    assert (code, "password is being changed" in message) == ("NOT_YET", True)
    async with worker_lifespan(api.worker_settings, api.profile):
        await wait_until(lambda: has_notice(api, "The owner's password was changed."))
    await suspend_store(api, store["id"])  # the worker that would remove what the rotation left is gone
    code, message = refusal(await resume_store(api, store["id"]))
    assert (code, "Wait until it is SUSPENDED." in message) == ("WRONG_STATUS", True)
    async with worker_lifespan(api.worker_settings, api.profile):
        await api.wait_for_store(store["id"], status="SUSPENDED")
        assert (await rotate_password(api, store["id"]))["userErrors"][0]["code"] == "WRONG_STATUS"
        [row] = await api.sql("SELECT id FROM stores")
        await wait_until(lambda: is_gone(api, f"/api/v1/namespaces/store-{row['id']}/secrets/rotate"))


@pytest.mark.parametrize("settings", [{"store_quota": 1}], indirect=True)
async def test_a_suspended_store_counts(harness: Harness) -> None:
    await create_suspended_store(harness)
    refused = await harness.create_store_payload(name="Another")
    assert [error["code"] for error in refused["userErrors"]] == ["QUOTA_EXCEEDED"]
