"""Every failure of a call has an exception type that says what to do, and no call exceeds its timeout."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sandbox.simulator import kubeconfig as kubeconfigs
from tests.contract.conftest import Server
from tests.contract.objects import requests, settings
from tests.support.simulator_client import Client
from tests.support.waiting import HANG_SECONDS
from workers.cluster import client
from workers.cluster.client import Cluster, connect
from workers.cluster.errors import ClusterError, Gone, NotFound, RequestRejected, TransientError

Call = Callable[[Cluster, str], Awaitable[object]]


async def watch(cluster: Cluster, namespace: str) -> None:
    async with cluster.watch("ConfigMap", {"timeoutSeconds": "1"}, 5) as events:
        async for _ in events:
            raise AssertionError("there was an answer")


CALLS: dict[str, Call] = {
    "get": lambda cluster, namespace: cluster.get("ConfigMap", "settings", namespace),
    "list": lambda cluster, namespace: cluster.list("ConfigMap", namespace),
    "create": lambda cluster, namespace: cluster.create(settings(namespace)),
    "apply": lambda cluster, namespace: cluster.apply(settings(namespace)),
    "delete": lambda cluster, namespace: cluster.delete("ConfigMap", "settings", namespace),
    "watch": watch,
}

ANSWERS: list[tuple[int, type[ClusterError]]] = [
    (401, TransientError),
    (403, RequestRejected),
    (404, NotFound),
    (409, TransientError),
    (410, Gone),
    (422, RequestRejected),
    (429, TransientError),
    (500, TransientError),
    (503, TransientError),
    (504, TransientError),
]


@pytest.mark.parametrize(("code", "error"), ANSWERS)
async def test_every_answer_has_its_type(
    cluster: Cluster, namespace: str, controls: Client, code: int, error: type[ClusterError]
) -> None:
    for verb, call in CALLS.items():
        await controls.faults({"fault": "http", "code": code, "verb": verb, "kind": "ConfigMap", "message": "tired"})
        if (code, verb) == (404, "delete"):
            await call(cluster, namespace)
            continue
        with pytest.raises(error) as caught:
            await call(cluster, namespace)
        assert type(caught.value) is error
        assert (caught.value.status, caught.value.message) == (code, "tired")
        assert requests(verb, "ConfigMap", str(code)) >= 1
    await controls.faults()
    await CALLS["create"](cluster, namespace)


async def test_how_long_to_wait_is_passed_on(cluster: Cluster, namespace: str, controls: Client) -> None:
    for verb, call in CALLS.items():
        await controls.faults({"fault": "http", "code": 429, "retryAfter": 7, "verb": verb, "kind": "ConfigMap"})
        with pytest.raises(TransientError) as caught:
            await call(cluster, namespace)
        assert caught.value.retry_after == 7


async def test_a_quota_on_demand(cluster: Cluster, namespace: str, controls: Client) -> None:
    await controls.faults({"fault": "quota", "kind": "ConfigMap"})
    with pytest.raises(RequestRejected) as caught:
        await cluster.apply(settings(namespace))
    assert caught.value.quota_exceeded


async def test_no_answer_is_waited_for_long(
    cluster: Cluster, namespace: str, controls: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "REQUEST_TIMEOUT", 0.1)
    await controls.faults({"fault": "hang", "seconds": HANG_SECONDS, "kind": "ConfigMap"})
    for call in CALLS.values():
        with pytest.raises(TransientError) as caught:
            await call(cluster, namespace)
        assert (caught.value.status, caught.value.retry_after) == (None, None)


async def test_rights_may_be_missing(cluster: Cluster, controls: Client) -> None:
    await controls.faults({"fault": "denied", "verb": "create", "kind": "Namespace"})
    assert not await cluster.is_allowed("create", "namespaces")
    assert await cluster.is_allowed("delete", "namespaces")


async def test_a_wrong_token_may_be_a_new_one(server: Server, controls: Client, tmp_path: Path) -> None:
    config = json.loads(server.kubeconfig.read_text())
    config["users"][0]["user"]["token"] = "wrong"
    path = tmp_path / "wrong"
    path.write_text(json.dumps(config))
    async with connect(path) as cluster:
        with pytest.raises(TransientError) as caught:
            await cluster.version()
        assert caught.value.status == 401


async def test_a_refused_connection_is_transient(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound but not listening: no other process gets the port
        taken.bind(("127.0.0.1", 0))
        kubeconfigs.write(tmp_path / "kubeconfig", f"http://127.0.0.1:{taken.getsockname()[1]}", "token")
        async with connect(tmp_path / "kubeconfig") as cluster:
            for call in CALLS.values():
                with pytest.raises(TransientError) as caught:
                    await call(cluster, "default")
                assert caught.value.status is None


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>",
        b"SSH-2.0-OpenSSH\r\n",
    ],
)
async def test_what_answers_is_no_kubernetes(tmp_path: Path, answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        kubeconfigs.write(tmp_path / "kubeconfig", f"http://127.0.0.1:{port}", "token")
        async with connect(tmp_path / "kubeconfig") as cluster:
            for call in CALLS.values():
                with pytest.raises(TransientError):
                    await call(cluster, "default")


async def test_fifty_calls_at_once(cluster: Cluster, namespace: str) -> None:
    wanted = {f"map-{number}" for number in range(50)}
    made = await asyncio.gather(*(cluster.apply(settings(namespace, name)) for name in wanted))
    assert {item["metadata"]["name"] for item in made} == wanted
