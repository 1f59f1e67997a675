"""Containers' logs, read as a worker reads them. Pretended pods of a real API server have none: skipped there."""

import asyncio
from typing import Any

import pytest

from stores.engines import Manifest
from tests.contract.conftest import Server
from tests.contract.objects import eventually, task, web
from workers.cluster.client import Cluster
from workers.cluster.errors import NotFound, Refused
from workers.logs.lines import stamped, whole_lines
from workers.logs.pods import Container, containers
from workers.logs.source import Source, new_lines

pytestmark = pytest.mark.usefixtures("containers")
CHATTER = "for n in 1 2 3 4 5; do echo line $n; done; sleep 3600"
CRASH = "echo these are my last words; exit 3"


async def the_pod(cluster: Cluster, namespace: str, component: str, good: Any) -> Manifest:
    """The component's only pod, once its container is as wanted."""

    async def ask() -> list[Manifest]:
        items, _ = await cluster.list("Pod", namespace, f"app.kubernetes.io/component={component}")
        return items

    [pod] = await eventually(ask, lambda items: items and containers(items[0]) and good(containers(items[0])[0]))
    return pod


def running(container: Container) -> bool:
    return any(not run.over for run in container.runs)


async def read(cluster: Cluster, pod: Manifest, *, follow: bool = False, **query: str) -> list[bytes]:
    metadata = pod["metadata"]
    given = {"container": "main", "timestamps": "true", **query}
    stream = cluster.logs(metadata["namespace"], metadata["name"], given, follow=follow)
    return [line async for line in whole_lines(stream)]


async def test_the_last_lines_and_those_since(cluster: Cluster, namespace: str) -> None:
    await cluster.apply(web(namespace, command=CHATTER))
    pod = await the_pod(cluster, namespace, "web", running)

    async def ask() -> list[bytes]:
        return await read(cluster, pod)

    everything = await eventually(ask, lambda found: len(found) >= 3)
    times = [stamped(line)[0] for line in everything]
    assert None not in times
    assert times == sorted(times, key=lambda at: at or 0)
    assert await read(cluster, pod, tailLines="2") == everything[-2:]
    assert await read(cluster, pod, tailLines="0") == []
    second = everything[-1][:19].decode() + "Z"  # what is finer is cut off, here and there
    since = await read(cluster, pod, sinceTime=second)
    assert since == [line for line in everything if line[:19].decode() + "Z" >= second]


async def test_who_goes_on_reads_every_line_once(cluster: Cluster, namespace: str) -> None:
    await cluster.apply(web(namespace, command=CHATTER))
    pod = await the_pod(cluster, namespace, "web", running)
    source = Source(pod["metadata"]["uid"], pod["metadata"]["name"], "main")
    [run] = containers(pod)[0].runs
    seen = []
    async with asyncio.timeout(30):
        for _ in range(3):  # each reads one line and breaks off
            lines = new_lines(cluster, namespace, source, run)
            seen.append((await anext(lines))[1])
            await lines.aclose()
    everything = await read(cluster, pod)
    assert seen == [stamped(line)[1] for line in everything[:3]]


async def test_following_ends_with_the_container(cluster: Cluster, namespace: str) -> None:
    await cluster.create(task(namespace, command="echo one; sleep 1; echo two"))
    pod = await the_pod(cluster, namespace, "task", lambda container: container.runs)
    async with asyncio.timeout(60):
        followed = await read(cluster, pod, follow=True)
    assert followed == await read(cluster, pod)
    assert followed


async def test_the_run_before_can_be_read(cluster: Cluster, namespace: str, server: Server) -> None:
    if server.simulator is not None:
        server.simulator.world.faults.replace([{"fault": "crash-loop", "exitCode": 3, "message": "my last words"}])
    await cluster.apply(web(namespace, command=CRASH))
    pod = await the_pod(cluster, namespace, "web", lambda container: container.runs and container.runs[0].previous)
    previous = containers(pod)[0].runs[0]
    assert previous.exit_code == 3
    assert b"my last words" in (await read(cluster, pod, previous="true"))[-1]


async def test_what_has_no_log(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(NotFound):
        await read(cluster, {"metadata": {"namespace": namespace, "name": "nothing"}})
    await cluster.apply(web(namespace, command=CHATTER))
    pod = await the_pod(cluster, namespace, "web", running)
    for name, value in (("previous", "true"), ("container", "other")):
        with pytest.raises(Refused) as told:
            await read(cluster, pod, follow=False, **{name: value})
        assert told.value.status == 400
