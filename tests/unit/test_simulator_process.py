"""The simulation as a process: it says where it listens, keeps its objects through SIGKILL, and heeds its clock."""

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
from sandbox.simulator.server import running
from tests.unit.simulator_client import (
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


@asynccontextmanager
async def process(*options: str | Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, JSON]]:
    """A simulation of its own process, and the line it printed; it must end well at SIGTERM if it still runs."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox.simulator", *options), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    line = await asyncio.wait_for(child.stdout.readline(), 20)
    try:
        yield child, json.loads(line)
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(child.wait(), 10) in (0, -signal.SIGKILL)


async def test_killed_and_started_again_it_is_the_same_at_the_same_address(tmp_path: Path) -> None:
    config, state = tmp_path / "kubeconfig", tmp_path / "state"
    options = ("--port", "0", "--kubeconfig", config, "--state", state, "--speed", "inf")
    async with process(*options) as (child, said):
        assert (said["kubeconfig"], said["pid"]) == (str(config), child.pid)
        known = kubeconfig.read(config)
        assert known is not None
        assert said["server"] == f"http://127.0.0.1:{known.port}"
        assert {stat.S_IMODE(os.stat(path).st_mode) for path in (config, state)} == {0o600}
        async with connected(said["server"], known.token) as client:
            await client.ok("POST", V1, manifest("shop"))
            await client.apply(f"{V1}/shop/configmaps/a", {"data": {"x": "1", "y": "2"}})
            await client.ok("POST", f"{V1}/shop/configmaps", manifest("b"))
            await client.until(f"{V1}/shop/serviceaccounts/default", bool)
            await client.ok("POST", f"{APPS}/shop/deployments", deployment())
            await client.until(f"{APPS}/shop/deployments/web", ready(1))
            await client.ok("DELETE", f"{V1}/shop/configmaps/b")
            before = await client.get(f"{V1}/shop/configmaps")
            async with client.watch("/api/v1/configmaps") as following:
                await following()
                child.kill()
                await child.wait()
    async with process(*options) as (child, again):
        assert again["server"] == said["server"]
        async with connected(said["server"], known.token) as client:
            after = await client.get(f"{V1}/shop/configmaps")
            assert after["items"] == before["items"]
            assert int(after["metadata"]["resourceVersion"]) >= int(before["metadata"]["resourceVersion"])
            await client.apply(f"{V1}/shop/configmaps/a", {"data": {"x": "1"}})  # who wants what is kept as well
            assert (await client.get(f"{V1}/shop/configmaps/a"))["data"] == {"x": "1"}
            made = await client.ok("POST", f"{V1}/shop/configmaps", manifest("c"))
            assert int(made["metadata"]["resourceVersion"]) > int(after["metadata"]["resourceVersion"])
            async with client.watch(f"{V1}/shop/configmaps", resourceVersion="1") as following:
                assert (await following())[1]["code"] == 410
            async with client.watch(f"{APPS}/shop/deployments") as following:
                await following()
                child.terminate()
                assert await asyncio.wait_for(child.wait(), 5) == 0  # in spite of the watch


async def test_work_goes_on_after_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with running(state=state, speed=0.001) as simulator, connected(simulator.url, simulator.token) as client:
        await client.ok("POST", V1, manifest("shop"))
        await client.until(f"{V1}/shop/serviceaccounts/default", bool)
        for path, body in (
            (f"{V1}/shop/persistentvolumeclaims", claim("a")),
            (f"{APPS}/shop/deployments", deployment()),
            (f"{APPS}/shop/statefulsets", statefulset()),
            (f"{BATCH}/shop/jobs", job("install", "install")),
            (V1, manifest("leaving")),
        ):
            await client.ok("POST", path, body)
        await client.until(f"{V1}/shop/pods", lambda answer: len(answer["items"]) == 3)
        await client.ok("DELETE", f"{V1}/leaving")
    async with running(state=state, speed=math.inf) as simulator, connected(simulator.url, simulator.token) as client:
        await client.until(f"{APPS}/shop/deployments/web", ready(1))
        await client.until(f"{BATCH}/shop/jobs/install", condition("Complete"))
        await client.until(f"{V1}/shop/persistentvolumeclaims/a", lambda answer: answer["status"]["phase"] == "Bound")
        await client.gone(f"{V1}/leaving")


async def test_the_journal_forgets_history_and_survives_a_torn_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SLACK", 50)
    state = tmp_path / "state"
    maps = f"{V1}/default/configmaps"

    async def write(client: Client, count: int) -> None:
        for number in range(count):
            await client.merge(f"{maps}/a", {"data": {"n": str(number)}})

    async with running(state=state) as simulator, connected(simulator.url, simulator.token) as client:
        await client.ok("POST", maps, manifest("a"))
        await write(client, 300)
        for name in "bcdefghijklmnopqrstuvwxyz":
            await client.ok("POST", maps, manifest(name))
        await write(client, 300)
    assert state.read_text().count("\n") < 200
    with state.open("a") as file:
        file.write('[99999999999999,"ConfigMap","default","torn",{},{"meta')
    async with running(state=state) as simulator, connected(simulator.url, simulator.token) as client:
        assert (await client.get(f"{maps}/a"))["data"] == {"n": "299"}
        assert "torn" not in await client.names(maps)
        assert len(await client.names(maps)) == 27


async def test_a_taken_port_is_an_error_and_a_remembered_one_is_not(tmp_path: Path) -> None:
    config = tmp_path / "kubeconfig"
    async with running(kubeconfig=config) as first:
        with pytest.raises(OSError, match="in use"):
            async with running(port=int(first.url.rpartition(":")[2])):
                pass
        async with running(kubeconfig=config) as second:
            assert second.url != first.url
            assert second.token == first.token
    config.write_text("clusters: [not ours")
    assert kubeconfig.read(config) is None


async def test_it_can_not_start_without_a_speed(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox.simulator", "--kubeconfig", tmp_path / "k", "--speed", "0")
    )
    assert await asyncio.wait_for(child.wait(), 20) == 2
    assert "must be more than 0" in capfd.readouterr().err


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
    clock.call_later(3600, lambda: called.append("hour"))
    clock.call_later(5000, lambda: called.append("deadline"), "deadline")
    clock.call_later(30, done.set)
    await asyncio.wait_for(done.wait(), 2)
    assert called == ["first", "second"]
    assert 30 <= clock.now() < 3000
    clock.speed = math.inf
    clock.call_later(7200, done.set)
    done.clear()
    await asyncio.wait_for(done.wait(), 1)
    assert called == ["first", "second", "hour"]
    before = asyncio.get_running_loop().time()
    done.clear()
    clock.call_later(1, done.set, "retry")
    await asyncio.wait_for(done.wait(), 1)
    assert asyncio.get_running_loop().time() - before >= 0.045
    clock.speed = 1e6
    clock.call_later(6000, done.set)
    done.clear()
    await asyncio.wait_for(done.wait(), 1)
    assert called[-1] == "deadline"
    clock.call_later(10, lambda: called.append("never"))
    clock.stop()
    await asyncio.sleep(0.01)
    assert called[-1] == "deadline"
