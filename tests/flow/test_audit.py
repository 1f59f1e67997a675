"""The audit log: who did what, when, from where, with which credential and result. It can be read, and not changed."""

import json
from typing import Any

import aiohttp
import asyncpg
import pytest

from accounts import audit_pages
from api import audit_export
from runtime.database import session_factory
from schema.ids import decode_id
from tests.support.harness import JSON, PASSWORD, Harness
from workers.maintenance import delete_expired

LOG = """
query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { account(id: $id) {
  auditLog(first: $first, after: $after, last: $last, before: $before) {
    edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    nodes { id at action result address userAgent actor { kind id name } user { kind name } credential { kind id name }
      subject { kind id name } details { name value } } } } }
"""
DELETE = "mutation ($id: ID!) { deleteStore(input: {id: $id}) { userErrors { code } } }"


async def log(api: Harness, token: str | None = None, **arguments: Any) -> JSON:
    """A page of the first user's audit log."""
    given = arguments or {"first": 100}
    found: JSON = (await api.client(token).execute(LOG, {"id": api.account, **given}))["account"]["auditLog"]
    return found


async def export(api: Harness, token: str | None = None, query: str = "") -> tuple[int, str]:
    """Status and body of the download. `token`: the first user's by default, "" for none."""
    token = api.token if token is None else token
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with api.http.get(f"{api.url}/export/audit{query}", headers=headers) as response:
        return response.status, await response.text()


async def test_an_entry_says_who_did_what_from_where_and_with_which_result(api: Harness) -> None:
    store = await api.create_store(name="Figs")
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, headers={"User-Agent": "Firefox of Ada"}) as browser:
        wrong = {"email": "owner@example.com", "password": "not this one"}
        for password, status in (("not this one", 401), (PASSWORD, 200)):
            async with browser.post(f"{api.url}/auth/sign-in", json={**wrong, "password": password}) as response:
                assert response.status == status
        body = {"query": DELETE, "variables": {"id": store["id"]}}
        async with browser.post(f"{api.url}/graphql", json=body) as response:
            assert (await response.json())["data"]["deleteStore"]["userErrors"] == []
        async with browser.post(f"{api.url}/auth/sign-out") as response:
            assert response.status == 204
    entries = (await log(api))["nodes"]
    assert [(entry["action"], entry["result"]) for entry in entries] == [
        ("user.signed_out", "SUCCEEDED"), ("store.deleted", "SUCCEEDED"), ("user.signed_in", "SUCCEEDED"),
        ("user.signed_in", "REFUSED"), ("store.created", "SUCCEEDED"), ("token.created", "SUCCEEDED"),
        ("user.signed_up", "SUCCEEDED"),
    ]  # fmt: skip
    signed_out, deleted, signed_in, refused, created = entries[:5]
    owner = {"kind": "user", "name": "owner@example.com"}
    assert {entry["userAgent"] for entry in entries[:4]} == {"Firefox of Ada"}
    assert {entry["address"] for entry in entries} == {"127.0.0.1"}
    assert signed_in["credential"]["id"] == deleted["credential"]["id"] == signed_out["credential"]["id"] is not None
    assert (refused["credential"], refused["user"]) == (None, None)
    assert {key: deleted["actor"][key] for key in owner} == deleted["user"] == created["user"] == owner
    assert deleted["subject"] == {"kind": "store", "id": store["id"], "name": "Figs"}
    assert deleted["details"] == [{"name": "slug", "value": "figs"}]
    assert (created["actor"]["kind"], created["actor"]["name"]) == ("token", "test")
    assert created["credential"] == created["actor"]
    token = next(entry for entry in entries if entry["action"] == "token.created")
    assert {"name": "scopes", "value": "read, write"} in token["details"]


async def test_what_a_member_may_not_do_is_written_down(api: Harness) -> None:
    store = await api.create_store()
    await api.sql("UPDATE memberships SET role = 'viewer'")
    answer = await api.client().execute(DELETE, {"id": store["id"]})
    assert answer["deleteStore"]["userErrors"][0]["code"] == "FORBIDDEN"
    with pytest.raises(Exception, match="owner or admin"):
        await log(api)
    assert (await export(api))[0] == 403
    await api.sql("UPDATE memberships SET role = 'admin'")
    entry = (await log(api))["nodes"][0]
    assert (entry["action"], entry["result"], entry["subject"]["id"]) == ("deleteStore", "REFUSED", api.account)


async def test_pages_go_both_ways(api: Harness) -> None:
    for _ in range(5):
        await api.create_store()
    everything = [node["id"] for node in (await log(api))["nodes"]]
    assert len(everything) == 7
    newest = await log(api, first=3)
    assert [node["id"] for node in newest["nodes"]] == everything[:3]
    assert newest["pageInfo"] == {
        "hasNextPage": True, "hasPreviousPage": False, "startCursor": everything[0], "endCursor": everything[2],
    }  # fmt: skip
    rest = await log(api, first=100, after=newest["pageInfo"]["endCursor"])
    assert [edge["cursor"] for edge in rest["edges"]] == everything[3:]
    assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)
    back = await log(api, last=2, before=rest["pageInfo"]["startCursor"])
    assert [node["id"] for node in back["nodes"]] == everything[1:3]
    assert (back["pageInfo"]["hasNextPage"], back["pageInfo"]["hasPreviousPage"]) == (True, True)
    assert (await log(api, last=1))["nodes"][0]["id"] == everything[-1]
    for wrong in ({}, {"first": 1, "last": 1}, {"first": 0}, {"first": 1, "after": "x"}, {"last": 1, "before": "eA"}):
        with pytest.raises(Exception, match=r"first|cursor"):
            await api.client().execute(LOG, {"id": api.account, **wrong})


async def test_the_export_is_the_whole_log_as_json_lines(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_export, "PAGE", 2)
    store = await api.create_store(name="Figs")
    await api.sql("INSERT INTO audit (account_id, actor, action, subject, detail) SELECT account_id, 'cli', "
                  "'limits.changed', 'account:' || account_id, '{}' FROM stores")  # fmt: skip
    status, text = await export(api)
    lines = [json.loads(line) for line in text.splitlines()]
    assert (status, [line["action"] for line in lines]) == (
        200, ["user.signed_up", "token.created", "store.created", "limits.changed", "audit.exported"],
    )  # fmt: skip
    assert (lines[2]["actorName"], lines[2]["user"]) == ("test", "owner@example.com")
    assert lines[2]["subject"] == f"store:{decode_id('Store', store['id'])}"
    assert lines[3]["user"] is None
    other, other_account = await api.sign_up("other@example.com")
    assert (await export(api, query=f"?accountId={other_account}"))[0] == 404
    assert (await export(api, query="?accountId=nonsense"))[0] == 404
    assert [(await export(api, token))[0] for token in ("", "sf_unknown")] == [401, 401]
    assert "Figs" not in (await export(api, other))[1]
    await api.sql("UPDATE api_tokens SET scopes = '{write}'")
    assert (await export(api))[0] == 403


async def test_an_export_ends_with_the_rights_of_its_caller(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle: the client sees that the download is not complete."""
    monkeypatch.setattr(audit_export, "PAGE", 1)
    page = audit_pages.audit_page

    async def revoke_after_a_page(*args: Any, **options: Any) -> Any:
        found = await page(*args, **options)
        await api.sql("UPDATE api_tokens SET revoked_at = now()")
        return found

    monkeypatch.setattr(audit_export, "audit_page", revoke_after_a_page)
    with pytest.raises(aiohttp.ClientPayloadError):
        await export(api)


async def test_the_database_refuses_to_change_the_log(api: Harness) -> None:
    for statement in (
        "UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "TRUNCATE audit", "DELETE FROM audit WHERE id = 1",
    ):  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await api.sql(statement)
    await api.sql(
        "INSERT INTO audit (at, actor, action, subject, detail) SELECT now() - interval '1 day' * days, 'cli', "
        "days::text, 'account:', '{}' FROM unnest(ARRAY[39, 41, 400]) AS days"
    )
    async with session_factory(api.worker_settings.database_url, 2) as sessions:
        await delete_expired(sessions, api.worker_settings.model_copy(update={"audit_days": 40}))
    kept = await api.sql("SELECT action FROM audit WHERE actor = 'cli'")
    assert [row["action"] for row in kept] == ["39"]


async def test_an_entry_is_written_with_the_change_or_not_at_all(api: Harness) -> None:
    await api.sql("ALTER TABLE audit ADD CONSTRAINT broken CHECK (action <> 'store.created') NOT VALID")
    with pytest.raises(Exception, match="went wrong"):
        await api.create_store()
    assert await api.sql("SELECT 1 FROM stores") == []
