"""Reading one merchant's settings: the TOML file, then the environment over it, with paths relative to the file.

Every key can be overridden by the environment (`MITBATCH_SFTP__HOST`). Secrets are never in the file itself: they come
from a file named by `<key>_file`, else from the environment, else from the operating system's keyring.
"""

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from schemas.errors import ConfigurationError, PathMissing, SecretExposed, UnknownSetting
from schemas.settings import CertifySettings, ProviderSettings, Settings, SftpSettings

SECRETS = {
    "app_key": "provider",
    "app_secret": "provider",
    "tokenization_key": "provider",
    "subscriber_key": "webhook",
}
"""Every secret, and the section of the settings that it belongs to."""
PREFIX = "MITBATCH_"
NOT_SETTINGS = frozenset({"MITBATCH_CONFIG"})


class _FromEnvironment(Settings, BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, hide_input_in_errors=True
    )


def load_settings(path: Path) -> Settings:
    """The settings in this file and in the environment, checked. Raises ConfigurationError or one of its kinds."""
    if not path.is_file():
        raise PathMissing(
            f"There is no settings file {path}.",
            next_step="Name it with --config FILE or MITBATCH_CONFIG, or make one: mitbatch init",
        )
    try:
        with path.open("rb") as stream:
            from_file = tomllib.load(stream)
    except (ValueError, RecursionError) as error:  # besides its own kind: no UTF-8, endless digits, endless nesting
        raise ConfigurationError(f"{path} is not TOML: {error}.") from error
    for name, section in SECRETS.items():
        table = from_file.get(section)
        if isinstance(table, dict) and name in table:
            raise SecretExposed(
                f"{path} holds {section}.{name} itself.",
                next_step=f"Put it into a file of mode 0600 and name that in {section}.{name}_file.",
            )
    try:
        settings = Settings.model_validate(_merged(from_file, _environment()))
    except ValidationError as error:
        raise validation_sentence(error, path) from error
    return _with_paths(settings, path.resolve().parent)


def _environment() -> dict[str, Any]:
    """What the environment overrides. Raises UnknownSetting for a variable of ours that names no key."""
    ours = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in NOT_SETTINGS)
    for name in ours:
        parts = tuple(name.removeprefix(PREFIX).lower().split("__"))
        section: type[BaseModel] | None = Settings
        for depth, part in enumerate(parts):
            if section is None or section.model_config.get("extra") != "forbid":
                break
            if part not in section.model_fields:
                near = _nearest(parts[: depth + 1])
                raise UnknownSetting(f"The variable {name} in the environment names no setting{near}.")
            section = _inner(section, part)
    try:
        return EnvSettingsSource(_FromEnvironment)()
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"A variable in the environment cannot be read; it is one of {', '.join(ours)}.",
            next_step="Lists are written as JSON, for example MITBATCH_GATE__CURRENCIES='[\"USD\"]'.",
        ) from error


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        old = merged.get(name)
        merged[name] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _with_paths(settings: Settings, folder: Path) -> Settings:
    def absolute(path: Path) -> Path:
        return Path(os.path.normpath(folder / path.expanduser()))

    def with_files(name: str) -> Any:  # noqa: ANN401 - the section of that name
        section = getattr(settings, name)
        files = {f"{secret}_file" for secret, home in SECRETS.items() if home == name}
        return section.model_copy(update={key: absolute(file) for key in files if (file := getattr(section, key)) is not None})

    urls = {name: _absolute_url(getattr(settings.orders, name), folder) for name in ("url", "admin_url")}
    orders = settings.orders.model_copy(update=urls)
    ledger = settings.ledger.model_copy(update={"url": _absolute_url(settings.ledger.url, folder)})
    return settings.model_copy(
        update={
            "data_dir": absolute(settings.data_dir),
            "provider": _with_profile(with_files("provider"), folder),
            "webhook": with_files("webhook"),
            "sftp": _server_with_paths(settings.sftp, absolute),
            "certify": _accounts_with_paths(settings.certify, absolute),
            "orders": orders,
            "ledger": ledger,
        }
    )


def _server_with_paths(sftp: SftpSettings | None, absolute: Callable[[Path], Path]) -> SftpSettings | None:
    if sftp is None:
        return None
    return sftp.model_copy(update={"private_key": absolute(sftp.private_key), "known_hosts": absolute(sftp.known_hosts)})


def _accounts_with_paths(certify: CertifySettings, absolute: Callable[[Path], Path]) -> CertifySettings:
    found: dict[str, Any] = {}
    for name in ("managed", "sync"):
        account = getattr(certify, name)
        if account is None:
            continue
        files = {key: absolute(getattr(account, key)) for key in type(account).model_fields if key.endswith("_file")}
        server = {"sftp": _server_with_paths(account.sftp, absolute)} if name == "managed" else {}
        found[name] = account.model_copy(update={**files, **server})
    return certify.model_copy(update=found)


def _with_profile(provider: ProviderSettings, folder: Path) -> ProviderSettings:
    is_path = provider.profile.endswith(".toml")
    return provider.model_copy(update={"profile": str(folder / provider.profile)}) if is_path else provider


def _absolute_url(url: str, folder: Path) -> str:
    prefix = "sqlite:///"
    path = url.removeprefix(prefix)
    if not url.startswith(prefix) or path.startswith(("/", ":memory:")) or not path:
        return url
    return prefix + os.path.normpath(folder / path)


def validation_sentence(error: ValidationError, path: Path) -> ConfigurationError:
    """What is wrong with the settings of a file, in one sentence that names each key."""
    sentences, unknown = [], False
    for fault in error.errors(include_url=False, include_input=False):
        key = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            unknown = True
            sentences.append(f"nothing knows the key {key}{_nearest(fault['loc'])}")
        elif fault["type"] == "missing":
            sentences.append(f"{key} is missing")
        else:
            sentences.append(f"{key or 'the settings'}: {fault['msg'].removeprefix('Value error, ')}")
    kind = UnknownSetting if unknown else ConfigurationError
    return kind(f"{path}: {'; '.join(sentences)}.", next_step="Correct it; every key: mitbatch help settings")


def _nearest(location: tuple[int | str, ...]) -> str:
    section: type[BaseModel] | None = Settings
    for part in location[:-1]:
        if isinstance(part, str) and section is not None:
            section = _inner(section, part)
    names = list(section.model_fields) if section is not None else []
    near = difflib.get_close_matches(str(location[-1]), names, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _inner(section: type[BaseModel], name: str) -> type[BaseModel] | None:
    field = section.model_fields.get(name)
    candidates = [field.annotation, *getattr(field.annotation, "__args__", ())] if field is not None else []
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel)), None)
