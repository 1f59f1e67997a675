"""What a form for a new store shows: engines with their steps, plans, free addresses, and what the limits allow."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from cli.client import ClientError
from schema.ids import decode_id
from stores import step_durations
from tests.support.harness import Harness

ENGINES = "{ engines { name description steps { name title usualMs } } }"
SUGGESTION = """
query ($name: String, $slug: String, $account: ID) {
  slugSuggestion(name: $name, slug: $slug, accountId: $account) { slug available reason url } }
"""
LIMITS = "{ viewer { accounts { storeQuota storesUsed creationsPerHour creationsLeft nextCreationAt } } }"


async def test_plans_say_what_they_have(api: Harness) -> None:
    data = await api.client("").execute("{ plans { name title cpu memory disk } }")
    assert data["plans"] == [
        {"name": "SMALL", "title": "Small", "cpu": 1, "memory": 832, "disk": 4},
        {"name": "MEDIUM", "title": "Medium", "cpu": 2, "memory": 1664, "disk": 20},
        {"name": "LARGE", "title": "Large", "cpu": 4, "memory": 3328, "disk": 60},
    ]


async def usual(api: Harness) -> dict[str, int | None]:
    """The usual durations of WooCommerce's steps."""
    engine = next(
        engine for engine in (await api.client().execute(ENGINES))["engines"] if engine["name"] == "WOOCOMMERCE"
    )
    return {step["name"]: step["usualMs"] for step in engine["steps"]}


async def test_an_engine_says_what_it_is_and_how_long_its_steps_take(
    api: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = (await api.client("").execute(ENGINES))["engines"]
    assert all(len(engine["description"]) > 20 for engine in engines)
    steps = engines[0]["steps"]
    assert [step["name"] for step in steps][:4] == ["credentials", "namespace", "isolation", "database"]
    assert steps[3]["title"] == "Starting the database"
    assert {step["usualMs"] for step in steps} == {None}
    for seconds in (1, 2, 9):
        store = decode_id("Store", (await api.create_store())["id"])
        await api.sql(
            "UPDATE steps SET status = 'SUCCEEDED', started_at = now(), finished_at = now() + $2"
            " WHERE store_id = $1 AND name = 'database'",
            store,
            timedelta(seconds=seconds),
        )
        await api.sql("UPDATE stores SET ready_at = now() WHERE id = $1", store)
    await api.create_store()  # one that was never READY doesn't count
    assert (await usual(api))["database"] is None, "it is remembered"
    monkeypatch.setattr(step_durations, "CACHE_SECONDS", 0.0)
    durations = await usual(api)
    assert durations["database"] == 2000
    assert durations["install"] is None
    monkeypatch.setattr(step_durations, "SAMPLE", 1)
    assert (await usual(api))["database"] == 9000


async def suggest(api: Harness, token: str | None = None, **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await api.client(token).execute(SUGGESTION, variables))["slugSuggestion"]
    return found


async def test_an_address_is_suggested(api: Harness) -> None:
    free = {"slug": "fig-olive", "available": True, "reason": None, "url": "http://fig-olive.localhost"}
    assert await suggest(api, name="Fig & Olive") == free
    assert await suggest(api, name="Anything", slug="fig-olive") == free
    await api.create_store(slug="fig-olive")
    taken = {
        "slug": "fig-olive-2",
        "available": False,
        "reason": "fig-olive is taken.",
        "url": "http://fig-olive-2.localhost",
    }
    assert await suggest(api, name="Fig & Olive") == taken
    assert await suggest(api, slug="fig-olive") == taken
    reserved = await suggest(api, slug="admin")
    assert (reserved["slug"], reserved["available"]) == ("my-admin", False)
    assert "reserved for the platform" in reserved["reason"]
    malformed = await suggest(api, slug="Fig\0 Olive ü")
    assert (malformed["slug"], malformed["available"]) == ("fig-olive-u", False)
    assert "lower-case letters" in malformed["reason"]
    assert (await suggest(api, name="\0\ud800 ", slug=""))["slug"] == "my-store"
    assert (await suggest(api, name="x" * 5000))["slug"] == "x" * 40
    store = await api.create_store(name="Suggested", slug=taken["slug"])
    assert (store["slug"], store["url"]) == (taken["slug"], taken["url"])


async def test_an_address_of_a_deleted_store_is_free_for_its_account_alone(api: Harness) -> None:
    await api.create_store(slug="fig-olive")
    await api.sql("UPDATE slugs SET released_at = now()")
    token, account = await api.sign_up("other@example.com")
    assert (await suggest(api, slug="fig-olive"))["available"] is True
    assert (await suggest(api, token, slug="fig-olive"))["available"] is False
    with pytest.raises(ClientError, match="no such account"):
        await suggest(api, slug="fig-olive", account=account)


async def test_a_suggestion_needs_a_caller_and_a_wish(api: Harness) -> None:
    with pytest.raises(ClientError, match="Sign in"):
        await suggest(api, "", name="Fig")
    with pytest.raises(ClientError, match="Give name or slug"):
        await suggest(api)


async def limits(api: Harness) -> dict[str, Any]:
    [account] = (await api.client().execute(LIMITS))["viewer"]["accounts"]
    return dict(account)


async def set_limits(api: Harness, **columns: int) -> None:
    for name, value in columns.items():
        await api.sql(f"UPDATE accounts SET {name} = $1", value)  # noqa: S608  # columns that a test names


async def test_limits_say_what_can_be_created(api: Harness) -> None:
    assert await limits(api) == {
        "storeQuota": 100, "storesUsed": 0, "creationsPerHour": 1000, "creationsLeft": 100, "nextCreationAt": None,
    }  # fmt: skip
    await set_limits(api, store_quota=2, creations_per_hour=5)
    first = await api.create_store()
    assert (await limits(api))["creationsLeft"] == 1
    await api.create_store()
    full = await limits(api)
    assert (full["storesUsed"], full["creationsLeft"], full["nextCreationAt"]) == (2, 0, None)
    assert (await api.create_store_payload())["userErrors"][0]["code"] == "QUOTA_EXCEEDED"
    await set_limits(api, store_quota=9, creations_per_hour=2)
    hourly = await limits(api)
    assert hourly["creationsLeft"] == 0
    assert hourly["nextCreationAt"] is not None
    created = datetime.fromisoformat(first["createdAt"])
    assert datetime.fromisoformat(hourly["nextCreationAt"]) == created + timedelta(hours=1)
    assert f"{created + timedelta(hours=1):%H:%M}" in (await api.create_store_payload())["userErrors"][0]["message"]
    await set_limits(api, creations_per_hour=0)
    never = await limits(api)
    assert (never["creationsLeft"], never["nextCreationAt"]) == (0, None)


async def test_deleted_stores_count_for_the_hour_only(api: Harness) -> None:
    store = UUID(str(decode_id("Store", (await api.create_store())["id"])))
    await api.sql("ALTER TABLE stores DISABLE TRIGGER USER")
    await api.sql(
        "UPDATE stores SET status = 'DELETED', desired = 'DELETED', deleted_at = now(), due_at = NULL WHERE id = $1",
        store,
    )
    await set_limits(api, creations_per_hour=1)
    account = await limits(api)
    assert (account["storesUsed"], account["creationsLeft"], account["nextCreationAt"] is None) == (0, 0, False)
