"""The owner's password is changed in a running store, and neither the old nor the new one is ever lost."""

import base64
import json
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from schema.ids import encode
from tests.flow.fleet import DELETE, Fleet
from tests.flow.test_drift import rests
from workers.main import working

ROTATE = """
mutation ($id: ID!, $key: String) { rotateAdminPassword(input: {id: $id, idempotencyKey: $key}) {
  store { status } userErrors { code field message }
} }
"""
REVEAL = """
mutation ($id: ID!) { revealAdminCredentials(input: {id: $id}) { credentials { password pendingPassword } } }
"""
PATIENT = pytest.mark.parametrize("settings", [{"failure_patience": 60.0}], indirect=True)
CHANGED = "The owner's password was changed."


async def ready(fleet: Fleet) -> str:
    """A store's id."""
    store = await fleet.create()
    await fleet.until(store["id"], "READY")
    await rests(fleet)
    return str(store["id"])


async def rotate(fleet: Fleet, store_id: str, key: str | None = None) -> Any:
    return (await fleet.client().execute(ROTATE, {"id": store_id, "key": key}))["rotateAdminPassword"]


async def passwords(fleet: Fleet, store_id: str) -> tuple[str, str | None]:
    """The current and the next one."""
    data = await fleet.client().execute(REVEAL, {"id": store_id})
    found = data["revealAdminCredentials"]["credentials"]
    return found["password"], found["pendingPassword"]


async def notices(fleet: Fleet) -> list[str]:
    rows = await fleet.sql("SELECT message FROM events WHERE type = 'NOTICE' ORDER BY seq")
    return [row["message"] for row in rows]


async def told(fleet: Fleet, words: str) -> bool:
    return any(words in message for message in await notices(fleet))


async def in_namespace(fleet: Fleet, path: str, group: str = "api/v1") -> tuple[int, Any]:
    [row] = await fleet.sql("SELECT id FROM stores")
    return await fleet.kubernetes("GET", f"/{group}/namespaces/store-{row['id']}/{path}")


async def jobs(fleet: Fleet) -> list[str]:
    _, found = await in_namespace(fleet, "jobs", "apis/batch/v1")
    return [item["metadata"]["name"] for item in found["items"]]


async def secret(fleet: Fleet, name: str) -> str | None:
    status, found = await in_namespace(fleet, f"secrets/{name}")
    return base64.b64decode(found["data"]["password"]).decode() if status == 200 else None


async def test_another_password_comes_into_force_and_nothing_is_left_behind(fleet: Fleet) -> None:
    store = await ready(fleet)
    first, _ = await passwords(fleet, store)
    assert await secret(fleet, "admin") == first
    [proven] = await fleet.sql("SELECT spec_hash, receipt FROM stores")

    assert await rotate(fleet, store) == {"store": {"status": "READY"}, "userErrors": []}
    await fleet.poll(lambda: told(fleet, CHANGED))
    second, pending = await passwords(fleet, store)
    assert (second != first, pending) == (True, None)
    await rests(fleet)
    assert await secret(fleet, "admin") == second
    assert await secret(fleet, "rotate") is None
    assert await jobs(fleet) == []
    assert await notices(fleet) == ["The owner's password is being changed.", CHANGED]
    assert await fleet.sql("SELECT 1 FROM sealed_secrets WHERE field LIKE '%next'") == []
    [row] = await fleet.sql("SELECT spec_hash, receipt, generation, observed_generation, rotating FROM stores")
    assert (row["spec_hash"], row["receipt"]) == (proven["spec_hash"], proven["receipt"])  # what runs is the same
    assert (row["generation"], row["observed_generation"], row["rotating"]) == (2, 2, None)
    assert len(await fleet.sql("SELECT 1 FROM audit WHERE action = 'credentials.rotated'")) == 1

    await rotate(fleet, store)
    await fleet.poll(lambda: is_another(fleet, store, second))


async def is_another(fleet: Fleet, store: str, than: str) -> bool:
    return (await passwords(fleet, store))[0] != than


async def test_after_a_failure_both_are_kept_and_the_next_try_is_about_the_same(fleet: Fleet) -> None:
    store = await ready(fleet)
    first, _ = await passwords(fleet, store)
    await fleet.fault({"fault": "job", "component": "rotate", "exitCode": 1, "message": "WordPress did not take it."})
    await rotate(fleet, store)
    await fleet.poll(lambda: told(fleet, "could not be changed: WordPress did not take it. Ask for it again."))
    current, pending = await passwords(fleet, store)
    assert current == first
    assert pending not in (None, first)
    await rests(fleet)
    assert await jobs(fleet) == []

    await fleet.fault()
    await rotate(fleet, store)
    await fleet.poll(lambda: told(fleet, CHANGED))
    assert await passwords(fleet, store) == (pending, None)


async def test_asked_for_twice_and_under_the_same_key_it_is_done_once(api: Fleet) -> None:
    async with working(api.settings, api.profile):
        store = await ready(api)
        first, _ = await passwords(api, store)
    assert [(await rotate(api, store, "k"))["userErrors"] for _ in range(2)] == [[], []]
    assert (await rotate(api, store))["userErrors"] == []
    async with working(api.settings, api.profile):
        await api.poll(lambda: told(api, CHANGED))
        second, _ = await passwords(api, store)
        assert second != first
        await rotate(api, store, "k")  # that was done
        await rests(api)
        assert await passwords(api, store) == (second, None)
    assert (await notices(api)).count(CHANGED) == 1


HELD = (
    {"kind": "Secret", "verb": "apply"},
    {"kind": "Job", "verb": "create"},
    {"kind": "Secret", "verb": "delete"},
    {"kind": "Job", "verb": "delete"},
)


@PATIENT
async def test_a_worker_killed_on_the_way_loses_no_password(api: Fleet) -> None:
    async with working(api.settings, api.profile):
        store = await ready(api)
    for number, held in enumerate(HELD, 1):
        first, _ = await passwords(api, store)
        await api.fault({"fault": "hang", "seconds": 30, "times": 9, **held})
        await rotate(api, store)
        worker = await api.worker_process()
        await api.poll(lambda: hangs(api))
        worker.kill()
        await worker.wait()
        await api.sql("UPDATE stores SET lease_until = now()")  # as they end by themselves, ten seconds later
        await api.sql("UPDATE observer_leases SET until = now()")
        assert first in await passwords(api, store) or await changed(api, number), held
        await api.fault()
        async with working(api.settings, api.profile):
            await api.poll(partial(changed, api, number), 20)
            await api.poll(lambda: is_tidy(api), 20)
            await rests(api)
        second, pending = await passwords(api, store)
        assert (second != first, pending) == (True, None), held
        assert await secret(api, "admin") == second, held
    assert not [line for line in await notices(api) if "Somebody" in line]


async def changed(fleet: Fleet, times: int) -> bool:
    return (await notices(fleet)).count(CHANGED) == times


async def hangs(fleet: Fleet) -> bool:
    """Whether the only fault holds a call."""
    _, faults = await fleet.kubernetes("GET", "/_sim/faults")
    return bool(json.loads(faults)[0]["times"] < 9)


async def is_tidy(fleet: Fleet) -> bool:
    return await jobs(fleet) == [] and await secret(fleet, "rotate") is None


async def test_it_is_refused_where_it_cannot_be(fleet: Fleet) -> None:
    await fleet.fault({"fault": "unready", "component": "web"})
    store = await fleet.create()
    refused = await rotate(fleet, store["id"])
    assert refused["store"] is None
    [error] = refused["userErrors"]
    assert (error["code"], error["field"]) == ("WRONG_STATUS", "id")
    assert "Only the password of a READY store" in error["message"]
    for unknown in (encode("Store", uuid4()), "rubbish", json.dumps({})):
        assert [error["code"] for error in (await rotate(fleet, unknown))["userErrors"]] == ["NOT_FOUND"]
    await fleet.client().execute(DELETE, {"id": store["id"]})
    assert [error["code"] for error in (await rotate(fleet, store["id"]))["userErrors"]] == ["WRONG_STATUS"]


async def test_a_store_deleted_while_its_password_is_changed_goes(fleet: Fleet) -> None:
    store = await ready(fleet)
    await fleet.fault({"fault": "unschedulable", "component": "rotate"})
    await rotate(fleet, store)
    await fleet.poll(lambda: waits(fleet))
    await fleet.client().execute(DELETE, {"id": store})
    await fleet.until(store, "DELETED", 20)
    assert await fleet.sql("SELECT 1 FROM sealed_secrets") == []


async def waits(fleet: Fleet) -> bool:
    return bool(await jobs(fleet))
