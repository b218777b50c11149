"""The groups `config` and `secrets`: the settings file, what it names, the libraries, and every secret where it lies."""

import stat
from collections.abc import Iterator
from pathlib import Path

from jobs.assembly import check_environment, load_profile
from jobs.doctor.examination import Examination
from jobs.doctor.finding import Finding, failed, good, skipped, warned
from jobs.doctor.libraries import libraries
from jobs.secret_values import check_private
from jobs.settings_file import SECRETS
from jobs.sftp_access import private_key
from schemas.counted import counted
from schemas.errors import (
    KeyWeak,
    MitbatchError,
    NothingSwitchedOn,
    SecretMissing,
    SettingsWritable,
)
from schemas.profile import Profile
from schemas.settings import Settings

LEAST_RSA_BITS = 3072


def look_at_config(round_: Examination) -> Iterator[Finding]:
    """The settings file was read already; who may write it, the profile, the address, the switches, the libraries."""
    settings = round_.settings
    yield good("settings", f"{round_.config}: every key is known")
    yield _mode_of(round_.config)
    try:
        profile = load_profile(settings)
        yield good("profile", settings.provider.profile)
    except MitbatchError as problem:
        yield failed("profile", settings.provider.profile, problem)
    else:
        yield _environment(round_, profile)
    yield _switches(settings)
    yield libraries()


def _mode_of(config: Path) -> Finding:
    mode = stat.S_IMODE(config.stat().st_mode)
    if mode & 0o022:
        problem = SettingsWritable("Others can write the settings file.", next_step=f"Run: chmod go-w {config}")
        return failed("rights", f"mode {mode:04o}", problem)
    return good("rights", f"mode {mode:04o}: only its owner can write it")


def _environment(round_: Examination, profile: Profile) -> Finding:
    environment = round_.settings.environment
    try:
        check_environment(round_.settings, profile)
    except MitbatchError as problem:
        return failed("environment", environment, problem)
    return good("environment", f"{environment} at {round_.api_url}")


def _switches(settings: Settings) -> Finding:
    on = [name for name in ("mit", "cit_website", "cit_call_center") if getattr(settings.switches, name)]
    sites = [site.name for site in settings.sites if site.enabled]
    measured = f"{', '.join(on) or 'nothing'} on; {counted(len(sites), 'site')}: {', '.join(sites) or 'none enabled'}"
    if on and sites:
        return good("switches", measured)
    problem = NothingSwitchedOn(
        "No order would ever be sent.", next_step="Turn one on in [switches], and a site in [[sites]], of the settings file."
    )
    return warned("switches", measured, problem)


def look_at_secrets(round_: Examination) -> Iterator[Finding]:
    """Each secret: where it comes from, that only its owner can read it, that it is of use. None is ever shown."""
    settings = round_.settings
    for name in SECRETS:
        try:
            round_.around.secret(settings, name)
            yield good(name, _source(settings, name))
        except SecretMissing as problem:
            why = _not_needed(settings, name)
            yield skipped(name, why) if why else failed(name, _source(settings, name), problem)
        except MitbatchError as problem:
            yield failed(name, _source(settings, name), problem)
    if settings.sftp is not None:
        yield _own_key(settings.sftp.private_key)


def _source(settings: Settings, name: str) -> str:
    table = getattr(settings, SECRETS[name])
    file: Path | None = getattr(table, f"{name}_file")
    if file is not None:
        return _with_mode(file)
    return "from the environment" if getattr(table, name) is not None else "from the keyring"


def _with_mode(file: Path) -> str:
    return f"{file}, mode {stat.S_IMODE(file.stat().st_mode):04o}" if file.is_file() else str(file)


def _not_needed(settings: Settings, name: str) -> str:
    """Why a secret that is nowhere is not missed; empty where it is."""
    table = getattr(settings, SECRETS[name])
    if getattr(table, f"{name}_file") is not None:
        return ""
    if name == "tokenization_key":
        return "not set; only mitbatch tokenize needs it"
    if name == "subscriber_key" and not settings.webhook.public_host:
        return "not set; only mitbatch serve needs it"
    return ""


def _own_key(path: Path) -> Finding:
    try:
        key = private_key(check_private(path, "sftp.private_key"))
    except MitbatchError as problem:
        return failed("private_key", _with_mode(path), problem)
    measured = f"{path}: {key.get_name()}, {key.get_bits()} bits, {key.fingerprint}"
    if (key.get_name() == "ssh-rsa" and key.get_bits() < LEAST_RSA_BITS) or key.get_name() == "ssh-dss":
        weak = KeyWeak(
            f"The key {path} is too weak: {key.get_name()} of {key.get_bits()} bits.",
            next_step="Make a new one (ssh-keygen -t ed25519) and give its public half to the provider.",
        )
        return failed("private_key", measured, weak)
    return good("private_key", measured)
