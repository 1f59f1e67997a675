"""The simulator as a process: prints its URL, keeps its objects through SIGKILL, and follows its clock."""

import asyncio
import json
import math
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sandbox.simulator import journal, kubeconfig
from sandbox.simulator.clock import Clock
from sandbox.simulator.server import run_simulator
from tests.support.simulator_client import (
    APPS,
    BATCH,
    JSON,
    V1,
    Client,
    claim,
    condition,
    connected,
    deployment,
    job,
    manifest,
    ready,
    simulated,
    statefulset,
)
from tests.support.waiting import hang_limit


@asynccontextmanager
async def process(*options: str | Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, JSON]]:
    """A simulator process and the line that it printed; it must exit with 0 after SIGTERM."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox.simulator", *options), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    async with hang_limit():
        line = await child.stdout.readline()
    try:
        yield child, json.loads(line)
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
        async with hang_limit():
            assert await child.wait() in (0, -signal.SIGKILL)


async def test_killed_and_started_again_it_is_the_same_at_the_same_address(tmp_path: Path) -> None:
    config, state = tmp_path / "kubeconfig", tmp_path / "state"
    options = ("--port", "0", "--kubeconfig", config, "--state", state, "--speed", "inf")
    async with process(*options) as (child, info):
        assert (info["kubeconfig"], info["pid"]) == (str(config), child.pid)
        known = kubeconfig.read(config)
        assert known is not None
        assert info["server"] == f"http://127.0.0.1:{known.port}"
        assert {stat.S_IMODE(os.stat(path).st_mode) for path in (config, state)} == {0o600}
        async with connected(info["server"], known.token) as client:
            await client.ok("POST", V1, manifest("shop"))
            await client.apply(f"{V1}/shop/configmaps/a", {"data": {"x": "1", "y": "2"}})
            await client.ok("POST", f"{V1}/shop/configmaps", manifest("b"))
            await client.until(f"{V1}/shop/serviceaccounts/default", bool)
            await client.ok("POST", f"{APPS}/shop/deployments", deployment())
            await client.until(f"{APPS}/shop/deployments/web", ready(1))
            await client.ok("DELETE", f"{V1}/shop/configmaps/b")
            before = await client.get(f"{V1}/shop/configmaps")
            async with client.watch("/api/v1/configmaps") as next_event:
                await next_event()
                child.kill()
                await child.wait()
    async with process(*options) as (child, again):
        assert again["server"] == info["server"]
        async with connected(info["server"], known.token) as client:
            after = await client.get(f"{V1}/shop/configmaps")
            assert after["items"] == before["items"]
            assert int(after["metadata"]["resourceVersion"]) >= int(before["metadata"]["resourceVersion"])
            await client.apply(
                f"{V1}/shop/configmaps/a", {"data": {"x": "1"}}
            )  # the last applied configuration is kept, too
            assert (await client.get(f"{V1}/shop/configmaps/a"))["data"] == {"x": "1"}
            made = await client.ok("POST", f"{V1}/shop/configmaps", manifest("c"))
            assert int(made["metadata"]["resourceVersion"]) > int(after["metadata"]["resourceVersion"])
            async with client.watch(f"{V1}/shop/configmaps", resourceVersion="1") as next_event:
                assert (await next_event())[1]["code"] == 410
            async with client.watch(f"{APPS}/shop/deployments") as next_event:
                await next_event()
                child.terminate()
                async with hang_limit():
                    assert await child.wait() == 0  # although a watch is open


async def test_work_goes_on_after_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with (
        run_simulator(state=state, speed=0.001) as simulator,
        connected(simulator.url, simulator.token) as client,
    ):
        await client.ok("POST", V1, manifest("shop"))
        await client.until(f"{V1}/shop/serviceaccounts/default", bool)
        for path, body in (
            (f"{V1}/shop/persistentvolumeclaims", claim("a")),
            (f"{APPS}/shop/deployments", deployment()),
            (f"{APPS}/shop/statefulsets", statefulset()),
            (f"{BATCH}/shop/jobs", job("migrate", "migrate")),
            (V1, manifest("leaving")),
        ):
            await client.ok("POST", path, body)
        await client.until(f"{V1}/shop/pods", lambda answer: len(answer["items"]) == 3)
        await client.ok("DELETE", f"{V1}/leaving")
    async with (
        run_simulator(state=state, speed=math.inf) as simulator,
        connected(simulator.url, simulator.token) as client,
    ):
        await client.until(f"{APPS}/shop/deployments/web", ready(1))
        await client.until(f"{BATCH}/shop/jobs/migrate", condition("Complete"))
        await client.until(f"{V1}/shop/persistentvolumeclaims/a", lambda answer: answer["status"]["phase"] == "Bound")
        await client.gone(f"{V1}/leaving")


async def test_the_journal_forgets_history_and_survives_a_torn_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "MIN_HISTORY_LINES", 50)
    state = tmp_path / "state"
    maps = f"{V1}/default/configmaps"

    async def write(client: Client, count: int) -> None:
        for number in range(count):
            await client.merge(f"{maps}/a", {"data": {"n": str(number)}})

    async with run_simulator(state=state) as simulator, connected(simulator.url, simulator.token) as client:
        await client.ok("POST", maps, manifest("a"))
        await write(client, 300)
        for name in "bcdefghijklmnopqrstuvwxyz":
            await client.ok("POST", maps, manifest(name))
        await write(client, 300)
    assert state.read_text().count("\n") < 200
    with state.open("a") as file:
        file.write('[99999999999999,"ConfigMap","default","torn",{},{"meta')
    async with run_simulator(state=state) as simulator, connected(simulator.url, simulator.token) as client:
        assert (await client.get(f"{maps}/a"))["data"] == {"n": "299"}
        assert "torn" not in await client.names(maps)
        assert len(await client.names(maps)) == 27


async def test_a_taken_port_is_an_error_and_a_remembered_one_is_not(tmp_path: Path) -> None:
    config = tmp_path / "kubeconfig"
    async with run_simulator(kubeconfig=config) as first:
        with pytest.raises(OSError, match="in use"):
            async with run_simulator(port=int(first.url.rpartition(":")[2])):
                pass
        async with run_simulator(kubeconfig=config) as second:
            assert second.url != first.url
            assert second.token == first.token
    config.write_text("clusters: [not ours")
    assert kubeconfig.read(config) is None


async def test_a_broken_controller_stops_no_other() -> None:
    problems: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    async with simulated() as client:
        odd = {"provisioner": "x", "metadata": {"name": "odd"}}
        await client.ok("POST", "/apis/storage.k8s.io/v1/storageclasses", odd)
        await client.merge("/apis/storage.k8s.io/v1/storageclasses/odd", {"metadata": {"labels": {"a": "b"}}})
        broken = {"metadata": {"name": "broken"}, "spec": {"claimRef": {"name": "no namespace"}}}
        await client.ok("POST", "/api/v1/persistentvolumes", broken)
        await client.ok("POST", f"{APPS}/shop/deployments", deployment())
        await client.until(f"{APPS}/shop/deployments/web", ready(1))
    assert [type(problem["exception"]) for problem in problems] == [KeyError]


async def test_the_clock_calls_back_in_order_and_heeds_its_speed() -> None:
    clock = Clock(1000)
    called: list[str] = []
    done = asyncio.Event()
    clock.call_later(20, lambda: called.append("second"))
    clock.call_later(10, lambda: called.append("first"))
    clock.call_later(1_000_000, lambda: called.append("late"))
    clock.call_later(2_000_000, lambda: called.append("deadline"), "deadline")
    clock.call_later(30, done.set)
    async with hang_limit():
        await done.wait()
    assert called == ["first", "second"]
    assert clock.now() >= 30
    clock.speed = math.inf
    clock.call_later(7200, done.set)
    done.clear()
    async with hang_limit():
        await done.wait()
    assert called == ["first", "second", "late"]
    before = asyncio.get_running_loop().time()
    done.clear()
    clock.call_later(1, done.set, "retry")
    async with hang_limit():
        await done.wait()
    assert asyncio.get_running_loop().time() - before >= 0.045
    clock.speed = 1e9
    clock.call_later(3_000_000, done.set)
    done.clear()
    async with hang_limit():
        await done.wait()
    assert called[-1] == "deadline"
    clock.call_later(10, lambda: called.append("never"))
    clock.stop()
    await asyncio.sleep(0.01)
    assert called[-1] == "deadline"
