"""A fingerprint changes with what we would act on, and with nothing else."""

from copy import deepcopy
from typing import Any

import pytest

from stores.engines import Manifest
from tests.unit.cluster_objects import job, pod, refused_pods, terminated, waiting, workload
from workers.fingerprints import BLANK, fingerprint, unwell

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
    place = copy
    for key in path[:-1]:
        place = place.setdefault(key, {})
    place[path[-1]] = to
    return copy


NOISE = {
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
    "a crash's wording": (
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
    "a pod that is ready, of which its workload tells": (pod("web"), pod("web", conditions=[READY])),
    "a Job that will be complete in a moment": (
        job("install-1", "install"),
        changed(
            job("install-1", "install"), "status", "conditions", to=[{"type": "SuccessCriteriaMet", "status": "True"}]
        ),
    ),
    "a claim that is bound": (claim(), claim(volumeName="pvc-1", storageClassName="fast")),
    "a namespace that is active": (namespace(), namespace(phase="Active")),
}


@pytest.mark.parametrize(("before", "after"), NOISE.values(), ids=list(NOISE))
def test_what_wakes_nobody(before: Manifest, after: Manifest) -> None:
    assert fingerprint(before) == fingerprint(after)


STATES = {
    "a claim goes": (claim(), changed(claim(), "metadata", "deletionTimestamp", to="now")),
    "no node takes it": (
        pod("web"),
        pod("web", conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]),
    ),
    "it crashes": (pod("web"), pod("web", containerStatuses=[waiting("CrashLoopBackOff")])),
    "its first container has trouble": (pod("web"), pod("web", initContainerStatuses=[waiting("ErrImagePull")])),
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


@pytest.mark.parametrize(("before", "after"), STATES.values(), ids=list(STATES))
def test_what_the_cluster_says_of_it(before: Manifest, after: Manifest) -> None:
    assert fingerprint(before).state != fingerprint(after).state
    assert fingerprint(before).wanted == fingerprint(after).wanted


DRIFT = {
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


@pytest.mark.parametrize(("before", "after"), DRIFT.values(), ids=list(DRIFT))
def test_what_was_asked_for(before: Manifest, after: Manifest) -> None:
    assert fingerprint(before).wanted != fingerprint(after).wanted


@pytest.mark.parametrize(
    "item", [pod("web"), workload("Deployment", "web", ready=0), job("install-1", "install"), namespace(), service()]
)
def test_what_was_just_made_has_no_state(item: Manifest) -> None:
    assert fingerprint(item).state == BLANK


def test_a_secret_isnt_in_its_fingerprint() -> None:
    secret = {"kind": "Secret", "metadata": {"name": "admin"}, "data": {"password": "aHVudGVyMg=="}}
    assert "aHVudGVyMg" not in str(fingerprint(secret))
    assert fingerprint(secret) != fingerprint(changed(secret, "data", "password", to="AAAA"))


def test_who_is_unwell() -> None:
    assert unwell(workload("Deployment", "web", ready=0))
    assert unwell(workload("StatefulSet", "database", ready=1, replicas=2))
    assert not unwell(workload("Deployment", "web"))
    assert not unwell(workload("Deployment", "web", ready=0, replicas=0))
    assert unwell({"kind": "Deployment", "metadata": {"name": "web"}, "spec": {}})
    assert not unwell(pod("web"))
