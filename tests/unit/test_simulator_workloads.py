"""The simulation's controllers: pods run and end, volumes are bound, Jobs complete, and nothing is left behind."""

import json
from collections.abc import AsyncIterator, Callable

import pytest

from tests.unit.simulator_client import (
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
    simulated,
    statefulset,
    template,
    waiting,
)

DEPLOYMENTS, STATEFULSETS, JOBS = f"{APPS}/shop/deployments", f"{APPS}/shop/statefulsets", f"{BATCH}/shop/jobs"
PODS, CLAIMS, SETS = f"{V1}/shop/pods", f"{V1}/shop/persistentvolumeclaims", f"{APPS}/shop/replicasets"


@pytest.fixture
async def api() -> AsyncIterator[Client]:
    async with simulated() as client:
        yield client


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
    (replicaset,) = await api.items(SETS)
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
    async with api.watch(PODS) as following:
        await api.ok("POST", DEPLOYMENTS, deployment())
        stages: list[str] = []
        while "Ready" not in stages:
            _, pod = await following()
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
    async with api.watch(PODS) as following:
        await following()
        await api.merge(f"{DEPLOYMENTS}/web", {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}})
        types = []
        while "ADDED" not in types:
            types.append((await following())[0])
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
    assert revisions(await api.items(SETS)) == {"": 1, "2": 2}
    await change("3")
    assert revisions(await api.items(SETS)) == {"2": 2, "3": 3}
    await change("2")
    assert revisions(await api.items(SETS)) == {"3": 3, "2": 4}


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
    async with api.watch(PODS) as following:
        await api.ok("POST", DEPLOYMENTS, deployment(initContainers=inits))
        seen: list[list[str]] = []
        while not seen or "running" not in seen[-1][2]:
            _, pod = await following()
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
    await api.ok("POST", JOBS, job("user", "proof", volumes=volumes))
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


async def test_a_job_completes_a_little_after_its_pod(api: Client) -> None:
    async with api.watch(JOBS) as following:
        await api.ok("POST", JOBS, job("task"))
        seen: list[JSON] = []
        while not seen or not condition("Complete")(seen[-1]):
            seen.append((await following())[1])
    assert any(one["status"].get("active") for one in seen)
    assert any(one["status"].get("succeeded") and not condition("Complete")(one) for one in seen)
    assert seen[-1]["status"]["completionTime"]
    assert "active" not in seen[-1]["status"]
    (pod,) = await api.items(PODS)
    assert pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] == "task"
    assert pod["metadata"]["ownerReferences"][0]["uid"] == seen[-1]["metadata"]["uid"]
    ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"], ended.get("message")) == (0, "Completed", None)


async def test_a_proof_waits_for_all_and_leaves_a_receipt_that_says_simulated(api: Client) -> None:
    await api.faults({"fault": "unready"})
    await api.ok("POST", STATEFULSETS, statefulset())
    await api.ok("POST", DEPLOYMENTS, deployment())
    await api.ok("POST", JOBS, job("install", "install"))
    await api.ok("POST", JOBS, job("proof", "proof"))
    jobs = f"{PODS}?labelSelector=job-name"
    await api.until(jobs, lambda answer: [pod["status"]["phase"] for pod in answer["items"]] == ["Running"] * 2)
    await api.faults({"fault": "unready", "component": "web"})
    await api.until(f"{JOBS}/install", condition("Complete"))
    assert not (await api.get(f"{JOBS}/proof"))["status"].get("succeeded")
    await api.faults()
    await api.until(f"{JOBS}/proof", condition("Complete"))
    (pod,) = await api.items(PODS, labelSelector="app.kubernetes.io/component=proof")
    receipt = json.loads(pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"])
    assert receipt["simulated"] is True
    assert receipt["totalMs"] == sum(step["ms"] for step in receipt["steps"])
    assert [step["name"] for step in receipt["steps"]] == ["product", "cart", "checkout", "order", "cleanup"]
    assert receipt["orderId"] > 0


async def test_a_failing_job_tries_again_and_gives_up(api: Client) -> None:
    await api.faults({"fault": "job", "exitCode": 3, "message": "no luck"})
    await api.ok("POST", JOBS, job("never", spec={"backoffLimit": 1}))
    await api.ok("POST", JOBS, job("restarts", spec={"backoffLimit": 1}))
    failed = await api.until(f"{JOBS}/never", condition("Failed"))
    assert failed["status"]["failed"] == 2
    assert {row["reason"] for row in failed["status"]["conditions"]} == {"BackoffLimitExceeded"}
    pods = await api.items(PODS, labelSelector="job-name=never")
    ended = [pod["status"]["containerStatuses"][0]["state"]["terminated"] for pod in pods]
    assert [(one["exitCode"], one["message"], one["reason"]) for one in ended] == [(3, "no luck", "Error")] * 2


async def test_a_pod_that_restarts_itself_counts_against_the_limit(api: Client) -> None:
    await api.faults({"fault": "job"})
    body = job("task", spec={"backoffLimit": 1})
    body["spec"]["template"]["spec"]["restartPolicy"] = "OnFailure"
    await api.ok("POST", JOBS, body)
    await api.until(PODS, waiting("CrashLoopBackOff"))
    await api.until(f"{JOBS}/task", condition("Failed"))
    await api.until(PODS, counting(0))


async def test_a_job_recovers_when_what_made_it_fail_is_gone(api: Client) -> None:
    await api.faults({"fault": "job"})
    await api.ok("POST", JOBS, job("task"))
    await api.until(f"{JOBS}/task", lambda answer: answer["status"].get("failed"))
    await api.faults()
    done = await api.until(f"{JOBS}/task", condition("Complete"))
    assert done["status"]["succeeded"] == 1


async def test_a_job_has_a_deadline_and_may_be_suspended_or_expire() -> None:
    async with simulated(speed=50) as api:
        await api.faults({"fault": "unschedulable", "component": "late"})
        await api.ok("POST", JOBS, job("late", "late", spec={"activeDeadlineSeconds": 3}))
        failed = await api.until(f"{JOBS}/late", condition("Failed"))
        assert {row["reason"] for row in failed["status"]["conditions"]} == {"DeadlineExceeded"}
        await api.until(PODS, counting(0))
        await api.ok("POST", JOBS, job("later", "late", spec={"suspend": True}))
        await api.until(f"{JOBS}/later", lambda answer: "ready" in answer["status"])
        assert await api.names(PODS) == []
        await api.merge(f"{JOBS}/later", {"spec": {"suspend": False}})
        await api.until(PODS, counting(1))
        await api.merge(f"{JOBS}/later", {"spec": {"suspend": True}})
        await api.until(PODS, counting(0))
        await api.ok("POST", JOBS, job("brief", spec={"ttlSecondsAfterFinished": 1}))
        await api.gone(f"{JOBS}/brief")
        await api.until(PODS, counting(0))


async def test_deadlines_are_real_when_the_clock_is_endless(api: Client) -> None:
    """At infinite speed work takes no time; a deadline still gives it some."""
    await api.ok("POST", JOBS, job("task", spec={"activeDeadlineSeconds": 600}))
    await api.until(f"{JOBS}/task", condition("Complete"))
    slow = deployment()
    slow["spec"]["progressDeadlineSeconds"] = 0
    await api.faults({"fault": "unready"})
    await api.ok("POST", DEPLOYMENTS, slow)
    await api.until(f"{DEPLOYMENTS}/web", condition("Progressing", "False"))


async def test_a_jobs_pods_are_orphans_unless_one_says_otherwise(api: Client) -> None:
    for name, policy, left in (("default", None, 1), ("background", "Background", 0), ("orphan", "Orphan", 1)):
        await api.ok("POST", JOBS, job(name))
        await api.until(f"{JOBS}/{name}", condition("Complete"))
        await api.ok("DELETE", f"{JOBS}/{name}", {"propagationPolicy": policy} if policy else None)
        pods = f"{PODS}?labelSelector=job-name%3D{name}"
        found = await api.until(pods, counting(left))
        assert not any("ownerReferences" in pod["metadata"] for pod in found["items"])


async def test_a_foreground_deletion_waits_for_the_dependents(api: Client) -> None:
    await api.ok("POST", DEPLOYMENTS, deployment())
    await api.until(f"{DEPLOYMENTS}/web", ready(1))
    (pod,) = await api.names(PODS)
    await api.merge(f"{PODS}/{pod}", {"metadata": {"finalizers": ["example.org/hold"]}})
    going = await api.ok("DELETE", f"{DEPLOYMENTS}/web", {"propagationPolicy": "Foreground"})
    assert going["metadata"]["finalizers"] == ["foregroundDeletion"]
    await api.until(f"{PODS}/{pod}", lambda answer: answer["metadata"].get("deletionTimestamp"))
    assert (await api.get(f"{DEPLOYMENTS}/web"))["metadata"]["deletionTimestamp"]
    await api.merge(f"{PODS}/{pod}", {"metadata": {"finalizers": None}})
    for path in (f"{PODS}/{pod}", f"{DEPLOYMENTS}/web"):
        await api.gone(path)
    assert await api.names(SETS) == []


async def test_objects_whose_owner_never_was_are_collected(api: Client) -> None:
    def owned(kind: str) -> JSON:
        reference = {"apiVersion": "v1", "kind": kind, "name": "none", "uid": "1"}
        return {"metadata": {"name": kind.lower(), "ownerReferences": [reference]}}

    await api.ok("POST", f"{V1}/shop/configmaps", owned("Secret"))
    await api.ok("POST", f"{V1}/shop/configmaps", owned("Unicorn"))
    await api.gone(f"{V1}/shop/configmaps/secret")
    assert "unicorn" in await api.names(f"{V1}/shop/configmaps")


async def test_a_pod_has_its_grace_unless_it_is_killed() -> None:
    async with simulated(speed=1) as api:
        await api.ok("POST", "/_sim/clock", {"speed": "inf"})
        await api.ok("POST", DEPLOYMENTS, deployment())
        await api.until(f"{DEPLOYMENTS}/web", ready(1))
        await api.ok("POST", "/_sim/clock", {"speed": 0.001})
        (name,) = await api.names(PODS)
        going = await api.ok("DELETE", f"{PODS}/{name}")
        assert going["metadata"]["deletionGracePeriodSeconds"] == 30
        await api.until(PODS, counting(2))  # its successor does not wait
        assert (await api.ok("DELETE", f"{PODS}/{name}"))["metadata"] == going["metadata"]
        sooner = await api.ok("DELETE", f"{PODS}/{name}", {"gracePeriodSeconds": 5})
        assert sooner["metadata"]["deletionGracePeriodSeconds"] == 5
        await api.ok("DELETE", f"{PODS}/{name}", gracePeriodSeconds="0")
        assert (await api.raw("GET", f"{PODS}/{name}"))[0] == 404
        (pending,) = await api.names(PODS)
        assert (await api.ok("DELETE", f"{PODS}/{pending}"))["status"] == "Success"  # it never ran


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
        (f"{JOBS}/proof", job("proof", "proof")),
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
    await api.ok("POST", JOBS, job("other"))  # when this is done the others had their turn
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


async def test_without_a_default_class_a_claim_waits(api: Client) -> None:
    path = "/apis/storage.k8s.io/v1/storageclasses/simulated"
    await api.merge(path, {"metadata": {"annotations": None}})
    made = await api.ok("POST", CLAIMS, claim("a"))
    assert "storageClassName" not in made["spec"]
    await api.ok("DELETE", path)
    await api.ok("POST", JOBS, job("task", volumes=[{"name": "a", "persistentVolumeClaim": {"claimName": "a"}}]))
    await api.until(PODS, lambda answer: any(condition("PodScheduled", "False")(pod) for pod in answer["items"]))
    assert (await api.get(f"{CLAIMS}/a"))["status"]["phase"] == "Pending"
