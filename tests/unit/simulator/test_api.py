"""The simulated API responds as the real one: codes, reasons, lists."""

import base64
import json
from typing import Any

import pytest

from sandbox.simulator import api as api_module
from tests.support.simulator_client import (
    APPS,
    BATCH,
    JSON,
    V1,
    Client,
    claim,
    deployment,
    job,
    manifest,
    statefulset,
    template,
)

MAPS = f"{V1}/shop/configmaps"


async def test_a_request_needs_the_token(api: Client) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        async with api.session.get("/api", headers={"Authorization": "", **headers}) as response:
            assert (response.status, (await response.json())["reason"]) == (401, "Unauthorized")
    basic = "Basic " + base64.b64encode(f"simulated:{api.token}".encode()).decode()
    async with api.session.get("/api", headers={"Authorization": basic}) as response:
        assert response.status == 200


async def test_discovery_names_every_kind_where_it_is_served(api: Client) -> None:
    assert (await api.get("/version"))["gitVersion"].startswith("v1.")
    groups = (await api.get("/apis"))["groups"]
    documents = ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups)]
    for document in documents:
        for resource in (await api.get(document))["resources"]:
            if "list" in resource["verbs"]:
                listed = await api.get(f"{document}/{resource['name']}")
                assert listed["kind"] == f"{resource['kind']}List"
    assert (await api.get("/apis/apps"))["name"] == "apps"
    schemas = (await api.get("/openapi/v3"))["paths"]
    for place in schemas.values():
        assert (await api.get(place["serverRelativeURL"]))["openapi"] == "3.0.0"
    async with api.session.get("/readyz") as response:
        assert await response.text() == "ok"


async def test_a_new_cluster_has_a_default_storage_class_and_ingress_class(api: Client) -> None:
    for path in ("storage.k8s.io/v1/storageclasses", "networking.k8s.io/v1/ingressclasses"):
        (found,) = await api.items(f"/apis/{path}")
        assert [value for name, value in found["metadata"]["annotations"].items() if "is-default-class" in name] == [
            "true"
        ]


async def test_create_get_and_the_metadata_the_server_sets(api: Client) -> None:
    status, made = await api.raw("POST", MAPS, manifest("a", labels={"x": "1"}, data={"k": "v"}))
    assert status == 201
    assert (made["apiVersion"], made["kind"], made["metadata"]["namespace"]) == ("v1", "ConfigMap", "shop")
    assert made["metadata"]["uid"]
    assert made["metadata"]["creationTimestamp"].endswith("Z")
    assert int(made["metadata"]["resourceVersion"]) > 0
    assert "generation" not in made["metadata"]
    assert await api.get(f"{MAPS}/a") == made
    named = await api.ok("POST", MAPS, {"metadata": {"generateName": "b-"}})
    assert named["metadata"]["name"].startswith("b-")


async def test_what_create_refuses(api: Client) -> None:
    await api.ok("POST", MAPS, manifest("a"))
    await api.faults({"fault": "stuck"})
    await api.ok("POST", V1, manifest("leaving"))
    await api.ok("DELETE", f"{V1}/leaving")

    async def refusal(path: str, body: Any) -> tuple[int, str]:
        status, answer = await api.raw("POST", path, body)
        assert answer["kind"] == "Status"
        assert answer["code"] == status
        return status, answer["reason"]

    assert await refusal(MAPS, manifest("a")) == (409, "AlreadyExists")
    assert await refusal(f"{V1}/nowhere/configmaps", manifest("a")) == (404, "NotFound")
    assert await refusal(f"{V1}/leaving/configmaps", manifest("a")) == (403, "Forbidden")
    assert await refusal(MAPS, {"metadata": {}}) == (422, "Invalid")
    assert await refusal(MAPS, {"kind": "ConfigMap"}) == (400, "BadRequest")
    assert await refusal(MAPS, {"kind": "Secret", **manifest("b")}) == (400, "BadRequest")
    assert await refusal(MAPS, {"metadata": {"name": "b", "namespace": "other"}}) == (400, "BadRequest")
    assert await refusal("/api/v1/configmaps", manifest("b")) == (405, "MethodNotAllowed")
    _, answer = await api.raw("POST", f"{V1}/leaving/configmaps", manifest("a"))
    assert answer["details"]["causes"][0]["reason"] == "NamespaceTerminating"


def _with_value(body: JSON, path: str, value: Any) -> JSON:
    copy: JSON = json.loads(json.dumps(body))
    *parents, last = path.split(".")
    place: Any = copy
    for part in parents:
        place = place[int(part) if part.isdigit() else part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return copy


BACKEND = {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}
SERVICE = manifest("web", spec={"ports": [{"port": 80}]})
CRON = manifest("tick", spec={"schedule": "*/5 * * * *", "jobTemplate": {"spec": job("x")["spec"]}})
POD = manifest("one", spec=template()["spec"])
CONTAINER = "spec.template.spec.containers.0"


INVALID: list[tuple[str, JSON, str]] = [
    (V1, manifest("Upper"), "metadata.name"),
    (V1, manifest("a.b"), "metadata.name"),
    (V1, manifest("a" * 64), "metadata.name"),
    (MAPS, manifest("a_b"), "metadata.name"),
    (MAPS, manifest("a", labels={"x": "not valid"}), "metadata.labels"),
    (MAPS, {"metadata": {"name": "a", "annotations": {"x": 1}}}, "metadata.annotations"),
    (MAPS, manifest("a", data={"x y": "1"}), "data[x y]"),
    (MAPS, manifest("a", data={"x": 1}), "data[x]"),
    (f"{V1}/shop/secrets", manifest("a", data={"x": "no base64!"}), "data[x]"),
    (f"{V1}/shop/services", manifest("web"), "spec"),
    (f"{V1}/shop/services", manifest("web", spec={}), "spec.ports"),
    (f"{V1}/shop/services", _with_value(SERVICE, "spec.ports.0.port", 70000), "spec.ports[].port"),
    (f"{V1}/shop/pods", _with_value(POD, "spec.containers", []), "spec.containers"),
    (f"{V1}/shop/pods", _with_value(POD, "spec.restartPolicy", "Perhaps"), "spec.restartPolicy"),
    (f"{V1}/shop/persistentvolumeclaims", _with_value(claim("a"), "spec.accessModes", []), "spec.accessModes"),
    (f"{V1}/shop/persistentvolumeclaims", _with_value(claim("a"), "spec.resources", {}), "spec.resources[storage]"),
    (f"{APPS}/shop/deployments", _with_value(deployment(), "spec.selector", None), "spec.selector"),
    (f"{APPS}/shop/deployments", _with_value(deployment(), "spec.replicas", -1), "spec.replicas"),
    (f"{APPS}/shop/deployments", _with_value(deployment(), "spec.template", None), "spec.template.spec"),
    (f"{APPS}/shop/deployments", _with_value(deployment(), f"{CONTAINER}.image", None), f"{CONTAINER}.image"),
    (f"{APPS}/shop/deployments", _with_value(deployment(), f"{CONTAINER}.name", None), f"{CONTAINER}.name"),
    (
        f"{APPS}/shop/deployments",
        _with_value(deployment(), "spec.template.spec.containers", [{"name": "a", "image": "b"}] * 2),
        "spec.template.spec.containers.1.name",
    ),
    (
        f"{APPS}/shop/deployments",
        _with_value(deployment(), f"{CONTAINER}.volumeMounts", [{"name": "data", "mountPath": "/data"}]),
        "spec.template.spec.containers[].volumeMounts[].name",
    ),
    (
        f"{APPS}/shop/deployments",
        _with_value(deployment(), "spec.template.metadata.labels", {"a": "b"}),
        "spec.template.metadata.labels",
    ),
    (
        f"{APPS}/shop/statefulsets",
        _with_value(statefulset(), "spec.template.spec.restartPolicy", "Never"),
        "spec.template.spec.restartPolicy",
    ),
    (
        f"{BATCH}/shop/jobs",
        _with_value(job("a"), "spec.template.spec.restartPolicy", None),
        "spec.template.spec.restartPolicy",
    ),
    (f"{BATCH}/shop/cronjobs", _with_value(CRON, "spec.schedule", "often and often"), "spec.schedule"),
    (
        f"{BATCH}/shop/cronjobs",
        _with_value(CRON, "spec.jobTemplate.spec.template", None),
        "spec.jobTemplate.spec.template.spec",
    ),
    ("/apis/networking.k8s.io/v1/namespaces/shop/ingresses", manifest("a", spec={}), "spec"),
    ("/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles", manifest("a/b"), "metadata.name"),
]


async def test_what_can_not_be_right_is_invalid(api: Client) -> None:
    for path, body, field in INVALID:
        status, answer = await api.raw("POST", path, body)
        assert (status, answer["reason"]) == (422, "Invalid"), (path, body)
        fields = [cause["field"].replace("[0]", ".0").replace("[1]", ".1") for cause in answer["details"]["causes"]]
        assert field in fields, (path, body)


async def test_good_objects_of_the_checked_kinds_are_made(api: Client) -> None:
    for path, body in (
        (f"{V1}/shop/services", SERVICE),
        (f"{V1}/shop/services", manifest("headless", spec={"clusterIP": "None"})),
        (f"{V1}/shop/services", manifest("outside", spec={"type": "ExternalName", "externalName": "example.org"})),
        (f"{BATCH}/shop/cronjobs", CRON),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles", manifest("system:thing", rules=[])),
        ("/apis/networking.k8s.io/v1/namespaces/shop/ingresses", manifest("a", spec=BACKEND)),
    ):
        await api.ok("POST", path, body)
    services = {one["metadata"]["name"]: one["spec"] for one in await api.items(f"{V1}/shop/services")}
    assert services["web"]["clusterIP"].startswith("10.96.")
    assert services["web"]["ports"] == [{"protocol": "TCP", "targetPort": 80, "port": 80}]
    assert services["headless"]["clusterIP"] == "None"
    assert "clusterIP" not in services["outside"]


async def test_lists_are_sorted_selected_and_have_no_kind_in_their_items(api: Client) -> None:
    await api.ok("POST", V1, manifest("other"))
    for name, labels in (("c", {"tier": "web"}), ("a", {"tier": "db", "old": "yes"}), ("b", {})):
        await api.ok("POST", MAPS, manifest(name, labels=labels))
    await api.ok("POST", f"{V1}/other/configmaps", manifest("a", labels={"tier": "web"}))
    found = await api.get("/api/v1/configmaps", labelSelector="tier")
    places = [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in found["items"]]
    assert places == [("other", "a"), ("shop", "a"), ("shop", "c")]
    assert not {"kind", "apiVersion"} & found["items"][0].keys()
    assert found["kind"] == "ConfigMapList"
    for selector, names in (
        ("tier=web", ["c"]),
        ("tier==web", ["c"]),
        ("tier!=web", ["a", "b", "kube-root-ca.crt"]),
        ("!tier", ["b", "kube-root-ca.crt"]),
        ("tier in (web, db)", ["a", "c"]),
        ("tier notin (web),tier", ["a"]),
        ("tier in (web,db),!old", ["c"]),
    ):
        assert await api.names(MAPS, labelSelector=selector) == names
    assert await api.names(MAPS, fieldSelector="metadata.name=b") == ["b"]
    assert await api.names("/api/v1/configmaps", fieldSelector="metadata.namespace=other,metadata.name==a") == ["a"]
    assert await api.names(MAPS, fieldSelector="metadata.name!=b", labelSelector="!tier") == ["kube-root-ca.crt"]
    assert await api.names("/api/v1/namespaces", fieldSelector="status.phase=Active") == [
        *("default", "kube-system", "other", "shop"),
    ]
    for query in ({"labelSelector": "a=(b"}, {"fieldSelector": "spec.x=1"}, {"fieldSelector": "metadata.name"}):
        assert (await api.raw("GET", MAPS, **query))[0] == 400


async def test_long_lists_come_in_pages_of_one_moment(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        await api.ok("POST", MAPS, manifest(f"m{number}", labels={"a": "b"}))
    first = await api.get(MAPS, labelSelector="a", limit="2")
    assert first["metadata"]["remainingItemCount"] == 3
    await api.ok("POST", MAPS, manifest("m9", labels={"a": "b"}))
    second = await api.get(MAPS, labelSelector="a", limit="2", **{"continue": first["metadata"]["continue"]})
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    await api.ok("POST", "/_sim/compact")
    status, answer = await api.raw("GET", MAPS, **{"continue": second["metadata"]["continue"]})
    assert (status, answer["reason"]) == (410, "Expired")
    first = await api.get(MAPS, labelSelector="a", limit="5")
    last = await api.get(MAPS, **{"continue": first["metadata"]["continue"]})
    assert [item["metadata"]["name"] for item in last["items"]] == ["m9"]
    assert "continue" not in last["metadata"]
    monkeypatch.setattr(api_module, "MAX_LIST_SNAPSHOTS", 1)
    tokens = [(await api.get(MAPS, limit="1"))["metadata"]["continue"] for _ in range(2)]
    assert [(await api.raw("GET", MAPS, **{"continue": token}))[0] for token in tokens] == [410, 200]


async def test_a_list_may_not_ask_for_the_future(api: Client) -> None:
    version = int((await api.get(MAPS, resourceVersion="0"))["metadata"]["resourceVersion"])
    status, answer = await api.raw("GET", MAPS, resourceVersion=str(version + 1))
    assert (status, answer["reason"]) == (504, "Timeout")
