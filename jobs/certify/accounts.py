"""The settings of a certification: the merchant's own, with an account for it, a scratch ledger and scratch orders."""

from pathlib import Path
from typing import Literal

from schemas.errors import CertifyOnlyInSandbox
from schemas.settings import CertifyAccountSettings, OrdersSettings, Settings, SiteSettings, SwitchSettings

Mode = Literal["managed", "sync"]
MODES: tuple[Mode, ...] = ("managed", "sync")


def check_sandbox(settings: Settings) -> None:
    """Refuse settings of production: a certification makes orders of its own, and those are real there."""
    if settings.environment != "sandbox":
        raise CertifyOnlyInSandbox("The settings say production, and a certification sends orders of its own.")


def account_of(settings: Settings, mode: Mode) -> CertifyAccountSettings | None:
    """The account that the settings name for this mode. A managed one without any SFTP server is none: its files go nowhere."""
    if mode == "sync":
        return settings.certify.sync
    account = settings.certify.managed
    return account if account is not None and (account.sftp or settings.sftp) is not None else None


def settings_for(settings: Settings, mode: Mode, folder: Path, orders: OrdersSettings) -> Settings:
    """The merchant's settings with this account, its ledger and files in the folder, and these orders; all kinds are on."""
    account = account_of(settings, mode)
    assert account is not None  # noqa: S101 - asked for before
    way = "sftp" if mode == "managed" else "api"
    own = settings.certify.managed.sftp if settings.certify.managed is not None else None
    keys = {name: getattr(account, name) for name in ("mid", "app_key_file", "app_secret_file", "tokenization_key_file")}
    provider = {**keys, "mit_mode": mode, "app_key": None, "app_secret": None, "tokenization_key": None}
    known = {site.name: site for site in settings.sites}
    sites = [
        known.get(name, SiteSettings(name=name, site_id=site_id)).model_copy(update={"site_id": site_id, "enabled": True})
        for name, site_id in account.sites.items()
    ]
    changed = {
        "data_dir": folder,
        "ledger": settings.ledger.model_copy(update={"url": f"sqlite:///{folder / 'ledger.db'}"}),
        "orders": orders,
        "provider": settings.provider.model_copy(update=provider),
        "sftp": (own or settings.sftp) if mode == "managed" else None,
        "channels": settings.channels.model_copy(update={"evaluate": way, "transmit": way}),
        "switches": SwitchSettings(mit=True, cit_website=True, cit_call_center=True),
        "sites": tuple(sites),
        "outcomes": settings.outcomes.model_copy(update={"ask": "orders", "min_poll_interval_seconds": 0}),
    }
    return settings.model_copy(update=changed)
