"""How the API server is found and trusted, and who we say we are: kubeconfigs and a pod's service account."""

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
from workers.cluster.errors import Temporary, Unconfigured

HOST = "127.0.0.1"
INSIDE = "kubernetes_asyncio.config.incluster_config"
"""Where the library knows where a pod's service account is."""


@dataclass
class Authority:
    """Signs certificates for 127.0.0.1; its own is `pem`."""

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
    """An API server over TLS that knows its version only, and remembers who asked."""

    authority: Authority
    port: int
    tokens: list[str | None]
    names: list[str | None]

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    authority, tokens, names = Authority(), list[str | None](), list[str | None]()
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
    cluster = {"server": server.url, "certificate-authority-data": encoded(Authority().pem)}
    async with connect(kubeconfig(tmp_path / "config", cluster, {"token": "mine"})) as connected:
        with pytest.raises(Temporary, match="CERTIFICATE_VERIFY_FAILED"):
            await connected.version()
    assert server.tokens == []


async def test_a_pod_is_its_service_account(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    monkeypatch.setattr(f"{INSIDE}.SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(f"{INSIDE}.SERVICE_CERT_FILENAME", str(tmp_path / "authority.pem"))
    monkeypatch.setattr(f"{INSIDE}.TOKEN_REFRESH_PERIOD", datetime.timedelta(0))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", HOST)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
    async with connect(None) as connected:
        await connected.version()
        token.write_text("second")  # as the kubelet does when the first is about to expire
        await connected.version()
    assert server.tokens == ["Bearer first", "Bearer second"]


async def test_outside_a_pod_there_is_no_service_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(Unconfigured, match=r"the pod's service account: .*Service host/port is not set"):
        async with connect(None):
            pass


NOTHING = encoded(b"nothing")
FINE = {"server": "https://127.0.0.1:1"}
BROKEN: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "no current context": (FINE, {}, {"current-context": ""}),
    "another context": (FINE, {}, {"current-context": "there"}),
    "no cluster": (FINE, {}, {"clusters": []}),
    "no clusters": (FINE, {}, {"clusters": None}),
    "no user": (FINE, {}, {"users": []}),
    "no server": ({}, {}, {}),
    "an authority that is none": ({**FINE, "certificate-authority-data": NOTHING}, {}, {}),
    "an authority that isn't there": ({**FINE, "certificate-authority": "missing.pem"}, {}, {}),
    "a certificate that is none": (FINE, {"client-certificate-data": NOTHING, "client-key-data": NOTHING}, {}),
    "a program that fails": (FINE, {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "false"}}, {}),
}


@pytest.mark.parametrize("what", BROKEN)
async def test_a_kubeconfig_that_is_of_no_use(tmp_path: Path, what: str) -> None:
    cluster, user, changes = BROKEN[what]
    path = kubeconfig(tmp_path / "config", cluster, user, **changes)
    with pytest.raises(Unconfigured, match=f"configuration in {path}"):
        async with connect(path):
            pass


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"hello", b"\x00\x01", b"\xff", b"{}", b"users: {a: b"])
async def test_a_file_that_is_no_kubeconfig(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config"
    path.write_bytes(content)
    with pytest.raises(Unconfigured):
        async with connect(path):
            pass


async def test_a_kubeconfig_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(Unconfigured):
            async with connect(path):
                pass
