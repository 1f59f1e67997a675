"""In production a worker starts only when the admission policy that limits its account is in force."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.support.harness import ROOT, Harness, process_environment
from tests.support.waiting import hang_limit
from workers.admission_policy import POLICY_NAME, find_policy_problem
from workers.cluster.client import connect

DENIAL = (
    'namespaces "x" is forbidden: '
    f"ValidatingAdmissionPolicy {POLICY_NAME!r} with binding {POLICY_NAME!r} denied request: no"
)
DENIED = {"fault": "http", "kind": "Namespace", "verb": "create", "code": 422, "message": DENIAL}


async def start_production_worker(harness: Harness) -> asyncio.subprocess.Process:
    """Start a worker process with the environment `production`. Both its outputs are in stdout."""
    environment = process_environment(harness.settings, STOREFLEET_ENVIRONMENT="production")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "worker"),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    harness.processes.append(process)
    return process


async def wait_for_output(process: asyncio.subprocess.Process, words: str) -> None:
    """Read lines until one contains these words. Fails when the output ends."""
    assert process.stdout is not None
    lines = []
    async with hang_limit():
        while line := (await process.stdout.readline()).decode():
            lines.append(line)
            if words in line:
                return
    raise AssertionError(lines)


async def test_without_an_admission_policy_a_worker_does_not_start(api: Harness) -> None:
    process = await start_production_worker(api)
    await wait_for_output(process, "storefleet: not started: this account could create any namespace")
    assert await process.wait() == 1
    store = await api.create_store()
    assert (await api.get_store(store["id"]))["status"] == "REQUESTED"


async def test_with_an_admission_policy_it_does(api: Harness) -> None:
    await api.set_faults(DENIED)
    process = await start_production_worker(api)
    await wait_for_output(process, "worker.started")


async def test_a_cluster_that_does_not_answer_is_waited_for(api: Harness) -> None:
    await api.set_faults({"fault": "http", "code": 503})
    process = await start_production_worker(api)
    await wait_for_output(process, "worker.cluster_unavailable")
    await api.set_faults(DENIED)
    await wait_for_output(process, "worker.started")

    await api.set_faults({"fault": "http", "code": 503})
    other = await start_production_worker(api)
    await wait_for_output(other, "worker.cluster_unavailable")
    other.terminate()
    async with hang_limit():
        await other.wait()


@pytest.mark.parametrize(
    ("faults", "problem"),
    [
        ([], "the admission policy is missing"),
        (
            [{"fault": "http", "kind": "Namespace", "code": 403, "message": "you may not"}],
            "can't create namespaces: you",
        ),
        ([DENIED], ""),
    ],
)
async def test_the_missing_policy_is_named(
    api: Harness, tmp_path: Path, faults: list[dict[str, object]], problem: str
) -> None:
    await api.set_faults(*faults)
    async with connect(tmp_path / "kubeconfig") as cluster:
        found = await find_policy_problem(cluster) or ""
        assert (problem in found, bool(problem)) == (True, bool(found))
        await api.set_faults()
        namespaces, _ = await cluster.list("Namespace")
        assert "storefleet-fence-probe" not in [item["metadata"]["name"] for item in namespaces]


async def test_a_namespace_that_is_there_already_is_no_admission_policy(api: Harness, tmp_path: Path) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "storefleet-fence-probe"}}
    assert (await api.kubernetes_request("POST", "/api/v1/namespaces", body))[0] == 201
    async with connect(tmp_path / "kubeconfig") as cluster:
        assert "is missing" in (await find_policy_problem(cluster) or "")
