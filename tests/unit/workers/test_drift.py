"""Fields that another field manager added to an object, as opposed to our fields that it changed."""

from typing import Any

import pytest

from stores.engines import Manifest
from workers.drift import has_foreign_fields

OURS: Manifest = {
    "metadata": {"name": "web", "labels": {"a": "b"}},
    "spec": {
        "replicas": 1,
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {
                "containers": [{"name": "web", "image": "shop:1", "ports": [{"containerPort": 80, "protocol": "TCP"}]}],
                "args": ["one"],
            },
        },
    },
}


def changed(fields: Any, manager: str = "kubectl-edit", **more: Any) -> Manifest:
    """The object, of which another manager owns those fields of the pod template."""
    given = {"f:spec": {"f:template": {"f:spec": fields}}}
    entries = [
        {"manager": "storefleet", "operation": "Apply", "fieldsV1": {"f:spec": {"f:anything": {}}}},
        {"manager": manager, "operation": "Update", "fieldsV1": given, **more},
    ]
    return {"metadata": {"managedFields": entries}}


WEB = 'k:{"name":"web"}'


@pytest.mark.parametrize(
    ("fields", "added"),
    [
        ({"f:containers": {WEB: {"f:image": {}}}}, False),
        ({"f:containers": {WEB: {".": {}, "f:image": {}}}}, False),
        ({"f:containers": {'k:{"name":"miner"}': {".": {}, "f:image": {}}}}, True),
        ({"f:containers": {WEB: {"f:env": {'k:{"name":"DEBUG"}': {}}}}}, True),
        ({"f:containers": {WEB: {"f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {"f:name": {}}}}}}, True),
        ({"f:containers": {WEB: {"f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}}}}}}, False),
        ({"f:args": {'v:"one"': {}}}, False),
        ({"f:args": {'v:"two"': {}}}, True),
        ({"f:hostNetwork": {}}, True),
        ({"f:args": {"f:one": {}}}, True),
        ({}, False),
    ],
)
def test_an_addition_is_what_the_manifest_does_not_have(fields: Any, added: bool) -> None:
    assert has_foreign_fields(changed(fields), OURS) is added


def test_labels_annotations_statuses_and_our_own_fields_are_no_additions() -> None:
    restarted: Any = {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {"f:restartedAt": {}}}}}}
    entries = [
        {"manager": "kubectl-rollout", "fieldsV1": restarted},
        {
            "manager": "kube-controller-manager",
            "fieldsV1": {"f:metadata": {"f:annotations": {}}, "f:status": {"f:x": {}}},
        },
    ]
    assert not has_foreign_fields({"metadata": {"managedFields": entries}}, OURS)
    assert not has_foreign_fields(changed({"f:hostNetwork": {}}, manager="storefleet"), OURS)
    assert not has_foreign_fields(changed({"f:hostNetwork": {}}, subresource="scale"), OURS)
    assert not has_foreign_fields({"metadata": {}}, OURS)
    assert not has_foreign_fields({"metadata": {"managedFields": [{"manager": "x"}]}}, OURS)
