"""From what a look at the namespace found to what is recorded and done next: no cluster, no database, no clock."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stores.engines import Engine, EngineStep, Manifest
from stores.models import Step, Store
from stores.status import Health, Status, StepStatus
from stores.steps import CREDENTIALS, ISOLATION, NAMESPACE, PROOF, new_steps
from tests.unit.cluster_objects import job, pod, refused_pods, terminated, view, waiting, workload
from workers.judge import SAFETY, TELL, Patience, Verdict, attend, climb, read_receipt

NOW = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
PATIENCE = Patience(trouble=timedelta(seconds=60), step=timedelta(seconds=600))
INSTALL, PROOF_JOB = "install-abcdef12", "proof-abcdef12-1"
RECEIPT = {"simulated": False, "totalMs": 812, "steps": [{"name": "cart", "ms": 300}, {"name": "order", "ms": 512}]}
ENGINE = Engine(
    name="shop",
    title="A shop",
    releases=("1",),
    steps=(
        EngineStep("database", "Starting the database", "StatefulSet", "database"),
        EngineStep("install", "Installing it", "Job", "install"),
        EngineStep("web", "Opening the shop", "Deployment", "web"),
    ),
    essential=("web",),
)
DATABASE, WEB = workload("StatefulSet", "database"), workload("Deployment", "web")
INSTALLED = job(INSTALL, "install", ended="Complete")
BOUGHT = pod("proof", job=PROOF_JOB, phase="Succeeded", containerStatuses=[terminated(0, json.dumps(RECEIPT))])
CRASHING = pod("database", containerStatuses=[waiting("CrashLoopBackOff", ended={"exitCode": 1, "message": "corrupt"})])
CRASHES = "The database container keeps crashing (exit code 1). corrupt. See its logs, then retry."


class Shop:
    """A store in PROVISIONING whose namespace is there, with its steps."""

    def __init__(self, **row: Any) -> None:
        given = {"status": Status.PROVISIONING, "spec_hash": "abcdef1234", "attempt": 1, "generation": 1} | row
        self.store = Store(name="Fig & Olive", **given)
        self.steps = new_steps(self.store, ENGINE)
        for step in self.steps:
            step.status = StepStatus.SUCCEEDED if step.name in (CREDENTIALS, NAMESPACE, ISOLATION) else "PENDING"

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def climb(self, *found: Manifest, seconds: float = 0, patience: Patience = PATIENCE) -> Verdict:
        """`seconds` after NOW."""
        at = NOW + timedelta(seconds=seconds)
        return climb(self.store, self.steps, ENGINE, view(*found), at, patience)

    def attend(self, *found: Manifest) -> Verdict:
        return attend(self.store, ENGINE, view(*found), NOW)


def told(verdict: Verdict) -> list[str]:
    return [f"{news.type} {news.message}" for news in verdict.news]


def test_it_waits_for_the_first_step_that_isnt_done() -> None:
    shop = Shop()
    verdict = shop.climb(workload("StatefulSet", "database", ready=0), job(INSTALL, "install"), WEB)
    assert told(verdict) == ["STEP Starting the database."]
    assert (verdict.look_again, verdict.prove, verdict.reapply) == (SAFETY, False, False)
    assert shop.step("database").started_at == NOW
    assert shop.step("web").status == StepStatus.PENDING  # ready, but not its turn: one follows the other


def test_saying_the_same_again_is_no_news() -> None:
    shop = Shop()
    waits = workload("StatefulSet", "database", ready=0)
    shop.climb(waits)
    assert told(shop.climb(waits, seconds=1)) == []
    assert shop.step("database").started_at == NOW


def test_it_climbs_as_far_as_it_can_in_one_look() -> None:
    shop = Shop()
    verdict = shop.climb(DATABASE, INSTALLED, WEB)
    assert told(verdict) == [
        "STEP Starting the database.",
        "STEP Step 4 of 7 (database) done in 0.0 s.",
        "STEP Installing it.",
        "STEP Step 5 of 7 (install) done in 0.0 s.",
        "STEP Opening the shop.",
        "STEP Step 6 of 7 (web) done in 0.0 s.",
        "STEP A synthetic shopper buys something.",
    ]
    assert verdict.prove
    assert shop.store.status == Status.PROVISIONING


def test_ready_is_what_a_receipt_proves() -> None:
    shop = Shop(generation=3)
    found = (DATABASE, INSTALLED, WEB, job(PROOF_JOB, "proof"), BOUGHT, job("cron-1", "cron"))
    verdict = shop.climb(*found)
    store = shop.store
    assert told(verdict)[-1] == "STATUS READY: proven by a purchase in 812 ms."
    assert (store.status, store.health, store.ready_at) == (Status.READY, Health.HEALTHY, NOW)
    assert (store.proof_hash, store.receipt, store.observed_generation) == (store.spec_hash, RECEIPT, 3)
    assert all(step.status == StepStatus.SUCCEEDED for step in shop.steps)
    assert verdict.look_again is None
    assert sorted(verdict.tidy) == [INSTALL, PROOF_JOB]  # cron's is its own
    assert not verdict.prove


def test_a_simulated_purchase_says_so() -> None:
    shop = Shop()
    words = json.dumps(RECEIPT | {"simulated": True})
    bought = pod("proof", job=PROOF_JOB, phase="Succeeded", containerStatuses=[terminated(0, words)])
    verdict = shop.climb(DATABASE, INSTALLED, WEB, job(PROOF_JOB, "proof"), bought)
    assert told(verdict)[-1] == "STATUS READY: proven by a simulated purchase in 812 ms."


@pytest.mark.parametrize("words", ["", "sold!", "{}", json.dumps(RECEIPT | {"totalMs": None})])
def test_without_a_receipt_nothing_is_ready(words: str) -> None:
    shop = Shop()
    ended = pod("proof", job=PROOF_JOB, phase="Succeeded", containerStatuses=[terminated(0, words)])
    verdict = shop.climb(DATABASE, INSTALLED, WEB, job(PROOF_JOB, "proof", ended="Complete"), ended)
    assert shop.store.status == Status.FAILED
    assert shop.store.cause == "The step proof failed: It ended well but left no receipt."
    assert shop.step(PROOF).status == StepStatus.FAILED
    assert verdict.look_again is None


@pytest.mark.parametrize(("name", "attempt"), [("proof-abcdef12-2", 2), (PROOF_JOB, 2), (PROOF_JOB, None)])
def test_a_proof_of_another_attempt_proves_nothing(name: str, attempt: int | None) -> None:
    shop = Shop()
    verdict = shop.climb(DATABASE, INSTALLED, WEB, job(name, "proof", attempt=attempt), BOUGHT)
    assert shop.store.status == Status.PROVISIONING
    assert verdict.prove


def test_a_proof_of_another_spec_proves_nothing() -> None:
    shop = Shop(spec_hash="fedcba4321")
    installed = job("install-fedcba43", "install", ended="Complete")
    assert shop.climb(DATABASE, installed, WEB, job(PROOF_JOB, "proof"), BOUGHT).prove


def test_a_proof_under_way_is_waited_for() -> None:
    shop = Shop()
    buys = pod("proof", job=PROOF_JOB, phase="Running", containerStatuses=[{"name": "main", "state": {"running": {}}}])
    verdict = shop.climb(DATABASE, INSTALLED, WEB, job(PROOF_JOB, "proof"), buys)
    assert not verdict.prove
    assert verdict.look_again == SAFETY


def test_a_job_that_failed_gives_its_reason_in_short() -> None:
    shop = Shop()
    words = "PHP Fatal error: no such table\n\0" + "x" * 4000
    first = pod("install", job=INSTALL, age=2, phase="Failed", containerStatuses=[terminated(1, "the first try")])
    last = pod("install", job=INSTALL, age=1, phase="Failed", containerStatuses=[terminated(1, words)])
    verdict = shop.climb(DATABASE, last, first, job(INSTALL, "install", ended="Failed"))
    cause = shop.store.cause or ""
    assert cause.startswith("The step install failed: PHP Fatal error: no such table x")
    assert cause.isprintable()
    assert len(cause) < 240
    assert told(verdict)[-2:] == [f"STEP {cause}", f"STATUS {cause}"]
    assert (shop.store.status, shop.store.failed_in) == (Status.FAILED, Status.PROVISIONING)
    assert verdict.look_again is None


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("Job was active longer than specified deadline", "Job was active longer than specified deadline."),
        ("", "its Job gave no reason."),
    ],
)
def test_a_job_without_pods_may_have_words_of_its_own(message: str, cause: str) -> None:
    shop = Shop()
    shop.climb(DATABASE, job(INSTALL, "install", ended="Failed", message=message))
    assert shop.store.cause == f"The step install failed: {cause}"


def test_one_failed_pod_isnt_the_jobs_end() -> None:
    shop = Shop()
    tried = pod("install", job=INSTALL, phase="Failed", containerStatuses=[terminated(1, "not yet")])
    shop.climb(DATABASE, job(INSTALL, "install"), tried)
    assert shop.store.status == Status.PROVISIONING
    assert shop.step("install").status == StepStatus.RUNNING


@pytest.mark.parametrize(
    "found",
    [
        (),
        (DATABASE,),
        (DATABASE, INSTALLED),
        (DATABASE, job(INSTALL, "install", attempt=2, ended="Complete"), WEB),
        (DATABASE, job("install-00000000", "install", ended="Complete"), WEB),
    ],
)
def test_what_is_missing_is_put_back(found: tuple[Manifest, ...]) -> None:
    verdict = Shop().climb(*found)
    assert verdict.reapply
    assert not verdict.prove


def test_trouble_is_told_only_when_it_lasts() -> None:
    shop = Shop()
    starting = workload("StatefulSet", "database", ready=0)
    verdict = shop.climb(starting, CRASHING)
    assert told(verdict) == ["STEP Starting the database."]
    assert verdict.look_again == TELL
    assert shop.store.trouble == CRASHES
    assert told(shop.climb(starting, CRASHING, seconds=1)) == []
    assert told(shop.climb(starting, CRASHING, seconds=3)) == [f"STEP {CRASHES}"]
    assert told(shop.climb(starting, seconds=4)) == ["STEP Starting the database."]  # it passed
    passed: list[object] = [shop.store.trouble, shop.store.trouble_since]
    assert passed == [None, None]


def test_trouble_that_stays_fails_the_step() -> None:
    shop = Shop()
    starting = workload("StatefulSet", "database", ready=0)
    shop.climb(starting, CRASHING)
    assert shop.climb(starting, CRASHING, seconds=59).look_again == timedelta(seconds=1)
    assert shop.store.status == Status.PROVISIONING
    verdict = shop.climb(starting, CRASHING, seconds=60)
    assert (shop.store.status, shop.store.cause) == (Status.FAILED, CRASHES)
    assert verdict.look_again is None


def test_trouble_that_changes_its_face_is_one_trouble() -> None:
    shop = Shop()
    starting = workload("StatefulSet", "database", ready=0)
    shop.climb(starting, CRASHING)
    pulled = pod("database", containerStatuses=[waiting("ErrImagePull", "no route")])
    shop.climb(starting, pulled, seconds=60)
    assert "can't be pulled" in (shop.store.cause or "")


def test_without_patience_trouble_fails_at_once() -> None:
    shop = Shop()
    impatient = Patience(trouble=timedelta(0), step=timedelta(seconds=600))
    shop.climb(workload("StatefulSet", "database", ready=0), CRASHING, patience=impatient)
    assert shop.store.status == Status.FAILED


def test_cron_is_no_reason_to_fail() -> None:
    shop = Shop()
    crashing = pod("cron", containerStatuses=[waiting("CrashLoopBackOff", ended={"exitCode": 1})])
    shop.climb(workload("StatefulSet", "database", ready=0), crashing)
    assert shop.store.trouble is None


def test_a_step_that_takes_too_long_fails() -> None:
    shop = Shop()
    starting = workload("StatefulSet", "database", ready=0)
    shop.climb(starting)
    assert shop.climb(starting, seconds=580).look_again == timedelta(seconds=20)
    shop.climb(starting, seconds=600)
    assert shop.store.cause == "The step database took longer than 600 s. Retry, or see its pods."
    assert shop.step("database").status == StepStatus.FAILED


def test_it_never_looks_again_in_no_time() -> None:
    shop = Shop()
    starting = workload("StatefulSet", "database", ready=0)
    shop.climb(starting)
    assert shop.climb(starting, seconds=599.999).look_again == timedelta(milliseconds=50)


@pytest.mark.parametrize(
    "behind",
    [
        workload("StatefulSet", "database", observedGeneration=0),
        workload("StatefulSet", "database", updatedReplicas=0),
        workload("StatefulSet", "database", replicas=2),
        workload("StatefulSet", "database", ready=0),
        {"kind": "StatefulSet", "metadata": {"name": "database", "generation": 1}, "spec": {}},
    ],
)
def test_ready_is_every_replica_of_the_latest_template(behind: Manifest) -> None:
    shop = Shop()
    shop.climb(behind)
    assert shop.step("database").status == StepStatus.RUNNING


def test_an_update_ends_in_ready_again_and_stays_since_when() -> None:
    before = NOW - timedelta(days=3)
    shop = Shop(status=Status.UPDATING, ready_at=before, health=Health.DEGRADED, health_since=before, health_cause="x")
    verdict = shop.climb(DATABASE, INSTALLED, WEB, job(PROOF_JOB, "proof"), BOUGHT)
    assert (shop.store.status, shop.store.ready_at) == (Status.READY, before)
    assert told(verdict)[-1] == "HEALTH The store is healthy again."


def good() -> Shop:
    return Shop(status=Status.READY, applied_hash="abcdef1234", health=Health.HEALTHY, health_since=NOW)


def test_a_good_store_is_no_news() -> None:
    verdict = good().attend(DATABASE, WEB)
    assert verdict == Verdict()


@pytest.mark.parametrize(
    ("found", "state", "cause"),
    [
        ((DATABASE, workload("Deployment", "web", ready=0)), "DOWN", "No web pod is ready. It usually comes back"),
        ((workload("StatefulSet", "database", ready=0), WEB), "DEGRADED", "Not all database pods are ready."),
        ((workload("StatefulSet", "database", ready=0), WEB, CRASHING), "DEGRADED", CRASHES),
        ((DATABASE, workload("Deployment", "web", ready=0), CRASHING), "DOWN", CRASHES),
        ((DATABASE, workload("Deployment", "web", ready=1, replicas=2)), "DEGRADED", "Not all web pods are ready."),
        ((DATABASE, workload("Deployment", "web", conditions=refused_pods("no"))), "DEGRADED", "The web pod can't be"),
    ],
)
def test_how_a_store_is_doing(found: tuple[Manifest, ...], state: str, cause: str) -> None:
    shop = good()
    verdict = shop.attend(*found)
    assert shop.store.health == state
    assert (shop.store.health_cause or "").startswith(cause)
    assert told(verdict) == [f"HEALTH {shop.store.health_cause}"]
    assert shop.store.status == Status.READY
    assert told(shop.attend(*found)) == []  # said once
    assert told(shop.attend(DATABASE, WEB)) == ["HEALTH The store is healthy again."]


@pytest.mark.parametrize("part", ["cron", "install", "proof"])
def test_what_isnt_the_shop_doesnt_make_it_unwell(part: str) -> None:
    shop = good()
    shop.attend(DATABASE, WEB, pod(part, containerStatuses=[waiting("CrashLoopBackOff", ended={"exitCode": 1})]))
    assert shop.store.health == Health.HEALTHY


def test_what_somebody_removed_is_put_back_and_told_once() -> None:
    shop = good()
    verdict = shop.attend(DATABASE)
    assert told(verdict)[0] == "NOTICE Somebody removed web from the cluster; it is put back."
    assert verdict.reapply
    assert shop.store.health == Health.DOWN
    shop.store.applied_hash = None  # as the caller does then
    again = shop.attend(DATABASE)
    assert (told(again), again.reapply) == ([], False)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "null",
        "[]",
        "7",
        '"sold"',
        "{}",
        '{"simulated": false}',
        '{"simulated": false, "totalMs": 1}',
        '{"simulated": false, "totalMs": "soon", "steps": []}',
        '{"simulated": false, "totalMs": 1, "steps": 5}',
        '{"simulated": false, "totalMs": 1, "steps": [{}]}',
        '{"simulated": false, "totalMs": 1, "steps": [{"name": "cart", "ms": []}]}',
        '{"simulated": false, "totalMs": Infinity, "steps": []}',
        '{"simulated": false, "totalMs": NaN, "steps": []}',
        '{"simulated": false, "totalMs": 1e999, "steps": []}',
        '{"simulated": false, "totalMs": -1, "steps": []}',
        '{"simulated": false, "totalMs": 2147483648, "steps": []}',
        '{"simulated": false, "totalMs": 1, "steps": [{"name": "a\\u0000b", "ms": 1}]}',
        '{"simulated": false, "totalMs": 1, "steps": [{"name": "\\ud800", "ms": 1}]}',
        "[" * 4096,
        "9" * 4096,
    ],
)
def test_what_is_no_receipt(message: str) -> None:
    assert read_receipt(message) is None


def test_a_receipt_keeps_what_is_known_of_it() -> None:
    assert read_receipt(json.dumps(RECEIPT | {"orderId": 7})) == RECEIPT


@pytest.mark.parametrize("said", [True, None, 0, "no", []])
def test_in_doubt_a_purchase_was_simulated(said: object) -> None:
    receipt = read_receipt(json.dumps(RECEIPT | {"simulated": said}))
    assert receipt is not None
    assert receipt["simulated"] is True
