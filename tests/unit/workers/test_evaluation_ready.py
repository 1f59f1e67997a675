"""READY: the health of a store, and what a valid receipt is."""

import json

import pytest

from stores.engines import Manifest
from stores.status import Health, Status
from tests.support.cluster_objects import pod, refused_pods, terminated, waiting, workload
from tests.support.evaluation_cases import (
    CRASHES,
    CRASHING,
    DATABASE,
    INSTALLED,
    NOW,
    RECEIPT,
    WEB,
    StoreCase,
    event_texts,
)
from workers.evaluation import CRON_INTERVAL, Evaluation
from workers.receipt import parse_receipt


def healthy() -> StoreCase:
    return StoreCase(status=Status.READY, applied_hash="abcdef1234", health=Health.HEALTHY, health_since=NOW)


def test_a_healthy_store_has_no_events() -> None:
    evaluation = healthy().check_ready(DATABASE, WEB)
    assert evaluation == Evaluation()


@pytest.mark.parametrize(
    ("items", "state", "cause"),
    [
        ((DATABASE, workload("Deployment", "web", ready=0)), "DOWN", "No web pod is ready. It usually comes back"),
        ((workload("StatefulSet", "database", ready=0), WEB), "DEGRADED", "Not all database pods are ready."),
        (
            (workload("StatefulSet", "database", ready=0), WEB, CRASHING),
            "DEGRADED",
            CRASHES.removesuffix(", then retry."),
        ),
        ((DATABASE, workload("Deployment", "web", ready=0), CRASHING), "DOWN", CRASHES.removesuffix(", then retry.")),
        ((DATABASE, workload("Deployment", "web", ready=1, replicas=2)), "DEGRADED", "Not all web pods are ready."),
        ((DATABASE, workload("Deployment", "web", conditions=refused_pods("no"))), "DEGRADED", "The web pod can't be"),
    ],
)
def test_the_health_of_a_store(items: tuple[Manifest, ...], state: str, cause: str) -> None:
    case = healthy()
    evaluation = case.check_ready(*items)
    assert case.store.health == state
    assert (case.store.health_cause or "").startswith(cause)
    assert event_texts(evaluation) == [f"HEALTH {case.store.health_cause}"]
    assert case.store.status == Status.READY
    assert event_texts(case.check_ready(*items)) == []  # reported once
    assert event_texts(case.check_ready(DATABASE, WEB)) == ["HEALTH The store is healthy again."]


@pytest.mark.parametrize("component", ["cron", "install", "proof"])
def test_pods_beside_the_shop_dont_change_its_health(component: str) -> None:
    case = healthy()
    case.check_ready(
        DATABASE, WEB, pod(component, containerStatuses=[waiting("CrashLoopBackOff", ended={"exitCode": 1})])
    )
    assert case.store.health == Health.HEALTHY


def cron(age: int, code: int, message: str = "", phase: str = "") -> Manifest:
    phase = phase or ("Failed" if code else "Succeeded")
    return pod("cron", age=age, phase=phase, containerStatuses=[terminated(code, message)])


def test_a_full_disk_for_uploads_is_told_by_the_last_run_of_the_cron_job() -> None:
    case = healthy()
    full = cron(5, 1, "The disk is full.")
    evaluation = case.check_ready(DATABASE, WEB, full, cron(9, 0))
    assert (case.store.health, evaluation.requeue_after) == (Health.DEGRADED, CRON_INTERVAL)
    assert (
        case.store.health_cause == "The disk of uploads is full. Choose a larger plan, or have the operator free space."
    )
    case.check_ready(DATABASE, workload("Deployment", "web", ready=0), full)
    assert case.store.health == Health.DOWN
    case.check_ready(
        DATABASE, WEB, cron(5, 1, "The disk is full.", phase="Running")
    )  # the kubelet's next report ends it
    assert case.store.health == Health.DEGRADED
    for later in (cron(0, 0), cron(0, 1, "PHP Fatal error")):
        case.check_ready(DATABASE, WEB, full, later)
        assert case.store.health == Health.HEALTHY


WAITS = pod("web", containerStatuses=[waiting("CreateContainerConfigError")])


@pytest.mark.parametrize("items", [[DATABASE], [DATABASE, WEB, WAITS]], ids=["removed", "lacks a Secret"])
def test_what_is_missing_is_applied_again_unless_it_just_was(items: list[Manifest]) -> None:
    case = healthy()
    assert case.check_ready(*items).reapply
    assert case.store.health != Health.HEALTHY
    assert not case.check_ready(*items, applied=True).reapply
    assert not case.check_ready(DATABASE, WEB).reapply


def test_a_store_in_progress_gets_a_missing_secret_again() -> None:
    case = StoreCase()
    assert case.provision(DATABASE, WEB, INSTALLED, WAITS).reapply
    assert not case.provision(DATABASE, WEB, INSTALLED, WAITS, applied=True).reapply


def test_a_threat_is_reported_unless_something_is_worse() -> None:
    case = healthy()
    case.check_ready(DATABASE, WEB, claim_warning="The disk goes.")
    assert (case.store.health, case.store.health_cause) == (Health.DEGRADED, "The disk goes.")
    case.check_ready(DATABASE, claim_warning="The disk goes.")
    assert case.store.health == Health.DOWN
    case.check_ready(DATABASE, WEB)
    assert case.store.health == Health.HEALTHY


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
def test_a_malformed_receipt_is_none(message: str) -> None:
    assert parse_receipt(message) is None


def test_a_receipt_keeps_only_known_fields() -> None:
    assert parse_receipt(json.dumps(RECEIPT | {"orderId": 7})) == RECEIPT


@pytest.mark.parametrize("value", [True, None, 0, "no", []])
def test_in_doubt_a_purchase_was_simulated(value: object) -> None:
    receipt = parse_receipt(json.dumps(RECEIPT | {"simulated": value}))
    assert receipt is not None
    assert receipt["simulated"] is True
