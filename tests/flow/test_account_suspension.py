"""The stores of a suspended account are suspended and resumed with it; nothing is lost."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.database import session_factory
from schema.ids import decode_id
from stores.account_suspension import suspend_or_resume_stores
from stores.status import Status
from tests.support.harness import Harness
from tests.support.operators import ACCOUNTS, RESUME, SUSPEND, VIEWER, ask, change, sign_in_operator
from tests.support.rows import columns_of, connected, new_store
from tests.support.stores import end_leases
from tests.support.waiting import wait_until
from workers.main import worker_lifespan

CHANGES = {
    "resumeStore": {}, "changePlan": {"plan": "MEDIUM"}, "rotateAdminPassword": {}, "retryStore": {},
    "suspendStore": {}, "deleteStore": {},
}  # fmt: skip


async def change_store(harness: Harness, name: str, store_id: str) -> list[str]:
    """The codes with which the owner's change of the store is refused."""
    query = (
        f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ userErrors {{ code }} }} }}"
    )
    data = await harness.client().execute(query, {"input": {"id": store_id, **CHANGES[name]}})
    return [error["code"] for error in data[name]["userErrors"]]


async def test_the_stores_of_a_suspended_account_sleep(harness: Harness) -> None:
    operator = await sign_in_operator(harness)
    running = await harness.create_store(name="Running")
    paused = await harness.create_store(name="Paused by its owner")
    for store in (running, paused):
        await harness.wait_for_status(store["id"], "READY")
    assert await change_store(harness, "suspendStore", paused["id"]) == []
    await harness.wait_for_store(paused["id"], status="SUSPENDED")
    await harness.set_faults({"fault": "unready", "component": "web"})
    starting = await harness.create_store(name="Not ready yet")

    for wrong in ("", "x" * 301, "two\nlines"):
        payload = await change(harness, operator, SUSPEND, accountId=harness.account, reason=wrong)
        assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [("INVALID_REASON", "reason")]
    payload = await change(harness, operator, SUSPEND, accountId=harness.account, reason=" Unpaid bill. ")
    assert (payload["userErrors"], payload["account"]["suspension"]["reason"]) == ([], "Unpaid bill.")
    await harness.wait_for_store(running["id"], status="SUSPENDED")

    owner = await harness.sign_in()  # signing in still works, and the dashboard can say why nothing else does
    accounts = (await ask(harness, owner, VIEWER))["viewer"]["accounts"]
    assert accounts[0]["suspension"] == {"reason": "Unpaid bill."}
    refused = (await harness.create_store_payload(name="Another"))["userErrors"]
    assert [error["code"] for error in refused] == ["ACCOUNT_SUSPENDED"]
    assert "This account is suspended: Unpaid bill." in refused[0]["message"]
    assert await change_store(harness, "resumeStore", running["id"]) == ["ACCOUNT_SUSPENDED"]
    assert await change_store(harness, "changePlan", running["id"]) == ["ACCOUNT_SUSPENDED"]
    assert await change_store(harness, "rotateAdminPassword", running["id"]) == ["ACCOUNT_SUSPENDED"]
    found = (await ask(harness, operator, ACCOUNTS, first=5, suspended=True))["operator"]["accounts"]["nodes"]
    assert [account["accountId"] for account in found] == [harness.account]

    await harness.set_faults()  # what was being set up becomes READY, is proven, and then sleeps, too
    await harness.wait_for_store(starting["id"], status="SUSPENDED")
    assert (await harness.get_store(starting["id"]))["readyAt"] is not None

    payload = await change(harness, operator, RESUME, accountId=harness.account)
    assert payload["account"]["suspension"] is None
    for store in (running, starting):
        await harness.wait_for_store(store["id"], status="READY")
    assert (await harness.get_store(paused["id"]))["status"] == "SUSPENDED"
    assert await harness.sql("SELECT 1 FROM stores WHERE suspended_by_account") == []
    log = (await ask(harness, owner, VIEWER))["viewer"]["accounts"][0]["auditLog"]["nodes"]
    mine = [entry for entry in log if entry["actor"]["name"] == "operator@example.com"]
    assert [entry["action"] for entry in mine] == ["account.resumed", "account.suspended"]
    assert mine[1]["details"] == [{"name": "reason", "value": "Unpaid bill."}]


@pytest.mark.parametrize("settings", [{"failure_patience": 60.0}], indirect=True)
async def test_what_fails_or_was_asked_for_meanwhile_follows_its_account(api: Harness) -> None:
    """A worker dies in the middle, a failed change is suspended as well, and the owner's own suspension stays."""
    operator = await sign_in_operator(api)
    stores = [await api.create_store(name=f"Number {number}") for number in range(3)]
    async with worker_lifespan(api.worker_settings, api.profile):
        for store in stores:
            await api.wait_for_status(store["id"], "READY")
    await api.sql("UPDATE stores SET status = 'UPDATING' WHERE slug = 'number-0'")
    await api.sql("UPDATE stores SET status = 'FAILED', failed_in = 'UPDATING', cause = 'x' WHERE slug = 'number-0'")
    await change(api, operator, SUSPEND, accountId=api.account, reason="Abuse.")
    assert await change_store(api, "retryStore", stores[0]["id"]) == ["ACCOUNT_SUSPENDED"]

    worker = await api.start_worker_process()
    await wait_until(lambda: api.sql("SELECT 1 FROM stores WHERE status = 'SUSPENDING'"))
    worker.kill()
    await worker.wait()
    await end_leases(api)
    async with worker_lifespan(api.worker_settings, api.profile):
        for store in stores:
            await api.wait_for_store(store["id"], status="SUSPENDED")
        rows = await api.sql("SELECT store_id FROM events WHERE type = 'STATUS' AND status = 'SUSPENDING'")
        assert len(rows) == len({row["store_id"] for row in rows}) == 3

        assert await change_store(api, "suspendStore", stores[1]["id"]) == []  # by the owner now: it stays
        await change(api, operator, RESUME, accountId=api.account)
        for store in (stores[0], stores[2]):
            await api.wait_for_store(store["id"], status="READY")
    assert (await api.get_store(stores[1]["id"]))["status"] == "SUSPENDED"


async def test_many_stores_follow_in_batches_whoever_dies(api: Harness) -> None:
    operator = await sign_in_operator(api)
    await api.create_store()  # the account's stream of events begins with it
    account, url = decode_id("Account", api.account), api.settings.database_url
    assert account is not None
    async with connected(url.get_secret_value()) as connection:
        for _ in range(120):
            await new_store(connection, account, cluster="elsewhere", **columns_of(Status.READY))
    await change(api, operator, SUSPEND, accountId=api.account, reason="Abuse.")

    async def follow(session: AsyncSession) -> int:
        return len(await suspend_or_resume_stores(session, "elsewhere", max_resuming=7))

    async with session_factory(url, 2) as sessions:
        async with sessions.begin() as session:
            assert await follow(session) == 50
        async with sessions.begin() as session:
            assert await follow(session) == 50
            await session.rollback()  # as if the process had died before its commit
        counts: list[int] = []
        while not counts or counts[-1]:
            async with sessions.begin() as session:
                counts.append(await follow(session))
        assert counts == [50, 20, 0]
        begun = "SELECT count(*), count(DISTINCT store_id) FROM events WHERE status = $1"
        assert [tuple(row) for row in await api.sql(begun, "SUSPENDING")] == [(120, 120)]

        await api.sql("UPDATE stores SET status = 'SUSPENDED' WHERE status = 'SUSPENDING'")
        await change(api, operator, RESUME, accountId=api.account)
        async with sessions.begin() as first, sessions.begin() as second:  # two workers at the same moment
            assert (await follow(first), await follow(second)) == (7, 0)
        async with sessions.begin() as third:
            assert await follow(third) == 0  # no more at once: the nodes are others' as well
        assert [tuple(row) for row in await api.sql(begun, "RESUMING")] == [(7, 7)]
