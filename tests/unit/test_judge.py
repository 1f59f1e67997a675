"""On the way up: from what a look at the namespace found to what is recorded and done next."""

import json
from datetime import timedelta
from typing import Any

import pytest

from stores.engines import Manifest
from stores.status import Health, Status, StepStatus
from stores.steps import PROOF
from tests.unit.cluster_objects import job, pod, terminated, waiting, workload
from tests.unit.judged import (
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
    Shop,
    told,
)
from workers.judge import SAFETY, SLOW, TELL, Patience, is_slow


def test_it_waits_for_the_first_step_that_isnt_done() -> None:
    shop = Shop()
    verdict = shop.climb(workload("StatefulSet", "database", ready=0), job(INSTALL, "install"), WEB)
    assert told(verdict) == ["STEP Starting the database."]
    assert (verdict.look_again, verdict.prove, verdict.reapply) == (SLOW, False, False)
    assert shop.step("database").started_at == NOW
    assert shop.step("web").status == StepStatus.PENDING  # ready, but not its turn: one follows the other


def test_a_step_that_takes_long_is_looked_into() -> None:
    shop = Shop()
    waits = workload("StatefulSet", "database", ready=0)
    assert not is_slow(shop.steps, NOW)
    shop.climb(waits)
    assert not is_slow(shop.steps, NOW + timedelta(seconds=9))
    assert shop.climb(waits, seconds=9).look_again == timedelta(seconds=1)
    assert is_slow(shop.steps, NOW + SLOW)
    assert shop.climb(waits, seconds=10).look_again == SAFETY
    shop.climb(DATABASE, INSTALLED, WEB, job(PROOF_JOB, "proof"), BOUGHT)
    assert not is_slow(shop.steps, NOW + SLOW)


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


OTHER_PROOF = "proof-abcdef12-2"


@pytest.mark.parametrize(
    ("name", "attempt", "ended"), [(OTHER_PROOF, 2, "Failed"), (PROOF_JOB, 2, None), (PROOF_JOB, None, None)]
)
def test_a_proof_of_another_attempt_proves_nothing(name: str, attempt: int | None, ended: str | None) -> None:
    shop = Shop()
    verdict = shop.climb(DATABASE, INSTALLED, WEB, job(name, "proof", attempt=attempt, ended=ended), BOUGHT)
    assert shop.store.status == Status.PROVISIONING
    assert verdict.prove


def test_a_proof_of_another_attempt_that_still_waits_goes_first() -> None:
    verdict = Shop().climb(DATABASE, INSTALLED, WEB, job(OTHER_PROOF, "proof"))
    assert (verdict.prove, verdict.tidy) == (False, [OTHER_PROOF])


INSTALLING, OPENING = job(INSTALL, "install"), workload("Deployment", "web", ready=0)


@pytest.mark.parametrize("found", [(INSTALLING, OPENING), (INSTALLING, WEB), (INSTALLED, OPENING)])
def test_the_proof_is_made_while_the_shop_is_and_waits_for_it(found: tuple[Manifest, ...]) -> None:
    shop = Shop()
    assert shop.climb(DATABASE, *found).prove
    assert shop.step(PROOF).status == StepStatus.PENDING
    assert not shop.climb(DATABASE, *found, job(PROOF_JOB, "proof")).prove


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({}, (workload("StatefulSet", "database", ready=0), INSTALLING, OPENING)),
        ({}, (DATABASE, OPENING)),
        ({}, (DATABASE, INSTALLING)),
        ({}, (DATABASE, INSTALLING, workload("Deployment", "web", ready=0, updatedReplicas=0))),
        ({"attempt": 2}, (DATABASE, job(INSTALL, "install", attempt=2), OPENING)),
        ({"status": Status.UPDATING, "ready_at": NOW}, (DATABASE, INSTALLING, OPENING)),
    ],
)
def test_no_proof_where_it_could_find_another_shop_open(row: dict[str, Any], found: tuple[Manifest, ...]) -> None:
    assert not Shop(**row).climb(*found).prove


def test_a_proof_of_another_spec_proves_nothing() -> None:
    shop = Shop(spec_hash="fedcba4321")
    installed = job("install-fedcba43", "install", ended="Complete")
    assert shop.climb(DATABASE, installed, WEB, job(PROOF_JOB, "proof"), BOUGHT).prove


def test_a_proof_under_way_is_waited_for() -> None:
    shop = Shop()
    buys = pod("proof", job=PROOF_JOB, phase="Running", containerStatuses=[{"name": "main", "state": {"running": {}}}])
    verdict = shop.climb(DATABASE, INSTALLED, WEB, job(PROOF_JOB, "proof"), buys)
    assert not verdict.prove
    assert verdict.look_again == SLOW


def test_a_job_that_failed_gives_its_reason_in_short() -> None:
    shop = Shop()
    words = "PHP Warning: old\nPHP Fatal error: no such table\0" + "x" * 4000 + "\n\n"
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
    verdict = shop.climb(workload("StatefulSet", "database", ready=0), CRASHING, patience=impatient)
    assert shop.store.status == Status.FAILED
    assert told(verdict) == [f"STEP {CRASHES}", f"STEP {CRASHES}", f"STATUS {CRASHES}"]


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
