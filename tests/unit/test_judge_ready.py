"""At the top: what a READY store's health is, and what its proof must have left."""

import json

import pytest

from stores.engines import Manifest
from stores.status import Health, Status
from tests.unit.cluster_objects import pod, refused_pods, waiting, workload
from tests.unit.judged import CRASHES, CRASHING, DATABASE, INSTALLED, NOW, RECEIPT, WEB, Shop, told
from workers.judge import Verdict, read_receipt


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


WAITS = pod("web", containerStatuses=[waiting("CreateContainerConfigError")])


@pytest.mark.parametrize("found", [[DATABASE], [DATABASE, WEB, WAITS]], ids=["removed", "lacks a Secret"])
def test_what_is_missing_is_applied_again_unless_it_just_was(found: list[Manifest]) -> None:
    shop = good()
    assert shop.attend(*found).reapply
    assert shop.store.health != Health.HEALTHY
    assert not shop.attend(*found, applied=True).reapply
    assert not shop.attend(DATABASE, WEB).reapply


def test_a_store_that_lacks_a_secret_on_its_way_up_gets_it_again() -> None:
    shop = Shop()
    assert shop.climb(DATABASE, WEB, INSTALLED, WAITS).reapply
    assert not shop.climb(DATABASE, WEB, INSTALLED, WAITS, applied=True).reapply


def test_what_threatens_a_store_is_told_while_nothing_worse_is() -> None:
    shop = good()
    shop.attend(DATABASE, WEB, threat="The disk goes.")
    assert (shop.store.health, shop.store.health_cause) == (Health.DEGRADED, "The disk goes.")
    shop.attend(DATABASE, threat="The disk goes.")
    assert shop.store.health == Health.DOWN
    shop.attend(DATABASE, WEB)
    assert shop.store.health == Health.HEALTHY


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
