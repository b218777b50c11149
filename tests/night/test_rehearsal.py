"""`reconcile --dry-run`: the real comparison over a copy of the ledger, which leaves nothing behind."""

import json
from pathlib import Path

import pytest

from jobs.assembly import open_ledger_alone
from jobs.ledger_run import ledger_run
from jobs.output import Options
from jobs.reconcile import run_reconcile
from jobs.surroundings import of_this_machine
from schemas.errors import AnotherRunActive, LedgerBehind
from tests.night.comparing import change_at_provider, lose_at_provider
from tests.night.house import House, order


def with_differences(house: House) -> None:
    """Four orders: one is lost at the provider, one has another amount there, one was charged in-house, one has ended."""
    house.add(*(order(each) for each in ("000471", "b", "c", "d")))
    house.run()
    house.pass_time(hours=3)
    lose_at_provider(house, "000471")
    change_at_provider(house, "b", amount=1)
    house.change("c", status="paid")


def reconciled(house: House, capsys: pytest.CaptureFixture[str], *, dry_run: bool) -> tuple[int, list[str]]:
    """The exit code and the printed lines."""
    capsys.readouterr()
    code = run_reconcile(Options(house.config), dry_run=dry_run, clock=house.clock)
    return code, capsys.readouterr().out.splitlines()


def test_it_tells_what_the_real_one_tells(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line but those that name a run and its files is the real run's, marked; and nothing anywhere has changed."""
    with_differences(house)
    before, rows = house.files(), house.ledger_rows()
    code, rehearsed = reconciled(house, capsys, dry_run=True)
    assert (house.files(), house.ledger_rows()) == (before, rows)
    assert code == 0
    assert all(line.startswith("DRY RUN  ") for line in rehearsed)
    assert rehearsed[-1] == "DRY RUN  EXIT 0 clean"

    code, real = reconciled(house, capsys, dry_run=False)
    assert code == 10
    own = ("mitbatch ", "started", "audit ", "EXIT ")
    told = [line.removeprefix("DRY RUN  ") for line in rehearsed]
    assert [line for line in told if not line.startswith(own)] == [line for line in real if not line.startswith(own)]
    assert sum(line.startswith("DIFF ") for line in real) == 4
    assert told[0] == real[0].replace(f" run {real[0].split(' run ')[1].split()[0]}", "")


def test_it_waits_for_nobody_and_disturbs_nobody(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """While another run has the lease the real one is refused and the rehearsal tells; the lease stays with the other."""
    with_differences(house)
    around = of_this_machine(house.clock)
    with (
        open_ledger_alone(house.settings, clock=house.clock) as ledger,
        ledger_run(ledger, house.settings, around, "nightly"),
    ):
        with pytest.raises(AnotherRunActive):
            run_reconcile(Options(house.config), clock=house.clock)
        rows = house.ledger_rows()
        code, lines = reconciled(house, capsys, dry_run=True)
        assert house.ledger_rows() == rows
    assert code == 0
    assert any("differ " in line for line in lines)


def test_a_machine_reads_the_same(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """The object says that it is a rehearsal's, names no run and no file, and has the comparison."""
    with_differences(house)
    capsys.readouterr()
    assert run_reconcile(Options(house.config, json=True), dry_run=True, clock=house.clock) == 0
    (found,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (found["dry_run"], found["run_id"], found["audit"], found["exit_code"]) == (True, "", None, 0)
    assert len(found["comparison"]["named"]) == 4


def test_an_older_copy_of_the_ledger_is_refused(house: House, tmp_path: Path) -> None:
    """What the real run would refuse at the door, the rehearsal refuses: a ledger that does not know what has left."""
    house.add(order())
    house.run()
    (house.settings.data_dir / "sent" / "evaluate_0123456789ab").write_text("evaluate_x_20261123_0123456789ab.json")
    with pytest.raises(LedgerBehind):
        run_reconcile(Options(house.config), dry_run=True, clock=house.clock)
    assert list(house.settings.data_dir.glob("rehearsal-*")) == []


def test_before_the_first_run_there_is_nothing_to_compare(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """It makes no ledger."""
    house.ledger_path.unlink(missing_ok=True)
    assert reconciled(house, capsys, dry_run=True)[0] == 0
    assert not house.ledger_path.exists()
