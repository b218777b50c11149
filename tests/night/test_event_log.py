"""The log of what runs do: every change of an order by its ids, nothing that may not be seen, and never in a run's way."""

import json
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs.event_log import FIELDS, WITHHELD, LogFile, NoLog, line, told_line
from schemas.errors import MitbatchError
from tests.night.house import START, House, order
from tests.night.requests import REASON, completed, refund


def lines(house: House) -> list[dict[str, Any]]:
    """Every line of the log, oldest file first."""
    files = sorted((house.folder / "var" / "log").glob("mitbatch-*.jsonl"))
    return [json.loads(one) for file in files for one in file.read_bytes().splitlines()]


def logged(house: House, *, of: str = "order:%") -> list[dict[str, Any]]:
    """The rows of the ledger's event chain of these subjects, in the order in which they were written."""
    return house.ledger("SELECT * FROM event WHERE subject LIKE ? ORDER BY rowid", [of])


def test_every_event_of_the_chain_is_a_line(house: House) -> None:
    """Orders, batches: each committed row of the event chain is one line, in that order, with its run and its states."""
    house.add(order("a"), order("b", payment_token="tok_decline"))
    house.run()
    house.pass_time(hours=30)
    house.run("poll")
    wanted = [(row["run_id"], row["subject"].partition(":")[2], row["to_state"] or "") for row in logged(house, of="%:%")]
    found = [
        (x["run_id"], x.get("order_id") or x["batch_id"], x.get("to", "")) for x in lines(house) if "to" in x or "source" in x
    ]

    assert len(wanted) > 10
    assert found == wanted


def test_a_run_begins_has_stages_and_ends(house: House) -> None:
    """The first line of a run says which it is and where, the last how it ended; what lies between bears its id."""
    house.add(order("a"))
    report = house.run()
    own = [one for one in lines(house) if one.get("run_id") == report.run_id]
    first, last = own[0], own[-1]

    assert (first["event"], first["job"], first["environment"]) == ("run_started", "nightly", "sandbox")
    assert first["mid"] == house.settings.provider.mid[:8]
    assert (last["event"], last["exit_code"], last["level"]) == ("run_ended", 0, "info")
    assert any(one["event"] == "stage" for one in own)
    assert len(own) == len(lines(house))


def test_a_problem_is_a_line_with_its_code(house: House) -> None:
    """What a person must be told stands in the log with its code and its exit code."""
    house.add(order("a"))
    house.sandbox.faults.switch_on("refuse_login", times=99)
    assert house.run().code == 20
    problems = [one for one in lines(house) if one["event"] == "problem"]

    assert [(one["code"], one["exit_code"], one["level"]) for one in problems] == [("MB-SFTP-LOGIN", 20, "warning")]
    assert lines(house)[-1]["exit_code"] == 20


def test_the_words_of_a_person_stay_in_the_ledger(house: House) -> None:
    """A reason that a person typed, which may hold anything, is in the ledger and not in the log."""
    completed(house, "a")
    assert refund(house, "5.00", "a")[0] == 0
    told = [one for one in lines(house) if "operation_id" in one]

    assert any(row["reason"] == REASON for row in logged(house, of="operation:%"))
    assert len(told) > 1
    assert REASON not in json.dumps(lines(house))


def test_files_and_folder_are_private(house: House) -> None:
    """The log is 0600 in a folder that is 0700."""
    house.add(order("a"))
    house.run()
    folder = house.folder / "var" / "log"

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()] == [0o600]


def test_orders_can_be_left_out(house: House) -> None:
    """With `log.orders` off there are runs, stages and files, and no line for an order."""
    house.set(log={"orders": False})
    house.add(order("a"))
    house.run()

    assert [one for one in lines(house) if "order_id" in one] == []
    assert any("batch_id" in one for one in lines(house))


def test_a_dry_run_writes_no_log(house: House) -> None:
    """`--dry-run` writes nothing, the log neither, and not even when something is wrong."""
    house.add(order("a"))
    house.run()
    before = lines(house)
    assert house.cli("nightly", "--dry-run").returncode == 0
    house.orders_path.unlink()
    assert house.cli("nightly", "--dry-run").returncode == 78

    assert lines(house) == before


def test_a_log_that_cannot_be_written_stops_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """A file where the folder should be: the night is clean, the order sent, and stderr says that the log is missing."""
    (house.folder / "var").mkdir(exist_ok=True)
    (house.folder / "var" / "log").write_text("in the way")
    house.add(order("a"))

    assert house.run().code == 0
    assert house.accepted()["a"] == 1
    assert "The log could not be written (" in capsys.readouterr().err


class _Still:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> Any:  # noqa: ANN401 - a datetime
        return self.at


def make_log(folder: Path, **options: bool) -> tuple[LogFile, _Still]:
    """A log in that folder, and the clock that it goes by."""
    clock = _Still()
    return LogFile(folder, clock, **options), clock  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [lambda folder: make_log(folder)[0], lambda _folder: NoLog()], ids=["file", "none"])
def test_a_field_that_is_not_allowed_is_refused(tmp_path: Path, make: Callable[[Path], LogFile | NoLog]) -> None:
    """The list of fields is the list of what may be seen: another is a mistake, whoever makes it, at its first line."""
    log = make(tmp_path)
    for name in ("email", "payment_token", "holder_name", "detail"):
        with pytest.raises(ValueError, match=name):
            log.note("run_started", **{name: "x"})

    assert list(tmp_path.iterdir()) == []


def test_a_card_number_is_withheld() -> None:
    """A value with a card number in it is not shown, whatever field it came in, and however it is spaced."""
    for text in ("4111111111111111", "id 4111-1111-1111-1111 x", "4111 1111 1111 1111"):
        shown = json.loads(line("problem", "info", "2026-11-23T06:30:00Z", {"sentence": text, "reason": text}))

        assert shown["sentence"] == shown["reason"] == WITHHELD


def test_awkward_values_make_one_line_each() -> None:
    """Line breaks, escapes, lone surrogates and quotes stay inside their line; a text of any length is bounded."""
    for text in ("a\nb", "a\r\n\x1b[31mb", 'x"y\\', "\ud800", "\u2028", "x" * 100_000):
        row = {"subject": f"order:{text}", "kind": "transition", "run_id": "r", "business_date": "2026-11-23", "at": "t"}
        more = {"from_state": None, "to_state": "held", "source": "run", "reason": text, "evidence_id": None, "detail": text}
        written = told_line({**row, **more})

        assert written.count(b"\n") == 1
        assert written.endswith(b"}\n")
        assert b"\x1b" not in written
        assert len(written) < 6_000
        assert set(json.loads(written)) <= set(FIELDS)


def test_old_files_go_and_nothing_else(tmp_path: Path) -> None:
    """Files of days before the limit are removed; the limit's own day, other names and later days stay."""
    log, clock = make_log(tmp_path)
    log.begin("0a1b2c3d")
    clock.at = START - timedelta(days=11)
    log.note("run_started")
    clock.at = START - timedelta(days=10)
    log.note("run_started")
    clock.at = START
    log.note("run_started")
    for name in ("internal-0a1b2c3d.log", "mitbatch-2000-01-01.jsonl.gz", "mitbatch-2000.jsonl"):
        (tmp_path / name).touch()
    log.drop_older(10)
    left = sorted(path.name for path in tmp_path.iterdir())

    assert left == [
        "internal-0a1b2c3d.log",
        "mitbatch-2000-01-01.jsonl.gz",
        "mitbatch-2000.jsonl",
        "mitbatch-2026-11-13.jsonl",
        "mitbatch-2026-11-23.jsonl",
    ]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A link in the place of the log's file is not written through; the log says that it has trouble."""
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    log, _ = make_log(tmp_path / "log")
    log.begin("0a1b2c3d")
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "mitbatch-2026-11-23.jsonl").symlink_to(victim)
    log.note("run_started")

    assert victim.read_text() == "untouched"
    assert log.trouble()


def test_what_stops_a_run_before_it_begins_is_a_line(house: House) -> None:
    """An order system that is not there: the command ends at once, and the log of earlier runs says why."""
    house.run()
    house.orders_path.unlink()
    with pytest.raises(MitbatchError) as refused:
        house.run()
    last = lines(house)[-1]

    assert (last["event"], last["code"], last["level"]) == ("problem", refused.value.code, "error")
    assert "run_id" not in last


def test_a_refused_first_command_leaves_no_log(house: House) -> None:
    """Before any run there is no folder for the log, and a refused command does not make one."""
    house.orders_path.unlink()
    with pytest.raises(MitbatchError):
        house.run()

    assert not (house.folder / "var" / "log").exists()
