"""The database is restored from an old backup: stores that it doesn't know are reported, and can be taken back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from cli.__main__ import main
from runtime import settings
from tests.flow.fleet import Fleet, fleet, process_environment
from tests.flow.test_drift import rests
from workers import observe

FORGET = """
DELETE FROM sealed_secrets; DELETE FROM steps; DELETE FROM events; DELETE FROM slugs; DELETE FROM idempotency_keys;
DELETE FROM audit; DELETE FROM account_streams; DELETE FROM stores
"""
FORGET_ACCOUNT = "DELETE FROM api_tokens; DELETE FROM memberships; DELETE FROM accounts"
REVEAL = "mutation ($id: ID!) { revealAdminCredentials(input: {id: $id}) { credentials { password } } }"
Command = Callable[..., Any]


@pytest.fixture(name="fleet")
async def quick_to_count(
    database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Fleet]:
    monkeypatch.setattr(observe, "ORPHANS_SECONDS", 0.1)
    async with fleet(database_url, redis_url, tmp_path) as made:
        yield made


@pytest.fixture
def command(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `storefleet …` beside the fleet: its exit code and what it said, on one line."""
    for name, value in process_environment(fleet.settings).items():
        monkeypatch.setenv(name, value)

    def run(words: tuple[str, ...]) -> tuple[int, str]:
        settings.load.cache_clear()
        monkeypatch.setattr("sys.argv", ["storefleet", *words])
        capsys.readouterr()
        code = main()
        said = capsys.readouterr()
        return code, " ".join((said.out + said.err).split())

    async def in_its_own_loop(*words: str) -> tuple[int, str]:
        return await asyncio.to_thread(run, words)

    return in_its_own_loop


async def password(fleet: Fleet, store_id: str) -> object:
    return (await fleet.client().execute(REVEAL, {"id": store_id}))["revealAdminCredentials"]["credentials"]


def orphans() -> float | None:
    return REGISTRY.get_sample_value("storefleet_orphaned_namespaces")


async def made_and_forgotten(fleet: Fleet, *more: str) -> tuple[dict[str, Any], str, object]:
    """A READY store whose rows are gone: what it was, its namespace, its password."""
    store = await fleet.create(name="Fig & Olive 🛒")
    await fleet.until(store["id"], "READY")
    known = await password(fleet, store["id"])
    [row] = await fleet.sql("SELECT id FROM stores")
    await rests(fleet)  # a pass would write rows again between the statements
    for statement in [*FORGET.split(";"), *more]:
        await fleet.sql(statement)
    return await kept(store), f"store-{row['id']}", known


async def kept(store: dict[str, Any]) -> dict[str, Any]:
    return {name: store[name] for name in ("id", "slug", "name", "engine", "plan")}


async def test_an_unknown_namespace_is_reported_left_alone_and_taken_back(fleet: Fleet, command: Command) -> None:
    was, namespace, known = await made_and_forgotten(fleet)

    async def counted() -> bool:
        return orphans() == 1

    await fleet.poll(counted)
    code, said = await command("doctor")
    assert code == 1
    assert f"namespaces without a row: {namespace}" in said
    assert "storefleet adopt NAMESPACE" in said

    code, said = await command("adopt", namespace)
    assert (code, "Fig & Olive 🛒 (fig-olive) is back" in said) == (0, True), said
    again = await command("adopt", namespace)
    assert (again[0], "The store is known: Fig & Olive" in again[1]) == (1, True)
    events = await fleet.until(was["id"], "READY")
    assert events[0]["message"] == "Fig & Olive 🛒 was taken back from the cluster."
    assert await kept(await fleet.store(was["id"])) == was
    assert await password(fleet, was["id"]) == known
    code, said = await command("doctor")
    assert "every store's namespace has its row" in said
    _, found = await fleet.kubernetes("GET", f"/api/v1/namespaces/{namespace}")
    [row] = await fleet.sql("SELECT namespace_uid FROM stores")
    assert found["metadata"]["uid"] == row["namespace_uid"]


async def test_a_store_whose_account_is_gone_needs_an_owner(fleet: Fleet, command: Command) -> None:
    was, namespace, known = await made_and_forgotten(fleet, *FORGET_ACCOUNT.split(";"))
    for words, wanted in (
        ([], "Name who is to own it: --owner EMAIL"),
        (["--owner", "nobody@example.com"], "Make one: storefleet users add nobody@example.com"),
    ):
        code, said = await command("adopt", namespace, *words)
        assert (code, wanted in said) == (1, True), said
    code, said = await command("adopt", namespace, "--owner", "owner@example.com")
    assert code == 0, said
    code, fleet.token = await command("tokens", "create", "owner@example.com")
    assert code == 0
    await fleet.until(was["id"], "READY")
    assert await password(fleet, was["id"]) == known


async def test_what_cannot_be_taken_back_says_why(fleet: Fleet, command: Command) -> None:
    _, namespace, _ = await made_and_forgotten(fleet)
    core = f"/api/v1/namespaces/{namespace}"

    async def refused(words: str, method: str, path: str, body: Any = None) -> None:
        """After that change, `adopt` says these words; then the change is undone."""
        _, before = await fleet.kubernetes("GET", path)
        headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
        assert (await fleet.kubernetes(method, path, body, **headers))[0] == 200
        code, said = await command("adopt", namespace)
        assert (code, words in said) == (1, True), said
        assert await fleet.sql("SELECT 1 FROM stores") == []
        if method == "PATCH":
            fields = {name: before[name] for name in body}
            if "metadata" in body:
                fields = {"metadata": {"labels": before["metadata"]["labels"]}}
            await fleet.kubernetes("PATCH", path, fields, **headers)
        else:
            made = {**before, "metadata": {name: before["metadata"][name] for name in ("name", "namespace", "labels")}}
            await fleet.kubernetes("POST", path.rpartition("/")[0], made)

    said = (await command("adopt", "store-nothing"))[1]
    assert "storefleet doctor lists the namespaces" in said
    described = f"{core}/configmaps/store"
    for change, words in (
        ({"release": "2031.01"}, "this version knows no woocommerce 2031.01 of the plan 'small'"),
        ({"engine": "unknown"}, "this version knows no unknown"),
        ({"plan": ""}, "of the plan ''"),
        ({"slug": "Not A Slug"}, f"the slug that {namespace} names can't be used: Use 3 to 40"),
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

    other = await fleet.create(slug="fig-olive")
    code, said = await command("adopt", namespace)
    assert (code, "fig-olive is taken" in said) == (1, True), said
    await fleet.until(other["id"], "READY")
    await fleet.kubernetes("DELETE", f"{core}/persistentvolumeclaims/uploads")
    code, said = await command("adopt", namespace)
    assert (code, "the disk uploads" in said) == (1, True), said
    await fleet.kubernetes("DELETE", core)
    code, said = await command("adopt", namespace)
    assert (code, "is being deleted" in said or "doctor lists" in said) == (1, True), said
