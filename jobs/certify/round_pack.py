"""A round's evidence pack: what it says of itself, and the secrets that may stand nowhere in it."""

import platform
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version

from jobs.assembly import api_url, load_profile
from jobs.certify.accounts import MODES, account_of, settings_for
from jobs.certify.pack import Head
from jobs.certify.pack_folder import PackFolder, Written
from jobs.certify.round import Round
from jobs.clock import SystemClock
from jobs.settings_file import SECRETS
from jobs.surroundings import Surroundings
from schemas.errors import MitbatchError
from schemas.settings import Settings

LIBRARIES = ("paramiko", "httpx", "sqlalchemy", "cryptography")


def write_pack(settings: Settings, around: Surroundings, found: Round, asked: tuple[str, ...], began: datetime) -> Written:
    """Write what a round saw beside its scratch ledgers; `began` is by this machine's clock.

    Raises PackUnfit, CertificationChanged, FileNotWritten.
    """
    now = SystemClock().now()
    head = Head(
        run_id=found.run,
        environment=settings.environment,
        mid=settings.provider.mid,
        versions=versions(settings),
        provider=api_url(settings, load_profile(settings)),
        orders_lay=" ".join(f"{mode}: {where}." for mode, where in found.orders.items()) or "No orders were made.",
        started_at=found.started_at,
        ended_at=found.finished_at,
        made_at=now,
        seconds=(now - began).total_seconds(),
        asked=asked,
        has_mistakes=found.traces is not None,
    )
    folder = PackFolder(settings, around.disk)
    return folder.write(head, found.shown, folder=found.folder, secrets=secrets_of(settings, around, found))


def versions(settings: Settings) -> dict[str, str]:
    """What ran: this program, Python, the provider profile, and the libraries that speak to the provider."""
    own = {"mitbatch": version("mitbatch"), "python": platform.python_version(), "profile": settings.provider.profile}
    return {**own, **{name: version(name) for name in LIBRARIES}}


def secrets_of(settings: Settings, around: Surroundings, found: Round) -> set[str]:
    """Every secret of the merchant's own settings and of both accounts, and every payment token that the round got."""
    sides = [settings]
    sides += [
        settings_for(settings, mode, found.folder, settings.orders) for mode in MODES if account_of(settings, mode) is not None
    ]
    secrets = set(found.tokens)
    for side in sides:
        for name in SECRETS:
            with suppress(MitbatchError):  # one that is not set, or not to be read, cannot have come into the pack
                secrets.add(around.secret(side, name))
    return secrets
