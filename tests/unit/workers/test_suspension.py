"""Suspension: what a suspended store's manifests are, and when a store is SUSPENDED."""

from datetime import timedelta
from typing import Any

import pytest

from stores.engines import Manifest
from stores.status import Status, StepStatus
from stores.transitions import begin_resumption, begin_retry
from tests.support.cluster_objects import pod, snapshot, terminating, workload
from tests.support.evaluation_cases import NOW, TIMEOUTS, StoreCase, event_texts
from tests.support.rendered import profile, render
from workers.evaluation import POLL_INTERVAL, Evaluation, evaluate_suspension
from workers.suspension import suspend_resources

NO_WEB, NO_DATABASE = (
    workload("Deployment", "web", replicas=0, ready=0),
    workload("StatefulSet", "database", replicas=0),
)
RUNS = pod("web", phase="Running")


def evaluate(case: StoreCase, *items: Manifest, seconds: float = 0, applied: bool = True) -> Evaluation:
    """`seconds` after NOW."""
    now = NOW + timedelta(seconds=seconds)
    return evaluate_suspension(case.store, case.steps, snapshot(*items), now, TIMEOUTS, applied=applied)


def suspending(**columns: Any) -> StoreCase:
    case = StoreCase(**{"status": Status.SUSPENDING, "generation": 2} | columns)
    for step in case.steps:
        step.status = StepStatus.SUCCEEDED
    return case


@pytest.mark.parametrize("items", [(), (NO_WEB, NO_DATABASE), (NO_WEB, pod("cron", phase="Failed"))])
def test_a_store_is_suspended_when_no_pod_runs(items: tuple[Manifest, ...]) -> None:
    case = suspending()
    evaluation = evaluate(case, *items)
    assert event_texts(evaluation) == ["STATUS Suspended: nothing runs, and all data is kept."]
    assert (case.store.status, case.store.observed_generation) == (Status.SUSPENDED, 2)
    assert (evaluation.requeue_after, evaluation.reapply) == (None, False)


@pytest.mark.parametrize("item", [RUNS, pod("web"), terminating(RUNS), workload("Deployment", "web", ready=0)])
def test_it_waits_for_pods_and_workloads_that_are_not_scaled_yet(item: Manifest) -> None:
    case = suspending()
    evaluation = evaluate(case, NO_DATABASE, item)
    assert event_texts(evaluation) == []
    assert case.store.status == Status.SUSPENDING
    assert evaluation.requeue_after == POLL_INTERVAL


@pytest.mark.parametrize("status", [Status.SUSPENDING, Status.SUSPENDED])
def test_a_scaled_up_workload_is_applied_again(status: Status) -> None:
    up = workload("Deployment", "web")
    assert evaluate(suspending(status=status), up, applied=False).reapply
    assert not evaluate(suspending(status=status), up, applied=True).reapply
    assert not evaluate(suspending(status=status), NO_WEB, RUNS, applied=False).reapply


def test_pods_that_never_stop_fail_the_suspension() -> None:
    case = suspending()
    evaluate(case, NO_WEB, terminating(RUNS))
    assert evaluate(case, NO_WEB, terminating(RUNS), seconds=590).requeue_after == timedelta(seconds=10)
    evaluation = evaluate(case, NO_WEB, terminating(RUNS), seconds=600)
    cause = "These pods have not stopped yet: web. Retry; if it happens again, tell the operator."
    assert event_texts(evaluation) == [f"STATUS {cause}"]
    assert (case.store.status, case.store.failed_in, case.store.cause) == (Status.FAILED, Status.SUSPENDING, cause)
    begin_retry(case.store, case.steps)
    assert case.store.status == Status.SUSPENDING
    assert {step.status for step in case.steps} == {StepStatus.SUCCEEDED}  # no step of the proof is to blame
    evaluate(case)
    assert case.store.status == Status.SUSPENDED


def test_a_suspended_store_stays_so_and_forgets_what_was_wrong() -> None:
    case = suspending(status=Status.SUSPENDED, cause="The namespace is being deleted by somebody else.")
    evaluation = evaluate(case, NO_WEB)
    assert (case.store.status, case.store.cause, evaluation) == (Status.SUSPENDED, None, Evaluation())


@pytest.mark.parametrize("proven", ["abcdef1234", "another"])
def test_a_resumption_installs_again_only_what_changed(proven: str) -> None:
    case = suspending(status=Status.SUSPENDED, proof_hash=proven, cause="x", applied_hash="abcdef1234")
    begin_resumption(case.store, case.steps)
    kept = [step.name for step in case.steps if step.status == StepStatus.SUCCEEDED]
    assert kept == ["credentials", "namespace", *(["install"] if proven == case.store.spec_hash else [])]
    assert (case.store.status, case.store.attempt) == (Status.RESUMING, 2)
    assert (case.store.cause, case.store.applied_hash) == (None, None)


@pytest.mark.parametrize("routing", ["ingress", "gateway"])
def test_only_what_runs_and_the_route_differ(routing: str) -> None:
    resources = render(cluster=profile(routing=routing, gateway="edge/stores")).resources
    suspended = {(item["kind"], item["metadata"]["name"]): item for item in suspend_resources(resources)}
    changed: dict[str, Manifest] = {
        "Deployment": {"replicas": 0},
        "StatefulSet": {"replicas": 0},
        "CronJob": {"suspend": True},
    }
    assert {"Deployment", "StatefulSet", "CronJob"} <= {item["kind"] for item in resources}
    for item in resources:
        kind, name = item["kind"], item["metadata"]["name"]
        if kind in ("Ingress", "HTTPRoute"):
            assert (kind, name) not in suspended
        elif kind in changed:
            assert suspended[kind, name] == {**item, "spec": {**item["spec"], **changed[kind]}}
        else:
            assert suspended[kind, name] == item
