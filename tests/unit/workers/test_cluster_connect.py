"""Connecting to an API server with a kubeconfig or a pod's service account: address, CA certificate, credentials."""

import base64
import datetime
import ipaddress
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from workers.cluster.client import connect
from workers.cluster.errors import MissingConfiguration, TransientError

HOST = "127.0.0.1"
IN_CLUSTER = "kubernetes_asyncio.config.incluster_config"
"""The module that has the paths of a pod's service account."""


@dataclass
class CertificateAuthority:
    """Signs certificates for 127.0.0.1. `pem`: its own certificate."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    name: x509.Name = field(default_factory=lambda: named("authority"))

    @property
    def pem(self) -> bytes:
        return self.sign(self.key, self.name, authority=True)

    def sign(self, key: ec.EllipticCurvePrivateKey, name: x509.Name, *, authority: bool = False) -> bytes:
        now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))])
        usage = x509.KeyUsage(True, False, False, False, False, authority, authority, False, False)
        made = x509.CertificateBuilder(
            self.name, name, key.public_key(), x509.random_serial_number(), now - day, now + day
        )
        made = made.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        made = made.add_extension(usage, critical=True).add_extension(address, critical=False)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        made = made.add_extension(issuer, critical=False)
        return made.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def issue(self, name: str) -> tuple[bytes, bytes]:
        """A certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self.sign(key, named(name)), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass
class Server:
    """An API server over TLS with one endpoint, the version. It records the credentials of each request."""

    authority: CertificateAuthority
    port: int
    tokens: list[str | None]
    names: list[str | None]

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    authority, tokens, names = CertificateAuthority(), list[str | None](), list[str | None]()
    certificate, key = authority.issue("server")
    (tmp_path / "server.pem").write_bytes(certificate + key)
    (tmp_path / "authority.pem").write_bytes(authority.pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(tmp_path / "authority.pem"))
    context.load_cert_chain(tmp_path / "server.pem")
    context.verify_mode = ssl.CERT_OPTIONAL

    async def version(request: web.Request) -> web.Response:
        tokens.append(request.headers.get("Authorization"))
        peer: Any = request.transport and request.transport.get_extra_info("peercert")
        names.append(peer["subject"][0][0][1] if peer else None)
        return web.json_response({"gitVersion": "v1.36.3"})

    app = web.Application()
    app.router.add_get("/version", version)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0, ssl_context=context)
    await site.start()
    yield Server(authority, runner.addresses[0][1], tokens, names)
    await runner.cleanup()


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def kubeconfig(path: Path, cluster: Any, user: Any, **changes: Any) -> Path:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        **changes,
    }
    path.write_text(json.dumps(config))
    return path


async def test_a_certificate_says_who_we_are(server: Server, tmp_path: Path) -> None:
    certificate, key = server.authority.issue("worker")
    user = {"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)}
    cluster = {"server": server.url, "certificate-authority-data": encoded(server.authority.pem)}
    async with connect(kubeconfig(tmp_path / "config", cluster, user)) as connected:
        assert (await connected.version(), connected.host) == ("v1.36.3", server.url)
    assert (server.names, server.tokens) == (["worker"], [None])


async def test_a_token_says_who_we_are(server: Server, tmp_path: Path) -> None:
    cluster = {"server": server.url, "certificate-authority": "authority.pem"}  # beside the kubeconfig
    async with connect(kubeconfig(tmp_path / "config", cluster, {"token": "mine"})) as connected:
        await connected.version()
    assert (server.names, server.tokens) == ([None], ["Bearer mine"])


async def test_the_context_can_be_named(server: Server, tmp_path: Path) -> None:
    contexts = [
        {"name": "here", "context": {"cluster": "nowhere", "user": "me"}},
        {"name": "there", "context": {"cluster": "here", "user": "me"}},
    ]
    cluster = {"server": server.url, "certificate-authority": "authority.pem"}
    path = kubeconfig(tmp_path / "config", cluster, {"token": "mine"}, contexts=contexts)
    async with connect(path, "there") as connected:
        assert await connected.version() == "v1.36.3"


async def test_another_server_is_not_trusted(server: Server, tmp_path: Path) -> None:
    cluster = {"server": server.url, "certificate-authority-data": encoded(CertificateAuthority().pem)}
    async with connect(kubeconfig(tmp_path / "config", cluster, {"token": "mine"})) as connected:
        with pytest.raises(TransientError, match="CERTIFICATE_VERIFY_FAILED"):
            await connected.version()
    assert server.tokens == []


async def test_a_pod_is_its_service_account(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    monkeypatch.setattr(f"{IN_CLUSTER}.SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(f"{IN_CLUSTER}.SERVICE_CERT_FILENAME", str(tmp_path / "authority.pem"))
    monkeypatch.setattr(f"{IN_CLUSTER}.TOKEN_REFRESH_PERIOD", datetime.timedelta(0))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", HOST)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
    async with connect(None) as connected:
        await connected.version()
        token.write_text("second")  # as the kubelet does when the first is about to expire
        await connected.version()
    assert server.tokens == ["Bearer first", "Bearer second"]


async def test_outside_a_pod_there_is_no_service_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(MissingConfiguration, match=r"the pod's service account: .*Service host/port is not set"):
        async with connect(None):
            pass


NOTHING = encoded(b"nothing")
FINE = {"server": "https://127.0.0.1:1"}
INVALID: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "no current context": (FINE, {}, {"current-context": ""}),
    "another context": (FINE, {}, {"current-context": "there"}),
    "no cluster": (FINE, {}, {"clusters": []}),
    "no clusters": (FINE, {}, {"clusters": None}),
    "no user": (FINE, {}, {"users": []}),
    "no server": ({}, {}, {}),
    "a malformed authority": ({**FINE, "certificate-authority-data": NOTHING}, {}, {}),
    "a missing authority": ({**FINE, "certificate-authority": "missing.pem"}, {}, {}),
    "a malformed certificate": (FINE, {"client-certificate-data": NOTHING, "client-key-data": NOTHING}, {}),
    "a program that fails": (FINE, {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "false"}}, {}),
}


@pytest.mark.parametrize("what", INVALID)
async def test_a_kubeconfig_that_is_of_no_use(tmp_path: Path, what: str) -> None:
    cluster, user, changes = INVALID[what]
    path = kubeconfig(tmp_path / "config", cluster, user, **changes)
    with pytest.raises(MissingConfiguration, match=f"configuration in {path}"):
        async with connect(path):
            pass


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"hello", b"\x00\x01", b"\xff", b"{}", b"users: {a: b"])
async def test_a_file_that_is_no_kubeconfig(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config"
    path.write_bytes(content)
    with pytest.raises(MissingConfiguration):
        async with connect(path):
            pass


async def test_a_kubeconfig_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(MissingConfiguration):
            async with connect(path):
                pass
