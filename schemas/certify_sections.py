"""The sections of the settings file that `mitbatch certify` reads: the accounts with which it shows the launch checklist."""

from pathlib import Path

from pydantic import Field, field_validator

from schemas.settings_sections import Section, SftpSettings, guid


class CertifyAccountSettings(Section):
    """One account at the provider's sandbox with which `mitbatch certify` shows items; `sites` are its site ids by name."""

    mid: str
    app_key_file: Path
    app_secret_file: Path
    tokenization_key_file: Path
    sites: dict[str, str] = Field(min_length=1)

    @field_validator("mid")
    @classmethod
    def _guid(cls, value: str) -> str:
        return guid(value, "must be the GUID that the provider gave you")

    @field_validator("sites")
    @classmethod
    def _guids(cls, value: dict[str, str]) -> dict[str, str]:
        return {name: guid(site_id, "must be the GUID that the provider gave this site") for name, site_id in value.items()}


class CertifyManagedSettings(CertifyAccountSettings):
    """The account whose files the provider works on; without a server of its own here it uses that of [sftp]."""

    sftp: SftpSettings | None = None


class CertifySyncSettings(CertifyAccountSettings):
    """The account whose calls the provider answers at once."""


class CertifySettings(Section):
    """With which accounts of the provider's sandbox `mitbatch certify` shows the launch checklist.

    A group whose account is missing is not applicable, never passed. `max_wait_seconds` bounds the wait for an outcome;
    `sense_key` is what a page of yours with the provider's widget was given, where the advanced integration needs one.
    """

    max_wait_seconds: int = Field(default=600, ge=1, le=86400)
    sense_key: str = Field(default="", max_length=256)
    managed: CertifyManagedSettings | None = None
    sync: CertifySyncSettings | None = None
