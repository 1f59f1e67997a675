"""A certificate authority for one throw-away cluster: who is who on loopback, by TLS."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.folder import SandboxError

LIFETIME = timedelta(days=365)
USES = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]


class Authority:
    """Keeps its key and everything it issues in one folder, which only its owner may enter."""

    def __init__(self, folder: Path) -> None:
        """Made at the first call for that folder, the same at the next."""
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.path("ca.crt").exists():
            key = ec.generate_private_key(ec.SECP256R1())
            builder = _builder("storefleet-sandbox", None, key.public_key())
            builder = builder.issuer_name(_name("storefleet-sandbox", None))
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
            self._write("ca.key", _pem(key))
            self._write("ca.crt", builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        if not self.path("service-accounts.key").exists():
            self._write("service-accounts.key", _pem(ec.generate_private_key(ec.SECP256R1())))

    def path(self, name: str) -> Path:
        return self.folder / name

    def issue(self, name: str, common_name: str, organization: str | None = None, hosts: Sequence[str] = ()) -> None:
        """`<name>.crt` and `<name>.key`, anew: for a server on those names and addresses, or a client.

        Raises SandboxError when somebody changed the authority's key.
        """
        authority = x509.load_pem_x509_certificate(self.path("ca.crt").read_bytes())
        signer = serialization.load_pem_private_key(self.path("ca.key").read_bytes(), None)
        if not isinstance(signer, ec.EllipticCurvePrivateKey):
            raise SandboxError(f"{self.path('ca.key')} isn't the key that was put there; remove the folder")
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(common_name, organization, key.public_key()).issuer_name(authority.subject)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(USES), critical=False)
        known_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        builder = builder.add_extension(known_by, critical=False)
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), False)
        self._write(f"{name}.key", _pem(key))
        self._write(f"{name}.crt", builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def _write(self, name: str, content: bytes) -> None:
        path = self.path(name)
        unfinished = path.with_name(path.name + ".new")
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(content)
        unfinished.replace(path)


def _name(common_name: str, organization: str | None) -> x509.Name:
    """Kubernetes reads users from the common name and groups from the organization."""
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization is not None else []
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(common_name: str, organization: str | None, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(common_name, organization))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """SEC 1: the API server refuses PKCS#8 for the key of service accounts."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
