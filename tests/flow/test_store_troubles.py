"""Trouble in the cluster that others made or that is over: a store goes on as soon as it can."""

import asyncio

import pytest

from sandbox.simulator import clock
from tests.flow.fleet import JSON, RETRY, Fleet
from tests.flow.test_drift import rests, resync
from tests.flow.test_store_failures import namespace
from workers.engines.objects import HOPELESS


@pytest.mark.parametrize(
    ("component", "place", "other"),
    [
        ("web", "deployments/web", "statefulsets/database"),
        ("database", "statefulsets/database", "deployments/web"),
    ],
)
async def test_a_retry_does_not_wait_for_kubernetes_own_pauses(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, component: str, place: str, other: str
) -> None:
    """What is in trouble is made anew: else the old trouble would last, and fail the store again."""
    monkeypatch.setattr(clock, "BACK_OFF", (1e6, 1e6))
    await fleet.fault({"fault": "crash-loop", "component": component})
    store = await fleet.create()
    await fleet.until(store["id"], "FAILED", 30)
    await fleet.client().execute(RETRY, {"id": store["id"]})
    await fleet.eventually(store["id"], status="PROVISIONING")
    again = await fleet.eventually(store["id"], status="FAILED")  # made anew once, not for ever
    assert "keeps crashing" in again["cause"]
    root = f"/apis/apps/v1/namespaces/{await namespace(fleet)}"
    before = [(await fleet.kubernetes("GET", f"{root}/{path}"))[1]["metadata"]["uid"] for path in (place, other)]
    await fleet.fault()
    await fleet.client().execute(RETRY, {"id": store["id"]})
    async with asyncio.timeout(15):
        async for event in fleet.events(store["id"], again["eventCursor"]):
            assert event["status"] != "FAILED"
            if event["status"] == "READY":
                break
    after = [(await fleet.kubernetes("GET", f"{root}/{path}"))[1]["metadata"]["uid"] for path in (place, other)]
    assert (after[0] == before[0], after[1] == before[1]) == (False, True)


async def test_what_never_was_ready_is_made_anew_at_a_retry(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop without its plugin isn't in trouble: it waits for an installation. Its image may have been mended."""
    monkeypatch.setattr(clock, "BACK_OFF", (1e6, 1e6))  # a program that can't succeed isn't run again
    fails = {"fault": "job", "component": "install", "exitCode": HOPELESS, "message": "No plugin."}
    unready = {"fault": "unready", "component": "web"}
    await fleet.fault(unready, fails)
    store = await fleet.create()
    failed = await fleet.eventually(store["id"], status="FAILED")
    assert failed["cause"] == "The step install failed: No plugin."
    root = f"/apis/apps/v1/namespaces/{await namespace(fleet)}"

    async def uid(path: str) -> str | None:
        _, found = await fleet.kubernetes("GET", f"{root}/{path}")
        found_uid: str | None = found["metadata"].get("uid")
        return found_uid

    web, database = await uid("deployments/web"), await uid("statefulsets/database")
    await fleet.fault(unready)
    await fleet.client().execute(RETRY, {"id": store["id"]})

    async def another() -> bool:
        return await uid("deployments/web") not in (web, None)

    await fleet.poll(another)
    await fleet.fault()
    await fleet.until(store["id"], "READY")
    assert await uid("statefulsets/database") == database


def somebodys_deployment(replicas: int) -> JSON:
    """What an administrator may run in a store's namespace: small, restricted, and without our labels."""
    container = {
        "name": "main",
        "image": "localhost/pause:1",
        "imagePullPolicy": "IfNotPresent",
        "resources": {"limits": {"cpu": "10m", "memory": "8Mi", "ephemeral-storage": "1Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    user = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
    pod = {"automountServiceAccountToken": False, "containers": [container], "securityContext": user}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "bomb"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "bomb"}},
            "template": {"metadata": {"labels": {"app": "bomb"}}, "spec": pod},
        },
    }


async def test_what_others_run_in_the_namespace_is_no_trouble_of_the_store(fleet: Fleet) -> None:
    store = await fleet.create()
    await fleet.until(store["id"], "READY")
    await rests(fleet)
    path = f"/apis/apps/v1/namespaces/{await namespace(fleet)}/deployments"
    assert (await fleet.kubernetes("POST", path, somebodys_deployment(50)))[0] == 201

    async def is_stopped() -> bool:
        _, found = await fleet.kubernetes("GET", f"{path}/bomb")
        return any("exceeded quota" in row.get("message", "") for row in found["status"].get("conditions", ()))

    await fleet.poll(is_stopped)
    await resync(fleet)
    await rests(fleet)
    looked = await fleet.store(store["id"])
    assert (looked["status"], looked["health"]["state"]) == ("READY", "HEALTHY")
