"""TLS to the database, as each `sslmode` of libpq means it. PgBouncer ends TLS here, as a provider's server does."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from sqlalchemy import text

from runtime.changefeed import run_changefeed
from runtime.database import CONNECTION_ERRORS, KEEPALIVE, create_engine, session_factory
from runtime.database_url import connect_arguments, url_problem
from sandbox.ports import free_port
from tests.support.pgbouncer import find_pgbouncer, run_pgbouncer
from tests.support.waiting import wait_until

NAME = "localhost"
"""In the certificate. The address of the same server, 127.0.0.1, is not in it."""


@dataclass
class TlsServer:
    """The database `name` at `port`, only with TLS; the certificate that signs itself, and another one."""

    name: str
    port: int
    certificate: Path
    other: Path

    def url(self, mode: str, certificate: Path | None = None, host: str = NAME) -> str:
        root = f"&sslrootcert={certificate}" if certificate is not None else ""
        return f"postgresql://storefleet@{host}:{self.port}/{self.name}?sslmode={mode}{root}"


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for NAME that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for path in paths:
        path.chmod(0o644)  # PgBouncer runs as another user
    return paths


@pytest.fixture
def server(database_url: str) -> Iterator[TlsServer]:
    find_pgbouncer()
    with TemporaryDirectory(prefix="pgbouncer-") as path:
        folder, port = Path(path), free_port()
        folder.chmod(0o755)
        certificate, key = make_certificate(folder, "server")
        settings = (
            *("listen_addr = 127.0.0.1", "pool_mode = session"),
            *("client_tls_sslmode = require", f"client_tls_cert_file = {certificate}", f"client_tls_key_file = {key}"),
            "ignore_startup_parameters = statement_timeout,lock_timeout,idle_in_transaction_session_timeout,"
            "tcp_keepalives_idle",
        )
        name = database_url.partition("@/")[2].partition("?")[0]
        with run_pgbouncer(database_url, folder / "run", *settings, port=port):
            yield TlsServer(name, port, certificate, make_certificate(folder, "other")[0])


async def query(url: str) -> int:
    async with session_factory(SecretStr(url), 1) as sessions, sessions() as session:
        answer: int = (await session.execute(text("SELECT 42"))).scalar_one()
        return answer


async def test_tls_is_used_and_verified_as_the_url_says(server: TlsServer) -> None:
    trusted = server.certificate
    for mode, certificate, host in (
        ("prefer", None, NAME),
        ("require", None, "127.0.0.1"),
        ("verify-ca", trusted, "127.0.0.1"),
        ("verify-full", trusted, NAME),
    ):
        url = server.url(mode, certificate, host)
        assert (url_problem(url), await query(url)) == (None, 42), mode


async def test_a_server_that_is_not_verified_gets_no_password(server: TlsServer) -> None:
    for mode, certificate, host in (
        ("disable", None, NAME),  # the server refuses
        ("verify-ca", server.other, NAME),
        ("verify-full", server.other, NAME),
        ("verify-full", server.certificate, "127.0.0.1"),
    ):
        with pytest.raises(CONNECTION_ERRORS):
            await query(server.url(mode, certificate, host))
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncpg.connect(**connect_arguments(server.url("verify-full", server.other), 5))


async def test_notifications_come_over_tls_too(server: TlsServer) -> None:
    async with run_changefeed(server.url("verify-full", server.certificate)) as changefeed:

        async def is_connected() -> bool:
            return changefeed.connected

        await wait_until(is_connected)


async def test_the_kernel_looks_whether_the_server_is_still_there(server: TlsServer) -> None:
    """That of a machine that is gone says nothing more. Nothing here can drop packets, so this reads what was set."""
    engine = create_engine(SecretStr(server.url("require")), 1)
    async with engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        peer = driver._transport.get_extra_info("socket")
        assert {name: peer.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in KEEPALIVE} == KEEPALIVE
        assert peer.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    await engine.dispose()
