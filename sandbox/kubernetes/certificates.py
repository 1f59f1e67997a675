"""A certificate authority for one local cluster: its TLS certificates and client certificates."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.data_folder import SandboxError
from sandbox.files import write_private

LIFETIME = timedelta(days=365)
USES = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]


class CertificateAuthority:
    """A CA. Its key and all issued certificates and keys are in one folder with mode 0700."""

    def __init__(self, folder: Path) -> None:
        """Create the CA in the folder, or open the one that is there."""
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
        """Write a new `<name>.crt` and `<name>.key`.

        `hosts`: DNS names and IP addresses of a server; empty for a client.
        Raises SandboxError when the CA's key was replaced with a key of another type.
        """
        authority = x509.load_pem_x509_certificate(self.path("ca.crt").read_bytes())
        signer = serialization.load_pem_private_key(self.path("ca.key").read_bytes(), None)
        if not isinstance(signer, ec.EllipticCurvePrivateKey):
            raise SandboxError(f"{self.path('ca.key')} isn't the key that this program created; remove the folder")
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(common_name, organization, key.public_key()).issuer_name(authority.subject)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(USES), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        builder = builder.add_extension(issuer, critical=False)
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), False)
        self._write(f"{name}.key", _pem(key))
        self._write(f"{name}.crt", builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def _write(self, name: str, content: bytes) -> None:
        write_private(self.path(name), content)


def _name(common_name: str, organization: str | None) -> x509.Name:
    """Kubernetes takes the user's name from the common name, and the group from the organization."""
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
    """The key as PEM in SEC 1 format: the API server refuses PKCS#8 for the key of service accounts."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
