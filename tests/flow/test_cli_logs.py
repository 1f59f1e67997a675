"""`storefleet logs`: in another thread, as it would be in another terminal."""

import asyncio

import pytest

from cli import logs as cli_logs
from cli.__main__ import main
from sandbox.simulator.logs import FIRST
from sandbox.valkey import Valkey
from stores import log_tail
from tests.flow.fleet import DELETE, Fleet
from tests.flow.logs import refusal, say


async def run(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """`storefleet …` against the fleet: its exit code."""
    monkeypatch.setenv("STOREFLEET_TOKEN", fleet.token)
    monkeypatch.setattr("sys.argv", ["storefleet", *words, "--url", fleet.url])
    return await asyncio.to_thread(main)


async def test_lines_are_shown_once_until_the_store_is_deleted(
    fleet: Fleet, valkey: Valkey, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(log_tail, "SECONDS", 1.0)  # so that it has to subscribe again
    monkeypatch.setattr(log_tail, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(cli_logs, "RECONNECT_SECONDS", 0.1)
    store = await fleet.create(name="Figs :fig: [bold]")
    await fleet.until(store["id"], "READY")
    shown = ""

    async def sees(text: str) -> bool:
        nonlocal shown
        shown += capsys.readouterr().out
        return text in shown

    running = asyncio.create_task(run(fleet, monkeypatch, "logs", store["slug"], "--tail", "3"))
    await fleet.poll(lambda: sees("AH00094"))
    await say(fleet, store["id"], "before [red] :warning:")
    await fleet.poll(lambda: sees("before"))
    await fleet.poll(lambda: sees("Subscribe again"))
    valkey.kill()
    assert "Redis" in str(await refusal(fleet, store["id"]))
    await say(fleet, store["id"], "meanwhile")
    valkey.restart()
    await fleet.poll(lambda: sees("meanwhile"))
    await fleet.client().execute(DELETE, {"id": store["id"]})
    assert await asyncio.wait_for(running, 20) == 0
    shown += capsys.readouterr().out
    lines = [line for line in shown.splitlines() if not line.startswith("[")]
    assert lines[0] == "Figs :fig: [bold]  web"
    said = [line[15:] for line in lines]
    assert [said.count(text) for text in (FIRST, "before [red] :warning:", "meanwhile")] == [1, 1, 1]


async def test_what_cant_be_followed_is_one_clear_line(
    api: Fleet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = await api.create()
    for words, said in (
        (["nothing"], "no store 'nothing'"),
        ([store["slug"], "nothing"], "one of web, database, install, proof, cron"),
        ([store["slug"], "--tail", "501"], "it was 501"),
    ):
        assert await run(api, monkeypatch, "logs", *words) == 1
        assert said in capsys.readouterr().err
