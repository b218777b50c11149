"""The settings of one merchant: what each key means, its default, and what is refused. `schemas/SETTINGS.md` lists them all."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from schemas.certify_sections import CertifyAccountSettings as CertifyAccountSettings
from schemas.certify_sections import CertifySettings as CertifySettings
from schemas.settings_sections import LOOPBACK_HOSTS, Section
from schemas.settings_sections import AlertsSettings as AlertsSettings
from schemas.settings_sections import AuditSettings as AuditSettings
from schemas.settings_sections import ChannelSettings as ChannelSettings
from schemas.settings_sections import GateSettings as GateSettings
from schemas.settings_sections import LeaseSettings as LeaseSettings
from schemas.settings_sections import LedgerSettings as LedgerSettings
from schemas.settings_sections import LogSettings as LogSettings
from schemas.settings_sections import OrdersSettings as OrdersSettings
from schemas.settings_sections import OutcomeSettings as OutcomeSettings
from schemas.settings_sections import ProviderSettings as ProviderSettings
from schemas.settings_sections import RetentionSettings as RetentionSettings
from schemas.settings_sections import ReviewSettings as ReviewSettings
from schemas.settings_sections import ScheduleSettings as ScheduleSettings
from schemas.settings_sections import SftpSettings as SftpSettings
from schemas.settings_sections import SiteSettings as SiteSettings
from schemas.settings_sections import SwitchSettings as SwitchSettings
from schemas.settings_sections import WebhookSettings as WebhookSettings
from schemas.settings_sections import WritebackSettings as WritebackSettings


class Settings(Section):
    """Everything that one merchant sets. Paths are absolute once loaded; see `jobs.settings_file` for where they come from."""

    environment: Literal["sandbox", "production"]
    data_dir: Path = Path("var")
    progress_interval_seconds: float = Field(default=300, gt=0)
    provider: ProviderSettings
    sftp: SftpSettings | None = None
    channels: ChannelSettings = ChannelSettings()
    ledger: LedgerSettings = LedgerSettings()
    orders: OrdersSettings
    switches: SwitchSettings = SwitchSettings()
    sites: tuple[SiteSettings, ...] = Field(min_length=1)
    gate: GateSettings = GateSettings()
    outcomes: OutcomeSettings = OutcomeSettings()
    writeback: WritebackSettings = WritebackSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    alerts: AlertsSettings = AlertsSettings()
    audit: AuditSettings = AuditSettings()
    lease: LeaseSettings = LeaseSettings()
    review: ReviewSettings = ReviewSettings()
    retention: RetentionSettings = RetentionSettings()
    log: LogSettings = LogSettings()
    webhook: WebhookSettings = WebhookSettings()
    certify: CertifySettings = CertifySettings()

    @model_validator(mode="after")
    def _no_loopback_webhooks(self) -> Self:
        if self.environment == "production" and self.webhook.public_host and self.webhook.is_loopback:
            raise ValueError("webhook.public_host must not be loopback in production")
        return self

    @model_validator(mode="after")
    def _one_name_per_site(self) -> Self:
        names = [site.name for site in self.sites]
        if len(set(names)) != len(names):
            raise ValueError("two sites have the same name")
        return self

    @model_validator(mode="after")
    def _files_need_a_server(self) -> Self:
        if self.sftp is not None:
            return self
        files = [name for name in ("evaluate", "transmit") if getattr(self.channels, name) == "sftp"]
        if files:
            raise ValueError(f'channels.{files[0]} = "sftp" needs the section [sftp]; who sends by calls sets it to "api"')
        if self.outcomes.ask == "off":
            raise ValueError('outcomes.ask = "off" needs the section [sftp]: only files would ever end an order')
        return self

    @model_validator(mode="after")
    def _sync_needs_calls(self) -> Self:
        if self.provider.mit_mode == "sync" and self.channels.evaluate != "api":
            raise ValueError(
                'provider.mit_mode = "sync" needs channels.evaluate = "api": answers to files are never at once (CONTRACT 6.1)'
            )
        return self

    @model_validator(mode="after")
    def _no_plain_http(self) -> Self:
        parts = urlsplit(self.provider.api_url)
        if not self.provider.api_url:
            return self
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("provider.api_url must be a full URL such as https://api.example/v1/")
        loopback = parts.hostname in LOOPBACK_HOSTS
        if self.environment == "production" and (parts.scheme == "http" or loopback):
            raise ValueError("provider.api_url must be https and not loopback in production")
        if parts.scheme == "http" and not loopback:
            raise ValueError("provider.api_url may be plain http only for a loopback address in the sandbox environment")
        return self
