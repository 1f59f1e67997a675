"""Behaviour that only a real API server has, tested through the product's own client."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from stores.engines import Manifest
from tests.cluster.platform import Platform
from tests.contract.objects import database, eventually, make, pods, quota, settings, temporary_namespace, web
from tests.contract.watch_recorder import recording_watch, version
from tests.support.kubernetes_user import KubernetesUser
from tests.support.rendered import render
from workers.cluster import watch
from workers.cluster.api_resources import API_RESOURCES
from workers.cluster.client import Cluster, connect
from workers.cluster.errors import NotFound, RequestRejected, TransientError
from workers.diagnostics import find_problem
from workers.snapshot import fetch_snapshot

APPLY = "application/apply-patch+yaml"
FLOW = "/apis/flowcontrol.apiserver.k8s.io/v1"


@pytest_asyncio.fixture
async def cluster(platform: Platform) -> AsyncIterator[Cluster]:
    """A client with the administrator's rights: these tests are about the server, not about rights."""
    async with connect(platform.admin) as connected:
        yield connected


@pytest_asyncio.fixture
async def namespace(cluster: Cluster) -> AsyncIterator[str]:
    async with temporary_namespace(cluster) as name:
        yield name


async def send_as_admin(
    platform: Platform, http: aiohttp.ClientSession, method: str, path: str, body: Any, media: str
) -> tuple[int, Any]:
    admin = KubernetesUser.from_kubeconfig(platform.admin)
    return await admin.request(http, method, path, body, **{"Content-Type": media})


async def test_another_managers_field_is_a_conflict_unless_forced_and_ours_is_forced(
    platform: Platform, http: aiohttp.ClientSession, cluster: Cluster, namespace: str
) -> None:
    await cluster.apply(settings(namespace))
    path = f"/api/v1/namespaces/{namespace}/configmaps/settings?fieldManager=somebody"
    theirs = settings(namespace, data={"colour": "blue"})
    status, answer = await send_as_admin(platform, http, "PATCH", path, theirs, APPLY)
    assert (status, answer["reason"]) == (409, "Conflict")
    assert 'conflict with "storefleet": .data.colour' in answer["message"]
    assert (await send_as_admin(platform, http, "PATCH", f"{path}&force=true", theirs, APPLY))[0] == 200
    ours = await cluster.apply(settings(namespace))
    assert ours["data"] == {"colour": "red"}
    owners = {entry["manager"] for entry in ours["metadata"]["managedFields"] if "f:data" in entry["fieldsV1"]}
    assert owners == {"storefleet"}


async def test_restricted_refuses_pods_and_the_owner_is_told_why(platform: Platform, cluster: Cluster) -> None:
    name = f"contract-{uuid.uuid4().hex[:12]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    await cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    try:
        await cluster.apply(web(name))  # its pod may run as root

        async def trouble() -> str | None:
            return find_problem(await fetch_snapshot(cluster, name), exclude=())

        problem = await eventually(trouble, bool)
        assert problem is not None
        assert problem.startswith("The web pod can't be created: pods ")
        assert 'violates PodSecurity "restricted' in problem
    finally:
        await cluster.delete("Namespace", name)


async def test_what_we_render_is_accepted_without_a_warning(
    platform: Platform, http: aiohttp.ClientSession, cluster: Cluster
) -> None:
    """Pod Security warns about workloads; deprecated fields and versions cause warnings for all kinds."""
    made = render(store_id=uuid.uuid4())
    await cluster.create(made.namespace)
    admin = KubernetesUser.from_kubeconfig(platform.admin)
    try:
        for item in [*made.isolation, *made.resources]:
            path = object_path(item) + "?fieldManager=storefleet&force=true"
            headers = {"Content-Type": APPLY}
            async with http.patch(admin.url + path, json=item, headers=headers, ssl=admin.tls) as answer:
                assert answer.status in (200, 201), await answer.text()
                assert "Warning" not in answer.headers, (item["kind"], answer.headers["Warning"])
    finally:
        await cluster.delete("Namespace", made.namespace["metadata"]["name"])


def object_path(item: Manifest) -> str:
    return f"{API_RESOURCES[item['kind']].path(item['metadata']['namespace'])}/{item['metadata']['name']}"


async def test_an_exceeded_quota_says_so_in_the_words_that_we_look_for(cluster: Cluster, namespace: str) -> None:
    async def authorities() -> bool:
        """The cluster creates this ConfigMap. A quota counts what was there before it only once."""
        try:
            return bool(await cluster.get("ConfigMap", "kube-root-ca.crt", namespace))
        except NotFound:
            return False

    await eventually(authorities, bool)
    await cluster.apply(quota(namespace, pods="0", count_configmaps="1"))

    async def counted() -> str | None:
        found = await cluster.get("ResourceQuota", "quota", namespace)
        used: str | None = found.get("status", {}).get("used", {}).get("count/configmaps")
        return used

    await eventually(counted, lambda used: used == "1")
    with pytest.raises(RequestRejected) as caught:
        await cluster.apply(settings(namespace))
    assert caught.value.quota_exceeded
    await cluster.apply(database(namespace))

    async def trouble() -> str | None:
        return find_problem(await fetch_snapshot(cluster, namespace), exclude=())

    await cluster.apply(web(namespace))
    problem = await eventually(trouble, bool)
    assert problem is not None
    assert "doesn't fit into the quota quota of its namespace" in problem


async def test_limits_are_filled_in_and_held_to(cluster: Cluster, namespace: str) -> None:
    limits = {"type": "Container", "default": {"memory": "64Mi"}, "max": {"memory": "128Mi"}}
    await cluster.apply(make("LimitRange", namespace, "limits", spec={"limits": [limits]}))
    template = pods()
    template["spec"]["containers"][0]["resources"] = {}
    pod = {**make("Pod", namespace, "plain"), "spec": template["spec"]}

    async def filled() -> Manifest:
        return await cluster.create(pod, dry_run=True)

    made = await eventually(filled, lambda item: item["spec"]["containers"][0]["resources"].get("limits"))
    assert made["spec"]["containers"][0]["resources"]["limits"]["memory"] == "64Mi"
    template["spec"]["containers"][0]["resources"] = {"limits": {"memory": "1Gi"}}
    with pytest.raises(RequestRejected, match="maximum memory usage per Container is 128Mi"):
        await cluster.create(pod, dry_run=True)


async def test_bookmarks_come_and_a_cut_watch_goes_on_from_them(
    cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server sends a bookmark before it closes a watch; the next watch doesn't repeat earlier changes."""
    monkeypatch.setattr(watch, "WATCH_TIMEOUT", 6)
    versions: list[str] = []
    real = watch._watch

    async def noting(*arguments: Any) -> str:
        versions.append(await real(*arguments))
        return versions[-1]

    monkeypatch.setattr(watch, "_watch", noting)
    async with recording_watch(cluster, namespace) as reflection:
        async with temporary_namespace(cluster) as other:
            made = max([version(await cluster.apply(settings(other, f"map-{n}"))) for n in range(5)])
            await reflection.until(lambda: versions)
        assert int(versions[0]) >= made
        await cluster.apply(settings(namespace, "later"))
        await reflection.wait_for_object("later")
        assert len(reflection.lists) == 1


@pytest.fixture
def crowded(platform: Platform) -> Iterator[None]:
    """API Priority and Fairness gives the workers' service account one seat and no queue."""
    level = {
        "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
        "kind": "PriorityLevelConfiguration",
        "metadata": {"name": "crowded"},
        "spec": {
            "type": "Limited",
            "limited": {
                "nominalConcurrencyShares": 0,
                "lendablePercent": 0,
                "borrowingLimitPercent": 0,
                "limitResponse": {"type": "Reject"},
            },
        },
    }
    subject = {"kind": "ServiceAccount", "serviceAccount": {"name": "storefleet-worker", "namespace": "storefleet"}}
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"], "namespaces": ["*"], "clusterScope": True}
    schema = {
        "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
        "kind": "FlowSchema",
        "metadata": {"name": "crowded"},
        "spec": {
            "priorityLevelConfiguration": {"name": "crowded"},
            "matchingPrecedence": 2,
            "rules": [{"subjects": [subject], "resourceRules": [rule]}],
        },
    }

    objects = ((f"{FLOW}/prioritylevelconfigurations/crowded", level), (f"{FLOW}/flowschemas/crowded", schema))

    async def send(method: str, query: str) -> None:
        async with aiohttp.ClientSession() as http:
            for path, body in objects:
                media = {"Content-Type": APPLY} if method == "PATCH" else {}
                content = body if method == "PATCH" else None
                admin = KubernetesUser.from_kubeconfig(platform.admin)
                status, answer = await admin.request(http, method, path + query, content, **media)
                assert status in (200, 201), answer["message"]

    asyncio.run(send("PATCH", "?fieldManager=test"))
    yield
    asyncio.run(send("DELETE", ""))


@pytest.mark.usefixtures("crowded")
async def test_fairness_refuses_with_a_time_to_come_back(platform: Platform) -> None:
    async with connect(platform.account) as account:

        async def refusals() -> list[Any]:
            answers = await asyncio.gather(*(account.list("Pod") for _ in range(50)), return_exceptions=True)
            return [answer for answer in answers if isinstance(answer, TransientError)]

        errors = await eventually(refusals, bool)  # one request always succeeds
        assert {error.status for error in errors} == {429}
        assert all(1 <= (error.retry_after or 0) <= 32 for error in errors)  # grows with the duration of the overload
        await eventually(lambda: account.list("Pod"), bool)  # later requests succeed


async def test_long_lists_come_in_pages(cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {f"map-{number}" for number in range(30)}
    await asyncio.gather(*(cluster.apply(settings(namespace, name)) for name in names))
    monkeypatch.setattr("workers.cluster.client.PAGE_SIZE", 7)
    items, seen = await cluster.list("ConfigMap", namespace)
    assert {item["metadata"]["name"] for item in items} == {*names, "kube-root-ca.crt"}
    assert int(seen) >= max(map(version, items))


async def test_a_token_that_ended_is_temporary(platform: Platform, http: aiohttp.ClientSession, tmp_path: Any) -> None:
    """The kubelet renews a pod's token; until then the server answers 401."""
    text = platform.account.read_text()
    (tmp_path / "ended").write_text(text.replace('"token": "', '"token": "x'))
    async with connect(tmp_path / "ended") as cluster:
        with pytest.raises(TransientError) as caught:
            await cluster.list("Namespace")
        assert caught.value.status == 401
