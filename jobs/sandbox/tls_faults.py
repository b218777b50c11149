"""Faults of the TLS handshake: certificates that no client may believe."""

import ssl
from dataclasses import dataclass

from jobs.sandbox.faults import Call, Faults, fault
from jobs.sandbox.tls_certificates import EXPIRED, GOOD, UNTRUSTED, WRONG_HOST, TlsFaces


@dataclass
class Handshake(Call):
    """A client's greeting; `face` is the certificate that it will be shown."""

    face: str = GOOD


@fault("connect.tls")
def untrusted_certificate(call: Handshake) -> None:
    """The certificate is of an authority that nobody knows (H-18)."""
    call.face = UNTRUSTED


@fault("connect.tls")
def expired_certificate(call: Handshake) -> None:
    """The certificate ran out yesterday (H-18)."""
    call.face = EXPIRED


@fault("connect.tls")
def wrong_host_certificate(call: Handshake) -> None:
    """The certificate is for another host (H-18)."""
    call.face = WRONG_HOST


def listening_context(faces: TlsFaces, faults: Faults) -> ssl.SSLContext:
    """A server's context that shows the good certificate, or the one that a fault asks for in this very handshake."""
    context = faces.contexts[GOOD]

    def choose(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        greeting = Handshake(where="https")
        faults.strike_now("connect.tls", greeting)
        connection.context = faces.contexts[greeting.face]

    context.sni_callback = choose
    return context
