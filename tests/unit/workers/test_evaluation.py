"""PROVISIONING and UPDATING: what a snapshot of the namespace means for the steps and the status."""

import json
from datetime import timedelta
from typing import Any

import pytest

from stores.engines import Manifest
from stores.status import Health, Status, StepStatus
from stores.steps import PROOF
from tests.support.cluster_objects import job, pod, terminated, waiting, workload
from tests.support.evaluation_cases import (
    BOUGHT,
    CRASHES,
    CRASHING,
    DATABASE,
    INSTALL,
    INSTALLED,
    NOW,
    PROOF_JOB,
    RECEIPT,
    WEB,
    StoreCase,
    event_texts,
)
from workers.evaluation import POLL_INTERVAL, REPORT_AFTER, SLOW_STEP_AFTER, Timeouts, is_step_slow


def test_it_waits_for_the_first_step_that_isnt_done() -> None:
    case = StoreCase()
    evaluation = case.provision(workload("StatefulSet", "database", ready=0), job(INSTALL, "install"), WEB)
    assert event_texts(evaluation) == ["STEP Starting the database."]
    assert (evaluation.requeue_after, evaluation.create_proof, evaluation.reapply) == (SLOW_STEP_AFTER, False, False)
    assert case.step("database").started_at == NOW
    assert case.step("web").status == StepStatus.PENDING  # ready, but the steps succeed in order


def test_a_step_that_takes_long_gets_warning_events() -> None:
    case = StoreCase()
    waits = workload("StatefulSet", "database", ready=0)
    assert not is_step_slow(case.steps, NOW)
    case.provision(waits)
    assert not is_step_slow(case.steps, NOW + timedelta(seconds=9))
    assert case.provision(waits, seconds=9).requeue_after == timedelta(seconds=1)
    assert is_step_slow(case.steps, NOW + SLOW_STEP_AFTER)
    assert case.provision(waits, seconds=10).requeue_after == POLL_INTERVAL
    case.provision(DATABASE, INSTALLED, WEB, job(PROOF_JOB, "proof"), BOUGHT)
    assert not is_step_slow(case.steps, NOW + SLOW_STEP_AFTER)


def test_the_same_message_again_is_no_event() -> None:
    case = StoreCase()
    waits = workload("StatefulSet", "database", ready=0)
    case.provision(waits)
    assert event_texts(case.provision(waits, seconds=1)) == []
    assert case.step("database").started_at == NOW


def test_one_snapshot_can_complete_several_steps() -> None:
    case = StoreCase()
    evaluation = case.provision(DATABASE, INSTALLED, WEB)
    assert event_texts(evaluation) == [
        "STEP Starting the database.",
        "STEP Step 4 of 7 done in 0.0 s: Starting the database.",
        "STEP Installing it.",
        "STEP Step 5 of 7 done in 0.0 s: Installing it.",
        "STEP Opening the shop.",
        "STEP Step 6 of 7 done in 0.0 s: Opening the shop.",
        "STEP A synthetic shopper buys something.",
    ]
    assert evaluation.create_proof
    assert case.store.status == Status.PROVISIONING


def test_ready_is_what_a_receipt_proves() -> None:
    case = StoreCase(generation=3)
    items = (DATABASE, INSTALLED, WEB, job(PROOF_JOB, "proof"), BOUGHT, job("cron-1", "cron"))
    evaluation = case.provision(*items)
    store = case.store
    assert event_texts(evaluation)[-1] == "STATUS READY: proven by a purchase in 812 ms."
    assert (store.status, store.health, store.ready_at) == (Status.READY, Health.HEALTHY, NOW)
    assert (store.proof_hash, store.observed_generation) == (store.spec_hash, 3)
    assert store.receipt == {**RECEIPT, "plan": "small"}
    assert all(step.status == StepStatus.SUCCEEDED for step in case.steps)
    assert evaluation.requeue_after is None
    assert sorted(evaluation.jobs_to_delete) == [INSTALL, PROOF_JOB]  # Kubernetes deletes the Jobs of a CronJob
    assert not evaluation.create_proof


def test_a_simulated_purchase_says_so() -> None:
    case = StoreCase()
    message = json.dumps(RECEIPT | {"simulated": True})
    bought = pod("proof", job=PROOF_JOB, phase="Succeeded", containerStatuses=[terminated(0, message)])
    evaluation = case.provision(DATABASE, INSTALLED, WEB, job(PROOF_JOB, "proof"), bought)
    assert event_texts(evaluation)[-1] == "STATUS READY: proven by a simulated purchase in 812 ms."


@pytest.mark.parametrize("message", ["", "sold!", "{}", json.dumps(RECEIPT | {"totalMs": None})])
def test_without_a_receipt_a_store_is_not_ready(message: str) -> None:
    case = StoreCase()
    ended = pod("proof", job=PROOF_JOB, phase="Succeeded", containerStatuses=[terminated(0, message)])
    evaluation = case.provision(DATABASE, INSTALLED, WEB, job(PROOF_JOB, "proof", ended="Complete"), ended)
    assert case.store.status == Status.FAILED
    assert (
        case.store.cause == 'The step "A synthetic shopper buys something" failed: It ended well but left no receipt.'
    )
    assert case.step(PROOF).status == StepStatus.FAILED
    assert evaluation.requeue_after is None


OTHER_PROOF = "proof-abcdef12-2"


@pytest.mark.parametrize(
    ("name", "attempt", "ended"), [(OTHER_PROOF, 2, "Failed"), (PROOF_JOB, 2, None), (PROOF_JOB, None, None)]
)
def test_a_proof_of_another_attempt_proves_nothing(name: str, attempt: int | None, ended: str | None) -> None:
    case = StoreCase()
    evaluation = case.provision(DATABASE, INSTALLED, WEB, job(name, "proof", attempt=attempt, ended=ended), BOUGHT)
    assert case.store.status == Status.PROVISIONING
    assert evaluation.create_proof


def test_a_proof_of_another_attempt_that_still_waits_goes_first() -> None:
    evaluation = StoreCase().provision(DATABASE, INSTALLED, WEB, job(OTHER_PROOF, "proof"))
    assert (evaluation.create_proof, evaluation.jobs_to_delete) == (False, [OTHER_PROOF])


INSTALLING, OPENING = job(INSTALL, "install"), workload("Deployment", "web", ready=0)


@pytest.mark.parametrize("items", [(INSTALLING, OPENING), (INSTALLING, WEB), (INSTALLED, OPENING)])
def test_the_proof_is_made_while_the_shop_is_and_waits_for_it(items: tuple[Manifest, ...]) -> None:
    case = StoreCase()
    assert case.provision(DATABASE, *items).create_proof
    assert case.step(PROOF).status == StepStatus.PENDING
    assert not case.provision(DATABASE, *items, job(PROOF_JOB, "proof")).create_proof


@pytest.mark.parametrize(
    ("row", "items"),
    [
        ({}, (workload("StatefulSet", "database", ready=0), INSTALLING, OPENING)),
        ({}, (DATABASE, OPENING)),
        ({}, (DATABASE, INSTALLING)),
        ({}, (DATABASE, INSTALLING, workload("Deployment", "web", ready=0, updatedReplicas=0))),
        ({"attempt": 2}, (DATABASE, job(INSTALL, "install", attempt=2), OPENING)),
        ({"status": Status.UPDATING, "ready_at": NOW}, (DATABASE, INSTALLING, OPENING)),
    ],
)
def test_no_proof_where_it_could_find_another_shop_open(row: dict[str, Any], items: tuple[Manifest, ...]) -> None:
    assert not StoreCase(**row).provision(*items).create_proof


def test_a_proof_of_another_spec_proves_nothing() -> None:
    case = StoreCase(spec_hash="fedcba4321")
    installed = job("install-fedcba43", "install", ended="Complete")
    assert case.provision(DATABASE, installed, WEB, job(PROOF_JOB, "proof"), BOUGHT).create_proof


def test_a_proof_under_way_is_waited_for() -> None:
    case = StoreCase()
    buys = pod("proof", job=PROOF_JOB, phase="Running", containerStatuses=[{"name": "main", "state": {"running": {}}}])
    evaluation = case.provision(DATABASE, INSTALLED, WEB, job(PROOF_JOB, "proof"), buys)
    assert not evaluation.create_proof
    assert evaluation.requeue_after == SLOW_STEP_AFTER


def test_a_job_that_failed_gives_its_reason_in_short() -> None:
    case = StoreCase()
    message = "PHP Warning: old\nPHP Fatal error: no such table\0" + "x" * 4000 + "\n\n"
    first = pod("install", job=INSTALL, age=2, phase="Failed", containerStatuses=[terminated(1, "the first try")])
    last = pod("install", job=INSTALL, age=1, phase="Failed", containerStatuses=[terminated(1, message)])
    evaluation = case.provision(DATABASE, last, first, job(INSTALL, "install", ended="Failed"))
    cause = case.store.cause or ""
    assert cause.startswith('The step "Installing it" failed: PHP Fatal error: no such table x')
    assert cause.isprintable()
    assert len(cause) < 240
    assert event_texts(evaluation)[-2:] == [f"STEP {cause}", f"STATUS {cause}"]
    assert (case.store.status, case.store.failed_in) == (Status.FAILED, Status.PROVISIONING)
    assert evaluation.requeue_after is None


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("Job was active longer than specified deadline", "Job was active longer than specified deadline."),
        ("", "its Job gave no reason."),
    ],
)
def test_a_job_without_pods_may_give_a_reason(message: str, cause: str) -> None:
    case = StoreCase()
    case.provision(DATABASE, job(INSTALL, "install", ended="Failed", message=message))
    assert case.store.cause == f'The step "Installing it" failed: {cause}'


def test_one_failed_pod_isnt_the_jobs_end() -> None:
    case = StoreCase()
    tried = pod("install", job=INSTALL, phase="Failed", containerStatuses=[terminated(1, "not yet")])
    case.provision(DATABASE, job(INSTALL, "install"), tried)
    assert case.store.status == Status.PROVISIONING
    assert case.step("install").status == StepStatus.RUNNING


@pytest.mark.parametrize(
    "items",
    [
        (),
        (DATABASE,),
        (DATABASE, INSTALLED),
        (DATABASE, job(INSTALL, "install", attempt=2, ended="Complete"), WEB),
        (DATABASE, job("install-00000000", "install", ended="Complete"), WEB),
    ],
)
def test_what_is_missing_is_put_back(items: tuple[Manifest, ...]) -> None:
    evaluation = StoreCase().provision(*items)
    assert evaluation.reapply
    assert not evaluation.create_proof


def test_a_problem_is_reported_only_when_it_lasts() -> None:
    case = StoreCase()
    starting = workload("StatefulSet", "database", ready=0)
    evaluation = case.provision(starting, CRASHING)
    assert event_texts(evaluation) == ["STEP Starting the database."]
    assert evaluation.requeue_after == REPORT_AFTER
    assert case.store.trouble == CRASHES
    assert event_texts(case.provision(starting, CRASHING, seconds=1)) == []
    assert event_texts(case.provision(starting, CRASHING, seconds=3)) == [f"STEP {CRASHES}"]
    assert event_texts(case.provision(starting, seconds=4)) == ["STEP Starting the database."]  # the problem passed
    passed: list[object] = [case.store.trouble, case.store.trouble_since]
    assert passed == [None, None]


def test_a_problem_that_stays_fails_the_step() -> None:
    case = StoreCase()
    starting = workload("StatefulSet", "database", ready=0)
    case.provision(starting, CRASHING)
    assert case.provision(starting, CRASHING, seconds=59).requeue_after == timedelta(seconds=1)
    assert case.store.status == Status.PROVISIONING
    evaluation = case.provision(starting, CRASHING, seconds=60)
    assert (case.store.status, case.store.cause) == (Status.FAILED, CRASHES)
    assert evaluation.requeue_after is None


def test_a_problem_whose_message_changes_keeps_its_start() -> None:
    case = StoreCase()
    starting = workload("StatefulSet", "database", ready=0)
    case.provision(starting, CRASHING)
    pulled = pod("database", containerStatuses=[waiting("ErrImagePull", "no route")])
    case.provision(starting, pulled, seconds=60)
    assert "can't be pulled" in (case.store.cause or "")


def test_a_timeout_of_zero_fails_at_once() -> None:
    case = StoreCase()
    no_timeout = Timeouts(problem=timedelta(0), step=timedelta(seconds=600))
    evaluation = case.provision(workload("StatefulSet", "database", ready=0), CRASHING, timeouts=no_timeout)
    assert case.store.status == Status.FAILED
    assert event_texts(evaluation) == [f"STEP {CRASHES}", f"STEP {CRASHES}", f"STATUS {CRASHES}"]


def test_cron_is_no_reason_to_fail() -> None:
    case = StoreCase()
    crashing = pod("cron", containerStatuses=[waiting("CrashLoopBackOff", ended={"exitCode": 1})])
    case.provision(workload("StatefulSet", "database", ready=0), crashing)
    assert case.store.trouble is None


def test_a_step_that_takes_too_long_fails() -> None:
    case = StoreCase()
    starting = workload("StatefulSet", "database", ready=0)
    case.provision(starting)
    assert case.provision(starting, seconds=580).requeue_after == timedelta(seconds=20)
    case.provision(starting, seconds=600)
    assert case.store.cause == "The step took longer than 600 s. Retry, or see its pods."
    assert case.step("database").status == StepStatus.FAILED


def test_it_is_never_requeued_without_delay() -> None:
    case = StoreCase()
    starting = workload("StatefulSet", "database", ready=0)
    case.provision(starting)
    assert case.provision(starting, seconds=599.999).requeue_after == timedelta(milliseconds=50)


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
    case = StoreCase()
    case.provision(behind)
    assert case.step("database").status == StepStatus.RUNNING


def test_an_update_ends_in_ready_again_and_stays_since_when() -> None:
    before = NOW - timedelta(days=3)
    case = StoreCase(
        status=Status.UPDATING, ready_at=before, health=Health.DEGRADED, health_since=before, health_cause="x"
    )
    evaluation = case.provision(DATABASE, INSTALLED, WEB, job(PROOF_JOB, "proof"), BOUGHT)
    assert (case.store.status, case.store.ready_at) == (Status.READY, before)
    assert event_texts(evaluation)[-1] == "HEALTH The store is healthy again."
