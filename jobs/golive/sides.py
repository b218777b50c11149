"""What is read of each environment's settings before they are judged: fingerprints of keys, host keys, the ledger's lock."""

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING

from batch.ledger.identity import Identity, locked_identity
from batch.ledger.transaction import Ledger
from jobs.assembly import api_url, identity_of, load_profile
from jobs.databases import look_at_ledger
from jobs.doctor.examination import Examination
from jobs.doctor.finding import Finding, Group
from jobs.golive.differences import Difference
from jobs.settings_file import SECRETS
from jobs.sftp_access import host_keys
from jobs.surroundings import Surroundings
from schemas.errors import MitbatchError, SecretMissing
from schemas.settings import Settings

if TYPE_CHECKING:
    import paramiko

_GROUPS = (Group.SECRETS, Group.SFTP, Group.API, Group.WEBHOOK)


@dataclass(frozen=True, slots=True)
class Side:
    """One environment. `marks` are keyed hashes of secrets, good for one comparison alone; `problems` why one has none."""

    settings: Settings
    api_url: str
    marks: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    host_keys: tuple[str, ...] = ()
    wanted: Identity | None = None
    locked: Identity | None = None


def side_of(settings: Settings, around: Surroundings, key: bytes) -> Side:
    """Read one side; nothing is sent, made or changed. Raises ConfigurationError for a profile of no use."""
    profile = load_profile(settings)
    marks, problems = dict[str, str](), dict[str, str]()
    for name, section in SECRETS.items():
        try:
            marks[f"{section}.{name}"] = _mark(around.secret(settings, name).encode(), key)
        except SecretMissing:
            continue
        except MitbatchError as problem:
            problems[f"{section}.{name}"] = problem.what
    for mode, account in (("managed", settings.certify.managed), ("sync", settings.certify.sync)):
        for name in ("app_key", "app_secret", "tokenization_key") if account is not None else ():
            _read(getattr(account, f"{name}_file"), f"certify.{mode}.{name}", key, marks, problems)
    keys: list[paramiko.PKey] = []
    shown: tuple[str, ...] = ()
    if settings.sftp is not None:
        _read(settings.sftp.private_key, "sftp.private_key", key, marks, problems)
        try:
            keys = list(host_keys(settings.sftp))
            shown = tuple(sorted(str(each.fingerprint) for each in keys))
        except MitbatchError as problem:
            problems["sftp.known_hosts"] = problem.what
    url = api_url(settings, profile)
    return Side(settings, url, marks, problems, shown, identity_of(settings, profile, keys), _locked(settings, around))


def in_use(sandbox: Side, production: Side) -> list[Difference]:
    """What differs although no key of the settings says it: the API's address by default, and the host keys on file."""
    pairs = [
        ("API in use", sandbox.api_url, production.api_url),
        ("host key on file", ", ".join(sandbox.host_keys), ", ".join(production.host_keys)),
    ]
    return [Difference(name, was, now) for name, was, now in pairs if was != now]


def fresh_key() -> bytes:
    """A key for the marks of one comparison: nobody can try secrets against them afterwards."""
    return token_bytes(32)


def look(settings: Settings, config: Path, around: Surroundings) -> list[tuple[Group, Finding]]:
    """What the doctor sees of production from this machine: keys, server, API, webhook. Sends no order and writes nothing."""
    round_ = Examination(config, settings, around, _GROUPS)
    return [(group, finding) for group, looked in _looks() for finding in looked(round_)]


def _looks() -> Iterator[tuple[Group, Callable[[Examination], Iterator[Finding]]]]:
    from jobs.doctor.api_checks import look_at_api
    from jobs.doctor.settings_checks import look_at_secrets
    from jobs.doctor.sftp_checks import look_at_sftp
    from jobs.doctor.webhook_checks import look_at_webhook

    yield from zip(_GROUPS, (look_at_secrets, look_at_sftp, look_at_api, look_at_webhook), strict=True)


def _locked(settings: Settings, around: Surroundings) -> Identity | None:
    engine = look_at_ledger(settings.ledger.url, make_engine=around.make_engine)
    if engine is None:
        return None
    try:
        ledger = Ledger(engine, mid=settings.provider.mid, clock=around.clock, lease_seconds=settings.lease.seconds)
        found = locked_identity(ledger)
    finally:
        engine.dispose()
    return None if found is None else found[0]


def _read(path: Path, name: str, key: bytes, marks: dict[str, str], problems: dict[str, str]) -> None:
    try:
        marks[name] = _mark(path.read_bytes().strip(), key)
    except OSError as error:
        problems[name] = f"The file {path} ({name}) cannot be read ({error.strerror})."


def _mark(secret: bytes, key: bytes) -> str:
    return hmac.new(key, secret, sha256).hexdigest()
