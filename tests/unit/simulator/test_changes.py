"""The simulated API updates and deletes objects as the real one; and its own endpoints."""

import base64
from typing import Any

from tests.support.simulator_client import (
    APPS,
    MERGE,
    STRATEGIC,
    V1,
    Client,
    deployment,
    manifest,
)

MAPS = f"{V1}/shop/configmaps"
BACKEND = {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}
SERVICE = manifest("web", spec={"ports": [{"port": 80}]})


async def test_replacing_checks_version_name_and_uid(api: Client) -> None:
    made = await api.ok("POST", MAPS, manifest("a", data={"k": "1"}))
    changed = await api.ok("PUT", f"{MAPS}/a", {**made, "data": {"k": "2"}})
    assert int(changed["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    assert changed["metadata"]["uid"] == made["metadata"]["uid"]
    status, answer = await api.raw("PUT", f"{MAPS}/a", {**made, "data": {"k": "3"}})
    assert (status, answer["reason"]) == (409, "Conflict")
    assert (await api.ok("PUT", f"{MAPS}/a", manifest("a", data={"k": "4"})))["data"] == {"k": "4"}
    assert (await api.raw("PUT", f"{MAPS}/a", manifest("b")))[0] == 400
    stranger = {"metadata": {"name": "a", "uid": "another"}}
    assert (await api.raw("PUT", f"{MAPS}/a", stranger))[0] == 409
    assert (await api.raw("PUT", f"{MAPS}/b", manifest("b")))[0] == 404


async def test_patches_of_both_kinds_and_no_other(api: Client) -> None:
    await api.ok("POST", f"{APPS}/shop/deployments", deployment())
    path = f"{APPS}/shop/deployments/web"
    before = await api.until(path, lambda answer: answer["status"].get("readyReplicas"))
    patched = await api.merge(path, {"metadata": {"labels": {"a": "b"}}, "status": {"replicas": 99}})
    assert patched["metadata"]["labels"] == {"a": "b"}
    assert patched["status"] == before["status"]
    assert patched["metadata"]["generation"] == 1
    again = await api.merge(path, {"metadata": {"labels": {"a": "b"}}})
    assert again["metadata"]["resourceVersion"] == patched["metadata"]["resourceVersion"]
    assert "labels" not in (await api.merge(path, {"metadata": {"labels": {"a": None}}}))["metadata"]
    container = {"name": "main", "env": [{"name": "A", "value": "1"}]}
    body = {
        "spec": {"template": {"spec": {"$setElementOrder/containers": [{"name": "main"}], "containers": [container]}}}
    }
    patched = await api.ok("PATCH", path, body, content_type=STRATEGIC)
    assert patched["metadata"]["generation"] == 2
    assert patched["spec"]["template"]["spec"]["containers"] == [{**container, "image": "example/one:1"}]
    container["env"] = [{"name": "A", "$patch": "delete"}]
    patched = await api.ok("PATCH", path, body, content_type=STRATEGIC)
    assert patched["spec"]["template"]["spec"]["containers"][0]["env"] == []
    assert (await api.raw("PATCH", path, [], content_type=MERGE))[0] == 400
    assert (await api.raw("PATCH", path, [], content_type="application/json-patch+json"))[0] == 415
    assert (await api.raw("PATCH", f"{path}x", {}, content_type=MERGE))[0] == 404


async def test_a_replaced_service_keeps_its_address(api: Client) -> None:
    path = f"{V1}/shop/services"
    made = await api.ok("POST", path, SERVICE)
    again = await api.ok("PUT", f"{path}/web", SERVICE)
    assert (again["spec"], again["metadata"]) == (made["spec"], made["metadata"])


async def test_the_status_is_changed_at_its_own_path_only(api: Client) -> None:
    path = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses"
    await api.ok("POST", path, manifest("a", spec=BACKEND, status={"made": "up"}))
    assert (await api.get(f"{path}/a"))["status"] == {}
    changed = await api.merge(f"{path}/a/status", {"status": {"seen": True}, "spec": {"rules": []}})
    assert (changed["status"], changed["spec"]) == ({"seen": True}, BACKEND)
    assert (await api.get(f"{path}/a/status"))["status"] == {"seen": True}
    assert (await api.raw("GET", f"{MAPS}/a/status"))[0] == 404


async def test_secrets_fold_string_data(api: Client) -> None:
    path = f"{V1}/shop/secrets"
    made = await api.ok("POST", path, manifest("a", data={"x": "eA=="}, stringData={"y": "why"}))
    assert made["data"] == {"x": "eA==", "y": base64.b64encode(b"why").decode()}
    assert made["type"] == "Opaque"
    assert "stringData" not in made
    assert (await api.merge(f"{path}/a", {"stringData": {"x": "z"}}))["data"]["x"] == "eg=="


async def test_deleting_checks_its_preconditions(api: Client) -> None:
    made = await api.ok("POST", MAPS, manifest("a"))
    for wrong in ({"uid": "another"}, {"resourceVersion": "1"}):
        status, answer = await api.raw("DELETE", f"{MAPS}/a", {"preconditions": wrong})
        assert (status, answer["reason"]) == (409, "Conflict")
    answer = await api.ok("DELETE", f"{MAPS}/a", {"preconditions": {"uid": made["metadata"]["uid"]}})
    assert (answer["status"], answer["details"]["uid"]) == ("Success", made["metadata"]["uid"])
    assert (await api.raw("DELETE", f"{MAPS}/a"))[0] == 404


async def test_finalizers_hold_an_object(api: Client) -> None:
    await api.ok("POST", MAPS, {"metadata": {"name": "a", "finalizers": ["example.org/hold"]}})
    deleted = await api.ok("DELETE", f"{MAPS}/a")
    assert deleted["metadata"]["deletionTimestamp"]
    assert await api.ok("DELETE", f"{MAPS}/a") == deleted
    await api.merge(f"{MAPS}/a", {"metadata": {"finalizers": None}})
    assert (await api.raw("GET", f"{MAPS}/a"))[0] == 404


async def test_deleting_many(api: Client) -> None:
    for name in "abc":
        await api.ok("POST", MAPS, manifest(name, labels={"go": str(name != "b")}))
    gone = await api.ok("DELETE", MAPS, labelSelector="go=True")
    assert len(gone["items"]) == 2
    assert await api.names(MAPS, labelSelector="go") == ["b"]


async def test_a_dry_run_makes_nothing(api: Client) -> None:
    assert (await api.raw("POST", MAPS, manifest("a"), dryRun="All"))[0] == 201
    assert (await api.raw("GET", f"{MAPS}/a"))[0] == 404
    assert (await api.raw("POST", MAPS, manifest("A"), dryRun="All"))[0] == 422


NOWHERE = [
    *("/", "/nothing", "/api/v2/pods", "/apis/apps/v2/deployments", "/api/v1/unicorns", "/api/v1/pods/a"),
    *(
        f"{V1}/shop/nodes",
        f"{V1}/shop/pods/a/log",
        f"{V1}/shop/pods/a/b/c",
        "/apis/unknown",
        "/openapi/v3/apis/x/v1",
    ),
    *("/_sim/nothing", f"{MAPS}/missing"),
]


async def test_other_paths_are_not_found(api: Client) -> None:
    for path in NOWHERE:
        status, answer = await api.raw("GET", path)
        assert (status, answer["reason"]) == (404, "NotFound"), path


async def test_bodies_may_be_yaml_and_nothing_else(api: Client) -> None:
    assert (await api.ok("POST", MAPS, b"metadata: {name: y}\ndata: {a: b}"))["data"] == {"a": "b"}
    assert (await api.raw("POST", MAPS, b"metadata: {name: y"))[0] == 400
    assert (await api.raw("POST", MAPS, b"x", content_type="application/vnd.kubernetes.protobuf"))[0] == 415
    assert (await api.raw("POST", MAPS))[0] == 400


async def test_access_is_reviewed(api: Client) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    body = {"spec": {"resourceAttributes": {"verb": "list", "resource": "secrets", "namespace": "shop"}}}
    assert (await api.ok("POST", path, body))["status"]["allowed"] is True
    await api.faults({"fault": "denied", "kind": "Secret", "verb": "list"})
    assert (await api.ok("POST", path, body))["status"]["allowed"] is False
    body["spec"]["resourceAttributes"]["verb"] = "get"
    assert (await api.ok("POST", path, body))["status"]["allowed"] is True


async def test_the_clock_is_shown_and_set(api: Client) -> None:
    assert (await api.get("/_sim/clock"))["speed"] == "inf"
    assert (await api.ok("POST", "/_sim/clock", {"speed": 2.5}))["speed"] == 2.5
    assert (await api.ok("POST", "/_sim/clock", {"speed": "inf"}))["speed"] == "inf"
    refused: list[Any] = [{}, [], {"speed": "fast"}, {"speed": 0}, b"{"]
    for wrong in refused:
        assert (await api.raw("POST", "/_sim/clock", wrong))[0] == 400
    assert (await api.get("/_sim/counts"))["objects"]["Namespace"] == 3
