"""Container logs, read as the worker reads them. Skipped on a real API server whose pods don't really run."""

from typing import Any

import pytest

from stores.engines import Manifest
from tests.contract.conftest import Server
from tests.contract.objects import eventually, task, web
from tests.support.waiting import hang_limit
from workers.cluster.client import Cluster
from workers.cluster.errors import NotFound, RequestRejected
from workers.logs.lines import parse_timestamp, split_lines
from workers.logs.pods import ContainerState, container_states
from workers.logs.source import ContainerLog, read_new_lines

pytestmark = pytest.mark.usefixtures("containers")
CHATTER = "for n in 1 2 3 4 5; do echo line $n; done; sleep 3600"
CRASH = "echo these are my last words; exit 3"


async def wait_for_pod(cluster: Cluster, namespace: str, component: str, good: Any) -> Manifest:
    """The component's only pod, once its container is `good`."""

    async def ask() -> list[Manifest]:
        items, _ = await cluster.list("Pod", namespace, f"app.kubernetes.io/component={component}")
        return items

    [pod] = await eventually(
        ask, lambda items: items and container_states(items[0]) and good(container_states(items[0])[0])
    )
    return pod


def running(container: ContainerState) -> bool:
    return any(not run.terminated for run in container.runs)


async def read(cluster: Cluster, pod: Manifest, *, follow: bool = False, **query: str) -> list[bytes]:
    metadata = pod["metadata"]
    given = {"container": "main", "timestamps": "true", **query}
    stream = cluster.logs(metadata["namespace"], metadata["name"], given, follow=follow)
    return [line async for line in split_lines(stream)]


async def test_the_last_lines_and_those_since(cluster: Cluster, namespace: str) -> None:
    await cluster.apply(web(namespace, command=CHATTER))
    pod = await wait_for_pod(cluster, namespace, "web", running)

    async def ask() -> list[bytes]:
        return await read(cluster, pod)

    everything = await eventually(ask, lambda found: len(found) >= 3)
    times = [parse_timestamp(line)[0] for line in everything]
    assert None not in times
    assert times == sorted(times, key=lambda at: at or 0)
    assert await read(cluster, pod, tailLines="2") == everything[-2:]
    assert await read(cluster, pod, tailLines="0") == []
    second = everything[-1][:19].decode() + "Z"  # sinceTime is rounded down to seconds
    since = await read(cluster, pod, sinceTime=second)
    assert since == [line for line in everything if line[:19].decode() + "Z" >= second]


async def test_who_goes_on_reads_every_line_once(cluster: Cluster, namespace: str) -> None:
    await cluster.apply(web(namespace, command=CHATTER))
    pod = await wait_for_pod(cluster, namespace, "web", running)
    source = ContainerLog(pod["metadata"]["uid"], pod["metadata"]["name"], "main")
    [run] = container_states(pod)[0].runs
    seen = []
    async with hang_limit():
        for _ in range(3):  # each reads one line and disconnects
            lines = read_new_lines(cluster, namespace, source, run)
            seen.append((await anext(lines))[1])
            await lines.aclose()
    everything = await read(cluster, pod)
    assert seen == [parse_timestamp(line)[1] for line in everything[:3]]


async def test_following_ends_with_the_container(cluster: Cluster, namespace: str) -> None:
    await cluster.create(task(namespace, command="echo one; sleep 1; echo two"))
    pod = await wait_for_pod(cluster, namespace, "task", lambda container: container.runs)
    async with hang_limit():
        followed = await read(cluster, pod, follow=True)
    assert followed == await read(cluster, pod)
    assert followed


async def test_the_run_before_can_be_read(cluster: Cluster, namespace: str, server: Server) -> None:
    if server.simulator is not None:
        server.simulator.cluster.faults.replace([{"fault": "crash-loop", "exitCode": 3, "message": "my last words"}])
    await cluster.apply(web(namespace, command=CRASH))
    pod = await wait_for_pod(cluster, namespace, "web", lambda container: container.runs and container.runs[0].previous)
    previous = container_states(pod)[0].runs[0]
    assert previous.exit_code == 3
    assert b"my last words" in (await read(cluster, pod, previous="true"))[-1]


async def test_what_has_no_log(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(NotFound):
        await read(cluster, {"metadata": {"namespace": namespace, "name": "nothing"}})
    await cluster.apply(web(namespace, command=CHATTER))
    pod = await wait_for_pod(cluster, namespace, "web", running)
    for name, value in (("previous", "true"), ("container", "other")):
        with pytest.raises(RequestRejected) as refused:
            await read(cluster, pod, follow=False, **{name: value})
        assert refused.value.status == 400
