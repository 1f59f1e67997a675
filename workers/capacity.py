"""Records what the cluster can run, and what its stores request: the API, which shows it, can't ask the cluster.

The requests are those of the rendered manifests, without Jobs: no pods are read.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from runtime.settings import ClusterProfile
from stores.capacity import record_capacity, running_stores
from stores.engines import Engine, Manifest, pending_field
from stores.plans import PLANS, parse_quantity
from workers.cluster.errors import ClusterError
from workers.context import Context
from workers.profile_revision import example_spec
from workers.snapshot import desired_replicas

RECORD_SECONDS = 30.0

log = structlog.get_logger()


@dataclass(frozen=True)
class Resources:
    """CPU in cores, memory in bytes."""

    cpu: float = 0
    memory: float = 0
    pods: float = 0

    def plus(self, other: "Resources", times: float = 1) -> "Resources":
        return Resources(
            self.cpu + other.cpu * times, self.memory + other.memory * times, self.pods + other.pods * times
        )


def allocatable(nodes: Iterable[Manifest]) -> tuple[int, Resources]:
    """How many nodes are ready and take new pods, and what they have for pods."""
    count, total = 0, Resources()
    for node in nodes:
        status = node.get("status", {})
        ready = {item["type"]: item["status"] for item in status.get("conditions") or ()}.get("Ready") == "True"
        if ready and not node.get("spec", {}).get("unschedulable"):
            has = {name: parse_quantity(text) for name, text in status.get("allocatable", {}).items()}
            count += 1
            total = total.plus(Resources(has.get("cpu", 0), has.get("memory", 0), has.get("pods", 0)))
    return count, total


def requests(resources: Sequence[Manifest]) -> Resources:
    """What the pods of these workloads request."""
    total = Resources()
    for item in resources:
        if item["kind"] not in ("Deployment", "StatefulSet"):
            continue
        pod = Resources(pods=1)
        for container in item["spec"]["template"]["spec"]["containers"]:
            asked = container.get("resources", {}).get("requests", {})
            pod = pod.plus(Resources(parse_quantity(asked.get("cpu", "0")), parse_quantity(asked.get("memory", "0"))))
        total = total.plus(pod, desired_replicas(item))
    return total


def requests_by_release(
    engines: Mapping[str, Engine], profile: ClusterProfile
) -> Mapping[tuple[str, str, str], Resources]:
    """What a store requests, by engine, release and plan."""
    found = {}
    for engine in engines.values():
        names = [secret.name for secret in engine.secrets]
        values = {key: key for name in names for key in (name, pending_field(name))}
        for release in engine.releases:
            for plan in PLANS.values():
                manifests = engine.render(example_spec(release, plan), values, profile)
                found[engine.name, release, plan.name] = requests(manifests.resources)
    return found


async def run_capacity(context: Context) -> None:
    """Record it again and again. Never returns. Raises database errors; then call it again."""
    by_release = requests_by_release(context.engines, context.profile)
    while True:
        try:
            nodes, _ = await context.cluster.list("Node")
        except ClusterError as error:
            log.warning("capacity.unknown", error=error.message[:300], hint="the worker needs to list nodes")
        else:
            await _record(context, nodes, by_release)
        await asyncio.sleep(RECORD_SECONDS)


async def _record(
    context: Context, nodes: Sequence[Manifest], by_release: Mapping[tuple[str, str, str], Resources]
) -> None:
    count, room = allocatable(nodes)
    cluster = context.settings.cluster
    async with context.sessions.begin() as session:
        running = await running_stores(session, cluster)
        asked = Resources()
        for release, number in running.items():
            asked = asked.plus(by_release.get(release, Resources()), number)
        await record_capacity(
            session,
            cluster,
            nodes=count,
            allocatable_cpu=round(room.cpu * 1000),
            allocatable_memory=round(room.memory / 2**20),
            allocatable_pods=round(room.pods),
            stores=sum(running.values()),
            requested_cpu=round(asked.cpu * 1000),
            requested_memory=round(asked.memory / 2**20),
            requested_pods=round(asked.pods),
        )
