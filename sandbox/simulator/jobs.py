"""What the controller manager does for Jobs: one pod after the other until one succeeds or there were too many."""

from typing import Any

from sandbox.simulator import clock
from sandbox.simulator.defaults import suffix
from sandbox.simulator.kinds import JOB, POD, Manifest
from sandbox.simulator.objects import Key
from sandbox.simulator.statuses import condition, conditions, has, stamp
from sandbox.simulator.workloads import Pods, kill, living, make_pod, pods_of
from sandbox.simulator.world import World
from sandbox.simulator.writes import delete, set_status


def sync(world: World, key: Key, job: Manifest) -> None:
    """Start a pod, or give it up, or notice that one is done (JOB_NOTICED later, as on a real node)."""
    if "deletionTimestamp" in job["metadata"]:
        return
    if has(job, "Complete") or has(job, "Failed"):
        _expire(world, key, job)
        return
    spec, before = job["spec"], job.get("status") or {}
    owned = world.objects.dependents(job["metadata"]["uid"])
    pods = [row for row in owned if row[0].kind is POD]
    phases = [stored.manifest["status"]["phase"] for _, stored in pods]
    succeeded, failed = phases.count("Succeeded"), phases.count("Failed")
    if spec["parallelism"] and not spec["suspend"]:
        before = {"startTime": stamp(), **before}
    status: dict[str, Any] = {**before, "uncountedTerminatedPods": {}}
    active = living(pods_of(world, job))
    end = _verdict(world, key, job, pods, active)
    if end is not None:
        reason, message = end
        kill(world, active)
        active = []
        rows = _final(reason, message)
        status["conditions"] = conditions(before.get("conditions"), *rows)
        if reason == "CompletionsReached":
            status["completionTime"] = stamp()
    elif spec["suspend"]:
        kill(world, active)
        active = []
    elif not active and succeeded < spec["completions"] and _may_start(world, key, spec, failed):
        name = f"{key.name[:57]}-{suffix()}"
        if make_pod(world, JOB, job, spec["template"], name) is None:
            pod = Key(POD, key.namespace, name)
            active = [(pod, world.objects.get(pod))]
        else:
            world.retry(key, clock.FAILED_CREATE)
    counts = {"active": len(active), "succeeded": succeeded, "failed": failed}
    rest = {name: value for name, value in status.items() if name not in counts}
    counted = {name: count for name, count in counts.items() if count}  # the API leaves zeros out
    set_status(world, key, job, {**rest, **counted, "ready": 0, "terminating": 0})


def _verdict(world: World, key: Key, job: Manifest, pods: Pods, active: Pods) -> tuple[str, str] | None:
    """How the Job ends, if it does now, as (reason, message)."""
    spec, phases = job["spec"], [stored.manifest["status"]["phase"] for _, stored in pods]
    succeeded, failed = phases.count("Succeeded"), phases.count("Failed")
    limit, tries = spec.get("activeDeadlineSeconds"), failed + sum(_restarts(stored.manifest) for _, stored in active)
    end = None
    if succeeded >= spec["completions"]:
        end = "CompletionsReached", "Reached expected number of succeeded pods"
    elif (code := _fatal(spec, pods)) is not None:
        end = "PodFailurePolicy", f"A container failed with exit code {code} matching a FailJob rule"
    elif tries > spec["backoffLimit"]:
        end = "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    if end is not None:
        return end if world.wait(key, end[0], clock.JOB_NOTICED, topic="end") else None
    if limit is None or spec["suspend"] or not world.wait(key, "deadline", limit, topic="deadline", pace="deadline"):
        return None
    return "DeadlineExceeded", "Job was active longer than specified deadline"


def _fatal(spec: Manifest, pods: Pods) -> int | None:
    """The exit code of a container that ends the Job however many tries are left (`podFailurePolicy`)."""
    rules = [rule for rule in spec.get("podFailurePolicy", {}).get("rules", ()) if rule["action"] == "FailJob"]
    conditions = [rule.get("onExitCodes", {}) for rule in rules]
    fatal = {code for item in conditions if item.get("operator") == "In" for code in item["values"]}
    containers = [row for _, pod in pods for row in pod.manifest["status"].get("containerStatuses", ())]
    codes = [row["state"].get("terminated", {}).get("exitCode") for row in containers]
    return next((code for code in codes if code in fatal), None)


def _final(reason: str, message: str) -> list[Manifest]:
    """The conditions of a Job that ended."""
    good = reason == "CompletionsReached"
    types = ("SuccessCriteriaMet", "Complete") if good else ("FailureTarget", "Failed")
    return [condition(type_, status=True, reason=reason, message=message) for type_ in types]


def _may_start(world: World, key: Key, spec: Manifest, failed: int) -> bool:
    """At once the first time, after a longer and longer pause then, and not beyond the limit."""
    if not failed:
        return True
    if failed > spec["backoffLimit"]:
        return False
    first, longest = clock.BACK_OFF
    return world.wait(key, f"back-off {failed}", min(longest, first * 2 ** (failed - 1)), topic="pause", pace="retry")


def _expire(world: World, key: Key, job: Manifest) -> None:
    """A finished Job that has a time to live is deleted after it."""
    seconds = job["spec"].get("ttlSecondsAfterFinished")
    if seconds is not None and world.wait(key, "expire", seconds, topic="expire", pace="deadline"):
        delete(world, key, propagation="Background")


def _restarts(pod: Manifest) -> int:
    """A pod that restarts its containers itself counts them."""
    return sum(int(row["restartCount"]) for row in pod["status"].get("containerStatuses") or ())
