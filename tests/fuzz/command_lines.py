"""Fuzzed command lines, `--date` texts and environments: done as they say or refused with a sentence, never an internal error."""

import contextlib
import io
import json
import os
import re
from functools import cache
from pathlib import Path
from unittest import mock

from sqlalchemy import create_engine

from jobs.cli import run
from jobs.databases import open_ledger
from jobs.night import checked_date
from jobs.sample_orders import orders as orders_table
from jobs.settings_file import load_settings
from schemas.errors import ConfigurationError, UsageRefused
from tests.fuzz.dice import Dice
from tests.fuzz.targets import Judged, Target
from tests.fuzz.toml_files import SETTINGS_TEXT
from tests.in_memory import private_folder
from tests.night.house import order
from tests.pure.samples import NOW, settings

_WORDS = (
    "nightly poll rerun transmit status explain holds list check view help exit-codes --date --dry-run --batch --all --json"
    " --quiet --verbose --no-color --version --help --create --config -h -- - = 000471 2026-11-23 MB-USAGE too_old pending"
).split()
_FIRST = ("nightly", "poll", "rerun", "transmit", "status", "explain", "holds", "help")
_WHOLE = (
    "holds check ?",
    "explain ?",
    "status",
    "holds list",
    "holds view",
    "audit verify",
    "nightly --dry-run --date ?",
    "rerun --date ?",
    "poll",
)
_CODES = {0, 2, 10, 11, 20, 21, 30, 78}
_DATES = (
    "2026-11-23",
    "2026-11-24",
    "20261123",
    "2026-W48-1",
    "2026-W481",
    "2026-11-23T00:00:00",
    "2026-02-29",
    "0001-01-01",
    "9999-12-31",
    "2026-1-1",
    " 2026-11-23",
    "2026-11-23\n",
    "٢٠٢٦-١١-٢٣",
    "２０２６-11-23",
    "today",
    "-1",
)
_VARIABLES = (
    "MITBATCH_SFTP__PORT",
    "MITBATCH_SFTP__HOST",
    "MITBATCH_GATE__CURRENCIES",
    "MITBATCH_GATE__MAX_AMOUNT_MINOR",
    "MITBATCH_ORDERS__COLUMNS",
    "MITBATCH_ORDERS__COLUMNS__EMAIL",
    "MITBATCH_SITES",
    "MITBATCH_SITES__0__NAME",
    "MITBATCH_SWITCHES__MIT",
    "MITBATCH_ENVIRONMENT",
    "MITBATCH_SCHEDULE__TIMEZONE",
    "MITBATCH_PROVIDER__APP_KEY",
    "MITBATCH_PROVIDER__API_URL",
    "MITBATCH_DATA_DIR",
    "MITBATCH_",
    "MITBATCH___",
    "MITBATCH_GATE",
    "MITBATCH_SFTP__PORT__X",
    "MITBATCH_LEDGER__URL",
)
_TEXTS = (
    "",
    "0",
    "-1",
    "22",
    "[]",
    "{}",
    '["USD"]',
    "[" * 3000,
    "9" * 5000,
    "nan",
    "true",
    "null",
    '"',
    '{"a": 1}',
    "1e400",
    "../x",
)


@cache
def _place() -> Path:
    """A folder in memory that holds nothing but, sometimes, a settings file."""
    return private_folder("fuzz")


@cache
def _house() -> Path:
    """The settings of a merchant with a ledger and one order, but without keys: what only looks works, nothing is sent."""
    folder = _place() / "house"
    folder.mkdir()
    engine = create_engine(f"sqlite:///{folder / 'orders.db'}")
    orders_table.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(orders_table.insert(), [order()])
    engine.dispose()
    open_ledger(f"sqlite:///{folder / 'var' / 'ledger.db'}").dispose()
    (folder / "mitbatch.toml").write_text(SETTINGS_TEXT, encoding="utf-8")
    return folder / "mitbatch.toml"


def _possible(text: str) -> str:
    """The text as an operating system would hand it over."""
    return re.sub("[\x00\ud800-\udc7f\udd00-\udfff]", "", text)


def _made_line(dice: Dice) -> bytes:
    if dice.one_in(2):
        odd = dice.choice(_WORDS) if dice.one_in(3) else _possible(dice.text())
        words = [odd if word == "?" else word for word in dice.choice(_WHOLE).split()]
        return json.dumps([word for word in words if word not in {"demo", "sandbox"}]).encode()
    words = [dice.choice(_FIRST)] if not dice.one_in(6) else []
    more = dice.randint(0, 4)
    words += [dice.choice(_WORDS) if not dice.one_in(3) else _possible(dice.odd_text()) for _ in range(more)]
    words = [word for word in words if word not in {"demo", "sandbox"}]  # those would start servers
    return json.dumps(words).encode()


def _judge_line(content: bytes) -> Judged:
    try:
        words = [str(word) for word in json.loads(content)]
    except (ValueError, TypeError):
        return Judged([], is_deep=False)
    if {"demo", "sandbox"} & set(words):
        return Judged([], is_deep=False)
    out, err = io.StringIO(), io.StringIO()
    config = {"MITBATCH_CONFIG": str(_house())}
    before = _names()
    with (
        mock.patch.dict(os.environ, config),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        contextlib.chdir(_place()),
    ):
        code = run(words)
    complaints = [] if code in _CODES else [f"a command line ends with {code}"]
    if "Traceback" in err.getvalue():
        complaints.append("a trace is shown")
    if re.search("[\x00-\x08\x0b-\x1f\x7f]", err.getvalue()):
        complaints.append("a refusal shows control characters")
    if code == 2 and not err.getvalue().strip():
        complaints.append("a command line is refused without a word")
    if _names() != before:
        complaints.append("a command line leaves something behind")
    return Judged(complaints, is_deep=code != 2)


def _names() -> set[str]:
    kept = {path.name for path in _place().rglob("*") if not path.name.endswith(("-wal", "-shm", "-journal"))}
    return kept - {"environment.toml"}


def _made_date(dice: Dice) -> bytes:
    text = dice.choice(_DATES) if not dice.one_in(4) else dice.odd_text()
    return dice.mutated(text.encode("utf-8", "surrogatepass")) if dice.one_in(3) else text.encode("utf-8", "surrogatepass")


def _judge_date(content: bytes) -> Judged:
    text = content.decode("utf-8", "surrogateescape")
    try:
        found = checked_date(text, settings(), NOW)
    except UsageRefused as error:
        return Judged(["a refusal shows control characters"] if re.search("[\x00-\x1f]", str(error)) else [], is_deep=False)
    plain = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", found, re.ASCII) and found <= "2026-11-23"
    complaints = [] if plain else ["a date is made that is none"]
    return Judged([*complaints, *([] if text in ("", found) else ["a date is taken that is not written as asked"])], is_deep=True)


def _made_environment(dice: Dice) -> bytes:
    names = [dice.choice(_VARIABLES) if not dice.one_in(5) else f"MITBATCH_{_possible(dice.odd_text(1))}" for _ in range(2)]
    names = [name.replace("=", "") for name in names]
    return json.dumps(
        {name: dice.choice(_TEXTS) if not dice.one_in(3) else _possible(dice.odd_text()) for name in names}
    ).encode()


def _judge_environment(content: bytes) -> Judged:
    path = _place() / "environment.toml"
    path.write_text(SETTINGS_TEXT, encoding="utf-8")
    try:
        variables = {str(name): str(text) for name, text in json.loads(content).items()}
        with mock.patch.dict(os.environ, variables):
            loaded = load_settings(path)
    except ConfigurationError as error:
        named = any(name.lower() in str(error).lower() or "." in str(error) for name in variables)
        return Judged([] if named else ["a refusal names no variable"], is_deep="names no setting" not in str(error))
    except (ValueError, AttributeError, TypeError) as error:
        if isinstance(error, json.JSONDecodeError) or not content.startswith(b"{"):
            return Judged([], is_deep=False)
        raise
    finally:
        path.unlink()
    whole = type(loaded.gate.max_amount_minor) is int and bool(loaded.sites) and loaded.data_dir.is_absolute()
    return Judged([] if whole else ["settings are taken that are not whole"], is_deep=True)


COMMAND = Target("command", _made_line, _judge_line)
DATE = Target("date", _made_date, _judge_date)
ENVIRONMENT = Target("environment", _made_environment, _judge_environment)
