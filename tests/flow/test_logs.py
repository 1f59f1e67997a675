"""A store's logs over the WebSocket: what is there, what comes, and what is nobody's business."""

import asyncio
import base64
import time
from urllib.parse import quote

import pytest
import redis.asyncio

from sandbox.simulator.logs import FIRST
from stores import log_tail
from tests.flow.fleet import DELETE, Fleet
from tests.flow.logs import following, namespace_of, readers, refusal, say
from workers.logs import buffer, reading

TOKEN = 'mutation ($scopes: [Scope!]!) { createApiToken(input: {name: "x", scopes: $scopes}) { token { id } secret } }'
REVOKE = "mutation ($id: ID!) { revokeApiToken(input: {id: $id}) { token { id } } }"


async def test_the_last_lines_and_then_each_that_comes(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffer, "LINES", 1000)
    store = (await fleet.create())["id"]
    await fleet.until(store, "READY")
    await say(fleet, store, *(f"line {number}" for number in range(600)))
    async with (
        following(fleet, store, tail=500) as most,
        following(fleet, store, tail=3) as few,
        following(fleet, store, tail=0) as none,
        following(fleet, store, "database") as database,
    ):
        await asyncio.gather(most.sees("line 599"), few.sees("line 599"), database.sees(FIRST))
        await fleet.poll(lambda: all_are_read(fleet, 4))
        await say(fleet, store, "\x1b[31mnew\x1b[0m\x07", "", "newer")
        await asyncio.gather(*(one.sees("new", "", "newer") for one in (most, few, none)))
        assert [line for line in most.lines if line.startswith("line")] == [f"line {n}" for n in range(100, 600)]
        assert few.lines == ["line 597", "line 598", "line 599", "new", "", "newer"]
        assert none.lines == ["new", "", "newer"]
        assert "ready for connections" in database.lines[4]
        assert most.notices == few.notices == none.notices == []
        item = few.items[-1]
        assert (item["container"], item["pod"].startswith("web-")) == ("web", True)
        assert item["at"].endswith("+00:00")
    await fleet.poll(lambda: all_are_read(fleet, 0), 5)  # nobody listens any more


async def all_are_read(fleet: Fleet, count: int) -> bool:
    return await readers(fleet) == count


async def test_nothing_secret_is_shown_or_reaches_redis(fleet: Fleet) -> None:
    store = (await fleet.create())["id"]
    await fleet.until(store, "READY")
    core = f"/api/v1/namespaces/{namespace_of(store)}/secrets"
    secrets = [
        base64.b64decode(value).decode()
        for name in ("admin", "database", "database-root", "wordpress")
        for value in (await fleet.kubernetes("GET", f"{core}/{name}"))[1]["data"].values()
    ]
    assert len(secrets) == 12
    forms = [
        form
        for secret in secrets
        for form in (
            secret,
            base64.b64encode(secret.encode()).decode(),
            quote(secret),
            f"{secret[:5]}\x1b[0m{secret[5:]}",
        )
    ]
    connection = redis.asyncio.Redis.from_url(fleet.settings.redis_url.get_secret_value())
    async with connection, connection.pubsub() as everything:
        await everything.psubscribe("*")
        async with following(fleet, store) as logs:
            await logs.sees(FIRST)
            await say(fleet, store, *(f"password={form}!" for form in forms), "the end")
            await logs.sees("the end")
        assert [line for line in logs.lines if line.startswith("password")] == ["password=[masked]!"] * len(forms)
        published = b""
        while message := await everything.get_message(ignore_subscribe_messages=False, timeout=0.2):
            published += message["data"] if isinstance(message["data"], bytes) else b""
        assert b"password=[masked]!" in published
        kept = b"".join([await connection.dump(key) or b"" for key in await connection.keys()])
        assert not [form for form in forms if form.encode() in published + kept]


async def test_what_is_refused(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    store = (await fleet.create())["id"]
    token, _ = await fleet.sign_up("other@example.com")
    theirs = (await fleet.try_create(token))["store"]["id"]
    missing = [await refusal(fleet, given) for given in (theirs, "nonsense", fleet.account)]
    assert missing == ["There is no such store."] * 3
    for tail in (-1, 501):
        assert f"0 to 500 lines: it was {tail}" in str(await refusal(fleet, store, tail=tail))
    for workload in ("", "WEB", "web,cron", "nothing"):
        parts = "web, database, install, proof, cron, rotate"
        assert await refusal(fleet, store, workload) == f"`workload` is one of {parts}."
    assert "Sign in" in str(await refusal(fleet, store, token=""))
    made = (await fleet.client().execute(TOKEN, {"scopes": ["WRITE"]}))["createApiToken"]
    assert "scope READ" in str(await refusal(fleet, store, token=made["secret"]))
    listed = (await fleet.client().execute("{ engines { workloads } }"))["engines"]
    assert listed == [{"workloads": ["web", "database", "install", "proof", "cron", "rotate"]}, {"workloads": []}]

    monkeypatch.setattr(log_tail, "A_USER", 1)
    monkeypatch.setattr(log_tail, "BUSY_WORKERS", 2)
    monkeypatch.setattr(reading, "READINGS", 1)
    async with following(fleet, store) as logs:
        await logs.sees(FIRST)
        assert "at most 1 logs at a time" in str(await refusal(fleet, store))
        assert "As many logs are followed" in str(await refusal(fleet, theirs, token=token))  # by the worker
        monkeypatch.setattr(log_tail, "A_PROCESS", 1)
        assert "As many logs are followed" in str(await refusal(fleet, theirs, token=token))

    async def there_is_room() -> bool:
        async with following(fleet, store) as logs:
            await logs.until(lambda: logs.ended or FIRST in logs.lines)
            return not logs.ended

    await fleet.poll(there_is_room)


async def test_a_revoked_token_ends_it_within_two_seconds(fleet: Fleet) -> None:
    store = (await fleet.create())["id"]
    made = (await fleet.client().execute(TOKEN, {"scopes": ["READ"]}))["createApiToken"]
    async with following(fleet, store, token=made["secret"]) as logs:
        await logs.sees(FIRST)
        began = time.monotonic()
        await fleet.client().execute(REVOKE, {"id": made["token"]["id"]})
        await logs.over()
        assert "has ended" in str(logs.error)
        assert time.monotonic() - began < 2


async def test_a_flood_is_limited_and_what_is_left_out_counted(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffer, "WAITING_LINES", 300)
    store = (await fleet.create())["id"]
    async with following(fleet, store) as logs:
        await logs.sees(FIRST)
        began = time.monotonic()
        await say(fleet, store, *(f"line {number}" for number in range(5000)))
        await logs.told("lines were left out here: at most 200 lines or 256 KB a second")
        assert len(logs.lines) <= 200 * (time.monotonic() - began + 2)

        def accounted_for() -> int:
            told = [int(notice.split()[0]) for notice in logs.notices if "left out" in notice]
            return sum(told) + len([line for line in logs.lines if line.startswith("line ")])

        await logs.until(lambda: accounted_for() == 5000)
        await say(fleet, store, "x" * 5000, "the end")
        await logs.sees("the end")
        assert [line for line in logs.lines if line.startswith("x")] == ["x" * 4093 + "…"]


async def test_what_ends_is_followed_by_its_successor(fleet: Fleet) -> None:
    store = (await fleet.create())["id"]
    await fleet.until(store, "READY")
    pods = f"/api/v1/namespaces/{namespace_of(store)}/pods"
    async with following(fleet, store) as logs:
        await logs.sees(FIRST)
        first = logs.items[0]["pod"]
        await fleet.kubernetes("DELETE", f"{pods}/{first}")
        await logs.told("is new: its lines follow")
        await logs.until(lambda: logs.lines.count(FIRST) == 2)
        await say(fleet, store, "from the second")
        await logs.sees("from the second")
        assert logs.items[-1]["pod"] != first

        await fleet.fault({"fault": "crash", "component": "web", "exitCode": 139, "message": "out of memory"})
        await logs.told("keeps crashing (exit code")
        async with following(fleet, store, tail=200) as late:
            await late.sees("fatal: out of memory (exit code 139)")
            await late.told("keeps crashing (exit code 139)")
        await logs.told("ended (exit code 139) and started anew.")
        await fleet.fault()
        await fleet.eventually(store, health="HEALTHY")
        await say(fleet, store, "well again")
        await logs.sees("well again")
        async with following(fleet, store, tail=7) as later:
            await later.sees("well again")
            assert later.lines == logs.lines[-7:]  # of two runs
            assert "ended (exit code 139) and started anew" in later.notices[0]
    began = [item["at"] for item in logs.items if item["line"] == FIRST]
    assert len(began) >= 4
    assert began == sorted(set(began))


async def test_where_nothing_runs_it_says_so(fleet: Fleet) -> None:
    await fleet.fault({"fault": "image", "component": "web"}, {"fault": "unschedulable", "component": "database"})
    store = (await fleet.create())["id"]
    async with (
        following(fleet, store, "cron") as cron,
        following(fleet, store) as web,
        following(fleet, store, "database") as database,
    ):
        await cron.told("There is no pod of cron now")
        await web.told("waits to start: ImagePullBackOff")
        await database.told("waits for a node")
        await fleet.fault()
        await asyncio.gather(web.sees(FIRST), database.sees(FIRST))
        await fleet.until(store, "READY")
        await fleet.client().execute(DELETE, {"id": store})
        for logs in (cron, web, database):
            await logs.told("The store is deleted")
            await logs.over()
            assert logs.error is None
    async with following(fleet, store) as gone:
        await gone.told("The store is deleted")
        await gone.over()
