"""A store seen from inside its own containers: it reaches what it needs, and nothing and nobody else."""

import asyncio
import socket
from typing import Any

import psutil

from sandbox.kubernetes.node.services import ADDRESS, API_PORT
from tests.flow.fleet import Fleet
from tests.node.inside import ask_dns, dial, mounts, of_store, status
from tests.node.real import RealNode
from tests.node.test_life import made, pods

JSON = dict[str, Any]
API_SERVICE = "10.96.0.1"
METADATA = "169.254.169.254"


async def processes(fleet: Fleet, node: RealNode, namespace: str) -> dict[str, psutil.Process]:
    """The main process of web and of the database."""
    running = await pods(fleet, namespace)
    found = {}
    for component, program in (("web", "python3"), ("database", "mariadbd")):
        uid = running[component]["metadata"]["uid"]
        [found[component]] = await asyncio.to_thread(of_store, node, program, {uid, uid.replace("-", "_")})
    return found


async def service(fleet: Fleet, namespace: str, name: str) -> str:
    _, found = await fleet.kubernetes("GET", f"/api/v1/namespaces/{namespace}/services/{name}")
    address: str = found["spec"]["clusterIP"]
    return address


async def test_a_store_reaches_its_own_and_nobody_else(fleet: Fleet, node: RealNode) -> None:
    (_, mine), (_, other) = await made(fleet, name="Mine"), await made(fleet, name="Other")
    inside = await processes(fleet, node, mine)
    addresses = {name: pod["status"]["podIP"] for name, pod in (await pods(fleet, other)).items()}
    own = {name: pod["status"]["podIP"] for name, pod in (await pods(fleet, mine)).items()}
    database, others = await service(fleet, mine, "database"), await service(fleet, other, "database")
    outside = socket.gethostbyname(socket.gethostname())
    forbidden = [
        f"{others}:3306",
        f"{addresses['database']}:3306",
        f"{await service(fleet, other, 'web')}:80",
        f"{addresses['web']}:8080",
        f"{API_SERVICE}:443",
        f"{ADDRESS}:{API_PORT}",
        f"{ADDRESS}:10250",  # the kubelet
        f"{ADDRESS}:8080",  # the ingress controller
        f"{ADDRESS}:8443",
        f"{ADDRESS}:22",
        f"{METADATA}:80",
        f"{outside}:22",
        "192.168.0.1:80",
        "10.0.0.1:443",
    ]

    reached = await asyncio.to_thread(dial, inside["web"], f"{database}:3306", *forbidden)
    assert reached == {f"{database}:3306": True, **dict.fromkeys(forbidden, False)}
    reached = await asyncio.to_thread(dial, inside["database"], f"{own['web']}:8080", *forbidden)
    assert not any(reached.values())
    assert await asyncio.to_thread(ask_dns, inside["web"], ADDRESS, f"database.{mine}.svc.cluster.local") == database

    # the same places answer whom nothing keeps from them, so it is the policies that keep the store
    [kubelet] = node.processes("kubelet")
    free = await asyncio.to_thread(dial, kubelet, *forbidden[:6], f"{ADDRESS}:8080")
    assert all(free.values()), free
    policies = f"/apis/networking.k8s.io/v1/namespaces/{mine}/networkpolicies"
    await fleet.kubernetes("POST", policies, OPEN)
    await fleet.kubernetes("POST", policies.replace(mine, other), OPEN)

    async def reaches() -> bool:
        return all((await asyncio.to_thread(dial, inside["web"], *forbidden[:6])).values())

    await fleet.poll(reaches, 10)
    for namespace in (mine, other):
        await fleet.kubernetes("DELETE", f"{policies.replace(mine, namespace)}/open")

    async def closed() -> bool:
        return not any((await asyncio.to_thread(dial, inside["web"], *forbidden)).values())

    await fleet.poll(closed, 10)


OPEN: JSON = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "open"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]},
}


async def test_containers_have_no_rights_that_they_do_not_need(fleet: Fleet, node: RealNode) -> None:
    _, namespace = await made(fleet)
    for component, process in (await processes(fleet, node, namespace)).items():
        said = await asyncio.to_thread(status, process)
        assert {int(number) for number in said["Uid"].split()} == {10001}
        assert {int(number) for number in said["Gid"].split()} == {10001}
        for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(said[kind], 16) == 0
        assert (said["NoNewPrivs"], said["Seccomp"]) == ("1", "2")  # 2: filtered
        found = await asyncio.to_thread(mounts, process)
        writable = {point for point, options in found.items() if "rw" in options and not point.startswith(SYSTEM)}
        assert writable == {"web": {"/tmp"}, "database": {"/tmp", "/var/lib/mysql", "/run/mysqld"}}[component]
        assert "ro" in found["/"]
        assert not [point for point in found if "serviceaccount" in point]
        assert {"nosuid", "nodev"} <= found.get("/var/lib/mysql", {"nosuid", "nodev"})
        assert not [name for name in process.environ() if name.endswith("_SERVICE_HOST") and "KUBERNETES" not in name]


SYSTEM = ("/proc", "/sys", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf")
"""The kernel's own, devices that everybody has, and what the kubelet writes for a pod."""
