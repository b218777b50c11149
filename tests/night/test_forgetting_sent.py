"""S24: what was sent goes after its time, from the ledger and the disk; what happened stays, and can still be verified."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from batch.export import ExportFolder
from jobs.cli import run
from jobs.disk import MachineDisk
from schemas.errors import FileNotWritten
from tests.night.house import COMPLETED, DAY, EXPIRED, House, order, paid

PERSONAL = ("ada@example.com", "5 Orchard Way", "Marsh", COMPLETED, EXPIRED)


def places(house: House) -> list[str]:
    """Where anything personal stands on our side, in the ledger or a file; what the provider said is evidence, and stays."""
    found = []
    tables = [row["name"] for row in house.ledger("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in (name for name in tables if name != "evidence"):
        text = json.dumps(house.ledger(f'SELECT * FROM "{table}"'), default=repr)
        found += [table] if any(word in text for word in PERSONAL) else []
    files = [path for path in (house.folder / "var").rglob("*") if path.is_file() and "ledger.db" not in path.name]
    return sorted([*found, *(path.parts[-3] for path in files if any(word.encode() in path.read_bytes() for word in PERSONAL))])


def exports(house: House) -> list[Path]:
    """The files of the export folder."""
    return sorted((house.folder / "var" / "export").rglob("*.csv"))


def record(house: House, order_id: str) -> dict[str, object]:
    """What the ledger keeps of what was sent."""
    (row,) = house.ledger("SELECT record_json FROM submission WHERE order_id = ?", [order_id])
    found: dict[str, object] = json.loads(row["record_json"])
    return found


@pytest.fixture
def ended(house: House) -> House:
    """A house with one order of a file that is completed, and one that is still open."""
    house.add(order("a", payment_token=COMPLETED), order("b", payment_token=EXPIRED))
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    assert house.states() == {"a": "completed", "b": "pending"}
    return house


def test_what_was_sent_goes_after_its_time(ended: House) -> None:
    """Not a day before; each order by its own end; the file when the last of its orders is over for so long."""
    ended.pass_time(days=29)
    ended.run()
    assert record(ended, "a").keys() > {"orderId", "transaction", "payer"}
    assert ended.states()["b"] == "expired"
    ended.pass_time(days=1)
    ended.run()
    assert record(ended, "a") == {"orderId": "a", "transaction": {"amount": 1999, "currency": "USD"}}
    assert "payer" in record(ended, "b")
    assert len(exports(ended)) == 1
    ended.pass_time(days=30)
    ended.run()
    assert record(ended, "b") == {"orderId": "b", "transaction": {"amount": 1999, "currency": "USD"}}
    assert exports(ended) == []
    assert places(ended) == []


def test_what_happened_stays_and_can_be_verified(ended: House, capfd: pytest.CaptureFixture[str]) -> None:
    """Events, digests, order keys, finance's files and the story of an order are as before; nothing is sent again."""
    kept = "SELECT order_id, attempt, state, idempotency_key, batch_id, event_hash FROM submission ORDER BY order_id"
    ended.pass_time(days=40)
    ended.run("poll")
    before, events, batches = ended.ledger(kept), ended.ledger("SELECT * FROM event"), ended.ledger("SELECT * FROM batch")
    day = ended.audit_bytes()
    assert places(ended) != []
    ended.pass_time(days=40)
    assert ended.run().code == 0
    assert places(ended) == []
    assert ended.ledger(kept) == before
    assert ended.ledger("SELECT * FROM event")[: len(events)] == events
    assert (ended.ledger("SELECT * FROM batch"), ended.audit_bytes()) == (batches, day)
    assert run(["--config", str(ended.config), "--quiet", "audit", "verify"]) == 0
    capfd.readouterr()
    assert run(["--config", str(ended.config), "explain", "a"]) == 0
    assert "completed" in capfd.readouterr().out
    assert ended.run("rerun", "2026-11-23").code == 0
    assert ended.run("reconcile").code == 0
    assert ended.accepted() == {"a": 1, "b": 1}


def test_an_order_whose_story_goes_on_keeps_its_record(ended: House) -> None:
    """However old it is: a person may have to look at what was sent."""
    ended.pass_time(days=22)
    ended.run()
    with closing(sqlite3.connect(ended.ledger_path)) as ledger, ledger:
        ledger.execute("UPDATE submission SET state = 'review' WHERE order_id = 'b'")
    ended.pass_time(days=400)
    ended.run()
    assert "payer" in record(ended, "b")
    assert "payer" not in record(ended, "a")
    assert len(exports(ended)) == 1


def test_who_dies_before_the_file_is_gone_leaves_it_to_the_next_night(ended: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger is done first, so that the file still says what is left; the next night removes it."""

    def refused(_folder: ExportFolder, _kept: object) -> None:
        raise FileNotWritten("It could not be removed.")

    ended.pass_time(days=80)
    ended.run("poll")
    ended.pass_time(days=80)
    monkeypatch.setattr(ExportFolder, "forget", refused)
    assert [problem.code for problem in ended.run().findings.problems] == ["MB-DISK"]
    assert (len(exports(ended)), places(ended)) == (1, ["export"])
    monkeypatch.undo()
    assert ended.run().code == 0
    assert (exports(ended), places(ended)) == ([], [])


def test_a_file_that_does_not_go_is_told(tmp_path: Path) -> None:
    """What stands in the place of a file and cannot be removed is named, with the disk's own word."""
    folder = ExportFolder(tmp_path, MachineDisk())
    path = folder.write(DAY, "ab12", "evaluate", b"rows")
    path.unlink()
    (path / "of somebody else").mkdir(parents=True)
    (kept,) = folder.up_to(DAY)

    with pytest.raises(FileNotWritten, match=r"evaluate_ab12.csv could not be removed \("):
        folder.forget(kept)

    assert (path / "of somebody else").exists()


@pytest.mark.parametrize("channel", ["sftp", "api"])
def test_copies_and_calls_go_as_well(house: House, channel: str) -> None:
    """Whichever way they left; and what was claimed and never sent."""
    house.set(channels={"evaluate": channel, "transmit": channel})
    house.add(order("a", payment_token=COMPLETED), paid("c"))
    house.run()
    house.run("transmit")
    house.pass_time(hours=2)
    house.run("poll")
    assert house.accepted("transmit") == {"c": 1}
    assert {"submission", "transmission"} <= set(places(house))
    house.pass_time(days=31)
    house.run()
    assert places(house) == []


def test_what_was_never_sent_goes_too(house: House) -> None:
    """A batch that was withdrawn before a file was made has none to say so, and is forgotten all the same."""
    house.add(order("a"))
    house.sandbox.faults.switch_on("refuse_write", times=9)
    house.run()
    house.sandbox.faults.switch_off("refuse_write")
    house.set(switches={"mit": False})
    house.run()
    assert house.state("a") == "withdrawn"
    house.pass_time(days=31)
    house.run()
    assert [place for place in places(house) if place in {"submission", "export"}] == []
