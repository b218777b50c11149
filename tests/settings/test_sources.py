"""Where values and secrets come from, which source wins, and that no secret is ever shown."""

import sys
import traceback
from pathlib import Path
from types import ModuleType

import pytest
from pytest_mock import MockerFixture

from jobs.cli import run
from jobs.secret_values import secret
from jobs.settings_file import SECRETS, load_settings
from schemas.errors import ConfigurationError, SecretExposed, SecretMissing
from tests.settings.settings_folder import (
    APP_KEY,
    APP_SECRET,
    MID,
    SUBSCRIBER_KEY,
    TOKENIZATION_KEY,
    SettingsFolder,
    private_file,
)


class FakeKeyring(ModuleType):
    """The operating system's keyring, as the library `keyring` shows it."""

    def __init__(self, values: dict[tuple[str, str], str]) -> None:
        super().__init__("keyring")
        self.values = values

    def get_password(self, service: str, name: str) -> str | None:
        """The password of a service under a name."""
        return self.values.get((service, name))


def with_keyring(monkeypatch: pytest.MonkeyPatch, values: dict[tuple[str, str], str]) -> None:
    """Install a keyring with these values."""
    monkeypatch.setitem(sys.modules, "keyring", FakeKeyring(values))


def test_the_environment_overrides_the_file(fit: SettingsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key can be overridden by the environment, nested ones with two underscores, in any section."""
    monkeypatch.setenv("MITBATCH_SFTP__HOST", "sftp.example")
    monkeypatch.setenv("MITBATCH_SFTP__PORT", "2222")
    monkeypatch.setenv("MITBATCH_DATA_DIR", "/srv/mitbatch")
    monkeypatch.setenv("MITBATCH_GATE__CURRENCIES", '["EUR", "GBP"]')
    monkeypatch.setenv("MITBATCH_SWITCHES__MIT", "false")
    settings = load_settings(fit.config)

    assert settings.sftp is not None
    assert (settings.sftp.host, settings.sftp.port, settings.sftp.username) == ("sftp.example", 2222, "merchant")
    assert settings.data_dir == Path("/srv/mitbatch")
    assert settings.gate.currencies == ("EUR", "GBP")
    assert settings.switches.mit is False


def test_the_environment_may_hold_what_the_file_leaves_out(fit: SettingsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A required key, or a whole section, may stand in the environment alone."""
    fit.write(environment=None, orders=None)
    monkeypatch.setenv("MITBATCH_ENVIRONMENT", "sandbox")
    monkeypatch.setenv("MITBATCH_ORDERS__URL", "sqlite:////srv/orders.db")

    assert load_settings(fit.config).orders.url == "sqlite:////srv/orders.db"


def test_paths_are_relative_to_the_settings_file(fit: SettingsFolder) -> None:
    """Relative paths mean the settings file's folder, wherever the command was started."""
    fit.write(data_dir="var/../here", provider__profile="mine.toml", ledger__url="sqlite:///x/ledger.db")
    settings = load_settings(fit.config)

    assert settings.data_dir == fit.folder / "here"
    assert settings.sftp is not None
    assert settings.sftp.private_key == fit.folder / "id_ed25519"
    assert settings.sftp.known_hosts == fit.folder / "known_hosts"
    assert settings.provider.app_key_file == fit.folder / "app_key"
    assert settings.provider.app_secret_file == fit.folder / "app_secret"
    assert settings.webhook.subscriber_key_file == fit.folder / "subscriber_key"
    assert settings.provider.profile == str(fit.folder / "mine.toml")
    assert settings.orders.url == f"sqlite:///{fit.folder}/orders.db"
    assert settings.ledger.url == f"sqlite:///{fit.folder}/x/ledger.db"


def test_absolute_paths_stay(fit: SettingsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Absolute paths, a home folder and other databases' URLs are left as they are meant."""
    monkeypatch.setenv("HOME", "/home/ada")
    fit.write(data_dir="~/var", sftp__private_key="/etc/key", orders__url="postgresql+psycopg://h/d")
    settings = load_settings(fit.config)

    assert settings.data_dir == Path("/home/ada/var")
    assert settings.sftp is not None
    assert settings.sftp.private_key == Path("/etc/key")
    assert settings.orders.url == "postgresql+psycopg://h/d"


def test_a_settings_file_may_be_named_by_a_relative_path(fit: SettingsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A settings file that is named relative to the working folder still gives absolute paths."""
    monkeypatch.chdir(fit.folder.parent)

    assert load_settings(Path("merchant/mitbatch.toml")).data_dir == fit.folder / "var"


@pytest.mark.parametrize("name", SECRETS)
def test_a_secrets_file_comes_before_environment_and_keyring(
    name: str, fit: SettingsFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret is read from its file, without the line break at its end, whatever the environment and the keyring say."""
    monkeypatch.setenv(f"MITBATCH_{SECRETS[name].upper()}__{name.upper()}", "from-the-environment")
    with_keyring(monkeypatch, {(f"mitbatch:{MID}", name): "from-the-keyring"})

    values = {
        "app_key": APP_KEY,
        "app_secret": APP_SECRET,
        "tokenization_key": TOKENIZATION_KEY,
        "subscriber_key": SUBSCRIBER_KEY,
    }
    assert secret(load_settings(fit.config), name) == values[name]


@pytest.mark.parametrize("name", SECRETS)
def test_the_environment_comes_before_the_keyring(name: str, fit: SettingsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a file the environment's secret counts, and the keyring's only without both."""
    fit.write(**{f"{SECRETS[name]}__{name}_file": None})
    with_keyring(monkeypatch, {(f"mitbatch:{MID}", name): "from-the-keyring"})

    assert secret(load_settings(fit.config), name) == "from-the-keyring"
    monkeypatch.setenv(f"MITBATCH_{SECRETS[name].upper()}__{name.upper()}", "from-the-environment")
    assert secret(load_settings(fit.config), name) == "from-the-environment"


def test_an_empty_environment_variable_is_no_secret(fit: SettingsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is set to nothing does not count, and the keyring of another merchant neither."""
    fit.write(provider__app_key_file=None)
    monkeypatch.setenv("MITBATCH_PROVIDER__APP_KEY", "")
    with_keyring(monkeypatch, {("mitbatch:other", "app_key"): "theirs"})

    with pytest.raises(SecretMissing, match="MITBATCH_PROVIDER__APP_KEY"):
        secret(load_settings(fit.config), "app_key")


def test_without_the_keyring_library_it_is_passed_over(fit: SettingsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the keyring library gets the same sentence as one whose keyring is empty."""
    fit.write(provider__app_secret_file=None)
    monkeypatch.setitem(sys.modules, "keyring", None)

    with pytest.raises(SecretMissing, match="app_secret is not set"):
        secret(load_settings(fit.config), "app_secret")


def test_a_keyring_that_fails_is_one_sentence(
    fit: SettingsFolder, monkeypatch: pytest.MonkeyPatch, mocker: MockerFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A keyring that is locked or has no back end ends with 78 and a sentence, because cron has no desktop."""
    fit.write(provider__app_key_file=None)
    keyring = FakeKeyring({})
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    mocker.patch.object(keyring, "get_password", side_effect=RuntimeError("no back end"))

    assert run(["--config", str(fit.config), "nightly"]) == 78
    assert "provider.app_key" in capfd.readouterr().err
    assert not fit.ledger.exists()


def test_no_secret_is_shown_with_the_settings(fit: SettingsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings' text, their copy as plain values and as JSON hold no secret."""
    fit.write(provider__app_key_file=None, provider__app_secret_file=None)
    monkeypatch.setenv("MITBATCH_PROVIDER__APP_KEY", APP_KEY)
    monkeypatch.setenv("MITBATCH_PROVIDER__APP_SECRET", APP_SECRET)
    settings = load_settings(fit.config)
    shown = "\n".join([repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()])

    assert secret(settings, "app_secret") == APP_SECRET
    assert APP_KEY not in shown
    assert APP_SECRET not in shown


@pytest.mark.parametrize(
    "changes",
    [
        {"provider__app_key": APP_KEY},
        {"provider__app_secret": [APP_SECRET]},
        {"provider__app_kei": APP_KEY},
        {"webhook__subscriber_key": APP_KEY},
        {"provider__app_key_file": [APP_KEY]},
    ],
)
def test_no_secret_is_repeated_by_a_refusal(changes: dict[str, object], fit: SettingsFolder) -> None:
    """A settings file that holds a secret is refused in words, and with a trace, that do not repeat it."""
    fit.write(**changes)

    with pytest.raises(ConfigurationError) as refused:
        load_settings(fit.config)
    shown = str(refused.value) + "".join(traceback.format_exception(refused.value))
    assert APP_KEY not in shown
    assert APP_SECRET not in shown


@pytest.mark.parametrize("name", ["APP_KEY", "APP_SECRET"])
def test_no_secret_of_the_environment_is_repeated(
    name: str, fit: SettingsFolder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A refusal for another reason does not print the secrets that the environment holds."""
    monkeypatch.setenv(f"MITBATCH_PROVIDER__{name}", "a-secret-value")
    monkeypatch.setenv("MITBATCH_PROVIDER__MID", "no guid")

    assert run(["--config", str(fit.config), "--verbose", "nightly"]) == 78
    assert "a-secret-value" not in "".join(capfd.readouterr())


def test_a_secret_that_others_can_read_is_not_even_read(fit: SettingsFolder) -> None:
    """A secret file with an open mode is refused by name, mode and the command that mends it."""
    path = private_file(fit.folder / "app_key", b"open", 0o604)

    with pytest.raises(SecretExposed, match=rf"{path} .*0604.*chmod 600 {path}"):
        secret(load_settings(fit.config), "app_key")
