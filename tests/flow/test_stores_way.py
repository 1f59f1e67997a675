"""A store's way from a click to READY and to DELETED, over the front door."""

import asyncio
from functools import partial

import pytest

from tests.contract.objects import requests
from tests.flow.fleet import DELETE, Fleet
from tests.flow.test_drift import rests
from workers.observe import GATHER_SECONDS

STEPS = ["credentials", "namespace", "isolation", "database", "install", "web", "proof"]


async def test_from_a_click_to_ready(fleet: Fleet) -> None:
    store = await fleet.create(name="Fig & Olive", country="DE", currency="EUR", adminEmail="Fig@Example.com")
    assert (store["status"], store["slug"], store["plan"]) == ("REQUESTED", "fig-olive", "SMALL")
    assert store["url"] == "http://fig-olive.localhost"
    assert [step["status"] for step in store["steps"]] == ["PENDING"] * 7

    events = await fleet.until(store["id"], "READY")
    statuses = [event["status"] for event in events if event["type"] == "STATUS"]
    assert statuses == ["REQUESTED", "PROVISIONING", "READY"]
    ended = [event["step"]["name"] for event in events if event["step"] and event["step"]["status"] == "SUCCEEDED"]
    assert ended == STEPS

    ready = await fleet.store(store["id"])
    assert ready["status"] == "READY"
    assert ready["receipt"]["simulated"] is True
    assert [step["name"] for step in ready["receipt"]["steps"]] == ["product", "cart", "checkout", "order", "cleanup"]
    assert ready["health"]["state"] == "HEALTHY"
    assert ready["readyAt"] > ready["createdAt"]
    assert (ready["adminEmail"], ready["country"], ready["currency"]) == ("fig@example.com", "DE", "EUR")
    assert [step["status"] for step in ready["steps"]] == ["SUCCEEDED"] * 7
    assert all(step["startedAt"] <= step["finishedAt"] for step in ready["steps"])


async def test_a_new_store_is_applied_once(fleet: Fleet) -> None:
    """What the cluster does with our objects, and what we tidy up, is no reason to apply them again."""
    before = requests("apply", "Deployment", "200")
    store = await fleet.create()
    await fleet.until(store["id"], "READY")
    await rests(fleet)
    assert requests("apply", "Deployment", "200") == before


async def test_work_that_comes_by_the_clock_wakes_nobody(fleet: Fleet) -> None:
    store = await fleet.create()
    await fleet.until(store["id"], "READY")
    await rests(fleet)
    [row] = await fleet.sql("SELECT id, wake FROM stores")
    namespace = f"store-{row['id']}"
    job = await run_cron(fleet, namespace)
    await fleet.kubernetes("DELETE", f"{job}?propagationPolicy=Background")
    await asyncio.sleep(10 * GATHER_SECONDS)
    assert (await fleet.sql("SELECT wake FROM stores"))[0]["wake"] == row["wake"]
    path = f"/api/v1/namespaces/{namespace}/services/web"
    await fleet.kubernetes("DELETE", path)  # this one is heard of, and nothing before it was
    await fleet.poll(partial(is_there, fleet, path))
    await rests(fleet)
    [after] = await fleet.sql("SELECT wake FROM stores")
    assert after["wake"] - row["wake"] == 1


async def run_cron(fleet: Fleet, namespace: str, seconds: float = 20) -> str:
    """What the CronJob would make when its time comes, made now and waited for: the Job's path."""
    _, cron = await fleet.kubernetes("GET", f"/apis/batch/v1/namespaces/{namespace}/cronjobs/cron")
    template = cron["spec"]["jobTemplate"]
    job = {"apiVersion": "batch/v1", "kind": "Job", "spec": template["spec"]}
    job["metadata"] = {"name": "cron-now", "labels": template["metadata"]["labels"]}
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    assert (await fleet.kubernetes("POST", jobs, job))[0] == 201

    async def done() -> bool:
        status = (await fleet.kubernetes("GET", f"{jobs}/cron-now"))[1]["status"]
        assert "failed" not in status, status
        return bool(status.get("succeeded"))

    await fleet.poll(done, seconds)
    return f"{jobs}/cron-now"


async def is_there(fleet: Fleet, path: str) -> bool:
    return bool((await fleet.kubernetes("GET", path))[0] == 200)


async def test_events_are_numbered_without_a_gap_and_go_on_after_a_cursor(fleet: Fleet) -> None:
    store = await fleet.create()
    events = await fleet.until(store["id"], "READY")
    rows = await fleet.sql("SELECT seq FROM events ORDER BY seq")
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    middle = len(events) // 2
    rest = []
    async for event in fleet.events(store["id"], after=events[middle]["cursor"]):
        rest.append(event)
        if event["status"] == "READY" and event["type"] == "STATUS":
            break
    assert rest == events[middle + 1 :]


async def test_what_the_proof_left_is_tidied_and_the_store_rests(fleet: Fleet) -> None:
    store = await fleet.create()
    await fleet.until(store["id"], "READY")
    [row] = await fleet.sql("SELECT id FROM stores")
    async with asyncio.timeout(10):
        while True:
            _, jobs = await fleet.kubernetes("GET", f"/apis/batch/v1/namespaces/store-{row['id']}/jobs")
            names = [job["metadata"]["name"] for job in jobs["items"]]
            if not [name for name in names if name.startswith(("install", "proof"))]:
                break
            await asyncio.sleep(0.05)
    async with asyncio.timeout(10):
        while True:
            [row] = await fleet.sql("SELECT due_at > now() + interval '1 hour' AS rests, lease_until FROM stores")
            if row["rests"] and row["lease_until"] is None:
                break
            await asyncio.sleep(0.05)


async def test_deleting_removes_everything_and_leaves_a_receipt(fleet: Fleet) -> None:
    store = await fleet.create()
    await fleet.until(store["id"], "READY")
    deleted = await fleet.client().execute(DELETE, {"id": store["id"]})
    assert deleted["deleteStore"]["store"]["status"] == "DELETING"
    again = await fleet.client().execute(DELETE, {"id": store["id"]})
    assert again["deleteStore"]["userErrors"] == []
    await fleet.until(store["id"], "DELETED")
    gone = await fleet.store(store["id"])
    assert len(gone["deletion"]["volumes"]) == 2
    assert gone["deletion"]["leftovers"] == []
    assert gone["deletedAt"] is not None
    [row] = await fleet.sql("SELECT id FROM stores")
    status, _ = await fleet.kubernetes("GET", f"/api/v1/namespaces/store-{row['id']}")
    assert status == 404
    assert await fleet.sql("SELECT * FROM sealed_secrets") == []
    listed = await fleet.client().execute("{ stores(first: 10) { nodes { id } } }")
    assert listed["stores"]["nodes"] == []


async def test_deleting_wins_while_it_is_being_set_up(fleet: Fleet) -> None:
    await fleet.sim("clock", {"speed": 0.5})
    store = await fleet.create()
    await fleet.eventually(store["id"], status="PROVISIONING")
    await fleet.client().execute(DELETE, {"id": store["id"]})
    await fleet.sim("clock", {"speed": 50})
    events = await fleet.until(store["id"], "DELETED")
    assert "READY" not in [event["status"] for event in events]


async def test_create_delete_create_of_one_slug(fleet: Fleet) -> None:
    first = await fleet.create(slug="fig-and-olive")
    taken = await fleet.try_create(slug="fig-and-olive")
    assert taken["userErrors"][0]["code"] == "SLUG_TAKEN"
    assert "fig-and-olive-2 is free" in taken["userErrors"][0]["message"]
    await fleet.client().execute(DELETE, {"id": first["id"]})
    await fleet.until(first["id"], "DELETED")
    second = await fleet.create(slug="fig-and-olive")
    assert second["id"] != first["id"]
    await fleet.until(second["id"], "READY")
    token, _ = await fleet.sign_up("other@example.com")
    await fleet.client().execute(DELETE, {"id": second["id"]})
    await fleet.until(second["id"], "DELETED")
    reserved = await fleet.try_create(token, slug="fig-and-olive")
    assert reserved["userErrors"][0]["code"] == "SLUG_RESERVED"


async def test_ten_at_once_all_arrive(fleet: Fleet) -> None:
    stores = await asyncio.gather(*(fleet.create(name=f"Store {number}") for number in range(10)))
    await asyncio.gather(*(fleet.until(store["id"], "READY", 30) for store in stores))
    assert len({store["slug"] for store in stores}) == 10


@pytest.mark.parametrize("settings", [{"provisioning_at_once": 2, "failure_patience": 60.0}], indirect=True)
async def test_a_store_waits_for_its_turn(fleet: Fleet) -> None:
    await fleet.fault({"fault": "unready", "component": "web"})
    stores = [await fleet.create(name=f"Store {number}") for number in range(5)]
    for store in stores[:2]:
        await fleet.poll(partial(is_at, fleet, store["id"], "web"))
    assert [(await fleet.store(store["id"]))["status"] for store in stores[2:]] == ["REQUESTED"] * 3
    await fleet.client().execute(DELETE, {"id": stores[2]["id"]})
    await fleet.until(stores[2]["id"], "DELETED")  # which waits for nobody
    await fleet.client().execute(DELETE, {"id": stores[0]["id"]})
    await fleet.eventually(stores[3]["id"], status="PROVISIONING")
    assert (await fleet.store(stores[4]["id"]))["status"] == "REQUESTED"
    await fleet.fault()
    await asyncio.gather(*(fleet.until(stores[number]["id"], "READY", 30) for number in (1, 3, 4)))


async def is_at(fleet: Fleet, store_id: str, step: str) -> bool:
    steps = {item["name"]: item["status"] for item in (await fleet.store(store_id))["steps"]}
    return bool(steps[step] == "RUNNING")


async def described(fleet: Fleet, what: str) -> list[str]:
    """What each store's namespace says of it, in the order in which they were made."""
    rows = await fleet.sql("SELECT id FROM stores ORDER BY created_at")
    paths = [f"/api/v1/namespaces/store-{row['id']}/configmaps/store" for row in rows]
    return [(await fleet.kubernetes("GET", path))[1]["data"][what] for path in paths]


@pytest.mark.parametrize("settings", [{"languages": ("de-DE", "ar")}], indirect=True)
async def test_a_shop_speaks_one_of_the_languages_that_there_are(fleet: Fleet) -> None:
    assert await fleet.client().execute("{ languages }") == {"languages": ["de-DE", "ar"]}
    usual = await fleet.create(name="Usual")
    chosen = await fleet.create(name="Chosen", language="AR")
    ask = "query ($id: ID!) { store(id: $id) { language } }"
    spoken = [(await fleet.client().execute(ask, {"id": store["id"]}))["store"] for store in (usual, chosen)]
    assert spoken == [{"language": "de-DE"}, {"language": "ar"}]
    await asyncio.gather(*(fleet.until(store["id"], "READY") for store in (usual, chosen)))
    assert await described(fleet, "language") == ["de-DE", "ar"]


async def test_a_shop_can_begin_with_its_wizard(fleet: Fleet) -> None:
    chosen = await fleet.create(name="With a wizard", setup="WIZARD")
    usual = await fleet.create(name="Set up")
    ask = "query ($id: ID!) { store(id: $id) { setup } }"
    setups = [(await fleet.client().execute(ask, {"id": store["id"]}))["store"] for store in (chosen, usual)]
    assert setups == [{"setup": "WIZARD"}, {"setup": "READY"}]
    await asyncio.gather(*(fleet.until(store["id"], "READY") for store in (chosen, usual)))
    assert await described(fleet, "setup") == ["wizard", "ready"]


async def test_a_store_asks_for_credentials(fleet: Fleet) -> None:
    store = await fleet.create()
    await fleet.until(store["id"], "READY")
    reveal = (
        "mutation ($id: ID!) { revealAdminCredentials(input: {id: $id}) { credentials { url username password } } }"
    )
    shown = (await fleet.client().execute(reveal, {"id": store["id"]}))["revealAdminCredentials"]["credentials"]
    assert shown["url"] == "http://fig-olive.localhost/wp-admin/"
    assert shown["username"] == "admin"
    assert len(shown["password"]) >= 24
    audited = await fleet.sql("SELECT actor, subject FROM audit WHERE action = 'credentials.revealed'")
    assert len(audited) == 1
    everything = await fleet.sql("SELECT row_to_json(events)::text AS text FROM events")
    assert not [row for row in everything if shown["password"] in row["text"]]
