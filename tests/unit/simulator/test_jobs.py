"""Jobs complete or fail, and deleted objects leave no dependents."""

from collections.abc import Callable

from tests.support.simulator_client import (
    APPS,
    BATCH,
    JSON,
    V1,
    Client,
    condition,
    deployment,
    job,
    ready,
    simulated,
    statefulset,
    waiting,
)

DEPLOYMENTS, STATEFULSETS, JOBS = f"{APPS}/shop/deployments", f"{APPS}/shop/statefulsets", f"{BATCH}/shop/jobs"
PODS, CLAIMS, REPLICASETS = f"{V1}/shop/pods", f"{V1}/shop/persistentvolumeclaims", f"{APPS}/shop/replicasets"


def counting(count: int) -> Callable[[JSON], bool]:
    """Whether a list has that many items."""
    return lambda answer: len(answer["items"]) == count


async def test_a_job_completes_a_little_after_its_pod(api: Client) -> None:
    async with api.watch(JOBS) as next_event:
        await api.ok("POST", JOBS, job("task"))
        seen: list[JSON] = []
        while not seen or not condition("Complete")(seen[-1]):
            seen.append((await next_event())[1])
    assert any(one["status"].get("active") for one in seen)
    assert any(one["status"].get("succeeded") and not condition("Complete")(one) for one in seen)
    assert seen[-1]["status"]["completionTime"]
    assert "active" not in seen[-1]["status"]
    (pod,) = await api.items(PODS)
    assert pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] == "task"
    assert pod["metadata"]["ownerReferences"][0]["uid"] == seen[-1]["metadata"]["uid"]
    ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"], ended.get("message")) == (0, "Completed", None)


async def test_a_program_waits_for_workloads_and_leaves_a_termination_message(api: Client) -> None:
    await api.faults({"fault": "unready"})
    await api.ok("POST", STATEFULSETS, statefulset())
    await api.ok("POST", DEPLOYMENTS, deployment())
    await api.ok("POST", JOBS, job("migrate", "migrate"))
    await api.ok("POST", JOBS, job("smoke-test", "smoke-test"))
    jobs = f"{PODS}?labelSelector=job-name"
    await api.until(jobs, lambda answer: [pod["status"]["phase"] for pod in answer["items"]] == ["Running"] * 2)
    await api.faults({"fault": "unready", "component": "web"})
    await api.until(f"{JOBS}/migrate", condition("Complete"))
    assert not (await api.get(f"{JOBS}/smoke-test"))["status"].get("succeeded")
    await api.faults()
    await api.until(f"{JOBS}/smoke-test", condition("Complete"))
    (pod,) = await api.items(PODS, labelSelector="app.kubernetes.io/component=smoke-test")
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"] == "passed"


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


async def test_an_exit_code_may_end_a_job_at_once(api: Client) -> None:
    await api.faults({"fault": "job", "exitCode": 78})
    rules = [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42, 78]}}]
    for name, given in (("hopeless", rules), ("hopeful", [{**rules[0], "action": "Count"}])):
        spec = {"backoffLimit": 1, "podFailurePolicy": {"rules": given}}
        await api.ok("POST", JOBS, job(name, spec=spec))
    ended = [await api.until(f"{JOBS}/{name}", condition("Failed")) for name in ("hopeless", "hopeful")]
    reasons = [{row["reason"] for row in one["status"]["conditions"]} for one in ended]
    assert reasons == [{"PodFailurePolicy"}, {"BackoffLimitExceeded"}]
    assert [one["status"]["failed"] for one in ended] == [1, 2]


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
    """At infinite speed work takes no time, but a deadline keeps its length."""
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
    assert await api.names(REPLICASETS) == []


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
