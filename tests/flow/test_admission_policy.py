"""In production a worker starts only when the admission policy that limits its account is in force."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from runtime.database import head_revision
from runtime.settings import Settings
from tests.support.cluster_objects import POLICY_NAME
from tests.support.harness import Harness, process_environment
from tests.support.processes import StorefleetProcess, start_storefleet
from tests.support.waiting import hang_limit, wait_until
from workers import prerequisites
from workers.admission_policy import find_policy_problem
from workers.cluster.client import connect
from workers.probes import Probes

DENIAL = (
    'namespaces "x" is forbidden: '
    f"ValidatingAdmissionPolicy {POLICY_NAME!r} with binding {POLICY_NAME!r} denied request: no"
)
DENIED = {"fault": "http", "kind": "Namespace", "verb": "create", "code": 422, "message": DENIAL}


async def start_production_worker(harness: Harness, **variables: str) -> StorefleetProcess:
    """Start a worker process with the environment `production`. Both its outputs are in stdout."""
    environment = process_environment(harness.worker_settings, **{"STOREFLEET_ENVIRONMENT": "production", **variables})
    process = await start_storefleet("worker", environment=environment, stderr=True)
    harness.processes.append(process)
    return process


async def wait_for_output(process: StorefleetProcess, words: str) -> None:
    """Read lines until one contains these words. Fails when the output ends."""
    lines = []
    async with hang_limit():
        while line := (await process.stdout.readline()).decode():
            lines.append(line)
            if words in line:
                return
    raise AssertionError(lines)


async def test_without_an_admission_policy_a_worker_does_not_start(
    api: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prerequisites, "PATIENCE_SECONDS", 0.0)
    probes = Probes()
    with pytest.raises(
        prerequisites.NotStarted, match="could create any namespace: the admission policy storefleet-fence"
    ):
        await prerequisites.wait_for_prerequisites(production(api), asyncio.Event(), probes)
    assert probes.not_ready() is not None


@asynccontextmanager
async def waiting_start(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """A worker's start that waits for what is missing. At the end of the block, nothing may be missing."""
    monkeypatch.setattr(prerequisites, "RETRY_SECONDS", 0.05)
    probes = Probes()
    waiting = asyncio.create_task(prerequisites.wait_for_prerequisites(settings, asyncio.Event(), probes))

    async def is_waiting() -> bool:
        return probes.problem is not None

    await wait_until(is_waiting)
    yield
    async with hang_limit():
        await waiting


async def test_an_admission_policy_that_comes_late_is_waited_for(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    async with waiting_start(production(api), monkeypatch):
        await api.set_faults(DENIED)


async def test_another_policy_that_denies_is_not_taken_for_it(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.set_faults({**DENIED, "message": DENIAL.replace(POLICY_NAME, "other")})
    monkeypatch.setattr(prerequisites, "PATIENCE_SECONDS", 0.0)
    with pytest.raises(prerequisites.NotStarted, match="can't create namespaces"):
        await prerequisites.wait_for_prerequisites(production(api), asyncio.Event(), Probes())
    named = production(api).model_copy(update={"admission_policy": "other"})
    await prerequisites.wait_for_prerequisites(named, asyncio.Event(), Probes())


async def test_a_schema_that_comes_late_is_waited_for(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.sql("UPDATE alembic_version SET version_num = '0001'")
    async with waiting_start(api.settings, monkeypatch):
        await api.sql("UPDATE alembic_version SET version_num = $1", head_revision())
    await api.sql("UPDATE alembic_version SET version_num = '0001'")
    monkeypatch.setattr(prerequisites, "PATIENCE_SECONDS", 0.0)
    with pytest.raises(prerequisites.NotStarted, match="run `storefleet migrate`"):
        await prerequisites.wait_for_prerequisites(api.settings, asyncio.Event(), Probes())


def production(harness: Harness) -> Settings:
    return harness.settings.model_copy(update={"environment": "production"})


async def test_with_an_admission_policy_it_does(api: Harness) -> None:
    await api.set_faults(DENIED)
    await prerequisites.wait_for_prerequisites(production(api), asyncio.Event(), Probes())


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
        ([], "the admission policy storefleet-fence is missing"),
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
        found = await find_policy_problem(cluster, POLICY_NAME) or ""
        assert (problem in found, bool(problem)) == (True, bool(found))
        await api.set_faults()
        namespaces, _ = await cluster.list("Namespace")
        assert "storefleet-fence-probe" not in [item["metadata"]["name"] for item in namespaces]


async def test_a_namespace_that_is_there_already_is_no_admission_policy(api: Harness, tmp_path: Path) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "storefleet-fence-probe"}}
    assert (await api.kubernetes_request("POST", "/api/v1/namespaces", body))[0] == 201
    async with connect(tmp_path / "kubeconfig") as cluster:
        assert "is missing" in (await find_policy_problem(cluster, POLICY_NAME) or "")
