"""The database was restored from an old backup: namespaces of unknown stores are reported, and can be adopted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from cli.commands import main
from runtime import settings
from tests.support.database_roles import role_urls
from tests.support.harness import Harness, process_environment, run_harness
from tests.support.stores import wait_until_idle
from tests.support.waiting import wait_until
from workers import informer

FORGET_STORES = """
DELETE FROM sealed_secrets; DELETE FROM steps; DELETE FROM events; DELETE FROM slugs; DELETE FROM idempotency_keys;
ALTER TABLE audit DISABLE TRIGGER USER; DELETE FROM audit; ALTER TABLE audit ENABLE TRIGGER USER;
DELETE FROM account_streams; DELETE FROM stores
"""
FORGET_ACCOUNT = "DELETE FROM api_tokens; DELETE FROM memberships; DELETE FROM accounts"
REVEAL = "mutation ($id: ID!) { revealAdminCredentials(input: {id: $id}) { credentials { password } } }"
Command = Callable[..., Any]


@pytest.fixture(name="harness")
async def _harness(
    database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Harness]:
    monkeypatch.setattr(informer, "ORPHANS_SECONDS", 0.1)
    async with run_harness(database_url, redis_url, tmp_path) as made:
        yield made


@pytest.fixture
def command(harness: Harness, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `storefleet …` with the harness's settings. Returns the exit code and both outputs, on one line."""
    for name, value in process_environment(harness.worker_settings).items():
        monkeypatch.setenv(name, value)

    def run(words: tuple[str, ...]) -> tuple[int, str]:
        settings.load_settings.cache_clear()
        roles = role_urls(harness.settings.database_url.get_secret_value())
        monkeypatch.setenv("STOREFLEET_DATABASE_URL", roles.worker if words[0] == "adopt" else roles.api)
        monkeypatch.setattr("sys.argv", ["storefleet", *words])
        capsys.readouterr()
        code = main()
        output = capsys.readouterr()
        return code, " ".join((output.out + output.err).split())

    async def run_in_thread(*words: str) -> tuple[int, str]:
        return await asyncio.to_thread(run, words)

    return run_in_thread


async def password(harness: Harness, store_id: str) -> object:
    return (await harness.client().execute(REVEAL, {"id": store_id}))["revealAdminCredentials"]["credentials"]


def orphan_count() -> float | None:
    """The metric."""
    return REGISTRY.get_sample_value("storefleet_orphaned_namespaces")


async def create_and_forget_store(harness: Harness, *more: str) -> tuple[dict[str, Any], str, object]:
    """A READY store whose rows are deleted. Returns its identity, its namespace and its password."""
    store = await harness.create_store(name="Fig & Olive 🛒")
    await harness.wait_for_status(store["id"], "READY")
    known = await password(harness, store["id"])
    [row] = await harness.sql("SELECT id FROM stores")
    await wait_until_idle(harness)  # a pass would write rows again between the statements
    for statement in [*FORGET_STORES.split(";"), *more]:
        await harness.sql(statement)
    return identity(store), f"store-{row['id']}", known


def identity(store: dict[str, Any]) -> dict[str, Any]:
    return {name: store[name] for name in ("id", "slug", "name", "engine", "plan")}


async def test_an_unknown_namespace_is_reported_left_alone_and_taken_back(harness: Harness, command: Command) -> None:
    was, namespace, known = await create_and_forget_store(harness)

    async def counted() -> bool:
        return orphan_count() == 1

    await wait_until(counted)
    code, output = await command("doctor")
    assert code == 1
    assert f"namespaces without a row: {namespace}" in output
    assert "storefleet adopt NAMESPACE" in output

    code, output = await command("adopt", namespace)
    assert (code, "Fig & Olive 🛒 (fig-olive) is in the database again" in output) == (0, True), output
    again = await command("adopt", namespace)
    assert (again[0], "The store is known: Fig & Olive" in again[1]) == (1, True)
    events = await harness.wait_for_status(was["id"], "READY")
    assert events[0]["message"] == "Fig & Olive 🛒 was taken back from the cluster."
    assert identity(await harness.get_store(was["id"])) == was
    assert await password(harness, was["id"]) == known
    code, output = await command("doctor")
    assert "every store's namespace has its row" in output
    _, found = await harness.kubernetes_request("GET", f"/api/v1/namespaces/{namespace}")
    [row] = await harness.sql("SELECT namespace_uid FROM stores")
    assert found["metadata"]["uid"] == row["namespace_uid"]


async def test_a_store_whose_account_is_gone_needs_an_owner(harness: Harness, command: Command) -> None:
    was, namespace, known = await create_and_forget_store(harness, *FORGET_ACCOUNT.split(";"))
    for words, wanted in (
        ([], "Name its new owner: --owner EMAIL"),
        (["--owner", "nobody@example.com"], "Add one: storefleet users add nobody@example.com"),
    ):
        code, output = await command("adopt", namespace, *words)
        assert (code, wanted in output) == (1, True), output
    code, output = await command("adopt", namespace, "--owner", "owner@example.com")
    assert code == 0, output
    code, harness.token = await command("tokens", "create", "owner@example.com")
    assert code == 0
    await harness.wait_for_status(was["id"], "READY")
    assert await password(harness, was["id"]) == known


async def test_what_cannot_be_taken_back_says_why(harness: Harness, command: Command) -> None:
    _, namespace, _ = await create_and_forget_store(harness)
    core = f"/api/v1/namespaces/{namespace}"

    async def refused(words: str, method: str, path: str, body: Any = None) -> None:
        """After that change, `adopt` fails with these words; then the change is undone."""
        _, before = await harness.kubernetes_request("GET", path)
        headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
        assert (await harness.kubernetes_request(method, path, body, **headers))[0] == 200
        code, output = await command("adopt", namespace)
        assert (code, words in output) == (1, True), output
        assert await harness.sql("SELECT 1 FROM stores") == []
        if method == "PATCH":
            fields = {name: before[name] for name in body}
            if "metadata" in body:
                fields = {"metadata": {"labels": before["metadata"]["labels"]}}
            await harness.kubernetes_request("PATCH", path, fields, **headers)
        else:
            made = {**before, "metadata": {name: before["metadata"][name] for name in ("name", "namespace", "labels")}}
            await harness.kubernetes_request("POST", path.rpartition("/")[0], made)

    output = (await command("adopt", "store-nothing"))[1]
    assert "storefleet doctor lists the namespaces" in output
    described = f"{core}/configmaps/store"
    for change, words in (
        ({"release": "2031.01"}, "this version doesn't have woocommerce 2031.01 of the plan 'small'"),
        ({"engine": "unknown"}, "this version doesn't have unknown"),
        ({"plan": ""}, "of the plan ''"),
        ({"slug": "Not A Slug"}, f"{namespace}: its slug can't be used: Use 3 to 40"),
        ({"adminEmail": "nobody"}, "This is not an e-mail address"),
        ({"country": "XX"}, "Give a country"),
        ({"language": "Klingon"}, "Give a language as a tag"),
        ({"setup": "magic"}, "stores begin READY or WIZARD"),
    ):
        await refused(words, "PATCH", described, {"data": change})
    await refused("doesn't name its store", "PATCH", core, {"metadata": {"labels": {"storefleet.dev/store": "x"}}})
    await refused("name an account", "PATCH", core, {"metadata": {"labels": {"storefleet.dev/account": "x"}}})
    await refused("storefleet doctor lists", "DELETE", described)
    await refused("the Secret admin", "DELETE", f"{core}/secrets/admin")
    await refused("the Secret admin", "PATCH", f"{core}/secrets/admin", {"data": {"password": "/w=="}})
    await refused("lacks password", "PATCH", f"{core}/secrets/database", {"data": {"password": None}})

    other = await harness.create_store(slug="fig-olive")
    code, output = await command("adopt", namespace)
    assert (code, "fig-olive is taken" in output) == (1, True), output
    await harness.wait_for_status(other["id"], "READY")
    await harness.kubernetes_request("DELETE", f"{core}/persistentvolumeclaims/uploads")
    code, output = await command("adopt", namespace)
    assert (code, "the disk uploads" in output) == (1, True), output
    await harness.kubernetes_request("DELETE", core)
    code, output = await command("adopt", namespace)
    assert (code, "is being deleted" in output or "doctor lists" in output) == (1, True), output
