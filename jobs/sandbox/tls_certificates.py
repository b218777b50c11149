"""Certificates for the sandbox's HTTPS port: one that a client may trust, and three that it must not (CONTRACT 1)."""

import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

GOOD, UNTRUSTED, EXPIRED, WRONG_HOST = "good", "untrusted", "expired", "wrong_host"
_LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
_ELSEWHERE = x509.DNSName("elsewhere.example")


@dataclass(frozen=True)
class _Authority:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True)
class TlsFaces:
    """Server contexts by name, and the authority (PEM) that a client has to trust to believe the good one."""

    authority: bytes
    contexts: dict[str, ssl.SSLContext]


def fresh_faces() -> TlsFaces:
    """Make a new authority and all four certificates; they are valid by the machine's own clock."""
    authority, stranger = _authority("sandbox"), _authority("stranger")
    now = datetime.now(UTC)
    later, before = now + timedelta(days=30), now - timedelta(days=1)
    contexts = {
        GOOD: _context(authority, _LOOPBACK, later),
        UNTRUSTED: _context(stranger, _LOOPBACK, later),
        EXPIRED: _context(authority, _LOOPBACK, before),
        WRONG_HOST: _context(authority, _ELSEWHERE, later),
    }
    return TlsFaces(authority.certificate.public_bytes(serialization.Encoding.PEM), contexts)


def _authority(name: str) -> _Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} of the pretend provider")])
    certificate = (
        _builder(subject, subject, key, datetime.now(UTC) + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _Authority(key, certificate)


def _context(authority: _Authority, host: x509.GeneralName, not_after: datetime) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pretend provider")])
    certificate = (
        _builder(subject, authority.certificate.subject, key, not_after)
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with tempfile.TemporaryDirectory() as folder:  # ssl reads chains from files only
        chain = Path(folder) / "chain.pem"
        chain.touch(mode=0o600)
        chain.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context.load_cert_chain(chain)
    return context


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, not_after: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_after - timedelta(days=60))
        .not_valid_after(not_after)
    )
