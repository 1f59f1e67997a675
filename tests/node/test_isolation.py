"""The isolation of a store's containers on a real node: connections, privileges, mounts."""

import asyncio
import socket
from typing import Any

import psutil

from sandbox.kubernetes.node.services import API_PORT, NODE_IP
from tests.node.process_inspection import can_connect, mounts, process_status, processes_of_pods, resolve_name
from tests.node.real_node import RealNode
from tests.node.stores import create_ready_store, pods
from tests.support.harness import Harness
from tests.support.waiting import wait_until

JSON = dict[str, Any]
API_SERVICE = "10.96.0.1"
METADATA = "169.254.169.254"


async def processes(harness: Harness, node: RealNode, namespace: str) -> dict[str, psutil.Process]:
    """The main processes of web and database."""
    running = await pods(harness, namespace)
    found = {}
    for component, program in (("web", "python3"), ("database", "mariadbd")):
        uid = running[component]["metadata"]["uid"]
        [found[component]] = await asyncio.to_thread(processes_of_pods, node, program, {uid, uid.replace("-", "_")})
    return found


async def service(harness: Harness, namespace: str, name: str) -> str:
    _, found = await harness.kubernetes_request("GET", f"/api/v1/namespaces/{namespace}/services/{name}")
    address: str = found["spec"]["clusterIP"]
    return address


async def test_a_store_reaches_its_own_and_nobody_else(harness: Harness, node: RealNode) -> None:
    (_, mine), (_, other) = (
        await create_ready_store(harness, name="Mine"),
        await create_ready_store(harness, name="Other"),
    )
    inside = await processes(harness, node, mine)
    addresses = {name: pod["status"]["podIP"] for name, pod in (await pods(harness, other)).items()}
    own = {name: pod["status"]["podIP"] for name, pod in (await pods(harness, mine)).items()}
    database, others = await service(harness, mine, "database"), await service(harness, other, "database")
    outside = socket.gethostbyname(socket.gethostname())
    forbidden = [
        f"{others}:3306",
        f"{addresses['database']}:3306",
        f"{await service(harness, other, 'web')}:80",
        f"{addresses['web']}:8080",
        f"{API_SERVICE}:443",
        f"{NODE_IP}:{API_PORT}",
        f"{NODE_IP}:10250",  # the kubelet
        f"{NODE_IP}:8080",  # the ingress controller
        f"{NODE_IP}:8443",
        f"{NODE_IP}:22",
        f"{METADATA}:80",
        f"{outside}:22",
        "192.168.0.1:80",
        "10.0.0.1:443",
    ]

    reached = await asyncio.to_thread(can_connect, inside["web"], f"{database}:3306", *forbidden)
    assert reached == {f"{database}:3306": True, **dict.fromkeys(forbidden, False)}
    reached = await asyncio.to_thread(can_connect, inside["database"], f"{own['web']}:8080", *forbidden)
    assert not any(reached.values())
    assert (
        await asyncio.to_thread(resolve_name, inside["web"], NODE_IP, f"database.{mine}.svc.cluster.local") == database
    )

    # without policies the same addresses can be reached: so it is the policies that block the store
    [kubelet] = node.processes("kubelet")
    free = await asyncio.to_thread(can_connect, kubelet, *forbidden[:6], f"{NODE_IP}:8080")
    assert all(free.values()), free
    policies = f"/apis/networking.k8s.io/v1/namespaces/{mine}/networkpolicies"
    await harness.kubernetes_request("POST", policies, OPEN)
    await harness.kubernetes_request("POST", policies.replace(mine, other), OPEN)

    async def reaches() -> bool:
        return all((await asyncio.to_thread(can_connect, inside["web"], *forbidden[:6])).values())

    await wait_until(reaches)
    for namespace in (mine, other):
        await harness.kubernetes_request("DELETE", f"{policies.replace(mine, namespace)}/open")

    async def closed() -> bool:
        return not any((await asyncio.to_thread(can_connect, inside["web"], *forbidden)).values())

    await wait_until(closed)


OPEN: JSON = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "open"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]},
}


async def test_containers_have_no_rights_that_they_do_not_need(harness: Harness, node: RealNode) -> None:
    _, namespace = await create_ready_store(harness)
    for component, process in (await processes(harness, node, namespace)).items():
        status = await asyncio.to_thread(process_status, process)
        assert {int(number) for number in status["Uid"].split()} == {10001}
        assert {int(number) for number in status["Gid"].split()} == {10001}
        for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(status[kind], 16) == 0
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")  # 2: filtered
        found = await asyncio.to_thread(mounts, process)
        writable = {point for point, options in found.items() if "rw" in options and not point.startswith(SYSTEM)}
        assert writable == {"web": {"/tmp"}, "database": {"/tmp", "/var/lib/mysql", "/run/mysqld"}}[component]
        assert "ro" in found["/"]
        assert not [point for point in found if "serviceaccount" in point]
        assert {"nosuid", "nodev"} <= found.get("/var/lib/mysql", {"nosuid", "nodev"})
        assert not [name for name in process.environ() if name.endswith("_SERVICE_HOST") and "KUBERNETES" not in name]


SYSTEM = ("/proc", "/sys", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf")
"""Mounts that every container has."""
