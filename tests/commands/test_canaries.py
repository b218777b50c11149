"""Redaction canaries (S1, S2, S4, S5, S6, I18): after nights with errors, nothing that was written or said has any of them."""

import base64
import re
import sqlite3
import subprocess
import urllib.parse
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jobs.cli import run
from tests.commands.merchant_folder import MerchantFolder, merchant_folder
from tests.commands.terminals import Running, running
from tests.commands.walking import ended, examples
from tests.house.command_tree import COMMANDS, command_paths

PERSON = {
    "email": "canary.person@mail.example",
    "phone": "+1 202-555-0147",
    "first_name": "Canarylda",
    "last_name": "Canarymann",
    "holder_name": "Canarylda Canarymann",
    "address_line1": "77 Canarybird Lane",
}
CARD = "5425233430109903"
ERRORS = ("server_error_before", "refuse_row", "truncated_json", "html_answer")
COMMANDS_RUN = (
    "nightly --verbose",
    "nightly --json --verbose",
    "poll --all --verbose",
    "poll --all --json",
    "transmit --verbose",
    "status",
    "status --json",
    "review list --json",
    "holds list --json",
    "explain 000471",
    "explain 000471 --json",
    "audit verify --json",
    "cancel 000471 --reason x --yes --json",
    "nightly --dry-run --json",
)


def disguises(word: str) -> dict[str, list[bytes]]:
    """Eight ways in which a word may have been written down."""
    raw = word.encode()
    shifted = [base64.b64encode(b" " * offset + raw)[(0, 2, 3)[offset] : -4] for offset in range(3)]
    return {
        "plain": [raw],
        "base64": shifted,
        "base64url": [form.replace(b"+", b"-").replace(b"/", b"_") for form in shifted],
        "hex": [raw.hex().encode(), raw.hex().upper().encode()],
        "percent": ["".join(f"%{byte:02X}" for byte in raw).encode(), urllib.parse.quote(word, safe="").encode()],
        "JSON escapes": ["".join(f"\\u{ord(letter):04x}" for letter in word).encode()],
        "backwards": [raw[::-1]],
        "UTF-16": [word.encode("utf-16-le"), word.encode("utf-16-be")],
    }


@dataclass
class Left:
    """Everything that a merchant's nights left: files by name, and what each command said."""

    merchant: MerchantFolder
    places: dict[str, bytes] = field(default_factory=dict)

    def with_word(self, word: str, *, but: tuple[str, ...] = ()) -> list[str]:
        """Where a word stands, in any disguise."""
        return [
            f"{place}: {name}"
            for place, content in self.places.items()
            if not place.startswith(but or ("\0",))
            for name, forms in disguises(word).items()
            if any(form in content for form in forms)
        ]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Left]:
    """A merchant after nights in which the provider failed in several ways, with canaries in every order row."""
    with merchant_folder(tmp_path_factory.mktemp("canaries"), acknowledgement_wait_seconds=3) as merchant:
        merchant.sql("UPDATE orders SET " + ", ".join(f"{name} = '{text}'" for name, text in PERSON.items()))
        merchant.sql(f"UPDATE orders SET address_line2 = 'card {CARD}' WHERE order_id IN ('000471x', 'EU-2026-4501')")
        found = Left(merchant)
        for number, words in enumerate(COMMANDS_RUN):
            fault = ERRORS[number % len(ERRORS)]
            merchant.sandbox.faults.switch_on(fault, times=2)
            process = ended(merchant, words.split())
            merchant.sandbox.faults.switch_off(fault)
            found.places[f"said by {number} {words}"] = (process.stdout + process.stderr).encode()
        for path in sorted((merchant.folder / "var").rglob("*")):
            found.places[f"the name {path.name}"] = path.name.encode()
            if path.is_file():
                found.places[str(path.relative_to(merchant.folder))] = path.read_bytes()
        yield found


SENT_ROWS = {("submission", "record_json"), ("transmission", "record_json"), ("evidence", "content")}
"""Where the ledger keeps what was sent, to send the very same bytes again, and what the provider answered."""


def cells_with(merchant: MerchantFolder, word: str) -> set[tuple[str, str]]:
    """The columns of the ledger in which a word stands."""
    found = set()
    with closing(sqlite3.connect(merchant.ledger)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for column in [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]:
                query = f'SELECT 1 FROM {table} WHERE instr(CAST("{column}" AS TEXT), ?) LIMIT 1'
                if connection.execute(query, (word,)).fetchone():
                    found.add((table, column))
    return found


def secrets_of(merchant: MerchantFolder) -> dict[str, str]:
    """Every secret that the settings name, and the lines of the private key."""
    files = {path.name: path for path in merchant.sandbox.secret_paths}
    return {
        f"{name} {number}": line
        for name, path in files.items()
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"))
        if len(line) >= 12 and not line.startswith("-----")
    }


def test_the_nights_had_errors(left: Left) -> None:
    """The canaries were there to be leaked: errors were met, orders were sent, and words were said."""
    said = b"".join(content for place, content in left.places.items() if place.startswith("said"))
    assert b"[MB-" in said
    assert b"at work: " in said
    assert len(left.merchant.sandbox.accepted("evaluate")) > 50
    assert len(left.places) > 30


def test_no_secret_is_left(left: Left) -> None:
    """No key, secret or private key stands anywhere, in eight encodings."""
    secrets = secrets_of(left.merchant)
    assert len(secrets) >= 4
    assert {name: found for name, secret in secrets.items() if (found := left.with_word(secret))} == {}


def test_no_bearer_is_left(left: Left) -> None:
    """No token of the API that was handed out stands anywhere (S19)."""
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode()
    assert left.merchant.sandbox.accepted("evaluate")
    assert left.with_word(head) == []


def test_no_card_number_is_left(left: Left) -> None:
    """The card numbers that stand in the order system on purpose are nowhere on our side."""
    assert left.with_word(CARD) == []


@pytest.mark.parametrize("name", PERSON)
def test_nothing_personal_is_left(name: str, left: Left) -> None:
    """No name, e-mail, phone or street of a customer is in any word, log or file but the rows that were sent."""
    assert left.with_word(PERSON[name], but=("var/export/", "var/ledger.db")) == []
    assert cells_with(left.merchant, PERSON[name]) <= SENT_ROWS


def test_payment_tokens_stay_where_they_are_needed(left: Left) -> None:
    """A payment token is in the order system and in the rows that were sent, and in nothing else that we write or say (S5)."""
    tokens = {str(token) for (token,) in left.merchant.sql("SELECT DISTINCT payment_token FROM orders WHERE payment_token <> ''")}
    assert len(tokens) > 3
    for token in sorted(tokens)[:8]:
        assert left.with_word(token, but=("var/export/", "var/ledger.db")) == []
        assert cells_with(left.merchant, token) <= SENT_ROWS


def test_the_ledger_has_no_column_for_what_may_not_be_kept(left: Left) -> None:
    """No table has a column for a card number, a security code, an e-mail, a phone, a name or a payment token (S2)."""
    with closing(sqlite3.connect(left.merchant.ledger)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = [f"{table}.{row[1]}" for table in tables for row in connection.execute(f"PRAGMA table_info({table})")]
    banned = ("pan", "card_number", "cvv", "cvc", "security_code", "email", "phone", "first_name", "holder", "payment_token")
    assert [each for each in columns if any(word in each.partition(".")[2].split("_") or word in each for word in banned)] == []
    assert len(columns) > 100


def test_a_canary_that_is_planted_is_found(left: Left) -> None:
    """Each of the eight disguises of each canary is found where it stands, so that finding nothing means something."""
    for word in (*PERSON.values(), CARD):
        for name, forms in disguises(word).items():
            for form in forms:
                assert any(name in found for found in Left(left.merchant, {"planted": b"ab" + form + b"yz"}).with_word(word))


def test_no_option_takes_a_secret() -> None:
    """No command has an option or argument for a secret: what stands there, every user of the machine can read (S6)."""
    names = [name for path in command_paths() for parameter in parameters(path) for name in (*parameter.opts, parameter.name)]
    banned = ("secret", "password", "passphrase", "app-key", "api-key", "credential", "cvv", "pan", "card-number")
    told = [name for name in names if not re.search("[-_]file$", name)]  # a file with a secret may be named
    assert [name for name in told if any(word in name for word in banned)] == []
    assert len(names) > 60
    assert examples()


def parameters(path: str) -> list[Any]:
    """The parameters of a command."""
    found = COMMANDS
    for word in path.split():
        found = found.commands[word]
    return list(found.params)


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[Running]:
    """A nightly that waits for an acknowledgement, with a secret of its environment."""
    with merchant_folder(tmp_path / "waiting", acknowledgement_wait_seconds=600) as merchant:
        merchant.sandbox.faults.switch_on("no_acknowledgement", times=99)
        with running(merchant, "--verbose nightly", changed={"MITBATCH_PROVIDER__TOKENIZATION_KEY": CANARY}) as command:
            assert command.err.saw("at work: acknowledgements")
            yield command
            command.interrupt()
            assert command.end() == 130
        assert CANARY not in command.out.text + command.err.text


CANARY = "canary-tokenization-key-0147"


def test_the_list_of_processes_shows_no_secret(at_work: Running) -> None:
    """What `ps` shows everybody of a command at work is its words alone (S6)."""
    shown = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(at_work.process.pid)], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert "nightly" in shown
    assert CANARY not in shown
    assert Path(f"/proc/{at_work.process.pid}/environ").stat().st_mode & 0o077 == 0


def test_no_core_is_dumped(at_work: Running) -> None:
    """A command that crashes leaves no picture of its memory, in which secrets are (S28)."""
    limits = Path(f"/proc/{at_work.process.pid}/limits").read_text(encoding="utf-8")
    assert re.search(r"^Max core file size\s+0\s+0\s", limits, re.MULTILINE)


HOSTILE_IDS = [
    "x'; DROP TABLE orders; --",
    '" OR 1=1 --',
    "1 UNION SELECT 1",
    "%s",
    "{0}",
    "\\'",
    "Robert'); DELETE FROM event;--",
]


@pytest.mark.parametrize("order_id", HOSTILE_IDS)
def test_hostile_ids_are_only_ids(order_id: str, left: Left, capfd: pytest.CaptureFixture[str]) -> None:
    """An id made of SQL is looked for as it is, found where it is, and changes nothing else (S14, D-17)."""
    merchant, before = left.merchant, left.merchant.sql("SELECT count(*) FROM orders")
    assert run(["--config", str(merchant.config), "holds", "check", "--", order_id]) == 0
    assert "unknown_order" in capfd.readouterr().out
    assert run(["--config", str(merchant.config), "explain", "--", order_id]) == 2
    assert run(["--config", str(merchant.config), "cancel", "--reason", "x", "--yes", "--", order_id]) in {2, 30}
    assert merchant.sql("SELECT count(*) FROM orders") == before
    assert merchant.run("--quiet audit verify") == 0
