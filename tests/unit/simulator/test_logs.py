"""Container logs, read as kubectl does."""

from datetime import datetime
from typing import Any

import pytest

from sandbox.simulator.logs import SIMULATED_LINE
from tests.support.simulator_client import (
    APPS,
    BATCH,
    V1,
    Client,
    condition,
    deployment,
    job,
    manifest,
    ready,
    template,
    waiting,
)
from tests.support.waiting import hang_limit

PODS = f"{V1}/shop/pods"


async def log(api: Client, pod: str, **query: str) -> tuple[int, str]:
    async with api.session.get(f"{PODS}/{pod}/log", params=query) as response:
        return response.status, await response.text()


async def lines(api: Client, pod: str, **query: str) -> list[str]:
    status, text = await log(api, pod, **query)
    assert status == 200, text
    return text.splitlines()


async def web(api: Client, **spec: Any) -> str:
    """The name of the pod of a Deployment that is ready."""
    await api.ok("POST", f"{APPS}/shop/deployments", deployment(**spec))
    await api.until(f"{APPS}/shop/deployments/web", ready(1))
    [name] = await api.names(PODS)
    return name


async def print_lines(api: Client, *words: str) -> Any:
    body = {"namespace": "shop", "component": "web", "lines": words}
    return (await api.ok("POST", "/_sim/print", body))["containers"]


async def test_the_last_lines_and_those_since(api: Client) -> None:
    pod = await web(api)
    assert (await lines(api, pod))[0] == SIMULATED_LINE
    assert await print_lines(api, "one", "two") == 1
    assert (await lines(api, pod))[-2:] == ["one", "two"]
    assert await lines(api, pod, tailLines="1") == ["two"]
    assert await lines(api, pod, tailLines="0") == []
    stamped = [line.split(" ", 1) for line in await lines(api, pod, timestamps="true")]
    times = [datetime.fromisoformat(at) for at, _ in stamped]
    assert times == sorted(times)
    assert [text for _, text in stamped] == await lines(api, pod, sinceTime=stamped[0][0])  # by the second
    assert await lines(api, pod, sinceTime="2999-01-01T00:00:00Z") == []


async def test_following_ends_with_the_container(api: Client) -> None:
    pod = await web(api)
    async with api.session.get(f"{PODS}/{pod}/log", params={"follow": "true", "tailLines": "1"}) as response:
        await response.content.readline()
        await print_lines(api, "new")
        assert await response.content.readline() == b"new\n"
        assert (await api.get("/_sim/counts"))["logs"] == 1
        await api.faults({"fault": "crash", "exitCode": 137, "message": "out of memory"})
        assert await response.content.read() == b"fatal: out of memory (exit code 137)\n"
    assert (await lines(api, pod, previous="true"))[-1].startswith("fatal: out of memory")
    await api.faults()
    await api.until(f"{APPS}/shop/deployments/web", ready(1))
    assert "new" not in await lines(api, pod)
    async with api.session.get(f"{PODS}/{pod}/log", params={"follow": "true"}) as response:
        await print_lines(api, "the last")
        await api.ok("DELETE", f"{PODS}/{pod}")
        assert (await response.content.read()).endswith(b"the last\n")


async def test_a_connection_can_be_cut(api: Client) -> None:
    pod = await web(api)
    async with api.session.get(f"{PODS}/{pod}/log", params={"follow": "true"}) as response:
        await response.content.readline()
        assert (await api.ok("POST", "/_sim/drop-logs"))["dropped"] == 1
        with pytest.raises(Exception, match="payload is not completed"):
            await response.content.read()
    async with api.session.get(f"{PODS}/{pod}/log", params={"follow": "true"}) as response:
        await response.content.readline()
    await api.until("/_sim/counts", lambda counts: counts["logs"] == 0)  # it noticed that the client disconnected


async def test_a_web_server_is_asked_for_its_health_now_and_then(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.simulator.logs.SECOND", 10_000_000)
    pod = await web(api)
    async with api.session.get(f"{PODS}/{pod}/log", params={"follow": "true"}) as response, hang_limit():
        while b"/readyz" not in await response.content.readline():
            pass


async def test_init_containers_and_jobs_have_logs_of_their_own(api: Client) -> None:
    pod = await web(api, initContainers=[{"name": "init", "image": "example/init:1"}])
    status, text = await log(api, pod)
    assert (status, "choose one of: ['init', 'main']" in text) == (400, True)
    assert (await lines(api, pod, container="init"))[0] == SIMULATED_LINE
    assert (await lines(api, pod, container="init", follow="true"))[0] == SIMULATED_LINE  # it has ended
    await api.ok("POST", f"{BATCH}/shop/jobs", job("smoke-test", "smoke-test"))
    await api.until(f"{BATCH}/shop/jobs/smoke-test", condition("Complete"))
    [pod] = await api.names(PODS, labelSelector="job-name=smoke-test")
    assert "Testing." in await lines(api, pod)


async def test_what_has_no_log(api: Client) -> None:
    pod = await web(api)
    assert (await log(api, "nothing"))[0] == 404
    for query, words in (
        ({"container": "other"}, "container other is not valid"),
        ({"previous": "true"}, "previous terminated container"),
        ({"sinceTime": "yesterday"}, "invalid time"),
    ):
        status, text = await log(api, pod, **query)
        assert (status, words in text) == (400, True), text
    assert (await log(api, pod, tailLines="-1"))[0] == 422
    for method in ("PUT", "PATCH", "DELETE", "POST"):
        assert (await api.raw(method, f"{PODS}/{pod}/log", {}))[0] in (404, 405)
    assert (await api.raw("POST", "/_sim/print", {"namespace": "shop"}))[0] == 400
    await api.faults({"fault": "image"}, {"fault": "unschedulable", "component": "late"})
    await api.ok("DELETE", f"{PODS}/{pod}")
    await api.until(PODS, waiting("ImagePullBackOff"))
    [pod] = await api.names(PODS)
    status, text = await log(api, pod)
    assert (status, "waiting to start" in text) == (400, True)
    await api.ok("POST", PODS, {**template("late"), **manifest("late", {"app.kubernetes.io/component": "late"})})
    assert await log(api, "late") == (200, "")


async def test_a_fault_can_be_of_logs_alone(api: Client) -> None:
    pod = await web(api)
    await api.faults({"fault": "http", "kind": "Pod/log", "code": 503})
    assert (await log(api, pod))[0] == 503
    assert (await api.get(f"{PODS}/{pod}"))["metadata"]["name"] == pod


async def test_a_run_that_an_earlier_version_kept_has_a_log(api: Client) -> None:
    pod = await web(api)
    kept = await api.get(f"{PODS}/{pod}")
    del kept["status"]["containerStatuses"][0]["containerID"]
    await api.ok("PUT", f"{PODS}/{pod}/status", kept)
    assert (await lines(api, pod))[0] == SIMULATED_LINE
    assert await print_lines(api, "more") == 1
    assert (await lines(api, pod))[-1] == "more"
    await api.ok("DELETE", f"{PODS}/{pod}")
