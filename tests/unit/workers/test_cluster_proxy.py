"""The client of the Kubernetes API behind a proxy."""

import asyncio
import json
from pathlib import Path

import pytest

from workers.cluster.client import connect
from workers.cluster.errors import TransientError

KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "one", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "one", "user": {"token": "secret"}}],
    "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
    "current-context": "one",
}


@pytest.mark.parametrize(
    ("excluded", "expected"),
    [("", [b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n"]), ("other,127.0.0.1", [])],
)
async def test_it_uses_the_proxy_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, excluded: str, expected: list[bytes]
) -> None:
    requests: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readline())
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    (tmp_path / "kubeconfig").write_text(json.dumps(KUBECONFIG))
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")  # it has nothing to do with this
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
        monkeypatch.setenv("no_proxy", excluded)
        async with connect(tmp_path / "kubeconfig") as cluster:
            with pytest.raises(TransientError, match="can't be reached"):
                await cluster.version()
    assert requests == expected
