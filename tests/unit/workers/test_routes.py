"""Which routes may exist."""

import pytest

from tests.support.cluster_objects import snapshot, workload
from tests.support.rendered import profile, render
from workers.routes import ROUTE_KINDS, served_routes, without_routes

GATEWAY = {"routing": "gateway", "gateway": "edge/stores"}
ISSUER = {"store_scheme": "https", "cluster_issuer": "letsencrypt"}
DATABASE = workload("StatefulSet", "database")


@pytest.mark.parametrize(
    ("changes", "ready", "exists"),
    [({}, 1, True), ({}, 0, False), (GATEWAY, 1, True), (GATEWAY, 0, False), (ISSUER, 0, True)],
)
def test_a_route_exists_while_a_pod_behind_it_is_ready(changes: dict[str, str], ready: int, exists: bool) -> None:
    """With a certificate of its own a store keeps its route: without it, visitors would get a warning."""
    cluster = profile(**changes)
    resources = render(cluster=cluster).resources
    [route] = [item for item in resources if item["kind"] in ROUTE_KINDS]
    seen = snapshot(DATABASE, workload("Deployment", "web", ready=ready))
    assert served_routes(resources, seen, cluster) == ([route] if exists else [])
    assert without_routes(resources) == [item for item in resources if item is not route]


def test_without_its_workload_there_is_no_route() -> None:
    assert served_routes(render().resources, snapshot(DATABASE), profile()) == []
