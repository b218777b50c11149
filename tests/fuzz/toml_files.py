"""Fuzzed settings files and provider profiles: a sentence that names the key, never a crash."""

from functools import cache
from pathlib import Path

from jobs.settings_file import load_settings
from schemas.decline_codes import GROUPS, parse_decline_codes
from schemas.errors import ConfigurationError
from schemas.network_rules import parse_network_rules
from schemas.profile import parse_profile
from tests.fuzz.dice import Dice, shows_card
from tests.fuzz.targets import Judged, Target
from tests.in_memory import private_folder
from tests.pure.samples import MID, SITE_ID, packaged

SETTINGS_TEXT = f"""environment = "sandbox"
[provider]
mid = "{MID}"
[sftp]
host = "127.0.0.1"
username = "acme"
private_key = "key"
known_hosts = "hosts"
[orders]
url = "sqlite:///orders.db"
[gate]
max_amount_minor = 20000
[[sites]]
name = "acme-us"
site_id = "{SITE_ID}"
"""
"""Settings that are whole."""

_VALUES = (
    "[" * 2000,
    "9" * 5000,
    "99999999999999999999",
    "nan",
    "1e400",
    "1979-05-27",
    "{}",
    "[]",
    '""',
    "true",
    "-1",
    '"\\ud800"',
    "'''",
)


@cache
def _place() -> Path:
    return private_folder("fuzz") / "mitbatch.toml"


def _spoilt(dice: Dice, text: str) -> bytes:
    lines = text.splitlines()
    if dice.one_in(2):
        places = [number for number, line in enumerate(lines) if "=" in line]
        place = dice.choice(places)
        name = lines[place].partition("=")[0]
        lines[place] = f"{name}= {dice.choice(_VALUES)}" if dice.one_in(2) else f"{name.strip()}x = 1"
        return "\n".join(lines).encode()
    return dice.mutated(text.encode())


def _judge_settings(content: bytes) -> Judged:
    path = _place()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    try:
        settings = load_settings(path)
    except ConfigurationError as error:
        return Judged(["a card number is shown"] if shows_card(str(error)) else [], is_deep="not TOML" not in str(error))
    finally:
        path.unlink()
        path.parent.rmdir()
    whole = type(settings.gate.max_amount_minor) is int and bool(settings.sites) and settings.data_dir.is_absolute()
    return Judged([] if whole else ["settings are taken that are not whole"], is_deep=True)


def _judge_profile(content: bytes) -> Judged:
    try:
        found = parse_profile(content.decode("utf-8", "replace"))
    except ConfigurationError as error:
        return Judged([], is_deep="not TOML" not in str(error))
    return Judged([] if 1 <= found.files.max_rows <= 2000 else ["a profile is taken that breaks a limit"], is_deep=True)


def _judge_codes(content: bytes) -> Judged:
    try:
        found = parse_decline_codes(content.decode("utf-8", "replace"))
    except ConfigurationError as error:
        return Judged([], is_deep="not TOML" not in str(error))
    groups = {*found.exact.values(), *(group for ranges in found.ranges.values() for _, _, group in ranges)}
    return Judged([] if groups <= GROUPS else ["a code gets a name that nobody knows"], is_deep=True)


def _judge_rules(content: bytes) -> Judged:
    try:
        parse_network_rules(content.decode("utf-8", "replace"))
    except ConfigurationError as error:
        return Judged([], is_deep="not TOML" not in str(error))
    return Judged([], is_deep=True)


CODES = Target("codes", lambda dice: _spoilt(dice, packaged("decline_codes.toml")), _judge_codes)
RULES = Target("rules", lambda dice: _spoilt(dice, packaged("network_rules.toml")), _judge_rules)
SETTINGS = Target("settings", lambda dice: _spoilt(dice, SETTINGS_TEXT), _judge_settings)
PROFILE = Target("profile", lambda dice: _spoilt(dice, packaged("profiles/flexfactor.toml")), _judge_profile)
