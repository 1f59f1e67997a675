"""The owner's password is changed in a running store; neither the old nor the new password is ever lost."""

import base64
import json
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from schema.ids import decode_id, encode_id
from tests.support.harness import DELETE, Harness
from tests.support.stores import (
    PASSWORD_CHANGED,
    all_hang,
    end_leases,
    has_notice,
    namespace_of,
    notices,
    rotate_password,
    wait_until_idle,
)
from tests.support.waiting import wait_until
from workers.main import worker_lifespan

REVEAL = """
mutation ($id: ID!) { revealAdminCredentials(input: {id: $id}) { credentials { password pendingPassword } } }
"""
PASSWORD_BEING_CHANGED = "The owner's password is being changed."
LONG_FAILURE_PATIENCE = pytest.mark.parametrize("settings", [{"failure_patience": 60.0}], indirect=True)


async def ready(harness: Harness) -> str:
    """A store's id."""
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    await wait_until_idle(harness)
    return str(store["id"])


async def passwords(harness: Harness, store_id: str) -> tuple[str, str | None]:
    """The current and the pending password."""
    data = await harness.client().execute(REVEAL, {"id": store_id})
    found = data["revealAdminCredentials"]["credentials"]
    return found["password"], found["pendingPassword"]


async def in_namespace(harness: Harness, store_id: str, path: str, group: str = "api/v1") -> tuple[int, Any]:
    return await harness.kubernetes_request("GET", f"/{group}/namespaces/{namespace_of(store_id)}/{path}")


async def jobs(harness: Harness, store_id: str) -> list[str]:
    _, found = await in_namespace(harness, store_id, "jobs", "apis/batch/v1")
    return [item["metadata"]["name"] for item in found["items"]]


async def secret(harness: Harness, store_id: str, name: str) -> str | None:
    status, found = await in_namespace(harness, store_id, f"secrets/{name}")
    return base64.b64decode(found["data"]["password"]).decode() if status == 200 else None


async def test_another_password_comes_into_force_and_nothing_is_left_behind(harness: Harness) -> None:
    store = await ready(harness)
    first, _ = await passwords(harness, store)
    assert await secret(harness, store, "admin") == first
    [proven] = await harness.sql("SELECT spec_hash, receipt FROM stores")

    assert await rotate_password(harness, store) == {"store": {"status": "READY"}, "userErrors": []}
    await wait_until(lambda: has_notice(harness, PASSWORD_CHANGED))
    second, pending = await passwords(harness, store)
    assert (second != first, pending) == (True, None)
    await wait_until_idle(harness)
    assert await secret(harness, store, "admin") == second
    assert await secret(harness, store, "rotate") is None
    assert await jobs(harness, store) == []
    assert await notices(harness) == [PASSWORD_BEING_CHANGED, PASSWORD_CHANGED]
    assert await harness.sql("SELECT 1 FROM sealed_secrets WHERE field LIKE '%next'") == []
    [row] = await harness.sql("SELECT spec_hash, receipt, generation, observed_generation, rotating FROM stores")
    assert (row["spec_hash"], row["receipt"]) == (proven["spec_hash"], proven["receipt"])  # what runs is the same
    assert (row["generation"], row["observed_generation"], row["rotating"]) == (2, 2, None)
    assert len(await harness.sql("SELECT 1 FROM audit WHERE action = 'credentials.rotated'")) == 1

    await rotate_password(harness, store)
    await wait_until(lambda: is_another(harness, store, second))


async def is_another(harness: Harness, store: str, than: str) -> bool:
    return (await passwords(harness, store))[0] != than


async def test_after_a_failure_both_are_kept_and_the_next_try_is_about_the_same(harness: Harness) -> None:
    store = await ready(harness)
    first, _ = await passwords(harness, store)
    await harness.set_faults(
        {"fault": "job", "component": "rotate", "exitCode": 1, "message": "WordPress did not take it."}
    )
    await rotate_password(harness, store)
    await wait_until(lambda: has_notice(harness, "could not be changed: WordPress did not take it. Ask for it again."))
    current, pending = await passwords(harness, store)
    assert current == first
    assert pending not in (None, first)
    await wait_until_idle(harness)
    assert await jobs(harness, store) == []

    await harness.set_faults()
    await rotate_password(harness, store)
    await wait_until(lambda: has_notice(harness, PASSWORD_CHANGED))
    assert await passwords(harness, store) == (pending, None)


async def test_asked_for_twice_and_under_the_same_key_it_is_done_once(api: Harness) -> None:
    async with worker_lifespan(api.worker_settings, api.profile):
        store = await ready(api)
        first, _ = await passwords(api, store)
    assert [(await rotate_password(api, store, "k"))["userErrors"] for _ in range(2)] == [[], []]
    assert (await rotate_password(api, store))["userErrors"] == []
    async with worker_lifespan(api.worker_settings, api.profile):
        await wait_until(lambda: has_notice(api, PASSWORD_CHANGED))
        second, _ = await passwords(api, store)
        assert second != first
        await rotate_password(api, store, "k")  # that was done
        await wait_until_idle(api)
        assert await passwords(api, store) == (second, None)
    assert (await notices(api)).count(PASSWORD_CHANGED) == 1


HOLD_AT = (
    {"kind": "Secret", "verb": "apply"},
    {"kind": "Job", "verb": "create"},
    {"kind": "Secret", "verb": "delete"},
    {"kind": "Job", "verb": "delete"},
)


@LONG_FAILURE_PATIENCE
async def test_a_worker_killed_on_the_way_loses_no_password(api: Harness) -> None:
    async with worker_lifespan(api.worker_settings, api.profile):
        stores = [await ready(api) for _ in HOLD_AT]
    first = {store: (await passwords(api, store))[0] for store in stores}
    held = dict(zip(stores, HOLD_AT, strict=True))
    hang = {"fault": "hang", "times": 9}
    await api.set_faults(*({**hang, **request, "namespace": namespace_of(store)} for store, request in held.items()))
    for store in stores:
        await rotate_password(api, store)
    worker = await api.start_worker_process()
    await wait_until(lambda: all_hang(api))
    worker.kill()
    await worker.wait()
    await end_leases(api)
    for store in stores:
        assert first[store] in await passwords(api, store) or await changed(api, store), held[store]
    await api.set_faults()
    async with worker_lifespan(api.worker_settings, api.profile):
        for store in stores:
            await wait_until(partial(changed, api, store))
            await wait_until(partial(is_tidy, api, store))
        await wait_until_idle(api)
    for store in stores:
        second, pending = await passwords(api, store)
        assert (second != first[store], pending) == (True, None), held[store]
        assert await secret(api, store, "admin") == second, held[store]
    assert sorted(await notices(api)) == sorted([PASSWORD_BEING_CHANGED, PASSWORD_CHANGED] * len(stores))


async def changed(harness: Harness, store_id: str) -> bool:
    query = "SELECT 1 FROM events WHERE type = 'NOTICE' AND message = $1 AND store_id = $2"
    return await harness.sql(query, PASSWORD_CHANGED, decode_id("Store", store_id)) != []


async def is_tidy(harness: Harness, store_id: str) -> bool:
    return await jobs(harness, store_id) == [] and await secret(harness, store_id, "rotate") is None


async def test_it_is_refused_where_it_cannot_be(harness: Harness) -> None:
    await harness.set_faults({"fault": "unready", "component": "web"})
    store = await harness.create_store()
    refused = await rotate_password(harness, store["id"])
    assert refused["store"] is None
    [error] = refused["userErrors"]
    assert (error["code"], error["field"]) == ("WRONG_STATUS", "id")
    assert "Only the password of a READY store" in error["message"]
    for unknown in (encode_id("Store", uuid4()), "rubbish", json.dumps({})):
        assert [error["code"] for error in (await rotate_password(harness, unknown))["userErrors"]] == ["NOT_FOUND"]
    await harness.client().execute(DELETE, {"id": store["id"]})
    assert [error["code"] for error in (await rotate_password(harness, store["id"]))["userErrors"]] == ["WRONG_STATUS"]


async def test_a_store_deleted_while_its_password_is_changed_goes(harness: Harness) -> None:
    store = await ready(harness)
    await harness.set_faults({"fault": "unschedulable", "component": "rotate"})
    await rotate_password(harness, store)
    await wait_until(partial(jobs, harness, store))
    await harness.client().execute(DELETE, {"id": store})
    await harness.wait_for_status(store, "DELETED")
    assert await harness.sql("SELECT 1 FROM sealed_secrets") == []
