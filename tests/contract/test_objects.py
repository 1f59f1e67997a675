"""Objects are created, applied, listed and deleted as the worker's passes rely on."""

import copy
from typing import Any

import pytest

from stores.engines import Manifest
from tests.contract.objects import (
    LABEL,
    MANAGED_LABELS,
    database,
    disk,
    eventually,
    gone,
    make,
    names,
    quota,
    requests,
    settings,
    task,
    temporary_namespace,
    web,
)
from workers.cluster import client
from workers.cluster.api_resources import API_RESOURCES
from workers.cluster.client import Cluster
from workers.cluster.errors import AlreadyExists, NotFound, RequestRejected, TransientError


def identity(item: Manifest) -> tuple[str, str]:
    return item["metadata"]["uid"], item["metadata"]["resourceVersion"]


async def test_what_is_made_has_an_identity(cluster: Cluster, namespace: str) -> None:
    made = await cluster.create(settings(namespace))
    assert all(identity(made))
    assert (made["kind"], made["apiVersion"], made["data"]) == ("ConfigMap", "v1", {"colour": "red"})
    assert identity(await cluster.get("ConfigMap", "settings", namespace)) == identity(made)
    with pytest.raises(AlreadyExists) as caught:
        await cluster.create(settings(namespace))
    assert (caught.value.status, caught.value.reason) == (409, "AlreadyExists")
    with pytest.raises(AlreadyExists):
        await cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})


async def test_missing_objects_are_not_found(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(NotFound) as caught:
        await cluster.get("ConfigMap", "missing", namespace)
    assert (caught.value.status, caught.value.reason) == (404, "NotFound")
    assert "missing" in caught.value.message
    nowhere = f"{namespace}-not"
    for write in (cluster.create, cluster.apply):
        with pytest.raises(NotFound):
            await write(settings(nowhere))
    assert await names(cluster, "ConfigMap", nowhere) == []
    await cluster.delete("ConfigMap", "missing", namespace)
    await cluster.delete("Namespace", nowhere)


async def test_only_the_object_of_that_uid_is_deleted(cluster: Cluster, namespace: str) -> None:
    uid, _ = identity(await cluster.create(settings(namespace)))
    with pytest.raises(TransientError) as caught:
        await cluster.delete("ConfigMap", "settings", namespace, uid="00000000-0000-0000-0000-000000000000")
    assert (caught.value.status, caught.value.reason) == (409, "Conflict")
    assert identity(await cluster.get("ConfigMap", "settings", namespace))[0] == uid
    await cluster.delete("ConfigMap", "settings", namespace, uid=uid)
    await gone(cluster, "ConfigMap", "settings", namespace)
    again = await cluster.create(settings(namespace))
    assert identity(again)[0] != uid


async def test_a_deleted_job_takes_its_pods_along(cluster: Cluster, namespace: str) -> None:
    """Without a propagation policy, deleting a Job leaves its pods."""
    job = await cluster.create(task(namespace, command="sleep 3600"))

    async def ask() -> list[Manifest]:
        return (await cluster.list("Pod", namespace))[0]

    (pod,) = await eventually(ask, bool)
    assert pod["metadata"]["ownerReferences"][0]["uid"] == job["metadata"]["uid"]
    assert pod["metadata"]["labels"]["app.kubernetes.io/component"] == "task"
    assert pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] == "task"
    await cluster.delete("Job", "task", namespace, uid=job["metadata"]["uid"])
    await eventually(ask, lambda found: not found)


async def test_an_apply_of_the_same_changes_nothing(cluster: Cluster, namespace: str) -> None:
    made = await cluster.apply(settings(namespace))
    assert identity(await cluster.apply(settings(namespace))) == identity(made)
    changed = await cluster.apply(settings(namespace, data={"colour": "blue"}))
    assert changed["data"] == {"colour": "blue"}
    assert changed["metadata"]["uid"] == made["metadata"]["uid"]
    assert changed["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]


async def test_text_arrives_as_it_was_sent(cluster: Cluster, namespace: str) -> None:
    texts = {
        "emoji": "🍇 👩🏽\u200d🌾",
        "scripts": "متجر الزيتون, 無花果, é",
        "quotes": "\"Fig\" 'Olive' #{a}: - & *b !c %d @e `f | g > h",
        "backslashes": r"\ \n \ud83c\udf47 \\ud83c",
        "invisible": "\ufeff \x7f \x85 \u2028 \u2029 \u200f \u00a0 \ufffe \uffff",
        "spaces": "  two before, a tab\t, and after a line\r\n\n ",
    }
    made = await cluster.apply(settings(namespace, data=texts, annotations=texts))
    assert made["data"] == texts
    found = await cluster.get("ConfigMap", "settings", namespace)
    assert (found["data"], texts.items() <= found["metadata"]["annotations"].items()) == (texts, True)


async def test_fields_that_are_no_longer_applied_go(cluster: Cluster, namespace: str) -> None:
    first = settings(namespace, labels={"old": "yes"}, annotations={"old": "yes"}, data={"colour": "red", "size": "1"})
    await cluster.apply(first)
    now = await cluster.apply(settings(namespace))
    assert now["data"] == {"colour": "red"}
    assert now["metadata"]["labels"] == {LABEL: namespace, **MANAGED_LABELS}
    assert "old" not in now["metadata"].get("annotations", {})


async def test_what_others_changed_of_ours_is_taken_back(
    cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cluster.apply(settings(namespace))
    monkeypatch.setattr(client, "FIELD_MANAGER", "somebody")
    theirs = await cluster.apply(settings(namespace, data={"colour": "blue", "size": "1"}))
    assert theirs["data"] == {"colour": "blue", "size": "1"}
    monkeypatch.undo()
    ours = await cluster.apply(settings(namespace))
    assert ours["data"] == {"colour": "red", "size": "1"}  # fields that only the other manager applied stay


def with_value(item: Manifest, path: str, value: Any) -> Manifest:
    """The manifest with another value at that path."""
    item = copy.deepcopy(item)
    *parents, last = path.split(".")
    place = item
    for parent in parents:
        place = place[parent]
    place[last] = value
    return item


ROLE = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
IMMUTABLE = [
    (task, "spec.template.spec.terminationGracePeriodSeconds", 2),
    (database, "spec.serviceName", "other"),
    (web, "spec.selector.matchLabels", {LABEL: "other"}),
    (disk, "spec.accessModes", ["ReadWriteMany"]),
    (lambda namespace: make("RoleBinding", namespace, "mine", roleRef=ROLE), "roleRef.name", "edit"),
    (lambda namespace: make("Secret", namespace, "mine", type="Opaque"), "type", "example.com/other"),
]


@pytest.mark.parametrize(("manifest", "path", "value"), IMMUTABLE, ids=[path for _, path, _ in IMMUTABLE])
async def test_what_may_not_change_is_refused(
    cluster: Cluster, namespace: str, manifest: Any, path: str, value: Any
) -> None:
    made = manifest(namespace)
    await cluster.apply(made)
    with pytest.raises(RequestRejected) as caught:
        await cluster.apply(with_value(made, path, value))
    assert (caught.value.status, caught.value.reason, caught.value.quota_exceeded) == (422, "Invalid", False)


INVALID = [
    ("ConfigMap", "Not_A_Name", {}),
    ("ConfigMap", "-", {}),
    ("ConfigMap", "a" * 254, {}),
    ("Service", "a.b", {"spec": {"ports": [{"port": 80}]}}),
    ("Service", "web", {"spec": {}}),
    ("ConfigMap", "fine", {"labels": {"who": "x" * 64}}),
    ("Deployment", "web", {"spec": {"replicas": 1}}),
    ("Secret", "web", {"data": {"no spaces": "YQ=="}}),
]


@pytest.mark.parametrize(("kind", "name", "parts"), INVALID)
async def test_what_is_no_object_is_refused(
    cluster: Cluster, namespace: str, kind: str, name: str, parts: dict[str, Any]
) -> None:
    for write in (cluster.create, cluster.apply):
        with pytest.raises(RequestRejected) as caught:
            await write(make(kind, namespace, name, **parts))
        assert caught.value.status == 422
    assert await names(cluster, kind, namespace, LABEL) == []


async def test_a_quota_is_told_from_other_refusals(cluster: Cluster, namespace: str) -> None:
    await cluster.apply(quota(namespace, count_secrets="1"))

    async def counted() -> Manifest:
        return await cluster.get("ResourceQuota", "quota", namespace)

    await eventually(counted, lambda item: item.get("status", {}).get("used") == {"count/secrets": "0"})
    await eventually(lambda: cluster.apply(make("Secret", namespace, "first")), bool)
    for write in (cluster.create, cluster.apply):
        with pytest.raises(RequestRejected) as caught:
            await write(make("Secret", namespace, "second"))
        assert caught.value.status == 403
        assert caught.value.quota_exceeded
        assert "count/secrets=1" in caught.value.message
    await cluster.delete("Secret", "first", namespace)

    async def fits() -> bool:
        try:
            await cluster.create(make("Secret", namespace, "second"))
        except RequestRejected:
            return False
        return True

    await eventually(fits, bool)


async def test_a_list_is_read_page_by_page(cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [f"map-{number}" for number in range(5)]
    for name in wanted:
        await cluster.create(settings(namespace, name))
    for size, calls in ((2, 3), (5, 1), (500, 1)):
        monkeypatch.setattr(client, "PAGE_SIZE", size)
        before = requests("list", "ConfigMap", "200")
        assert sorted(await names(cluster, "ConfigMap", namespace, f"{LABEL}={namespace}")) == wanted
        assert requests("list", "ConfigMap", "200") - before == calls
    items, version = await cluster.list("ConfigMap", labels=f"{LABEL}={namespace}")
    assert {(item["kind"], item["apiVersion"]) for item in items} == {("ConfigMap", "v1")}
    assert int(version) >= max(int(item["metadata"]["resourceVersion"]) for item in items)


async def test_lists_know_labels_and_namespaces(cluster: Cluster, namespace: str) -> None:
    async with temporary_namespace(cluster) as other:
        for inside, name, part in ((namespace, "a", "web"), (namespace, "b", "database"), (other, "c", "web")):
            await cluster.create(settings(inside, name, labels={"part": part}))
        both = f"{LABEL} in ({namespace},{other})"
        assert sorted(await names(cluster, "ConfigMap", None, both)) == ["a", "b", "c"]
        assert sorted(await names(cluster, "ConfigMap", None, f"{both},part=web")) == ["a", "c"]
        assert await names(cluster, "ConfigMap", namespace, "part=web") == ["a"]
        assert await names(cluster, "ConfigMap", namespace, f"{LABEL},part!=web") == ["b"]
        assert sorted(await names(cluster, "Namespace", None, both)) == sorted([namespace, other])


async def test_every_kind_is_where_the_table_says(cluster: Cluster) -> None:
    missing = set()
    for kind, place in API_RESOURCES.items():
        try:
            items, version = await cluster.list(kind)
        except NotFound:
            missing.add(kind)
            continue
        assert version
        assert all((item["kind"], item["apiVersion"]) == (kind, place.api_version) for item in items)
        with pytest.raises(NotFound) as caught:
            await cluster.get(kind, "missing", "default" if place.namespaced else None)
        assert place.plural in caught.value.message
    assert missing <= {"HTTPRoute"}  # the only kind that a cluster may not have


async def test_the_server_says_who_it_is(cluster: Cluster, namespace: str) -> None:
    assert (await cluster.version()).startswith("v1.")
    assert cluster.host.startswith("http")
    assert await cluster.is_allowed("create", "namespaces")
    assert await cluster.is_allowed("list", "deployments", "apps", namespace)
