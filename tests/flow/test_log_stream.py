"""A store's logs over the WebSocket: existing lines, new lines, masked secrets, refusals, limits."""

import asyncio
import base64
import time
from urllib.parse import quote

import pytest
import redis.asyncio

from runtime import changefeed
from sandbox.simulator.logs import SIMULATED_LINE
from stores import log_stream
from tests.support.harness import DELETE, Harness
from tests.support.log_subscription import follow_logs, open_log_streams, print_lines, subscription_error
from tests.support.stores import namespace_of
from tests.support.waiting import wait_until
from workers.logs import buffer, reader

TOKEN = 'mutation ($scopes: [Scope!]!) { createApiToken(input: {name: "x", scopes: $scopes}) { token { id } secret } }'
STOPPED = {"speed": 1e-6}
"""A clock at which containers print no line by themselves."""
REVOKE = "mutation ($id: ID!) { revokeApiToken(input: {id: $id}) { token { id } } }"


async def test_the_last_lines_and_then_each_that_comes(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffer, "LINES_PER_SECOND", 1000)
    store = (await harness.create_store())["id"]
    await harness.wait_for_status(store, "READY")
    await harness.call_simulator("clock", STOPPED)
    await print_lines(harness, store, *(f"line {number}" for number in range(600)))
    async with (
        follow_logs(harness, store, tail=500) as most,
        follow_logs(harness, store, tail=3) as few,
        follow_logs(harness, store, tail=0) as none,
        follow_logs(harness, store, "database") as database,
    ):
        await asyncio.gather(
            most.wait_for_lines("line 599"), few.wait_for_lines("line 599"), database.wait_for_lines(SIMULATED_LINE)
        )
        await wait_until(lambda: has_open_streams(harness, 4))
        await print_lines(harness, store, "\x1b[31mnew\x1b[0m\x07", "", "newer")
        await asyncio.gather(*(one.wait_for_lines("new", "", "newer") for one in (most, few, none)))
        numbered = [line for line in most.lines if line.startswith("line")]
        assert numbered == [f"line {number}" for number in range(600 - len(numbered), 600)]
        others = len(most.lines) - len(numbered)
        assert 500 - others <= len(numbered) <= 500
        *last, new, empty, newer = printed(few.lines)
        assert last == ["line 597", "line 598", "line 599"][-len(last) :]
        assert 3 - (len(few.lines) - len(printed(few.lines))) <= len(last) <= 3
        assert [new, empty, newer] == ["new", "", "newer"]
        assert printed(none.lines) == ["new", "", "newer"]
        assert "ready for connections" in database.lines[4]
        assert most.notices == few.notices == none.notices == []
        item = few.items[-1]
        assert (item["container"], item["pod"].startswith("web-")) == ("web", True)
        assert item["at"].endswith("+00:00")
    await wait_until(lambda: has_open_streams(harness, 0))  # a stream ends with its last subscriber


def printed(lines: list[str]) -> list[str]:
    """Without heartbeats: one may be on its way when the clock stops."""
    return [line for line in lines if "kube-probe" not in line]


async def has_open_streams(harness: Harness, count: int) -> bool:
    return await open_log_streams(harness) == count


async def test_nothing_secret_is_shown_or_reaches_redis(harness: Harness) -> None:
    store = (await harness.create_store())["id"]
    await harness.wait_for_status(store, "READY")
    core = f"/api/v1/namespaces/{namespace_of(store)}/secrets"
    secrets = [
        base64.b64decode(value).decode()
        for name in ("admin", "database", "database-root", "wordpress")
        for value in (await harness.kubernetes_request("GET", f"{core}/{name}"))[1]["data"].values()
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
    connection = redis.asyncio.Redis.from_url(harness.settings.redis_url.get_secret_value())
    async with connection, connection.pubsub() as everything:
        await everything.psubscribe("*")
        async with follow_logs(harness, store) as logs:
            await logs.wait_for_lines(SIMULATED_LINE)
            await print_lines(harness, store, *(f"password={form}!" for form in forms), "the end")
            await logs.wait_for_lines("the end")
        assert [line for line in logs.lines if line.startswith("password")] == ["password=[masked]!"] * len(forms)
        published = b""
        while message := await everything.get_message(ignore_subscribe_messages=False, timeout=0.2):
            published += message["data"] if isinstance(message["data"], bytes) else b""
        assert b"password=[masked]!" in published
        kept = b"".join([await connection.dump(key) or b"" for key in await connection.keys()])
        assert not [form for form in forms if form.encode() in published + kept]


async def test_what_is_refused(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    store = (await harness.create_store())["id"]
    token, _ = await harness.sign_up("other@example.com")
    theirs = (await harness.create_store_payload(token))["store"]["id"]
    missing = [await subscription_error(harness, given) for given in (theirs, "nonsense", harness.account)]
    assert missing == ["There is no such store."] * 3
    for tail in (-1, 501):
        assert f"0 to 500 lines: it was {tail}" in str(await subscription_error(harness, store, tail=tail))
    for component in ("", "WEB", "web,cron", "nothing"):
        parts = "web, database, install, proof, cron, rotate"
        assert await subscription_error(harness, store, component) == f"`component` is one of {parts}."
    assert "Sign in" in str(await subscription_error(harness, store, token=""))
    made = (await harness.client().execute(TOKEN, {"scopes": ["WRITE"]}))["createApiToken"]
    assert "scope READ" in str(await subscription_error(harness, store, token=made["secret"]))
    listed = (await harness.client().execute("{ engines { components workloads } }"))["engines"]
    assert [engine["components"] for engine in listed] == [
        ["web", "database", "install", "proof", "cron", "rotate"],
        ["web", "worker", "database", "valkey", "install", "proof", "rotate"],
    ]
    assert all(engine["workloads"] == engine["components"] for engine in listed)

    monkeypatch.setattr(log_stream, "MAX_STREAMS_PER_USER", 1)
    monkeypatch.setattr(log_stream, "BUSY_WORKERS", 2)
    monkeypatch.setattr(reader, "MAX_READERS", 1)
    async with follow_logs(harness, store) as logs:
        await logs.wait_for_lines(SIMULATED_LINE)
        assert "at most 1 logs at a time" in str(await subscription_error(harness, store))
        assert "Too many logs are followed" in str(
            await subscription_error(harness, theirs, token=token)
        )  # by the worker
        monkeypatch.setattr(log_stream, "MAX_STREAMS_PER_PROCESS", 1)
        assert "Too many logs are followed" in str(await subscription_error(harness, theirs, token=token))

    async def there_is_room() -> bool:
        async with follow_logs(harness, store) as logs:
            await logs.wait_for(lambda: logs.ended or SIMULATED_LINE in logs.lines)
            return not logs.ended

    await wait_until(there_is_room)


async def test_a_revoked_token_ends_it_at_once(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changefeed, "NOTIFY_ALL_SECONDS", 1e6)  # so that only the notification can end it
    store = (await harness.create_store())["id"]
    made = (await harness.client().execute(TOKEN, {"scopes": ["READ"]}))["createApiToken"]
    async with follow_logs(harness, store, token=made["secret"]) as logs:
        await logs.wait_for_lines(SIMULATED_LINE)
        await harness.client().execute(REVOKE, {"id": made["token"]["id"]})
        await logs.wait_for_end()
        assert "has ended" in str(logs.error)


async def test_a_flood_is_limited_and_what_is_left_out_counted(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffer, "MAX_QUEUED_LINES", 300)
    store = (await harness.create_store())["id"]
    async with follow_logs(harness, store) as logs:
        await logs.wait_for_lines(SIMULATED_LINE)
        began = time.monotonic()
        await print_lines(harness, store, *(f"line {number}" for number in range(5000)))
        await logs.wait_for_notice("lines were left out here: at most 200 lines or 256 KB a second")
        assert len(logs.lines) <= 200 * (time.monotonic() - began + 2)

        def accounted_for() -> int:
            left_out = [int(notice.split()[0]) for notice in logs.notices if "left out" in notice]
            return sum(left_out) + len([line for line in logs.lines if line.startswith("line ")])

        await logs.wait_for(lambda: accounted_for() == 5000)
        await print_lines(harness, store, "x" * 5000, "the end")
        await logs.wait_for_lines("the end")
        assert [line for line in logs.lines if line.startswith("x")] == ["x" * 4093 + "…"]


async def test_what_ends_is_followed_by_its_successor(harness: Harness) -> None:
    store = (await harness.create_store())["id"]
    await harness.wait_for_status(store, "READY")
    pods = f"/api/v1/namespaces/{namespace_of(store)}/pods"
    async with follow_logs(harness, store) as logs:
        await logs.wait_for_lines(SIMULATED_LINE)
        first = logs.items[0]["pod"]
        await harness.kubernetes_request("DELETE", f"{pods}/{first}")
        await logs.wait_for_notice("is new: its lines follow")
        await logs.wait_for(lambda: logs.lines.count(SIMULATED_LINE) == 2)
        await print_lines(harness, store, "from the second")
        await logs.wait_for_lines("from the second")
        assert logs.items[-1]["pod"] != first

        await harness.set_faults({"fault": "crash", "component": "web", "exitCode": 139, "message": "out of memory"})
        await logs.wait_for_notice("keeps crashing (exit code")
        async with follow_logs(harness, store, tail=200) as late:
            await late.wait_for_lines("fatal: out of memory (exit code 139)")
            await late.wait_for_notice("keeps crashing (exit code 139)")
        await logs.wait_for_notice("ended (exit code 139) and started again.")
        await harness.set_faults()
        await harness.wait_for_store(store, health="HEALTHY")
        await harness.call_simulator("clock", STOPPED)
        await print_lines(harness, store, "well again")
        await logs.wait_for_lines("well again")
        async with follow_logs(harness, store, tail=7) as later:
            await later.wait_for_lines("well again")
            assert later.lines == logs.lines[-7:]  # of two runs
            assert "ended (exit code 139) and started again" in later.notices[0]
    began = [item["at"] for item in logs.items if item["line"] == SIMULATED_LINE]
    assert len(began) >= 4
    assert began == sorted(set(began))


@pytest.mark.parametrize("settings", [{"failure_patience": 60.0}], indirect=True)
async def test_where_nothing_runs_it_says_so(harness: Harness) -> None:
    await harness.set_faults(
        {"fault": "image", "component": "web"}, {"fault": "unschedulable", "component": "database"}
    )
    store = (await harness.create_store())["id"]
    async with (
        follow_logs(harness, store, "cron") as cron,
        follow_logs(harness, store) as web,
        follow_logs(harness, store, "database") as database,
    ):
        await cron.wait_for_notice("There is no pod of cron now")
        await web.wait_for_notice("waits to start: ImagePullBackOff")
        await database.wait_for_notice("waits for a node")
        await harness.set_faults()
        await asyncio.gather(web.wait_for_lines(SIMULATED_LINE), database.wait_for_lines(SIMULATED_LINE))
        await harness.wait_for_status(store, "READY")
        await harness.client().execute(DELETE, {"id": store})
        for logs in (cron, web, database):
            await logs.wait_for_notice("The store is deleted")
            await logs.wait_for_end()
            assert logs.error is None
    async with follow_logs(harness, store) as gone:
        await gone.wait_for_notice("The store is deleted")
        await gone.wait_for_end()
