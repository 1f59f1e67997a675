"""Server-side apply: sets applied fields, removes fields no longer applied, keeps other managers' fields."""

import asyncio
from typing import Any

import pytest

from sandbox.simulator.merging import conflicts, server_side_apply, strategic_merge
from tests.support.simulator_client import (
    APPLY,
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


@pytest.mark.parametrize(
    ("last", "wanted", "live", "result"),
    [
        (None, {"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"b": {"x": 1}}}, {}, {"a": {"b": {"x": 1, "y": 2}}}, {"a": {"b": {"y": 2}}}),
        ({"a": 1}, {}, {"a": 1, "b": 2}, {"b": 2}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 1}}, {"a": {"x": 1, "y": 2, "z": 3}}, {"a": {"x": 1, "z": 3}}),
        ({"a": {"x": 1}}, {}, {"a": {"x": 1}}, {}),
        ({"a": {"x": 1}}, {}, {"a": {"x": 1, "y": 2}}, {"a": {"y": 2}}),
        ({"args": ["a", "b"]}, {"args": ["c"]}, {"args": ["a", "b"]}, {"args": ["c"]}),
        ({"args": ["a"]}, {}, {"args": ["a"]}, {}),
        (
            {"env": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]},
            {"env": [{"name": "a", "valueFrom": {}}]},
            {"env": [{"name": "c", "value": "3"}, {"name": "a", "value": "1"}, {"name": "b", "value": "2"}]},
            {"env": [{"name": "a", "valueFrom": {}}, {"name": "c", "value": "3"}]},
        ),
        ({"env": [{"name": "a"}]}, {}, {"env": [{"name": "a"}, {"name": "b"}]}, {"env": [{"name": "b"}]}),
        ({"env": [{"name": "a"}]}, {}, {"env": [{"name": "a"}]}, {}),
        (
            None,
            {"ports": [{"containerPort": 80, "name": "http"}]},
            {"ports": [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 80, "protocol": "UDP"}]},
            {
                "ports": [
                    {"containerPort": 80, "protocol": "TCP", "name": "http"},
                    {"containerPort": 80, "protocol": "UDP"},
                ]
            },
        ),
        (
            {"finalizers": ["a", "b"]},
            {"finalizers": ["a"]},
            {"finalizers": ["c", "a", "b"]},
            {"finalizers": ["a", "c"]},
        ),
        ({"finalizers": ["a"]}, {}, {"finalizers": ["a", "b"]}, {"finalizers": ["b"]}),
        ({"finalizers": ["a"]}, {}, {"finalizers": ["a"]}, {}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": 1}, {"a": {"b": 1}}),
    ],
)
def test_apply_is_a_merge_of_three(last: Any, wanted: Any, live: Any, result: Any) -> None:
    assert server_side_apply(last, wanted, live) == result
    assert server_side_apply(wanted, wanted, result) == result  # again changes nothing


def test_conflicts_are_where_two_want_different_values() -> None:
    mine = {"a": 1, "b": {"c": 2, "d": 3}, "env": [{"name": "x", "value": "1"}, {"name": "y"}], "finalizers": ["p"]}
    others = {"a": 1, "b": {"c": 9}, "env": [{"name": "x", "value": "2"}], "finalizers": ["q"]}
    assert sorted(conflicts(mine, others)) == [".b.c", ".env[x].value"]


def test_strategic_merges_know_lists_sets_and_replacement() -> None:
    live = {"gone": 1, "finalizers": ["a"], "args": ["x"], "labels": {"a": "b"}, "env": [{"name": "a", "value": "1"}]}
    patch = {
        "gone": None,
        "finalizers": ["b", "a"],
        "args": ["y"],
        "labels": {"$patch": "replace", "c": "d"},
        "env": [{"name": "b", "value": "2"}],
    }
    assert strategic_merge(live, patch) == {
        "finalizers": ["a", "b"],
        "args": ["y"],
        "labels": {"c": "d"},
        "env": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}],
    }


async def test_applying_makes_changes_and_leaves_alone(api: Client) -> None:
    status, made = await api.raw(
        "PATCH", f"{MAPS}/a", {"data": {"x": "1", "y": "2"}}, content_type=APPLY, fieldManager="t"
    )
    assert (status, made["metadata"]["name"]) == (201, "a")
    again = await api.apply(f"{MAPS}/a", {"data": {"x": "1", "y": "2"}}, "t")
    assert again == made
    await api.merge(f"{MAPS}/a", {"data": {"z": "3"}, "metadata": {"labels": {"by": "another"}}})
    changed = await api.apply(f"{MAPS}/a", {"data": {"x": "9"}}, "t")
    assert changed["data"] == {"x": "9", "z": "3"}
    assert changed["metadata"]["labels"] == {"by": "another"}
    assert int(changed["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])


async def test_applying_again_changes_no_version_of_any_kind_with_defaults(api: Client) -> None:
    service = {"ports": [{"port": 80, "name": "http"}], "selector": {"a": "b"}}
    for path, body in (
        (f"{V1}/shop/secrets/a", {"stringData": {"a": "b"}}),
        (f"{V1}/shop/services/a", {"spec": service}),
        (f"{V1}/shop/persistentvolumeclaims/a", {"spec": claim("a")["spec"]}),
        (f"{V1}/shop/resourcequotas/a", {"spec": {"hard": {"pods": "10"}}}),
        (f"{APPS}/shop/deployments/a", {"spec": deployment(replicas=0)["spec"]}),
        (f"{APPS}/shop/statefulsets/a", {"spec": statefulset(replicas=0)["spec"]}),
        (f"{BATCH}/shop/jobs/a", {"spec": job("a", spec={"suspend": True})["spec"]}),
        (f"{BATCH}/shop/cronjobs/a", {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": job("a")["spec"]}}}),
    ):
        await api.apply(path, body)
        for _ in range(100):  # controllers may have something to write at first
            before = await api.get(path)
            if await api.apply(path, body) == before:
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail(f"applying {path} again always changes it")
        assert before["metadata"].get("generation", 1) == 1


async def test_generations_count_changes_of_the_spec_only(api: Client) -> None:
    path = f"{APPS}/shop/deployments/web"
    body = deployment(replicas=0)
    await api.apply(path, body)
    assert (await api.apply(path, {**body, **manifest("web", labels={"a": "b"})}))["metadata"]["generation"] == 1
    body["spec"]["replicas"] = 1
    assert (await api.apply(path, body))["metadata"]["generation"] == 2
    del body["spec"]["replicas"]  # no longer applied: the default
    assert (await api.apply(path, body))["spec"]["replicas"] == 1


async def test_another_applier_conflicts_unless_it_forces(api: Client) -> None:
    await api.apply(f"{MAPS}/a", {"data": {"x": "1"}}, "one")
    body = {"data": {"x": "2", "y": "2"}}
    status, answer = await api.raw("PATCH", f"{MAPS}/a", body, content_type=APPLY, fieldManager="two")
    assert (status, answer["reason"]) == (409, "Conflict")
    assert answer["details"]["causes"][0]["field"] == ".data.x"
    assert (await api.apply(f"{MAPS}/a", body, "two", force="true"))["data"] == body["data"]
    assert (await api.apply(f"{MAPS}/a", {"data": {"z": "3"}}, "three"))["data"] == {**body["data"], "z": "3"}


async def test_what_apply_refuses(api: Client) -> None:
    async def refusal(body: Any, path: str = f"{MAPS}/a", **query: str) -> int:
        return (await api.raw("PATCH", path, body, content_type=APPLY, **query))[0]

    assert await refusal({}) == 422
    assert await refusal([], fieldManager="t") == 400
    assert await refusal({"metadata": {"managedFields": [{}]}}, fieldManager="t") == 400
    assert await refusal({"metadata": {"name": "A"}}, f"{MAPS}/A", fieldManager="t") == 422
    assert await refusal({}, f"{V1}/nowhere/configmaps/a", fieldManager="t") == 404
    assert await refusal({"kind": "Secret"}, fieldManager="t") == 400
    await api.apply(f"{MAPS}/a", {})
    assert await refusal({"kind": "Secret"}, fieldManager="t") == 400
    assert await refusal({"metadata": {"resourceVersion": "1"}}, fieldManager="t") == 409
    assert await refusal({"metadata": {"uid": "another"}}, fieldManager="t") == 409
    assert await refusal({"metadata": {"name": "b"}}, fieldManager="t") == 400


async def test_applying_a_status(api: Client) -> None:
    path = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/a"
    rules = [{"host": "a.example.org"}]
    made = await api.apply(path, {"spec": {"rules": rules}, "status": {"no": "way"}})
    assert made["status"] == {}
    assert (await api.apply(f"{path}/status", {"status": {"a": 1}}, "controller"))["status"] == {"a": 1}
    assert (await api.apply(path, {"spec": {"rules": rules}}))["status"] == {"a": 1}


POD = manifest("a", spec=template()["spec"])
BINDING: JSON = {"metadata": {"name": "a"}, "roleRef": {"kind": "Role", "name": "a"}}
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings"


async def test_what_must_not_change(api: Client) -> None:
    other = {"matchLabels": {"b": "c"}}
    labelled = {**template(), "metadata": {"labels": {"b": "c"}}}
    immutable: list[tuple[str, JSON, JSON, str]] = [
        (f"{BATCH}/shop/jobs", job("a"), {"spec": {"template": template("b", restartPolicy="Never")}}, "spec.template"),
        (
            f"{APPS}/shop/deployments",
            deployment("a"),
            {"spec": {"selector": other, "template": labelled}},
            "spec.selector",
        ),
        (f"{APPS}/shop/statefulsets", statefulset("a"), {"spec": {"serviceName": "other"}}, "spec"),
        (f"{V1}/shop/pods", POD, {"spec": {"hostname": "other"}}, "spec"),
        (RBAC, BINDING, {"roleRef": {"name": "b"}}, "roleRef"),
        (f"{V1}/shop/secrets", manifest("a"), {"type": "other"}, "type"),
        (MAPS, manifest("a", immutable=True), {"data": {"a": "b"}}, "data"),
        (
            f"{V1}/shop/services",
            manifest("a", spec={"ports": [{"port": 1}]}),
            {"spec": {"clusterIP": "10.96.0.1"}},
            "spec.clusterIP",
        ),
        (f"{V1}/shop/persistentvolumeclaims", claim("a"), {"spec": {"accessModes": ["ReadOnlyMany"]}}, "spec"),
    ]
    for path, body, change, field in immutable:
        await api.ok("POST", path, body)
        status, answer = await api.raw("PATCH", f"{path}/a", change, content_type="application/merge-patch+json")
        assert (status, answer["reason"]) == (422, "Invalid"), path
        assert [cause["field"] for cause in answer["details"]["causes"]] == [field]


async def test_what_may_change_all_the_same(api: Client) -> None:
    for path, body, change in (
        (f"{BATCH}/shop/jobs", job("a"), {"spec": {"suspend": True}}),
        (f"{APPS}/shop/statefulsets", statefulset("a"), {"spec": {"replicas": 2}}),
        (f"{V1}/shop/pods", POD, {"spec": {"activeDeadlineSeconds": 5}}),
        (V1, manifest("a"), {"metadata": {"labels": {"b": "c"}}, "spec": {"finalizers": []}}),
    ):
        await api.ok("POST", path, body)
        await api.merge(f"{path}/a", change)
    assert (await api.get(f"{V1}/a"))["spec"]["finalizers"] == ["kubernetes"]


async def test_claims_grow_when_bound_and_never_shrink(api: Client) -> None:
    path = f"{V1}/shop/persistentvolumeclaims"
    stuck = claim("stuck")
    stuck["spec"]["storageClassName"] = "none"
    await api.ok("POST", path, stuck)
    await api.ok("POST", path, claim("a"))
    bound = await api.until(f"{path}/a", lambda answer: answer["status"]["phase"] == "Bound")

    async def resize(name: str, size: str) -> int:
        body = {"spec": {"resources": {"requests": {"storage": size}}}}
        return (await api.raw("PATCH", f"{path}/{name}", body, content_type="application/merge-patch+json"))[0]

    assert await resize("stuck", "2Gi") == 422
    assert await resize("a", "1000Mi") == 422
    assert await resize("a", "a lot") == 400
    assert await resize("a", "2Gi") == 200
    await api.until(f"{path}/a", lambda answer: answer["status"]["capacity"]["storage"] == "2Gi")
    volume = await api.get(f"/api/v1/persistentvolumes/{bound['spec']['volumeName']}")
    assert volume["spec"]["capacity"] == {"storage": "2Gi"}
    whole = manifest("a", spec=claim("a", "2Gi")["spec"])  # a replacement may leave out what the server assigned
    assert (await api.ok("PUT", f"{path}/a", whole))["spec"]["volumeName"] == bound["spec"]["volumeName"]


@pytest.mark.parametrize(
    ("text", "code"),
    [(rb"\ud83c\udf47", 400), (rb"\\\ud83c", 400), (rb"\\ud83c", 201), (rb"\u00e9", 201), ("🍇".encode(), 201)],
)
async def test_half_a_character_is_no_yaml(api: Client, text: bytes, code: int) -> None:
    body = b'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "map"}, "data": {"text": "%s"}}' % text
    found, answer = await api.raw("PATCH", f"{MAPS}/map", body, content_type=APPLY, fieldManager="ours")
    assert (found, "invalid Unicode character" in str(answer)) == (code, code == 400)
