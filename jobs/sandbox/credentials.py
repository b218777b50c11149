"""The sandbox merchants' credentials: ids and API keys follow from the seed, SSH keys are fresh at every start."""

import base64
import hashlib
import os
import uuid
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_NAMESPACE = uuid.UUID("6f1f5d0e-6a3c-5b67-9a53-3d1c0f0a7e11")
SITE_NAMES = ("acme-us", "acme-eu")
SFTP_USERNAME = "acme"


def _secret(seed: str, name: str, size: int) -> str:
    digest = hashlib.sha512(f"mitbatch sandbox\n{name}\n{seed}".encode()).digest()
    return base64.b64encode(digest[:size]).decode("ascii")


@dataclass(frozen=True)
class Account:
    """One merchant account of the pretend provider (CONTRACT 1). Everything is a pure function of seed and mode.

    `mode` says who retries a MIT: the provider (managed), or the merchant (sync); it belongs to the account (CONTRACT 7.6).
    """

    seed: int
    mode: Literal["managed", "sync"] = "managed"
    mid: str = field(init=False)
    app_key: str = field(init=False)
    app_secret: str = field(init=False, repr=False)
    tokenization_key: str = field(init=False)
    site_ids: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Derive the ids and keys."""
        tail = str(self.seed) if self.mode == "managed" else f"{self.mode} {self.seed}"
        object.__setattr__(self, "mid", str(uuid.uuid5(_NAMESPACE, f"mid {tail}")))
        object.__setattr__(self, "app_key", _secret(tail, "app key", 24).rstrip("="))
        object.__setattr__(self, "app_secret", _secret(tail, "app secret", 40))
        object.__setattr__(self, "tokenization_key", _secret(tail, "tokenization key", 18))
        sites = {name: str(uuid.uuid5(_NAMESPACE, f"site {name} {tail}")) for name in SITE_NAMES}
        object.__setattr__(self, "site_ids", sites)

    def order_session_key(self, order_id: str, n: int) -> str:
        """The provider's id for the n-th acceptance of this order id."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.seed}\n{self.mid}\n{order_id}\n{n}"))

    def transmit_id(self, order_id: str, n: int) -> str:
        """The provider's id for the n-th copy of this charge."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.seed}\n{self.mid}\ntransmit\n{order_id}\n{n}"))


@lru_cache(maxsize=64)
def account_of(seed: int, mode: Literal["managed", "sync"] = "managed") -> Account:
    """The account of a seed and a mode, derived once. What one sandbox may change is its own: see Account."""
    return Account(seed, mode)


@dataclass(frozen=True)
class KeyPair:
    """An ed25519 SSH key in OpenSSH text: the private half and the public line."""

    private: bytes = field(repr=False)
    public: str

    @classmethod
    def fresh(cls) -> "KeyPair":
        """Make a new pair."""
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        return cls(private, public.decode("ascii"))


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
