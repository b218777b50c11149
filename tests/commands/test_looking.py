"""status, explain and holds: they answer and change nothing."""

import inspect
import json
import sqlite3
import stat
from typing import Any

import pytest

import schemas.errors as tree
from jobs.cli import run
from jobs.status import last_run_lines
from schemas.errors import EXIT_MEANINGS, MitbatchError
from schemas.reasons import ITEM_TEXTS, REASON_TEXTS, Reason
from schemas.states import STATE_TEXTS, State
from tests.commands.merchant_folder import MerchantFolder

ERRORS = [kind for _, kind in inspect.getmembers(tree, inspect.isclass) if issubclass(kind, MitbatchError)]


def result(merchant: MerchantFolder, words: str, capfd: pytest.CaptureFixture[str], code: int = 0) -> dict[str, Any]:
    """The last JSON object that a command prints; everything on stdout must be one object a line."""
    capfd.readouterr()
    assert merchant.run(f"--json {words}") == code
    objects = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert all(isinstance(each, dict) for each in objects)
    last: dict[str, Any] = objects[-1]
    return last


def order_in(merchant: MerchantFolder, state: State) -> str:
    """An order that the ledger has in this state."""
    with sqlite3.connect(merchant.ledger) as connection:
        found = connection.execute("SELECT order_id FROM submission WHERE state = ? ORDER BY order_id", (state.value,)).fetchone()
    connection.close()
    return str(found[0])


def open_items(merchant: MerchantFolder) -> int:
    """How many items stand open in the ledger."""
    connection = sqlite3.connect(merchant.ledger)
    (count,) = connection.execute("SELECT count(*) FROM item WHERE closed_at IS NULL").fetchone()
    connection.close()
    return int(count)


def ledger_bytes(merchant: MerchantFolder) -> bytes:
    """The ledger's file with its log folded in."""
    connection = sqlite3.connect(merchant.ledger)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return merchant.ledger.read_bytes()


def test_status_counts_every_order_once(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """The states of `status --json` add up to the claimed orders, with integer minor units by currency."""
    found = result(after_a_night, "status", capfd)
    connection = sqlite3.connect(after_a_night.ledger)
    rows = connection.execute("SELECT state, currency, count(*), sum(amount_minor) FROM submission GROUP BY 1, 2").fetchall()
    (ended,) = connection.execute("SELECT exit_code FROM run WHERE job = 'nightly' ORDER BY fencing_token DESC").fetchone()
    connection.close()
    expected: dict[str, Any] = {}
    for state, currency, count, minor in rows:
        total = expected.setdefault(state, {"orders": 0, "amount_minor": {}})
        total["orders"] += count
        total["amount_minor"][currency] = minor

    assert found["states"] == expected
    assert (found["schema"], found["in_doubt"], found["review"]) == ("mitbatch.status/1", 0, 0)
    assert found["last_runs"]["nightly"]["exit_code"] == ended
    assert {"run_id", "generated_at", "environment", "command"} <= set(found)
    assert len(found["items"]) == open_items(after_a_night) > 3


def test_status_for_people(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """`status` says where it acts, the orders by state, what needs a person, and how the last run ended."""
    assert after_a_night.run("status") == 0
    out = capfd.readouterr().out

    assert out.startswith("mitbatch status 20")
    assert "pending" in out
    assert f"{open_items(after_a_night)} items need a person" in out
    assert "ended" in out
    subjects = [line.index("   by 20") for line in out.splitlines() if line.startswith("  ") and "   by 20" in line]
    assert len(subjects) > 3
    assert len(set(subjects)) == 1, "due dates stand below one another"


def test_status_has_the_latest_run_first() -> None:
    """Whoever looks at night sees first what ran last, whichever job that was."""
    ended = {"finished_at": "2026-11-24T06:31:00Z", "exit_code": 0}
    times = {"nightly": "2026-11-24T06:30:00Z", "poll": "2026-11-25T06:30:00Z", "transmit": "2026-11-23T06:30:00Z"}
    lines = last_run_lines({"job": job, "started_at": at, **ended} for job, at in times.items())

    assert [line.split()[1] for line in lines] == ["poll", "nightly", "transmit"]
    assert lines[0] == "last poll           began 2026-11-25T06:30:00Z, ended 2026-11-24T06:31:00Z with exit 0"


@pytest.mark.parametrize("word", [*(reason.value for reason in Reason), *(state.value for state in State), *ITEM_TEXTS])
def test_explain_knows_every_reason_state_and_item(word: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Every reason, state and kind of item has its page, for which no settings are needed."""
    texts = {**{str(key): text for table in (REASON_TEXTS, ITEM_TEXTS, STATE_TEXTS) for key, text in table.items()}}

    assert run(["explain", str(word)]) == 0
    out = capfd.readouterr().out
    assert out.startswith(f"{word}: ")
    assert any(text in out for key, text in texts.items() if key == str(word))


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_explain_knows_every_code(kind: type[MitbatchError], capfd: pytest.CaptureFixture[str]) -> None:
    """Every error has a code of its own form, and `explain CODE` prints its page with the exit code."""
    assert kind.code.startswith("MB-")
    assert kind.code == kind.code.upper()
    assert run(["explain", kind.code]) == 0
    out = capfd.readouterr().out
    assert f"Exit code {int(kind.exit_code)}." in out
    assert len(out) > 80
    assert inspect.cleandoc(kind.__doc__ or "") in out or kind is MitbatchError


def test_no_two_errors_share_a_code() -> None:
    """Every class of the error tree has its own code; only the root and the internal error share one."""
    shared = {kind.code for kind in ERRORS if kind.code == "MB-INTERNAL"}
    rest = [kind.code for kind in ERRORS if kind.code != "MB-INTERNAL"]

    assert shared == {"MB-INTERNAL"}
    assert sorted(rest) == sorted(set(rest))
    assert [kind.__name__ for kind in ERRORS if "code" not in vars(kind)] == []
    assert {kind.exit_code for kind in ERRORS} <= set(EXIT_MEANINGS)


def test_explain_tells_the_story_of_an_order(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """`explain ORDER` gives the verdict, every step since the gate, the file, and the three views side by side."""
    order_id = order_in(after_a_night, State.PENDING)
    assert after_a_night.run(f"explain {order_id!r}") == 0
    out = capfd.readouterr().out

    assert out.startswith(f"Order {order_id!r}: pending since")
    assert "your own retry is blocked until" in out
    steps = ["gate: selected", "new -> claimed", "claimed -> held", "held -> sending", "sending -> pending"]
    assert [out.index(step) for step in steps] == sorted(out.index(step) for step in steps)
    assert all(f"  {view}" in out for view in ("ledger", "provider", "order system"))
    found = result(after_a_night, f"explain {order_id!r}", capfd)
    assert (found["order_id"], found["state"], found["order_row"]["status"]) == (order_id, "pending", "pending")
    assert [event["to_state"] for event in found["events"]][:4] == ["claimed", "held", "sending", "pending"]


def test_explain_tells_why_an_order_was_not_sent(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """An order that the gate turned down is explained with its reason and the date."""
    connection = sqlite3.connect(after_a_night.ledger)
    (order_id,) = connection.execute("SELECT order_id FROM decision WHERE reason = 'too_old'").fetchone()
    connection.close()

    found = result(after_a_night, f"explain {order_id}", capfd)
    assert [each["reason"] for each in found["decisions"]] == ["too_old"]
    assert found["state"] == ""


def test_explain_offers_the_nearest_ids(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """An unknown order ends with 2, says where it was looked for, and offers the id that differs in zeros or case."""
    assert after_a_night.run("explain 471") == 2
    err = capfd.readouterr().err
    assert "neither in the ledger nor in the order system" in err
    assert "'000471'" in err
    assert after_a_night.run("explain zzzzzz-unlike-any") == 2


def test_holds_list_is_what_the_order_system_holds(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """`holds list` names exactly the orders whose rows bear our hold, and says how many they are."""
    rows = after_a_night.sql("SELECT order_id FROM orders WHERE hold_reference LIKE 'mitbatch:%'")
    assert after_a_night.run("--json holds list") == 0
    objects = [json.loads(line) for line in capfd.readouterr().out.splitlines()]

    held = [each["order_id"] for each in objects if each["type"] == "hold"]
    assert sorted(held) == sorted(str(order_id) for (order_id,) in rows)
    assert objects[-1]["orders"] == len(held) > 50
    assert after_a_night.run("holds list") == 0
    assert f"{len(held)} orders are held" in capfd.readouterr().out


def test_holds_check_says_what_the_view_says(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """For every order of the order system `holds check` allows exactly what the view `retryable_orders` shows."""
    assert after_a_night.run("holds view --create") == 0
    free = {order_id for (order_id,) in after_a_night.sql("SELECT order_id FROM retryable_orders")}
    every = [str(order_id) for (order_id,) in after_a_night.sql("SELECT order_id FROM orders ORDER BY order_id")]
    chosen = [*every[::9], *[str(order_id) for order_id in list(free)[::9]]]
    for order_id in chosen:
        capfd.readouterr()
        code = run(["--config", str(after_a_night.config), "--json", "holds", "check", "--", order_id])
        found = json.loads(capfd.readouterr().out)
        assert (code, found["may_charge"]) == ((0, True) if order_id in free else (30, False)), order_id
        assert set(found) >= {"order_id", "may_charge", "state", "reason", "until"}
        assert found["order_id"] == order_id
    assert 0 < len(free) < len(every)


def test_holds_check_of_an_unknown_order(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """An id that is in neither place may be charged, for the reason that it is unknown."""
    found = result(after_a_night, "holds check never-heard-of", capfd)

    assert (found["may_charge"], found["reason"], found["state"], found["until"]) == (True, "unknown_order", "", "")


def test_holds_view_prints_what_create_makes(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """Without `--create` the SQL is printed and nothing made; the printed statement is the one that makes the view."""
    after_a_night.sql("DROP VIEW IF EXISTS retryable_orders")
    assert after_a_night.run("holds view") == 0
    statement = capfd.readouterr().out.strip()
    assert after_a_night.sql("SELECT name FROM sqlite_master WHERE type = 'view'") == []

    after_a_night.sql(statement)
    by_hand = after_a_night.sql("SELECT order_id FROM retryable_orders ORDER BY 1")
    after_a_night.sql("DROP VIEW retryable_orders")
    assert after_a_night.run("holds view --create") == 0
    assert after_a_night.run("holds view --create") == 0
    assert after_a_night.sql("SELECT order_id FROM retryable_orders ORDER BY 1") == by_hand


def test_looking_changes_nothing(after_a_night: MerchantFolder) -> None:
    """Commands that only look leave the ledger as it was, byte for byte, and open nothing at the provider."""
    before, heard = ledger_bytes(after_a_night), len(after_a_night.sandbox.journal())
    for words in ("status", "explain 000471", "holds list", "holds check 000471", "nightly --dry-run", "holds view"):
        assert after_a_night.run(words) in {0, 30}, words

    assert ledger_bytes(after_a_night) == before
    assert len(after_a_night.sandbox.journal()) == heard


def test_looking_creates_nothing(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """Before the first night, looking works and makes no ledger, not even a dry run."""
    elsewhere = after_a_night.folder / "mitbatch-before.toml"
    text = after_a_night.config.read_text().replace('data_dir = "var"', 'data_dir = "before"')
    elsewhere.write_text(text + '\n[ledger]\nurl = "sqlite:///before/ledger.db"\n')
    for words in (["status"], ["holds", "list"], ["nightly", "--dry-run"], ["holds", "check", "000471"]):
        assert run(["--config", str(elsewhere), *words]) in {0, 30}, words

    assert "no order has been claimed yet" in capfd.readouterr().out
    assert not (after_a_night.folder / "before").exists()


def test_everything_that_is_kept_is_private(after_a_night: MerchantFolder) -> None:
    """The ledger, its logs, the exported CSV and their folders can be read by their owner alone; metrics are for all."""
    var = after_a_night.folder / "var"
    open_to_all = ("audit", "mitbatch.prom")
    files = [path for path in var.rglob("*") if path.is_file() and not {*open_to_all} & {*path.relative_to(var).parts}]

    assert len(files) >= 2
    assert {str(path): oct(stat.S_IMODE(path.stat().st_mode)) for path in files if path.stat().st_mode & 0o077} == {}
