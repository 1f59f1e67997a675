"""Operators see all accounts, limit them, and sign in as a user. Nobody else can do any of it."""

import argparse
from typing import Any

from cli.users import users
from schema.ids import decode_id
from tests.support.harness import JSON, Harness
from tests.support.operators import ACCOUNTS, LIMITS, VIEWER, ask, become_operator, change, sign_in_operator
from tests.support.rows import NOW, PROOF, connected, new_store
from tests.support.waiting import wait_until

STORES = """
query ($filter: StoreFilter, $account: ID, $cause: String) { operator {
  stores(first: 10, filter: $filter, accountId: $account, cause: $cause) {
    nodes { slug accountName status health cause url namespace lastEventAt } }
} }
"""
OVERVIEW = """
query ($minutes: Int) { operator {
  stuck(first: 5, minutes: $minutes) { nodes { slug status lastEventAt } pageInfo { hasNextPage } }
  failing { cause failed unhealthy }
  capacity { cluster nodes stores allocatableCpu requestedCpu allocatableMemory requestedMemory requestedPods }
  statusCounts { status stores }
  readyTimes { engine medianMs p95Ms stores steps { name medianMs p95Ms stores } }
} }
"""


async def impersonate(harness: Harness, headers: JSON, user_id: str, reason: str) -> tuple[int, Any, JSON]:
    """Status, answer, and the headers of the new session with the operator's own in its second cookie."""
    body = {"userId": user_id, "reason": reason}
    async with harness.http.post(f"{harness.url}/auth/impersonation", json=body, headers=headers) as response:
        cookies = "; ".join(f"{name}={cookie.value}" for name, cookie in response.cookies.items())
        return response.status, await response.json(), {"Cookie": cookies}


async def test_an_operator_sets_limits(api: Harness) -> None:
    operator = await sign_in_operator(api)
    for wrong in ({"storeQuota": -1}, {"storeQuota": 1_000_001}):
        payload = await change(api, operator, LIMITS, accountId=api.account, **wrong)
        assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [("INVALID_LIMIT", "storeQuota")]
    payload = await change(api, operator, LIMITS, accountId=api.account, storeQuota=1)
    assert (payload["account"]["storeQuota"], payload["account"]["ownLimits"]) == (1, True)
    await api.create_store()
    refused = (await api.create_store_payload(name="Another"))["userErrors"]
    assert [error["code"] for error in refused] == ["QUOTA_EXCEEDED"]
    payload = await change(api, operator, LIMITS, accountId=api.account)
    assert (payload["account"]["storeQuota"], payload["account"]["ownLimits"]) == (100, False)
    unknown = await change(api, operator, LIMITS, accountId="rubbish")
    assert [(error["code"], error["field"]) for error in unknown["userErrors"]] == [("NOT_FOUND", "accountId")]
    log = await api.sql("SELECT detail->>'storeQuota' AS quota FROM audit WHERE action = 'account.limits_changed'")
    assert [row["quota"] for row in log] == ["1", "default"]


async def test_an_operator_signs_in_as_a_user_and_returns(api: Harness) -> None:
    operator = await sign_in_operator(api)
    owner = await api.sign_in()
    [(user_id,)] = await api.sql("SELECT id FROM users WHERE email = 'owner@example.com'")
    user = (await ask(api, owner, "{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    assert decode_id("User", user) == user_id
    assert (await impersonate(api, owner, user, "curious"))[0] == 403
    assert (await impersonate(api, {"Authorization": f"Bearer {api.token}"}, user, "curious"))[0] == 403
    assert (await impersonate(api, {}, user, "curious"))[0] == 401
    assert (await impersonate(api, operator, "rubbish", "help"))[0] == 404
    status, answer, _ = await impersonate(api, operator, user, " ")
    assert (status, answer["errors"][0]["code"], answer["errors"][0]["field"]) == (422, "INVALID_REASON", "reason")

    status, answer, both = await impersonate(api, operator, user, "Ticket 42")
    assert (status, answer["userId"], answer["accountId"]) == (200, user, api.account)
    viewer = (await ask(api, both, VIEWER))["viewer"]
    assert (viewer["user"]["email"], viewer["isOperator"]) == ("owner@example.com", False)
    assert (viewer["impersonation"]["operator"], viewer["impersonation"]["reason"]) == (
        "operator@example.com", "Ticket 42",
    )  # fmt: skip
    [(minutes,)] = await api.sql(
        "SELECT extract(epoch FROM expires_at - created_at) / 60 FROM sessions WHERE operator_id IS NOT NULL"
    )
    assert minutes == 60
    assert (await impersonate(api, both, user, "again"))[0] == 403  # not an operator while being a user
    created = await ask(
        api, both, "mutation ($input: CreateStoreInput!) { createStore(input: $input) { userErrors { code } } }",
        input={"name": "By the operator", "engine": "WOOCOMMERCE"},
    )  # fmt: skip
    assert created["createStore"]["userErrors"] == []
    refused = await ask(
        api, both, "mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { code } } }",
        input={"newPassword": "another password", "currentPassword": "x"},
    )  # fmt: skip
    assert refused["changePassword"]["userErrors"] == [{"code": "FORBIDDEN"}]

    # the account sees all of it, and the user sees the session
    log = (await ask(api, owner, VIEWER))["viewer"]["accounts"][0]["auditLog"]["nodes"]
    seen = {entry["action"]: entry for entry in log}
    assert seen["user.impersonated"]["actor"]["name"] == "operator@example.com"
    assert seen["user.impersonated"]["details"] == [{"name": "reason", "value": "Ticket 42"}]
    assert seen["store.created"]["operator"] == {"name": "operator@example.com"}
    assert (seen["changePassword"]["result"], seen["changePassword"]["operator"]["name"]) == (
        "REFUSED", "operator@example.com",
    )  # fmt: skip
    async with api.http.get(f"{api.url}/export/audit", headers=owner) as response:
        assert '"operator": "operator@example.com"' in await response.text()
    sessions = (await ask(api, owner, VIEWER))["viewer"]["sessions"]
    assert sorted((each["operator"], each["current"]) for each in sessions) == [
        (False, False), (False, True), (True, False),
    ]  # fmt: skip

    async with api.http.delete(f"{api.url}/auth/impersonation", headers=both) as response:
        assert response.status == 204
        back = {"Cookie": "; ".join(f"{name}={each.value}" for name, each in response.cookies.items() if each.value)}
    assert (await ask(api, back, "{ viewer { isOperator } }"))["viewer"]["isOperator"] is True
    assert (await ask(api, both, "{ viewer { isOperator } }"))["viewer"] is None  # that session has ended
    ended = await api.sql("SELECT 1 FROM audit WHERE action = 'user.signed_out' AND operator_id IS NOT NULL")
    assert len(ended) == 1

    _, _, again = await impersonate(api, operator, user, "Ticket 43")
    # who has signed in at this browser meanwhile doesn't get the operator's session, and keeps the own one
    kept = again["Cookie"].partition("storefleet_operator=")[2].partition(";")[0]
    mixed = {"Cookie": f"{owner['Cookie']}; storefleet_operator={kept}"}
    async with api.http.delete(f"{api.url}/auth/impersonation", headers=mixed) as response:
        assert list(response.cookies) == ["storefleet_operator"]
    await become_operator(api, "off")
    assert (await ask(api, again, "{ viewer { isOperator } }"))["viewer"] is None
    assert (await api.ask(operator, ACCOUNTS, {"first": 1}))["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    async with api.http.delete(f"{api.url}/auth/impersonation", headers=again) as response:
        assert response.status == 204
    assert await users(api.settings, argparse.Namespace(action="operator", email="nobody@x.example", state="on")) == 1


async def test_the_lists_of_an_operator(harness: Harness) -> None:
    operator = await sign_in_operator(harness)
    store = await harness.create_store(name="Figs")
    await harness.wait_for_status(store["id"], "READY")
    await wait_until(lambda: harness.sql("SELECT 1 FROM cluster_capacity"))
    account = decode_id("Account", harness.account)
    assert account is not None
    failed = {"status": "FAILED", "failed_in": "UPDATING", "cause": "The disk is full.", "lease_until": None}
    async with connected(harness.settings.database_url.get_secret_value()) as connection:
        later = "9999-01-01"
        for number in range(3):
            row = await new_store(connection, account, slug=f"broken-{number}", cluster="far away", **failed)
            await connection.execute("UPDATE stores SET due_at = $2::text::timestamptz WHERE id = $1", row, later)
        sick = {**PROOF, "created_at": NOW, "status": "READY", "health": "DOWN", "health_cause": "The disk is full."}
        await new_store(connection, account, slug="sick", cluster="far away", **sick)
        old = await new_store(connection, account, slug="old", cluster="far away", status="PROVISIONING")
        await connection.execute("UPDATE stores SET created_at = now() - interval '1 hour' WHERE id = $1", old)

    data = (await ask(harness, operator, OVERVIEW, minutes=10))["operator"]
    assert data["failing"] == [{"cause": "The disk is full.", "failed": 3, "unhealthy": 1}]
    assert [(each["slug"], each["status"]) for each in data["stuck"]["nodes"]] == [("old", "PROVISIONING")]
    counts = {each["status"]: each["stores"] for each in data["statusCounts"]}
    assert (counts["READY"], counts["FAILED"], counts["DELETED"]) == (2, 3, 0)
    [capacity] = data["capacity"]
    assert (capacity["cluster"], capacity["nodes"], capacity["allocatableCpu"]) == ("main", 1, 1_000_000)
    [times] = data["readyTimes"]
    assert times["engine"] == "WOOCOMMERCE"
    assert [step["name"] for step in times["steps"]] == [step["name"] for step in store["steps"]]
    assert 0 <= times["medianMs"] <= times["p95Ms"]

    listed = (await ask(harness, operator, STORES, cause="The disk is full."))["operator"]["stores"]["nodes"]
    assert {each["slug"] for each in listed} == {"broken-0", "broken-1", "broken-2", "sick"}
    listed = (await ask(harness, operator, STORES, filter={"search": "FIGS"}, account=harness.account))["operator"]
    assert [each["accountName"] for each in listed["stores"]["nodes"]] == ["owner's stores"]

    async def page(**arguments: Any) -> JSON:
        found: JSON = (await ask(harness, operator, ACCOUNTS, **arguments))["operator"]["accounts"]
        return found

    first = await page(first=1)
    assert [node["members"][0]["email"] for node in first["nodes"]] == ["operator@example.com"]
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    second = await page(first=1, after=first["pageInfo"]["endCursor"])
    assert [(node["accountId"], node["storesUsed"]) for node in second["nodes"]] == [(harness.account, 6)]
    assert await page(last=1, before=second["pageInfo"]["startCursor"]) == {
        **first, "pageInfo": {**first["pageInfo"], "hasNextPage": True},
    }  # fmt: skip
    assert (await page(last=1))["nodes"] == second["nodes"]
    assert [node["accountId"] for node in (await page(first=5, search="OWNER@"))["nodes"]] == [harness.account]
    assert (await page(first=5, suspended=True))["nodes"] == []
    wrong: list[JSON] = [
        {},
        {"first": 1, "last": 1},
        {"first": 0},
        {"first": 1, "after": "x"},
        {"first": 1, "search": "x" * 81},
    ]
    for arguments in wrong:
        answer = await harness.ask(operator, ACCOUNTS, arguments)
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    for query, variables in ((OVERVIEW, {"minutes": -1}), (STORES, {"cause": "\0"})):
        assert (await harness.ask(operator, query, variables))["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
