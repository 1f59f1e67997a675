"""In production a worker starts only when the admission policy that fences its account is in force."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.flow.fleet import ROOT, Fleet, process_environment
from workers.cluster.client import connect
from workers.fence import FENCE, missing_fence

DENIAL = f'namespaces "x" is forbidden: ValidatingAdmissionPolicy {FENCE!r} with binding {FENCE!r} denied request: no'
REFUSED = {"fault": "http", "kind": "Namespace", "verb": "create", "code": 422, "message": DENIAL}


async def worker(fleet: Fleet, **more: str) -> asyncio.subprocess.Process:
    environment = process_environment(fleet.settings, STOREFLEET_ENVIRONMENT="production", **more)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "worker"),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    fleet.children.append(process)
    return process


async def said(process: asyncio.subprocess.Process, words: str) -> None:
    assert process.stdout is not None
    lines = []
    async with asyncio.timeout(20):
        while line := (await process.stdout.readline()).decode():
            lines.append(line)
            if words in line:
                return
    raise AssertionError(lines)


async def test_without_a_fence_a_worker_does_not_start(api: Fleet) -> None:
    process = await worker(api)
    await said(process, "storefleet: not started: this account could make any namespace")
    assert await process.wait() == 1
    store = await api.create()
    assert (await api.store(store["id"]))["status"] == "REQUESTED"


async def test_with_a_fence_it_does(api: Fleet) -> None:
    await api.fault(REFUSED)
    process = await worker(api)
    await said(process, "worker.started")


async def test_a_cluster_that_does_not_answer_is_waited_for(api: Fleet) -> None:
    await api.fault({"fault": "http", "code": 503})
    process = await worker(api)
    await said(process, "worker.waits_for_the_cluster")
    await api.fault(REFUSED)
    await said(process, "worker.started")

    await api.fault({"fault": "http", "code": 503})
    other = await worker(api)
    await said(other, "worker.waits_for_the_cluster")
    other.terminate()
    async with asyncio.timeout(5):
        await other.wait()


@pytest.mark.parametrize(
    ("faults", "problem"),
    [
        ([], "the admission policy is missing"),
        ([{"fault": "http", "kind": "Namespace", "code": 403, "message": "you may not"}], "can't make namespaces: you"),
        ([REFUSED], ""),
    ],
)
async def test_what_is_missing_is_named(
    api: Fleet, tmp_path: Path, faults: list[dict[str, object]], problem: str
) -> None:
    await api.fault(*faults)
    async with connect(tmp_path / "kubeconfig") as cluster:
        found = await missing_fence(cluster) or ""
        assert (problem in found, bool(problem)) == (True, bool(found))
        await api.fault()
        namespaces, _ = await cluster.list("Namespace")
        assert "storefleet-fence-probe" not in [item["metadata"]["name"] for item in namespaces]


async def test_a_namespace_that_is_there_already_is_no_fence(api: Fleet, tmp_path: Path) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "storefleet-fence-probe"}}
    assert (await api.kubernetes("POST", "/api/v1/namespaces", body))[0] == 201
    async with connect(tmp_path / "kubeconfig") as cluster:
        assert "is missing" in (await missing_fence(cluster) or "")
