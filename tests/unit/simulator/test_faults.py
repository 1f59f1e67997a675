"""Each fault affects what it matches, and nothing after it is removed."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from sandbox.simulator import server
from tests.support.simulator_client import (
    APPLY,
    APPS,
    BATCH,
    JSON,
    V1,
    Client,
    condition,
    deployment,
    job,
    manifest,
    ready,
    simulated,
    statefulset,
    waiting,
)

DEPLOYMENTS, STATEFULSETS, JOBS = f"{APPS}/shop/deployments", f"{APPS}/shop/statefulsets", f"{BATCH}/shop/jobs"
PODS, MAPS = f"{V1}/shop/pods", f"{V1}/shop/configmaps"


async def test_faults_are_shown_and_replaced(api: Client) -> None:
    async def shown() -> Any:
        return await api.ok("GET", "/_sim/faults")

    assert await shown() == []
    await api.faults({"fault": "image", "component": "web"}, {"fault": "http", "times": 1, "code": 503})
    rows = await shown()
    assert [(row["fault"], row["component"], row["times"]) for row in rows] == [("image", "web", None), ("http", "", 1)]
    refused: list[Any] = [{}, ["image"], [{"fault": "none"}], [{"fault": "image", "unknown": 1}]]
    for wrong in refused:
        assert (await api.raw("POST", "/_sim/faults", wrong))[0] == 400
    assert await shown() == rows
    await api.faults()
    assert await shown() == []


async def test_an_image_that_can_not_be_pulled(api: Client) -> None:
    await api.faults({"fault": "image", "component": "web"})
    version = (await api.get(PODS))["metadata"]["resourceVersion"]
    await api.ok("POST", DEPLOYMENTS, deployment())
    await api.ok("POST", STATEFULSETS, statefulset())
    query = {"labelSelector": "app.kubernetes.io/component=web", "resourceVersion": version}
    async with api.watch(PODS, **query) as next_event:
        reasons: list[str] = []
        while "ImagePullBackOff" not in reasons:
            _, pod = await next_event()
            rows = pod["status"].get("containerStatuses", [])
            reasons += [row["state"].get("waiting", {}).get("reason") for row in rows]
    assert "ErrImagePull" in reasons
    await api.until(f"{STATEFULSETS}/database", ready(1))
    events = await api.items(f"{V1}/shop/events")
    assert {event["reason"] for event in events} == {"Failed", "BackOff"}
    await api.faults()
    await api.until(f"{DEPLOYMENTS}/web", ready(1))


async def test_an_image_of_an_init_container(api: Client) -> None:
    await api.faults({"fault": "image", "message": "no such host"})
    await api.ok("POST", DEPLOYMENTS, deployment(initContainers=[{"name": "init", "image": "example/init:1"}]))

    def failing(answer: JSON) -> bool:
        rows = [row for pod in answer["items"] for row in pod["status"].get("initContainerStatuses", [])]
        return any(row["state"].get("waiting", {}).get("reason") == "ImagePullBackOff" for row in rows)

    await api.until(PODS, failing)
    await api.faults()
    await api.until(f"{DEPLOYMENTS}/web", ready(1))


async def test_a_crash_loop_counts_its_restarts(api: Client) -> None:
    await api.faults({"fault": "crash-loop", "kind": "Deployment", "exitCode": 137, "message": "out of memory"})
    await api.ok("POST", DEPLOYMENTS, deployment())
    found = await api.until(
        PODS,
        lambda answer: (
            waiting("CrashLoopBackOff")(answer)
            and answer["items"][0]["status"]["containerStatuses"][0]["restartCount"] > 1
        ),
    )
    (row,) = found["items"][0]["status"]["containerStatuses"]
    assert row["lastState"]["terminated"]["exitCode"] == 137
    assert row["lastState"]["terminated"]["message"] == "out of memory"
    await api.faults()
    await api.until(f"{DEPLOYMENTS}/web", ready(1))


async def test_what_is_ready_goes_down_only_in_a_crash(api: Client) -> None:
    await api.ok("POST", STATEFULSETS, statefulset())
    await api.until(f"{STATEFULSETS}/database", ready(1))
    version = (await api.get(PODS))["metadata"]["resourceVersion"]
    await api.faults({"fault": "crash-loop"})
    assert (await api.get(PODS))["metadata"]["resourceVersion"] == version
    await api.faults({"fault": "crash", "component": "database"})
    await api.until(f"{STATEFULSETS}/database", lambda answer: not answer["status"].get("readyReplicas"))
    await api.until(PODS, waiting("CrashLoopBackOff"))
    await api.faults()
    await api.until(f"{STATEFULSETS}/database", ready(1))
    (pod,) = await api.items(PODS)
    assert pod["status"]["containerStatuses"][0]["restartCount"] >= 1


async def test_a_pod_no_node_takes(api: Client) -> None:
    await api.faults({"fault": "unschedulable", "message": "too big"})
    await api.ok("POST", DEPLOYMENTS, deployment())
    found = await api.until(
        PODS, lambda answer: any(condition("PodScheduled", "False")(pod) for pod in answer["items"])
    )
    (row,) = [row for row in found["items"][0]["status"]["conditions"] if row["type"] == "PodScheduled"]
    assert (row["reason"], row["message"]) == ("Unschedulable", "0/1 nodes are available: too big")
    await api.until(
        f"{V1}/shop/events", lambda answer: "FailedScheduling" in {one["reason"] for one in answer["items"]}
    )
    await api.faults()
    await api.until(f"{DEPLOYMENTS}/web", ready(1))


async def test_faults_match_by_store_and_namespace(api: Client) -> None:
    stores = {"a": "1111", "b": "2222"}
    for name, store in stores.items():
        await api.ok("POST", V1, manifest(f"store-{name}", labels={"example.org/store": store}))
    await api.faults({"fault": "unready", "labels": {"example.org/store": "1111"}})
    for name in stores:
        await api.ok("POST", f"{APPS}/store-{name}/deployments", deployment())
    await api.until(f"{APPS}/store-b/deployments/web", ready(1))
    await api.until(f"{V1}/store-a/pods", lambda answer: answer["items"][0]["status"]["phase"] == "Running")
    assert not (await api.get(f"{APPS}/store-a/deployments/web"))["status"].get("readyReplicas")
    await api.faults({"fault": "crash", "namespace": "store-b"})
    await api.until(f"{APPS}/store-a/deployments/web", ready(1))
    await api.until(f"{APPS}/store-b/deployments/web", lambda answer: not answer["status"].get("readyReplicas"))


async def test_a_job_that_fails_with_a_message(api: Client) -> None:
    await api.faults({"fault": "job", "component": "task", "exitCode": 7, "message": '{"failed": "cart"}'})
    await api.ok("POST", JOBS, job("task", spec={"backoffLimit": 0}))
    await api.ok("POST", JOBS, job("other", "other"))
    await api.until(f"{JOBS}/task", condition("Failed"))
    await api.until(f"{JOBS}/other", condition("Complete"))
    (pod,) = await api.items(PODS, labelSelector="job-name=task")
    ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (pod["status"]["phase"], ended["exitCode"], ended["message"]) == ("Failed", 7, '{"failed": "cart"}')


async def test_a_quota_that_is_used_up(api: Client) -> None:
    await api.faults({"fault": "quota", "kind": "ConfigMap", "times": 2}, {"fault": "quota", "kind": "Pod"})
    status, answer = await api.raw("POST", MAPS, manifest("a"))
    assert (status, answer["reason"], "exceeded quota" in answer["message"]) == (403, "Forbidden", True)
    assert (await api.raw("PATCH", f"{MAPS}/a", {}, content_type=APPLY, fieldManager="t"))[0] == 403
    await api.ok("POST", MAPS, manifest("a"))
    await api.merge(f"{MAPS}/a", {"data": {"a": "b"}})
    await api.ok("POST", DEPLOYMENTS, deployment())
    failing = await api.until(f"{DEPLOYMENTS}/web", condition("ReplicaFailure"))
    assert "exceeded quota" in str(failing["status"]["conditions"])
    await api.faults()
    await api.until(f"{DEPLOYMENTS}/web", ready(1))


async def test_answers_with_another_code(api: Client) -> None:
    await api.faults(
        {"fault": "http", "code": 429, "retryAfter": 1.5, "verb": "create", "kind": "ConfigMap", "times": 1},
        {"fault": "http", "code": 500, "verb": "apply", "times": 1},
        {"fault": "http", "code": 418, "message": "tea", "verb": "watch"},
        {"fault": "http", "code": 503, "verb": "list", "namespace": "kube"},
        {"fault": "http", "code": 504, "verb": "get", "labels": {"example.org/store": "1111"}},
    )
    await api.ok("POST", f"{V1}/shop/secrets", manifest("a"))
    async with api.session.post(MAPS, json=manifest("a")) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "1.5")
        assert (await response.json())["reason"] == "TooManyRequests"
    await api.ok("POST", MAPS, manifest("a", labels={"example.org/store": "1111"}))
    status, answer = await api.raw("PATCH", f"{MAPS}/a", {}, content_type=APPLY, fieldManager="t")
    assert (status, answer["reason"]) == (500, "InternalError")
    await api.apply(f"{MAPS}/a", {})
    status, answer = await api.raw("GET", MAPS, watch="true")
    assert (status, answer["message"]) == (418, "tea")
    assert (await api.raw("GET", f"{V1}/kube-system/configmaps"))[0] == 503
    assert (await api.raw("GET", MAPS))[0] == 200
    assert (await api.raw("GET", f"{MAPS}/a"))[0] == 504
    assert (await api.raw("GET", f"{V1}/shop"))[0] == 200


async def test_faults_of_a_namespace_itself_match_its_name(api: Client) -> None:
    await api.faults({"fault": "http", "code": 500, "namespace": "store-1"})
    assert (await api.raw("POST", V1, {"kind": "Namespace", **manifest("store-1")}))[0] == 500
    assert (await api.raw("GET", f"{V1}/store-1"))[0] == 500
    assert (await api.raw("POST", V1, {"kind": "Namespace", **manifest("store-2")}))[0] == 201


async def test_an_answer_that_does_not_come(api: Client) -> None:
    await api.faults({"fault": "hang", "seconds": 0.2, "verb": "create", "times": 1})
    before = time.monotonic()
    await api.ok("POST", MAPS, manifest("a"))
    assert time.monotonic() - before >= 0.2
    await api.ok("POST", MAPS, manifest("b"))
    await api.faults({"fault": "hang", "seconds": 30})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(api.get(MAPS), 0.1)
    await api.faults()
    await api.get(MAPS)


async def test_an_answer_that_hangs_holds_up_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "GRACE_SECONDS", 0.05)
    async with simulated() as client:
        await client.faults({"fault": "hang", "verb": "list", "times": 1})
        hanging = asyncio.create_task(client.get(MAPS))
        await client.until("/_sim/faults", lambda rows: rows[0]["times"] == 0)
    with pytest.raises((aiohttp.ClientError, AssertionError)):
        await hanging


async def test_a_namespace_that_stays(api: Client) -> None:
    await api.faults({"fault": "stuck", "namespace": "shop"})
    await api.ok("DELETE", f"{V1}/shop")
    remaining: Callable[[JSON], bool] = condition("NamespaceContentRemaining")
    await api.until(f"{V1}/shop", remaining)
    await api.faults()
    await api.gone(f"{V1}/shop")
