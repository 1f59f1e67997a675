"""The Job controller: runs one pod after the other until one succeeds or the backoff limit is reached."""

from typing import Any

from sandbox.simulator import clock
from sandbox.simulator.cluster_state import ClusterState
from sandbox.simulator.defaults import random_suffix
from sandbox.simulator.kinds import JOB, POD, Manifest
from sandbox.simulator.objects import Key
from sandbox.simulator.owned_pods import Pods, active_pods, create_pod, delete_pods, owned_pods
from sandbox.simulator.statuses import condition, has_condition, merge_conditions, timestamp
from sandbox.simulator.writes import delete, set_status


def sync(cluster: ClusterState, key: Key, job: Manifest) -> None:
    """Create a pod, or finish the Job (JOB_COMPLETION_SECONDS after its pod, as on a real node)."""
    if "deletionTimestamp" in job["metadata"]:
        return
    if has_condition(job, "Complete") or has_condition(job, "Failed"):
        _delete_after_ttl(cluster, key, job)
        return
    spec, before = job["spec"], job.get("status") or {}
    owned = cluster.objects.dependents(job["metadata"]["uid"])
    pods = [row for row in owned if row[0].kind is POD]
    phases = [stored.manifest["status"]["phase"] for _, stored in pods]
    succeeded, failed = phases.count("Succeeded"), phases.count("Failed")
    if spec["parallelism"] and not spec["suspend"]:
        before = {"startTime": timestamp(), **before}
    status: dict[str, Any] = {**before, "uncountedTerminatedPods": {}}
    active = active_pods(owned_pods(cluster, job))
    end = _finish_reason(cluster, key, job, pods, active)
    if end is not None:
        reason, message = end
        delete_pods(cluster, active)
        active = []
        rows = _finished_conditions(reason, message)
        status["conditions"] = merge_conditions(before.get("conditions"), *rows)
        if reason == "CompletionsReached":
            status["completionTime"] = timestamp()
    elif spec["suspend"]:
        delete_pods(cluster, active)
        active = []
    elif not active and succeeded < spec["completions"] and _backoff_elapsed(cluster, key, spec, failed):
        name = f"{key.name[:57]}-{random_suffix()}"
        if create_pod(cluster, JOB, job, spec["template"], name) is None:
            pod = Key(POD, key.namespace, name)
            active = [(pod, cluster.objects.get(pod))]
        else:
            cluster.requeue_after(key, clock.CREATE_RETRY_SECONDS)
    counts = {"active": len(active), "succeeded": succeeded, "failed": failed}
    rest = {name: value for name, value in status.items() if name not in counts}
    counted = {name: count for name, count in counts.items() if count}  # the API leaves zeros out
    set_status(cluster, key, job, {**rest, **counted, "ready": 0, "terminating": 0})


def _finish_reason(cluster: ClusterState, key: Key, job: Manifest, pods: Pods, active: Pods) -> tuple[str, str] | None:
    """Why the Job is finished, as (reason, message); None while it isn't."""
    spec, phases = job["spec"], [stored.manifest["status"]["phase"] for _, stored in pods]
    succeeded, failed = phases.count("Succeeded"), phases.count("Failed")
    deadline = spec.get("activeDeadlineSeconds")
    tries = failed + sum(_restart_count(stored.manifest) for _, stored in active)
    end = None
    if succeeded >= spec["completions"]:
        end = "CompletionsReached", "Reached expected number of succeeded pods"
    elif (code := _fail_job_exit_code(spec, pods)) is not None:
        end = "PodFailurePolicy", f"A container failed with exit code {code} matching a FailJob rule"
    elif tries > spec["backoffLimit"]:
        end = "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    if end is not None:
        return end if cluster.timer_elapsed(key, end[0], clock.JOB_COMPLETION_SECONDS, timer="end") else None
    if (
        deadline is None
        or spec["suspend"]
        or not cluster.timer_elapsed(key, "deadline", deadline, timer="deadline", mode="deadline")
    ):
        return None
    return "DeadlineExceeded", "Job was active longer than specified deadline"


def _fail_job_exit_code(spec: Manifest, pods: Pods) -> int | None:
    """The exit code of a container that matches a FailJob rule of `podFailurePolicy`; None without one."""
    rules = [rule for rule in spec.get("podFailurePolicy", {}).get("rules", ()) if rule["action"] == "FailJob"]
    matchers = [rule.get("onExitCodes", {}) for rule in rules]
    fatal = {code for item in matchers if item.get("operator") == "In" for code in item["values"]}
    containers = [row for _, pod in pods for row in pod.manifest["status"].get("containerStatuses", ())]
    codes = [row["state"].get("terminated", {}).get("exitCode") for row in containers]
    return next((code for code in codes if code in fatal), None)


def _finished_conditions(reason: str, message: str) -> list[Manifest]:
    """The conditions of a finished Job."""
    succeeded = reason == "CompletionsReached"
    types = ("SuccessCriteriaMet", "Complete") if succeeded else ("FailureTarget", "Failed")
    return [condition(type_, status=True, reason=reason, message=message) for type_ in types]


def _backoff_elapsed(cluster: ClusterState, key: Key, spec: Manifest, failed: int) -> bool:
    """Whether the next pod may start: after an exponential backoff, and never beyond the backoff limit."""
    if not failed:
        return True
    if failed > spec["backoffLimit"]:
        return False
    first, longest = clock.BACKOFF_SECONDS
    return cluster.timer_elapsed(
        key, f"backoff {failed}", min(longest, first * 2 ** (failed - 1)), timer="pause", mode="retry"
    )


def _delete_after_ttl(cluster: ClusterState, key: Key, job: Manifest) -> None:
    """Delete a finished Job `ttlSecondsAfterFinished` later."""
    seconds = job["spec"].get("ttlSecondsAfterFinished")
    if seconds is not None and cluster.timer_elapsed(key, "expire", seconds, timer="expire", mode="deadline"):
        delete(cluster, key, propagation="Background")


def _restart_count(pod: Manifest) -> int:
    """The restarts of a pod's containers (restartPolicy OnFailure)."""
    return sum(int(row["restartCount"]) for row in pod["status"].get("containerStatuses") or ())
