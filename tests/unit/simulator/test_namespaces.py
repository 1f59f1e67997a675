"""Namespaces are deleted with their contents, and quotas limit what they contain."""

import json
from collections.abc import Callable

from tests.support.simulator_client import (
    APPS,
    BATCH,
    JSON,
    MERGE,
    V1,
    Client,
    claim,
    condition,
    deployment,
    job,
    manifest,
    ready,
    simulated,
    statefulset,
    template,
)

DEPLOYMENTS, STATEFULSETS, JOBS = f"{APPS}/shop/deployments", f"{APPS}/shop/statefulsets", f"{BATCH}/shop/jobs"
PODS, CLAIMS, REPLICASETS = f"{V1}/shop/pods", f"{V1}/shop/persistentvolumeclaims", f"{APPS}/shop/replicasets"


def counting(count: int) -> Callable[[JSON], bool]:
    """Whether a list has that many items."""
    return lambda answer: len(answer["items"]) == count


async def test_a_namespace_goes_with_all_that_is_in_it() -> None:
    async with simulated(speed=20) as api:
        volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
        await api.ok("POST", CLAIMS, claim("data"))
        await api.ok("POST", STATEFULSETS, statefulset(volumes=volumes))
        await api.ok("POST", DEPLOYMENTS, deployment())
        await api.ok("POST", JOBS, job("task"))
        held = {"metadata": {"name": "held", "finalizers": ["example.org/hold"]}}
        await api.ok("POST", f"{V1}/shop/configmaps", held)
        await api.until(f"{STATEFULSETS}/database", ready(1))
        going = await api.ok("DELETE", f"{V1}/shop")
        assert (going["status"]["phase"], going["spec"]["finalizers"]) == ("Terminating", ["kubernetes"])
        assert (await api.ok("DELETE", f"{V1}/shop"))["metadata"]["uid"] == going["metadata"]["uid"]
        stuck = await api.until(f"{V1}/shop", condition("NamespaceFinalizersRemaining"))
        messages = " ".join(row["message"] for row in stuck["status"]["conditions"])
        assert "example.org/hold in 1 resource instances" in messages
        assert condition("NamespaceContentRemaining")(stuck)
        await api.until(PODS, counting(0))
        await api.merge(f"{V1}/shop/configmaps/held", {"metadata": {"finalizers": None}})
        await api.gone(f"{V1}/shop")
        await api.until("/api/v1/persistentvolumes", counting(0))
        counts = (await api.get("/_sim/counts"))["objects"]
        assert not counts.keys() & {"Pod", "Deployment", "StatefulSet", "Job", "Event", "PersistentVolumeClaim"}


async def test_a_namespace_can_be_finalized_by_hand(api: Client) -> None:
    await api.faults({"fault": "stuck", "namespace": "sho", "message": "example.org/stuck"})
    await api.ok("DELETE", f"{V1}/shop")
    stuck = await api.until(f"{V1}/shop", condition("NamespaceFinalizersRemaining"))
    assert "example.org/stuck" in json.dumps(stuck["status"]["conditions"])
    await api.ok("PUT", f"{V1}/shop/finalize", {"metadata": {"name": "shop"}, "spec": {"finalizers": []}})
    await api.gone(f"{V1}/shop")


async def test_quotas_bound_what_a_namespace_holds(api: Client) -> None:
    hard = {
        "configmaps": "2",
        "count/jobs.batch": "1",
        "requests.cpu": "250m",
        "limits.memory": "1Gi",
        "requests.storage": "2Gi",
        "services.loadbalancers": "0",
        "services.nodeports": "1",
    }
    await api.ok("POST", f"{V1}/shop/resourcequotas", manifest("quota", spec={"hard": hard}))
    await api.ok("POST", f"{V1}/shop/configmaps", manifest("a"))

    async def refusal(path: str, body: JSON) -> str:
        status, answer = await api.raw("POST", path, body)
        assert (status, answer["reason"]) == (403, "Forbidden"), answer
        return str(answer["message"])

    assert "exceeded quota: quota, requested: configmaps=1, used: configmaps=2, limited: configmaps=2" in await refusal(
        f"{V1}/shop/configmaps", manifest("b")
    )
    ports = [{"port": 80}, {"port": 443}]
    assert "services.loadbalancers" in await refusal(
        f"{V1}/shop/services", manifest("a", spec={"type": "LoadBalancer", "ports": ports})
    )
    assert "services.nodeports" in await refusal(
        f"{V1}/shop/services", manifest("a", spec={"type": "NodePort", "ports": ports})
    )
    assert "must specify limits.memory,requests.cpu" in await refusal(PODS, manifest("a", spec=template()["spec"]))
    assert "requests.storage=3Gi" not in await refusal(CLAIMS, claim("a", "3Gi"))
    await api.ok("POST", CLAIMS, claim("a", "1Gi"))
    await api.until(f"{CLAIMS}/a", lambda answer: answer["status"]["phase"] == "Bound")
    status, answer = await api.raw(
        "PATCH",
        f"{CLAIMS}/a",
        {"spec": {"resources": {"requests": {"storage": "3Gi"}}}},
        content_type="application/merge-patch+json",
    )
    assert (status, "exceeded quota" in answer["message"]) == (403, True)
    resources = {"requests": {"cpu": "100m"}, "limits": {"memory": "100Mi"}}
    containers = [{"name": "main", "image": "example/one:1", "resources": resources}]
    inits = [{"name": "init", "image": "example/one:1", "resources": {"requests": {"cpu": "50m"}}}]
    await api.ok("POST", DEPLOYMENTS, deployment(replicas=3, containers=containers, initContainers=inits))
    failing = await api.until(f"{DEPLOYMENTS}/web", condition("ReplicaFailure"))
    assert "requested: requests.cpu=100m, used: requests.cpu=200m" in json.dumps(failing["status"])
    full = await api.until(f"{DEPLOYMENTS}/web", lambda answer: answer["status"].get("readyReplicas") == 2)
    assert full["status"]["unavailableReplicas"] == 1
    used = {**hard, "count/jobs.batch": "0", "requests.cpu": "200m", "limits.memory": str(200 * 1024**2)}
    used |= {"requests.storage": str(1024**3), "services.nodeports": "0"}
    await api.until(f"{V1}/shop/resourcequotas/quota", lambda answer: answer["status"].get("used") == used)
    await api.merge(f"{V1}/shop/resourcequotas/quota", {"spec": {"hard": {"requests.cpu": "1"}}})
    await api.until(f"{DEPLOYMENTS}/web", ready(3))
    assert not condition("ReplicaFailure")(await api.get(f"{DEPLOYMENTS}/web"))


async def test_ended_pods_free_their_quota(api: Client) -> None:
    await api.ok("POST", f"{V1}/shop/resourcequotas", manifest("quota", spec={"hard": {"pods": "1"}}))
    for name in ("one", "two"):
        await api.ok("POST", JOBS, job(name))
        await api.until(f"{JOBS}/{name}", condition("Complete"))
    await api.faults({"fault": "unready"})
    await api.ok("POST", STATEFULSETS, statefulset())
    await api.until(PODS, counting(3))
    await api.ok("POST", JOBS, job("three"))
    failed = f"{V1}/shop/events?fieldSelector=involvedObject.kind%3DJob"
    await api.until(failed, lambda answer: any(one["reason"] == "FailedCreate" for one in answer["items"]))
    await api.ok("DELETE", f"{STATEFULSETS}/database")
    await api.until(f"{JOBS}/three", condition("Complete"))


async def test_a_statefulset_says_why_it_has_no_pods(api: Client) -> None:
    await api.ok("POST", f"{V1}/shop/resourcequotas", manifest("quota", spec={"hard": {"persistentvolumeclaims": "0"}}))
    body = statefulset()
    body["spec"]["volumeClaimTemplates"] = [claim("data")]
    await api.ok("POST", STATEFULSETS, body)
    found = await api.until(f"{V1}/shop/events", lambda answer: answer["items"])
    assert found["items"][0]["involvedObject"]["name"] == "database"
    await api.until(f"{V1}/shop/events", lambda answer: answer["items"][0]["count"] > 1)
    await api.ok("DELETE", f"{V1}/shop/resourcequotas/quota")
    await api.until(f"{STATEFULSETS}/database", ready(1))


async def test_limit_ranges_fill_in_what_containers_leave_out(api: Client) -> None:
    row = {"type": "Container", "default": {"cpu": "1", "memory": "1Gi"}, "defaultRequest": {"cpu": "100m"}}
    limits = [row, {"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}]
    await api.ok("POST", f"{V1}/shop/limitranges", manifest("limits", spec={"limits": limits}))
    resources = {"limits": {"memory": "2Gi"}}
    containers = [{"name": "main", "image": "example/one:1", "resources": resources}]
    await api.ok("POST", PODS, manifest("one", spec={"containers": containers}))
    pod = await api.get(f"{PODS}/one")
    assert pod["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": "1", "memory": "2Gi"},
        "requests": {"cpu": "100m", "memory": "2Gi"},
    }
    await api.until(f"{PODS}/one", condition("Ready"))


async def test_controllers_try_again_what_is_refused(api: Client) -> None:
    await api.faults({"fault": "quota", "kind": "ReplicaSet", "times": 2})
    await api.ok("POST", DEPLOYMENTS, deployment())
    await api.until(f"{DEPLOYMENTS}/web", ready(1))


async def test_who_is_being_deleted_makes_no_pods(api: Client) -> None:
    made = (
        (f"{DEPLOYMENTS}/web", deployment()),
        (f"{STATEFULSETS}/database", statefulset()),
        (f"{JOBS}/task", job("task")),
    )
    await api.faults({"fault": "unready"})
    for path, body in made:
        held = {**body, "metadata": {**body["metadata"], "finalizers": ["example.org/hold"]}}
        await api.ok("POST", path.rpartition("/")[0], held)
    await api.until(PODS, counting(3))
    for path, _ in made:
        await api.ok("DELETE", path)
    before = set(await api.names(PODS))
    for name in before:
        await api.ok("DELETE", f"{PODS}/{name}", gracePeriodSeconds="0")
    await api.ok("POST", JOBS, job("other"))  # when it is complete, the other controllers have run
    await api.until(f"{JOBS}/other", condition("Complete"))
    assert len(await api.names(PODS)) == 1
    for path, _ in made:
        await api.merge(path, {"metadata": {"finalizers": None}})
        await api.gone(path)


async def test_nothing_new_is_made_in_a_namespace_that_ends(api: Client) -> None:
    await api.ok("POST", DEPLOYMENTS, deployment())
    await api.until(f"{DEPLOYMENTS}/web", ready(1))
    await api.ok("POST", "/_sim/clock", {"speed": 0.001})
    await api.ok("DELETE", f"{V1}/shop")
    (name,) = await api.names(PODS)
    await api.ok("DELETE", f"{PODS}/{name}", gracePeriodSeconds="0")
    failing = await api.until(f"{DEPLOYMENTS}/web", condition("ReplicaFailure"))
    assert "because it is being terminated" in json.dumps(failing["status"])
    assert await api.names(f"{V1}/shop/events") == []
    await api.ok("POST", "/_sim/clock", {"speed": "inf"})
    await api.gone(f"{V1}/shop")


async def test_a_claim_grows_only_where_its_class_allows_it(api: Client) -> None:
    await api.ok("POST", CLAIMS, claim("a", "1Gi"))
    await api.until(f"{CLAIMS}/a", lambda answer: answer["status"]["phase"] == "Bound")
    larger = {"spec": {"resources": {"requests": {"storage": "3Gi"}}}}
    path = "/apis/storage.k8s.io/v1/storageclasses/simulated"
    await api.merge(path, {"allowVolumeExpansion": None})
    status, answer = await api.raw("PATCH", f"{CLAIMS}/a", larger, content_type=MERGE)
    assert (status, answer["message"].endswith("provisions the pvc must support resize")) == (403, True)
    await api.merge(path, {"allowVolumeExpansion": True})
    await api.merge(f"{CLAIMS}/a", larger)
    await api.until(f"{CLAIMS}/a", lambda answer: answer["status"]["capacity"]["storage"] == "3Gi")


async def test_without_a_default_class_a_claim_waits(api: Client) -> None:
    path = "/apis/storage.k8s.io/v1/storageclasses/simulated"
    await api.merge(path, {"metadata": {"annotations": None}})
    made = await api.ok("POST", CLAIMS, claim("a"))
    assert "storageClassName" not in made["spec"]
    await api.ok("DELETE", path)
    await api.ok("POST", JOBS, job("task", volumes=[{"name": "a", "persistentVolumeClaim": {"claimName": "a"}}]))
    await api.until(PODS, lambda answer: any(condition("PodScheduled", "False")(pod) for pod in answer["items"]))
    assert (await api.get(f"{CLAIMS}/a"))["status"]["phase"] == "Pending"
