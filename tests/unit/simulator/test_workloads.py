"""The controllers run pods and bind volumes."""

import json
from collections.abc import Callable

from tests.support.simulator_client import (
    APPS,
    BATCH,
    JSON,
    V1,
    Client,
    claim,
    condition,
    deployment,
    job,
    manifest,
    ready,
    statefulset,
    template,
    waiting,
)

DEPLOYMENTS, STATEFULSETS, JOBS = f"{APPS}/shop/deployments", f"{APPS}/shop/statefulsets", f"{BATCH}/shop/jobs"
PODS, CLAIMS, REPLICASETS = f"{V1}/shop/pods", f"{V1}/shop/persistentvolumeclaims", f"{APPS}/shop/replicasets"


def counting(count: int) -> Callable[[JSON], bool]:
    """Whether a list has that many items."""
    return lambda answer: len(answer["items"]) == count


async def test_a_deployment_gets_ready_through_its_replicaset(api: Client) -> None:
    await api.ok("POST", DEPLOYMENTS, deployment(replicas=2))
    made = await api.until(f"{DEPLOYMENTS}/web", condition("Available"))
    made = await api.until(f"{DEPLOYMENTS}/web", ready(2))
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    assert [made["status"][name] for name in counts] == [2, 2, 2, 2]
    assert "unavailableReplicas" not in made["status"]
    reasons = {row["type"]: row["reason"] for row in made["status"]["conditions"]}
    assert reasons == {"Available": "MinimumReplicasAvailable", "Progressing": "NewReplicaSetAvailable"}
    (replicaset,) = await api.items(REPLICASETS)
    assert replicaset["status"]["readyReplicas"] == 2
    (owner,) = replicaset["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("Deployment", made["metadata"]["uid"], True)
    for pod in await api.items(PODS, labelSelector="app.kubernetes.io/component=web,pod-template-hash"):
        assert pod["metadata"]["ownerReferences"][0]["uid"] == replicaset["metadata"]["uid"]
        assert pod["metadata"]["name"].startswith(replicaset["metadata"]["name"])
        assert (pod["status"]["phase"], pod["spec"]["nodeName"]) == ("Running", "simulated")
        assert {row["type"]: row["status"] for row in pod["status"]["conditions"]}["Ready"] == "True"
        (container,) = pod["status"]["containerStatuses"]
        assert container["ready"]
        assert "startedAt" in container["state"]["running"]


async def test_a_pod_is_seen_on_its_way(api: Client) -> None:
    async with api.watch(PODS) as next_event:
        await api.ok("POST", DEPLOYMENTS, deployment())
        stages: list[str] = []
        while "Ready" not in stages:
            _, pod = await next_event()
            rows = pod["status"].get("containerStatuses", [{"state": {"none": {}}}])
            state = rows[0]["state"].get("waiting", {}).get("reason") or next(iter(rows[0]["state"]))
            is_ready = any(
                row["type"] == "Ready" and row["status"] == "True" for row in pod["status"].get("conditions", [])
            )
            stages.append("Ready" if is_ready else state)
        assert list(dict.fromkeys(stages)) == ["none", "ContainerCreating", "running", "Ready"]


async def test_rolling_keeps_the_old_until_the_new_is_ready(api: Client) -> None:
    await api.ok("POST", DEPLOYMENTS, deployment(replicas=2))
    await api.until(f"{DEPLOYMENTS}/web", ready(2))
    await api.faults({"fault": "unready"})
    await api.merge(f"{DEPLOYMENTS}/web", {"spec": {"template": {"spec": template()["spec"] | {"hostname": "new"}}}})
    updated = await api.until(f"{DEPLOYMENTS}/web", lambda answer: answer["status"].get("updatedReplicas") == 2)
    assert (updated["status"]["replicas"], updated["status"]["readyReplicas"]) == (4, 2)
    await api.faults()
    await api.until(f"{DEPLOYMENTS}/web", ready(2))
    await api.until(PODS, counting(2))
    assert {pod["spec"].get("hostname") for pod in await api.items(PODS)} == {"new"}


async def test_recreating_ends_the_old_before_the_new(api: Client) -> None:
    await api.ok("POST", DEPLOYMENTS, deployment(recreate=True))
    await api.until(f"{DEPLOYMENTS}/web", ready(1))
    async with api.watch(PODS) as next_event:
        await next_event()
        await api.merge(f"{DEPLOYMENTS}/web", {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}})
        types = []
        while "ADDED" not in types:
            types.append((await next_event())[0])
    assert "DELETED" in types
    await api.until(f"{DEPLOYMENTS}/web", ready(1))


async def test_scaling_rolling_back_and_old_sets(api: Client) -> None:
    body = deployment(replicas=3)
    body["spec"]["revisionHistoryLimit"] = 1
    await api.ok("POST", DEPLOYMENTS, body)
    for replicas in (3, 1, 0, 2):
        await api.merge(f"{DEPLOYMENTS}/web", {"spec": {"replicas": replicas}})
        await api.until(f"{DEPLOYMENTS}/web", ready(replicas))
        await api.until(PODS, counting(replicas))

    async def change(value: str) -> None:
        annotated = {"metadata": {"annotations": {"version": value}}}
        await api.merge(f"{DEPLOYMENTS}/web", {"spec": {"template": annotated}})
        await api.until(f"{DEPLOYMENTS}/web", condition("Progressing"))
        await api.until(f"{DEPLOYMENTS}/web", ready(2))
        await api.until(PODS, counting(2))

    def revisions(sets: list[JSON]) -> dict[str, int]:
        return {
            one["spec"]["template"]["metadata"].get("annotations", {}).get("version", ""): int(
                one["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
            )
            for one in sets
        }

    await change("2")
    assert revisions(await api.items(REPLICASETS)) == {"": 1, "2": 2}
    await change("3")
    assert revisions(await api.items(REPLICASETS)) == {"2": 2, "3": 3}
    await change("2")
    assert revisions(await api.items(REPLICASETS)) == {"3": 3, "2": 4}


async def test_a_statefulset_numbers_its_pods_and_claims(api: Client) -> None:
    body = statefulset(replicas=2)
    body["spec"]["volumeClaimTemplates"] = [claim("data")]
    body["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    await api.ok("POST", STATEFULSETS, body)
    made = await api.until(f"{STATEFULSETS}/database", ready(2))
    assert made["status"]["currentRevision"] == made["status"]["updateRevision"]
    assert await api.names(PODS) == ["database-0", "database-1"]
    assert await api.names(CLAIMS) == ["data-database-0", "data-database-1"]
    before = {pod["metadata"]["uid"] for pod in await api.items(PODS)}
    change = {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}
    await api.merge(f"{STATEFULSETS}/database", change)
    await api.until(
        f"{STATEFULSETS}/database",
        lambda answer: ready(2)(answer) and answer["status"].get("updatedReplicas") == 2,
    )
    assert not before & {pod["metadata"]["uid"] for pod in await api.items(PODS)}
    await api.merge(f"{STATEFULSETS}/database", {"spec": {"replicas": 1}})
    await api.until(f"{STATEFULSETS}/database", ready(1))
    assert await api.names(PODS) == ["database-0"]
    assert len(await api.names(CLAIMS)) == 2


async def test_an_ordered_statefulset_waits_and_a_parallel_one_does_not(api: Client) -> None:
    await api.faults({"fault": "unready"})
    await api.ok("POST", STATEFULSETS, statefulset("ordered", 2))
    parallel = statefulset("parallel", 2)
    parallel["spec"]["podManagementPolicy"] = "Parallel"
    parallel["spec"]["updateStrategy"] = {"type": "OnDelete"}
    await api.ok("POST", STATEFULSETS, parallel)
    await api.until(
        PODS, lambda answer: len([1 for pod in answer["items"] if pod["status"]["phase"] == "Running"]) == 3
    )
    assert await api.names(PODS) == ["ordered-0", "parallel-0", "parallel-1"]
    await api.faults()
    await api.until(f"{STATEFULSETS}/ordered", ready(2))
    await api.until(f"{STATEFULSETS}/parallel", ready(2))


async def test_init_containers_run_first_and_one_by_one(api: Client) -> None:
    inits = [{"name": name, "image": "example/init:1"} for name in ("one", "two")]
    async with api.watch(PODS) as next_event:
        await api.ok("POST", DEPLOYMENTS, deployment(initContainers=inits))
        seen: list[list[str]] = []
        while not seen or "running" not in seen[-1][2]:
            _, pod = await next_event()
            rows = [*pod["status"].get("initContainerStatuses", []), *pod["status"].get("containerStatuses", [])]
            if rows:
                seen.append([next(iter(row["state"])) for row in rows])
    assert ["running", "waiting", "waiting"] in seen
    assert ["terminated", "running", "waiting"] in seen
    assert ["terminated", "terminated", "waiting"] in seen
    await api.until(f"{DEPLOYMENTS}/web", ready(1))


async def test_containers_wait_for_what_they_refer_to(api: Client) -> None:
    mounted = deployment("mounted", volumes=[{"name": "conf", "configMap": {"name": "conf"}}])
    env = [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "secret", "key": "a"}}},
        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "never", "key": "b", "optional": True}}},
        {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "D", "value": "d"},
    ]
    containers = [
        {"name": "main", "image": "example/one:1", "env": env, "envFrom": [{"configMapRef": {"name": "conf"}}]}
    ]
    await api.ok("POST", DEPLOYMENTS, deployment("env", containers=containers))
    await api.until(PODS, waiting("CreateContainerConfigError"))
    await api.ok("POST", DEPLOYMENTS, mounted)
    events = f"{V1}/shop/events"
    await api.until(events, lambda answer: any(one["reason"] == "FailedMount" for one in answer["items"]))
    assert await api.items(events, fieldSelector="involvedObject.kind=Pod,type=Warning")
    await api.ok("POST", f"{V1}/shop/secrets", manifest("secret"))
    await api.ok("POST", f"{V1}/shop/configmaps", manifest("conf"))
    await api.until(f"{DEPLOYMENTS}/mounted", ready(1))
    message = (await api.until(PODS, waiting("CreateContainerConfigError")))["items"]
    assert "couldn't find key a in Secret shop/secret" in json.dumps(message)
    await api.merge(f"{V1}/shop/secrets/secret", {"stringData": {"a": "b"}})
    await api.until(f"{DEPLOYMENTS}/env", ready(1))


async def test_pods_need_their_account_and_their_claims(api: Client) -> None:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    await api.ok("POST", DEPLOYMENTS, deployment(serviceAccountName="web", volumes=volumes))
    failing = await api.until(f"{DEPLOYMENTS}/web", condition("ReplicaFailure"))
    (row,) = [row for row in failing["status"]["conditions"] if row["type"] == "ReplicaFailure"]
    assert row["reason"] == "FailedCreate"
    assert 'serviceaccount "web" not found' in row["message"]
    await api.ok("POST", f"{V1}/shop/serviceaccounts", manifest("web"))

    def unschedulable(message: str) -> Callable[[JSON], bool]:
        return lambda answer: message in json.dumps(answer["items"]) and "Unschedulable" in json.dumps(answer["items"])

    await api.until(PODS, unschedulable("not found"))
    assert not condition("ReplicaFailure")(await api.get(f"{DEPLOYMENTS}/web"))
    body = claim("data")
    body["spec"]["storageClassName"] = "later"
    body["metadata"]["finalizers"] = ["example.com/hold"]  # an unscheduled pod doesn't protect it
    await api.ok("POST", CLAIMS, body)
    await api.until(PODS, unschedulable("unbound"))
    await api.ok("DELETE", f"{CLAIMS}/data")
    await api.until(PODS, unschedulable("being deleted"))
    await api.merge(f"{CLAIMS}/data", {"metadata": {"finalizers": None}})
    await api.ok("POST", CLAIMS, claim("data"))
    await api.until(f"{DEPLOYMENTS}/web", ready(1))
    bound = await api.get(f"{CLAIMS}/data")
    volume = await api.get(f"/api/v1/persistentvolumes/{bound['spec']['volumeName']}")
    assert volume["spec"]["claimRef"]["uid"] == bound["metadata"]["uid"]
    assert volume["status"]["phase"] == bound["status"]["phase"] == "Bound"


async def test_a_claim_outlives_its_pods_and_its_volume_outlives_nothing(api: Client) -> None:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    await api.ok("POST", CLAIMS, claim("data"))
    await api.ok("POST", JOBS, job("user", "smoke-test", volumes=volumes))
    await api.ok("POST", DEPLOYMENTS, deployment(volumes=volumes))
    await api.faults({"fault": "unready"})
    await api.ok("POST", DEPLOYMENTS, deployment("other"))
    await api.until(PODS, lambda answer: [pod["status"]["phase"] for pod in answer["items"]] == ["Running"] * 3)
    await api.ok("DELETE", f"{CLAIMS}/data")
    assert (await api.get(f"{CLAIMS}/data"))["metadata"]["deletionTimestamp"]
    await api.ok("DELETE", f"{DEPLOYMENTS}/web")
    await api.until(PODS, counting(2))
    assert (await api.get(f"{CLAIMS}/data"))["metadata"]["deletionTimestamp"]
    await api.faults()
    await api.until(f"{JOBS}/user", condition("Complete"))
    await api.gone(f"{CLAIMS}/data")
    await api.until("/api/v1/persistentvolumes", counting(0))


async def test_volumes_without_a_claim(api: Client) -> None:
    path = "/api/v1/persistentvolumes"
    await api.ok("POST", path, manifest("spare", spec={"capacity": {"storage": "1Gi"}}))
    await api.until(f"{path}/spare", lambda answer: answer["status"].get("phase") == "Available")
    await api.ok("DELETE", f"{path}/spare")
    await api.gone(f"{path}/spare")
    gone = {"kind": "PersistentVolumeClaim", "namespace": "shop", "name": "gone", "uid": "1"}
    await api.ok("POST", path, manifest("kept", spec={"claimRef": gone, "persistentVolumeReclaimPolicy": "Retain"}))
    await api.until(f"{path}/kept", lambda answer: answer["status"].get("phase") == "Released")
    await api.ok("DELETE", f"{path}/kept")
    await api.gone(f"{path}/kept")
