"""The lifecycle of a store: from createStore to READY and to DELETED, over the public API."""

import asyncio
from functools import partial

import pytest

from tests.contract.objects import requests
from tests.support.harness import DELETE, Harness
from tests.support.stores import exists, namespace_of, request_object, run_cron_job, wait_until_idle
from tests.support.waiting import wait_until
from workers.informer import BATCH_SECONDS

STEPS = ["credentials", "namespace", "isolation", "database", "install", "web", "proof"]


async def test_from_a_click_to_ready(harness: Harness) -> None:
    store = await harness.create_store(name="Fig & Olive", country="DE", currency="EUR", adminEmail="Fig@Example.com")
    assert (store["status"], store["slug"], store["plan"]) == ("REQUESTED", "fig-olive", "SMALL")
    assert store["url"] == "http://fig-olive.localhost"
    assert [step["status"] for step in store["steps"]] == ["PENDING"] * 7

    events = await harness.wait_for_status(store["id"], "READY")
    statuses = [event["status"] for event in events if event["type"] == "STATUS"]
    assert statuses == ["REQUESTED", "PROVISIONING", "READY"]
    ended = [event["step"]["name"] for event in events if event["step"] and event["step"]["status"] == "SUCCEEDED"]
    assert ended == STEPS

    ready = await harness.get_store(store["id"])
    assert ready["status"] == "READY"
    assert ready["receipt"]["simulated"] is True
    assert [step["name"] for step in ready["receipt"]["steps"]] == ["product", "cart", "checkout", "order", "cleanup"]
    assert ready["health"]["state"] == "HEALTHY"
    assert ready["readyAt"] > ready["createdAt"]
    assert (ready["adminEmail"], ready["country"], ready["currency"]) == ("fig@example.com", "DE", "EUR")
    assert [step["status"] for step in ready["steps"]] == ["SUCCEEDED"] * 7
    assert all(step["startedAt"] <= step["finishedAt"] for step in ready["steps"])


async def test_a_new_store_is_applied_once(harness: Harness) -> None:
    """Changes by the cluster's controllers, and our own cleanup, are no reason to apply the objects again."""
    before = requests("apply", "Deployment", "200")
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    await wait_until_idle(harness)
    assert requests("apply", "Deployment", "200") == before


async def test_work_that_comes_by_the_clock_wakes_nobody(harness: Harness) -> None:
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    await wait_until_idle(harness)
    [row] = await harness.sql("SELECT id, requeues FROM stores")
    namespace = f"store-{row['id']}"
    job = await run_cron_job(harness, namespace)
    await harness.kubernetes_request("DELETE", f"{job}?propagationPolicy=Background")
    await asyncio.sleep(10 * BATCH_SECONDS)
    assert (await harness.sql("SELECT requeues FROM stores"))[0]["requeues"] == row["requeues"]
    path = f"/api/v1/namespaces/{namespace}/services/web"
    await harness.kubernetes_request("DELETE", path)  # this change requeues the store, and no change before it did
    await wait_until(partial(exists, harness, path))
    await wait_until_idle(harness)
    [after] = await harness.sql("SELECT requeues FROM stores")
    assert after["requeues"] - row["requeues"] == 1


async def test_events_are_numbered_without_a_gap_and_go_on_after_a_cursor(harness: Harness) -> None:
    store = await harness.create_store()
    events = await harness.wait_for_status(store["id"], "READY")
    rows = await harness.sql("SELECT seq FROM events ORDER BY seq")
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    middle = len(events) // 2
    rest = []
    async for event in harness.store_events(store["id"], after=events[middle]["cursor"]):
        rest.append(event)
        if event["status"] == "READY" and event["type"] == "STATUS":
            break
    assert rest == events[middle + 1 :]


async def test_what_the_proof_left_is_tidied_and_the_store_rests(harness: Harness) -> None:
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    path = f"/apis/batch/v1/namespaces/{namespace_of(store['id'])}/jobs"

    async def no_jobs() -> bool:
        names = [job["metadata"]["name"] for job in (await request_object(harness, "GET", path))["items"]]
        return not [name for name in names if name.startswith(("install", "proof"))]

    await wait_until(no_jobs)
    idle = "SELECT 1 FROM stores WHERE due_at > now() + interval '1 hour' AND lease_until IS NULL"
    await wait_until(lambda: harness.sql(idle))


async def test_deleting_removes_everything_and_leaves_a_receipt(harness: Harness) -> None:
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    deleted = await harness.client().execute(DELETE, {"id": store["id"]})
    assert deleted["deleteStore"]["store"]["status"] == "DELETING"
    again = await harness.client().execute(DELETE, {"id": store["id"]})
    assert again["deleteStore"]["userErrors"] == []
    await harness.wait_for_status(store["id"], "DELETED")
    gone = await harness.get_store(store["id"])
    assert len(gone["deletion"]["volumes"]) == 2
    assert gone["deletion"]["leftovers"] == []
    assert gone["deletedAt"] is not None
    [row] = await harness.sql("SELECT id FROM stores")
    status, _ = await harness.kubernetes_request("GET", f"/api/v1/namespaces/store-{row['id']}")
    assert status == 404
    assert await harness.sql("SELECT * FROM sealed_secrets") == []
    listed = await harness.client().execute("{ stores(first: 10) { nodes { id } } }")
    assert listed["stores"]["nodes"] == []


async def test_deleting_wins_while_it_is_being_set_up(harness: Harness) -> None:
    await harness.call_simulator("clock", {"speed": 0.5})
    store = await harness.create_store()
    await harness.wait_for_store(store["id"], status="PROVISIONING")
    await harness.client().execute(DELETE, {"id": store["id"]})
    await harness.call_simulator("clock", {"speed": 50})
    events = await harness.wait_for_status(store["id"], "DELETED")
    assert "READY" not in [event["status"] for event in events]


async def test_create_delete_create_of_one_slug(harness: Harness) -> None:
    first = await harness.create_store(slug="fig-and-olive")
    taken = await harness.create_store_payload(slug="fig-and-olive")
    assert taken["userErrors"][0]["code"] == "SLUG_TAKEN"
    assert "fig-and-olive-2 is free" in taken["userErrors"][0]["message"]
    await harness.client().execute(DELETE, {"id": first["id"]})
    await harness.wait_for_status(first["id"], "DELETED")
    second = await harness.create_store(slug="fig-and-olive")
    assert second["id"] != first["id"]
    await harness.wait_for_status(second["id"], "READY")
    token, _ = await harness.sign_up("other@example.com")
    await harness.client().execute(DELETE, {"id": second["id"]})
    await harness.wait_for_status(second["id"], "DELETED")
    reserved = await harness.create_store_payload(token, slug="fig-and-olive")
    assert reserved["userErrors"][0]["code"] == "SLUG_RESERVED"


async def test_ten_at_once_all_arrive(harness: Harness) -> None:
    stores = await asyncio.gather(*(harness.create_store(name=f"Store {number}") for number in range(10)))
    await asyncio.gather(*(harness.wait_for_status(store["id"], "READY") for store in stores))
    assert len({store["slug"] for store in stores}) == 10


@pytest.mark.parametrize("settings", [{"provisioning_at_once": 2, "failure_patience": 60.0}], indirect=True)
async def test_a_store_waits_for_its_turn(harness: Harness) -> None:
    await harness.set_faults({"fault": "unready", "component": "web"})
    stores = [await harness.create_store(name=f"Store {number}") for number in range(5)]
    for store in stores[:2]:
        await wait_until(partial(is_at, harness, store["id"], "web"))
    assert [(await harness.get_store(store["id"]))["status"] for store in stores[2:]] == ["REQUESTED"] * 3
    await harness.client().execute(DELETE, {"id": stores[2]["id"]})
    await harness.wait_for_status(stores[2]["id"], "DELETED")  # which waits for nobody
    await harness.client().execute(DELETE, {"id": stores[0]["id"]})
    await harness.wait_for_store(stores[3]["id"], status="PROVISIONING")
    assert (await harness.get_store(stores[4]["id"]))["status"] == "REQUESTED"
    await harness.set_faults()
    await asyncio.gather(*(harness.wait_for_status(stores[number]["id"], "READY") for number in (1, 3, 4)))


async def is_at(harness: Harness, store_id: str, step: str) -> bool:
    steps = {item["name"]: item["status"] for item in (await harness.get_store(store_id))["steps"]}
    return bool(steps[step] == "RUNNING")


async def described(harness: Harness, what: str) -> list[str]:
    """A value of each store's ConfigMap `store`, in the order of creation."""
    rows = await harness.sql("SELECT id FROM stores ORDER BY created_at")
    paths = [f"/api/v1/namespaces/store-{row['id']}/configmaps/store" for row in rows]
    return [(await harness.kubernetes_request("GET", path))[1]["data"][what] for path in paths]


@pytest.mark.parametrize("settings", [{"languages": ("de-DE", "ar")}], indirect=True)
async def test_a_shop_speaks_one_of_the_languages_that_there_are(harness: Harness) -> None:
    assert await harness.client().execute("{ languages }") == {"languages": ["de-DE", "ar"]}
    usual = await harness.create_store(name="Usual")
    chosen = await harness.create_store(name="Chosen", language="AR")
    ask = "query ($id: ID!) { store(id: $id) { language } }"
    spoken = [(await harness.client().execute(ask, {"id": store["id"]}))["store"] for store in (usual, chosen)]
    assert spoken == [{"language": "de-DE"}, {"language": "ar"}]
    await asyncio.gather(*(harness.wait_for_status(store["id"], "READY") for store in (usual, chosen)))
    assert await described(harness, "language") == ["de-DE", "ar"]


async def test_a_shop_can_begin_with_its_wizard(harness: Harness) -> None:
    chosen = await harness.create_store(name="With a wizard", setup="WIZARD")
    usual = await harness.create_store(name="Set up")
    ask = "query ($id: ID!) { store(id: $id) { setup } }"
    setups = [(await harness.client().execute(ask, {"id": store["id"]}))["store"] for store in (chosen, usual)]
    assert setups == [{"setup": "WIZARD"}, {"setup": "READY"}]
    await asyncio.gather(*(harness.wait_for_status(store["id"], "READY") for store in (chosen, usual)))
    assert await described(harness, "setup") == ["wizard", "ready"]


async def test_a_store_asks_for_credentials(harness: Harness) -> None:
    store = await harness.create_store()
    await harness.wait_for_status(store["id"], "READY")
    reveal = (
        "mutation ($id: ID!) { revealAdminCredentials(input: {id: $id}) { credentials { url username password } } }"
    )
    shown = (await harness.client().execute(reveal, {"id": store["id"]}))["revealAdminCredentials"]["credentials"]
    assert shown["url"] == "http://fig-olive.localhost/wp-admin/"
    assert shown["username"] == "admin"
    assert len(shown["password"]) >= 24
    audited = await harness.sql("SELECT actor, subject FROM audit WHERE action = 'credentials.revealed'")
    assert len(audited) == 1
    everything = await harness.sql("SELECT row_to_json(events)::text AS text FROM events")
    assert not [row for row in everything if shown["password"] in row["text"]]
