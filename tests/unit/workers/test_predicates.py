"""The relevant state of an object changes with what we react to, and with nothing else."""

from copy import deepcopy
from typing import Any

import pytest

from stores.engines import Manifest
from tests.support.cluster_objects import job, pod, refused_pods, terminated, waiting, workload
from workers.predicates import NO_STATUS, lacks_ready_pods, relevant_state

READY = {"type": "Ready", "status": "True"}
RUNNING = {"name": "main", "state": {"running": {"startedAt": "2026-11-23T18:00:00Z"}}}


def namespace(**status: Any) -> Manifest:
    return {"kind": "Namespace", "metadata": {"name": "store-1", "labels": {"a": "b"}}, "status": status}


def claim(**spec: Any) -> Manifest:
    wanted = {"resources": {"requests": {"storage": "2Gi"}}} | spec
    return {"kind": "PersistentVolumeClaim", "metadata": {"name": "disk", "labels": {}}, "spec": wanted}


def service(**spec: Any) -> Manifest:
    metadata = {"name": "web", "labels": {"a": "b"}, "resourceVersion": "1", "managedFields": [], "uid": "u"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [80]} | spec}


def changed(item: Manifest, *path: str, to: Any) -> Manifest:
    copy = deepcopy(item)
    target = copy
    for key in path[:-1]:
        target = target.setdefault(key, {})
    target[path[-1]] = to
    return copy


IRRELEVANT_CHANGES = {
    "a pod that gets its node": (pod("web"), pod("web", conditions=[{"type": "PodScheduled", "status": "True"}])),
    "a pod that is being made": (pod("web"), pod("web", containerStatuses=[waiting("ContainerCreating")])),
    "a pod that starts": (pod("web"), pod("web", phase="Running", containerStatuses=[RUNNING])),
    "a pod that is asked to end": (
        changed(pod("web"), "metadata", "generation", to=1),
        changed(pod("web"), "metadata", "generation", to=2),
    ),
    "a Job that is asked to end": (
        changed(job("install-1", "install"), "metadata", "generation", to=1),
        changed(job("install-1", "install"), "metadata", "generation", to=2),
    ),
    "a pod's labels": (pod("web"), changed(pod("web"), "metadata", "labels", "x", to="y")),
    "the message of a crash": (
        pod("web", containerStatuses=[waiting("CrashLoopBackOff", "back-off 10s")]),
        pod("web", containerStatuses=[waiting("CrashLoopBackOff", "back-off 20s")]),
    ),
    "a workload's first pods": (
        workload("Deployment", "web", ready=0, replicas=1, updatedReplicas=0),
        workload("Deployment", "web", ready=0, replicas=1),
    ),
    "a condition of another kind": (
        workload("Deployment", "web"),
        workload("Deployment", "web", conditions=[{"type": "Progressing", "status": "True"}]),
    ),
    "a Job that runs": (job("install-1", "install"), changed(job("install-1", "install"), "status", "active", to=1)),
    "a service's bookkeeping": (service(), changed(service(), "metadata", "resourceVersion", to="2")),
    "a service's status": (service(), changed(service(), "status", to={"loadBalancer": {}})),
    "a service's annotations": (service(), changed(service(), "metadata", "annotations", to={"a": "b"})),
    "a pod that is ready, which its workload reports": (pod("web"), pod("web", conditions=[READY])),
    "a Job that will be complete in a moment": (
        job("install-1", "install"),
        changed(
            job("install-1", "install"), "status", "conditions", to=[{"type": "SuccessCriteriaMet", "status": "True"}]
        ),
    ),
    "a claim that is bound": (claim(), claim(volumeName="pvc-1", storageClassName="fast")),
    "a namespace that is active": (namespace(), namespace(phase="Active")),
}


@pytest.mark.parametrize(("before", "after"), IRRELEVANT_CHANGES.values(), ids=list(IRRELEVANT_CHANGES))
def test_irrelevant_changes(before: Manifest, after: Manifest) -> None:
    assert relevant_state(before) == relevant_state(after)


STATUS_CHANGES = {
    "a claim goes": (claim(), changed(claim(), "metadata", "deletionTimestamp", to="now")),
    "no node takes it": (
        pod("web"),
        pod("web", conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]),
    ),
    "it crashes": (pod("web"), pod("web", containerStatuses=[waiting("CrashLoopBackOff")])),
    "its init container has a problem": (pod("web"), pod("web", initContainerStatuses=[waiting("ErrImagePull")])),
    "it ended": (pod("proof"), pod("proof", containerStatuses=[terminated(0, "{}")])),
    "it ended badly": (
        pod("proof", containerStatuses=[terminated(0)]),
        pod("proof", containerStatuses=[terminated(1)]),
    ),
    "a workload is ready": (workload("StatefulSet", "database", ready=0), workload("StatefulSet", "database")),
    "one of two is": (workload("Deployment", "web", replicas=2), workload("Deployment", "web", ready=2, replicas=2)),
    "it's behind": (workload("Deployment", "web"), workload("Deployment", "web", observedGeneration=0)),
    "its pods are refused": (
        workload("Deployment", "web", ready=0),
        workload("Deployment", "web", ready=0, conditions=refused_pods("exceeded quota")),
    ),
    "a Job ended": (job("install-1", "install"), job("install-1", "install", ended="Complete")),
    "it failed": (
        job("install-1", "install", ended="Complete"),
        job("install-1", "install", ended="Failed"),
    ),
    "a namespace goes": (namespace(), changed(namespace(), "metadata", "deletionTimestamp", to="now")),
    "it is stuck": (
        changed(namespace(), "metadata", "deletionTimestamp", to="now"),
        changed(
            namespace(conditions=[{"type": "NamespaceContentRemaining", "status": "True", "message": "a finalizer"}]),
            "metadata",
            "deletionTimestamp",
            to="now",
        ),
    ),
}


@pytest.mark.parametrize(("before", "after"), STATUS_CHANGES.values(), ids=list(STATUS_CHANGES))
def test_changes_of_the_status(before: Manifest, after: Manifest) -> None:
    assert relevant_state(before).status != relevant_state(after).status
    assert relevant_state(before).spec == relevant_state(after).spec


SPEC_CHANGES = {
    "a workload's spec, which the API server counts": (
        workload("Deployment", "web"),
        changed(workload("Deployment", "web"), "metadata", "generation", to=2),
    ),
    "a service's ports": (service(), service(ports=[81])),
    "a service's labels": (service(), changed(service(), "metadata", "labels", to={})),
    "a claim's size": (claim(), claim(resources={"requests": {"storage": "4Gi"}})),
    "a namespace's labels": (namespace(), changed(namespace(), "metadata", "labels", "a", to="c")),
    "a namespace's annotations": (namespace(), changed(namespace(), "metadata", "annotations", to={"host": "x"})),
}


@pytest.mark.parametrize(("before", "after"), SPEC_CHANGES.values(), ids=list(SPEC_CHANGES))
def test_changes_of_the_spec(before: Manifest, after: Manifest) -> None:
    assert relevant_state(before).spec != relevant_state(after).spec


@pytest.mark.parametrize(
    "item", [pod("web"), workload("Deployment", "web", ready=0), job("install-1", "install"), namespace(), service()]
)
def test_a_new_object_has_no_status(item: Manifest) -> None:
    assert relevant_state(item).status == NO_STATUS


def test_the_state_does_not_contain_secrets() -> None:
    secret = {"kind": "Secret", "metadata": {"name": "admin"}, "data": {"password": "aHVudGVyMg=="}}
    assert "aHVudGVyMg" not in str(relevant_state(secret))
    assert relevant_state(secret) != relevant_state(changed(secret, "data", "password", to="AAAA"))


def test_which_workloads_lack_ready_pods() -> None:
    assert lacks_ready_pods(workload("Deployment", "web", ready=0))
    assert lacks_ready_pods(workload("StatefulSet", "database", ready=1, replicas=2))
    assert not lacks_ready_pods(workload("Deployment", "web"))
    assert not lacks_ready_pods(workload("Deployment", "web", ready=0, replicas=0))
    assert lacks_ready_pods({"kind": "Deployment", "metadata": {"name": "web"}, "spec": {}})
    assert not lacks_ready_pods(pod("web"))
