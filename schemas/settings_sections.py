"""The sections of the settings file, one class each; `schemas.settings` puts them together."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from schemas.order import INTEGER_COLUMNS, OPTIONAL_COLUMNS, READ_COLUMNS, RETRY_COLUMN, WRITTEN_COLUMNS

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?$"
CronExpression = Annotated[str, Field(pattern=r"^(\S+( +\S+){4})?$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Section(BaseModel):
    """One table of the settings file: a key that it does not know is refused, and no message repeats a value."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ProviderSettings(Section):
    """Who we are at the provider (CONTRACT 1). Secrets come from files, the environment, or the keyring."""

    mid: str
    api_url: str = ""
    mit_mode: Literal["managed", "sync"] = "managed"
    sync_period_days: int = Field(default=21, ge=1, le=60)
    expiry_days: int = Field(default=21, ge=1, le=60)
    insist_on_short_expiry: bool = False
    profile: str = "flexfactor"
    app_key: SecretStr | None = None
    app_secret: SecretStr | None = None
    tokenization_key: SecretStr | None = None
    app_key_file: Path | None = None
    app_secret_file: Path | None = None
    tokenization_key_file: Path | None = None

    @field_validator("mid")
    @classmethod
    def _guid(cls, value: str) -> str:
        try:
            return str(UUID(value))
        except ValueError as error:
            raise ValueError("must be the GUID that the provider gave you") from error

    @model_validator(mode="after")
    def _two_weeks(self) -> Self:
        if self.expiry_days < 14 and not self.insist_on_short_expiry:
            raise ValueError(
                "expiry_days is under the provider's minimum of 14 (CONTRACT 7.1); set insist_on_short_expiry if meant"
            )
        return self


class SftpSettings(Section):
    """How to reach the provider's SFTP server (CONTRACT 6). The host key is pinned by the known_hosts file.
    Who sends everything by calls (channels.evaluate = "api", transmit = "api" or "off") needs none of it.
    """

    host: str
    port: int = Field(default=22, ge=1, le=65535)
    username: str
    private_key: Path
    known_hosts: Path
    inbound: str = "inbound"
    outbound: str = "outbound"
    transports: int = Field(default=2, ge=1, le=16)
    channels: int = Field(default=4, ge=1, le=16)
    deadline_seconds: float = Field(default=120, gt=0)


class ChannelSettings(Section):
    """By which way records travel, files or calls (CONTRACT 5, 6, 7), and in which format of CONTRACT 6.4 as files.

    `max_rows_per_file` is also the most orders of one group of calls.
    """

    evaluate: Literal["sftp", "api"] = "sftp"
    transmit: Literal["sftp", "api", "off"] = "sftp"
    evaluate_format: Literal["json", "csv"] = "json"
    transmit_format: Literal["csv", "json"] = "csv"
    max_rows_per_file: int = Field(default=2000, ge=1, le=2000)


class LedgerSettings(Section):
    """Where the ledger lives: `sqlite:///` and a path, or `postgresql+psycopg://`."""

    url: str = "sqlite:///var/ledger.db"


class OrdersSettings(Section):
    """The order tracking system: its database, its table, and its column names where they differ from ours.

    `admin_url` is a login that may write more than the pipeline's own seven columns, for the commands that do.
    """

    url: str
    admin_url: str = ""
    table: str = Field(default="orders", pattern=_IDENTIFIER)
    columns: dict[str, Annotated[str, Field(pattern=_IDENTIFIER)]] = Field(default_factory=dict)

    @field_validator("columns")
    @classmethod
    def _known(cls, value: dict[str, str]) -> dict[str, str]:
        known = {*READ_COLUMNS, *OPTIONAL_COLUMNS, *WRITTEN_COLUMNS, RETRY_COLUMN, *INTEGER_COLUMNS}
        if unknown := sorted(set(value) - known):
            raise ValueError(f"no column of ours is called {', '.join(unknown)}")
        return value


class SwitchSettings(Section):
    """Which kinds of order are sent; outcomes are collected either way."""

    mit: bool = True
    cit_website: bool = False
    cit_call_center: bool = False


class SiteSettings(Section):
    """One site with its descriptor at the provider (CONTRACT 16)."""

    name: str = Field(min_length=1)
    site_id: str
    site_url: str = ""
    descriptor: str = ""
    enabled: bool = True

    @field_validator("site_id")
    @classmethod
    def _guid(cls, value: str) -> str:
        try:
            return str(UUID(value))
        except ValueError as error:
            raise ValueError("must be the GUID that the provider gave this site") from error


class GateSettings(Section):
    """What may be handed over. Ages are hours, amounts minor units of each currency."""

    max_decline_age_hours: int = Field(default=24, ge=1, le=168)
    network_rules: bool = True
    max_attempts_30d: int = Field(default=15, ge=1)
    currencies: tuple[Currency, ...] = ("USD",)
    min_amount_minor: int = Field(default=1, ge=1)
    max_amount_minor: int = Field(default=10_000_000, ge=1)
    send_expired_cards: bool = True
    pan_exempt: tuple[str, ...] = ()

    @field_validator("pan_exempt")
    @classmethod
    def _id_columns_only(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not (name.endswith("_id") and name in {*READ_COLUMNS, *OPTIONAL_COLUMNS}):
                raise ValueError(f"{name} is not an id column of ours")
        return value


class OutcomeSettings(Section):
    """How long to wait for answers, how often to ask, and by which call; whether a row of an outcomes file is believed."""

    ask: Literal["orders", "outcome", "off"] = "orders"
    trust_files: bool = False
    ingest_window_seconds: int = Field(default=3600, ge=0)
    min_poll_interval_seconds: int = Field(default=300, ge=0)
    listing_from: int = Field(default=500, ge=1)
    acknowledgement_wait_seconds: float = Field(default=60, ge=0)
    expiry_grace_seconds: int = Field(default=86400, ge=0)

    @model_validator(mode="after")
    def _hears_something(self) -> Self:
        if self.ask == "off" and not self.trust_files:
            raise ValueError('ask = "off" needs trust_files = true: nothing else would ever end an order')
        return self


class WritebackSettings(Section):
    """What the order row shows when the provider gave up: the hold is released, or kept."""

    on_not_recovered: Literal["release", "keep"] = "release"


class ScheduleSettings(Section):
    """The merchant's time zone, in which a business date is a calendar date, and when `schedule` runs each job there."""

    timezone: str = "America/New_York"
    nightly: CronExpression = "30 1 * * *"
    poll: CronExpression = "*/15 * * * *"
    transmit: CronExpression = "0 * * * *"
    reconcile: CronExpression = "0 6 * * *"

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError) as error:
            raise ValueError("is not a time zone of the IANA database, such as America/New_York") from error
        return value


class AlertsSettings(Section):
    """Who hears how a night went: addresses of a dead man's switch that speaks healthchecks.io's protocol.

    They are as good as passwords: nothing prints them whole.
    """

    ping_url: str = Field(default="", repr=False)
    attention_url: str = Field(default="", repr=False)

    @field_validator("ping_url", "attention_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError("is not a full URL such as https://hc-ping.com/your-uuid")
        return value


class AuditSettings(Section):
    """How finance's CSV is written: both marks are chosen together."""

    delimiter: Literal[",", ";"] = ","
    decimal: Literal[".", ","] = "."

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.delimiter == self.decimal:
            raise ValueError("delimiter and decimal are the same mark; use ';' with ','")
        return self


class LeaseSettings(Section):
    """How long a run of another machine keeps the lease without a sign of life, and how long a nightly waits for it."""

    seconds: int = Field(default=900, ge=1)
    wait_seconds: float = Field(default=600, ge=0)


class ReviewSettings(Section):
    """By when a person should have looked at an item, in business days."""

    due_business_days: int = Field(default=3, ge=0)


LEAST_ANSWER_DAYS = 120
"""What the provider said of an order is kept so long after its end at least: no verification takes less for right."""


class RetentionSettings(Section):
    """How long is kept what nothing depends on any more, in days.

    `webhook_days`: the inbox's own copy of a webhook that was applied, with its nonce. No replay is taken after it has gone:
    one is believed for five minutes around its signed date (CONTRACT 12), and two days also bear a clock that jumps.
    `sent_days`: the rows that were sent, with names, addresses and payment tokens, counted from the end of an order; which
    order, amount and currency stay, as does everything that happened. `answer_days`: what the provider said, word for word, which
    may name customers, counted from the end of all orders that it is about; its SHA-256 stays. Some disputes can be raised up
    to 540 days after a charge: the default leaves two months more to answer them. `log_days`: files of the log. PCI DSS 10.5.1
    asks for twelve months.
    """

    webhook_days: int = Field(default=30, ge=2)
    sent_days: int = Field(default=30, ge=7)
    answer_days: int = Field(default=600, ge=LEAST_ANSWER_DAYS, le=36_500)
    log_days: int = Field(default=400, ge=1)


class LogSettings(Section):
    """What the log in `data_dir` holds besides runs, stages and problems: each change of an order, unless `orders` is off."""

    orders: bool = True


class WebhookSettings(Section):
    """Where webhooks come in (CONTRACT 12): the address that `serve` listens on, and the host that the provider signs for.

    `public_host` is the host of the address that was given to the provider, with its port unless that is 443.
    """

    listen: str = Field(default="127.0.0.1:8080", pattern=r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$")
    public_host: str = ""
    subscriber_key: SecretStr | None = None
    subscriber_key_file: Path | None = None

    @field_validator("listen")
    @classmethod
    def _a_port(cls, value: str) -> str:
        if int(value.rpartition(":")[2]) > 65535:
            raise ValueError("is not host:port, such as 127.0.0.1:8080")
        return value

    @field_validator("public_host")
    @classmethod
    def _a_host(cls, value: str) -> str:
        host = value.lower()
        if not host:
            return ""
        shape = re.fullmatch(r"(?:\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(?::([0-9]{1,5}))?", host)
        if shape is None or shape[2] == "443" or int(shape[2] or 0) > 65535:
            raise ValueError("is not a host such as hooks.acme.example, without scheme and path, without the port 443")
        return host

    @property
    def is_loopback(self) -> bool:
        """Whether the provider is told an address on this machine, which only a pretend one can reach."""
        return urlsplit(f"//{self.public_host}").hostname in LOOPBACK_HOSTS


def guid(value: str, otherwise: str) -> str:
    """A GUID as it is written everywhere. Raises ValueError with these words for another text."""
    try:
        return str(UUID(value))
    except ValueError as error:
        raise ValueError(otherwise) from error
