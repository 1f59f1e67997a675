"""A store whose engine this installation doesn't offer: the setting changed, or a newer version created the store."""

import pytest

from cli.client import ClientError
from cli.manifests import manifests
from tests.support.harness import DELETE, Harness
from tests.support.stores import create_ready_store, rotate_password, wait_until_idle
from tests.support.suspension import refusal

LIST = "{ stores(first: 10) { nodes { id engine release } } }"
REVEAL = """
mutation ($id: ID!) { revealAdminCredentials(input: {id: $id}) { credentials { url } userErrors { code } } }
"""
LOGS = 'subscription ($id: ID!) { storeLogs(storeId: $id, component: "web") { line } }'
ADVICE = "This installation doesn't offer the engine future now. Ask its operator."


async def test_lists_work_and_mutations_that_need_the_engine_are_refused(
    harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    known, _ = await create_ready_store(harness)
    store, _ = await create_ready_store(harness)
    await wait_until_idle(harness)
    await harness.sql("UPDATE stores SET engine = 'future' WHERE slug = $1", store["slug"])

    nodes = (await harness.client().execute(LIST))["stores"]["nodes"]
    assert {node["id"]: node["engine"] for node in nodes} == {known["id"]: "WOOCOMMERCE", store["id"]: "UNKNOWN"}
    assert (await harness.get_store(store["id"]))["status"] == "READY"
    code, message = refusal(await rotate_password(harness, store["id"]))
    assert (code, message) == ("ENGINE_UNAVAILABLE", ADVICE)
    revealed = (await harness.client().execute(REVEAL, {"id": store["id"]}))["revealAdminCredentials"]
    assert (revealed["credentials"], revealed["userErrors"][0]["code"]) == (None, "ENGINE_UNAVAILABLE")

    with pytest.raises(ClientError, match=ADVICE):
        await anext(harness.client().subscribe(LOGS, {"id": store["id"]}))
    assert (await manifests(harness.settings, harness.profile, store["slug"], secrets=False)) == 1
    assert ADVICE in capsys.readouterr().err

    await harness.client().execute(DELETE, {"id": store["id"]})
    await harness.wait_for_store(store["id"], status="DELETED", health=None)


async def test_no_store_can_be_created_with_an_unknown_engine(api: Harness) -> None:
    [error] = (await api.create_store_payload(engine="UNKNOWN"))["userErrors"]
    assert (error["code"], error["field"]) == ("ENGINE_UNAVAILABLE", "engine")
