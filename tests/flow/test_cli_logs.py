"""`storefleet logs`, run in another thread."""

import asyncio

import pytest

from cli import logs as cli_logs
from sandbox.simulator.logs import SIMULATED_LINE
from sandbox.valkey import Valkey
from stores import log_stream
from tests.support.cli import run_storefleet
from tests.support.harness import DELETE, Harness
from tests.support.log_subscription import print_lines, subscription_error
from tests.support.waiting import HANG_SECONDS, wait_until


async def test_lines_are_shown_once_until_the_store_is_deleted(
    harness: Harness, valkey: Valkey, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(log_stream, "STREAM_SECONDS", 1.0)  # so that it has to subscribe again
    monkeypatch.setattr(log_stream, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(cli_logs, "RECONNECT_SECONDS", 0.1)
    store = await harness.create_store(name="Figs :fig: [bold]")
    await harness.wait_for_status(store["id"], "READY")
    output = ""

    async def printed(text: str) -> bool:
        nonlocal output
        output += capsys.readouterr().out
        return text in output

    running = asyncio.create_task(run_storefleet(harness, monkeypatch, "logs", store["slug"], "--tail", "3"))
    await wait_until(lambda: printed("AH00094"))
    await print_lines(harness, store["id"], "before [red] :warning:")
    await wait_until(lambda: printed("before"))
    await wait_until(lambda: printed("Subscribe again"))
    valkey.kill()
    assert "Redis" in str(await subscription_error(harness, store["id"]))
    await print_lines(harness, store["id"], "meanwhile")
    valkey.restart()
    await wait_until(lambda: printed("meanwhile"))
    await harness.client().execute(DELETE, {"id": store["id"]})
    assert await asyncio.wait_for(running, HANG_SECONDS) == 0
    output += capsys.readouterr().out
    lines = [line for line in output.splitlines() if not line.startswith("[")]
    assert lines[0] == "Figs :fig: [bold]  web"
    texts = [line[15:] for line in lines]
    assert [texts.count(text) for text in (SIMULATED_LINE, "before [red] :warning:", "meanwhile")] == [1, 1, 1]


async def test_what_cant_be_followed_is_one_clear_line(
    api: Harness, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = await api.create_store()
    for words, error in (
        (["nothing"], "no store 'nothing'"),
        ([store["slug"], "nothing"], "one of web, database, install, proof, cron"),
        ([store["slug"], "--tail", "501"], "it was 501"),
    ):
        assert await run_storefleet(api, monkeypatch, "logs", *words) == 1
        assert error in capsys.readouterr().err
