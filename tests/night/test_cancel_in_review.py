"""A cancel of an order that is under review for something else: whoever asked hears what became of it, and of a recovery."""

import pytest

from batch.ledger.file_figures import count_conflicts
from batch.ledger.items import MORE_NEWS
from jobs.assembly import open_ledger_alone
from schemas.errors import ExitCode
from tests.night.house import DAY, House, order
from tests.night.requests import cancel, refund, steps
from tests.night.test_cancel import WORKED_ON
from tests.night.test_conclusions import provider_changes_its_mind
from tests.night.test_review import decide

TOO_LATE = "its cancel was asked for and came too late; refund it if it should not have been charged: mitbatch refund 000471"


def contradicted(house: House) -> None:
    """One order that the provider works on, under review as one answer accepts and refuses it."""
    house.sandbox.faults.switch_on("contradictory_rows")
    house.add(order(payment_token=WORKED_ON))
    house.run()
    assert (house.state(), [kind for kind, _ in house.items()]) == ("review", ["contradiction"])
    house.pass_time(minutes=30)


def cancelled_in_vain(house: House) -> None:
    """Its cancel is asked for, gets no clear answer, and had no effect."""
    house.sandbox.faults.switch_on("server_error_before", where="cancel")
    assert cancel(house)[0] == ExitCode.IN_DOUBT
    house.pass_time(hours=2)
    house.run("poll")
    assert (house.state(), steps(house)) == ("review", [("cancel", "refused")])


def told(house: House) -> list[str]:
    """The kinds of what stands open, and the words about a cancel that came too late."""
    rows = house.ledger("SELECT kind, explanation FROM item WHERE closed_at IS NULL ORDER BY kind")
    return [
        row["explanation"].rpartition(": its")[0] and TOO_LATE if TOO_LATE in row["explanation"] else row["kind"] for row in rows
    ]


def test_a_cancel_without_effect_is_told_where_the_order_is_under_review_for_something_else(house: House) -> None:
    """Nobody else says that the order was not stopped; it may be asked for again, and then it is cancelled, not declined."""
    contradicted(house)
    cancelled_in_vain(house)
    assert told(house) == ["action_refused", "contradiction"]
    assert cancel(house)[0] == ExitCode.CLEAN
    assert (house.state(), steps(house)) == ("review", [("cancel", "refused"), ("cancel", "done")])
    assert decide(house, "order:000471", "provider-is-right") == ExitCode.CLEAN
    house.run("poll")
    assert (house.state(), told(house)) == ("cancelled", [])


def test_a_recovery_after_it_is_told_by_the_read(house: House) -> None:
    """The order stays under review, and a refund is proposed, once."""
    contradicted(house)
    cancelled_in_vain(house)
    provider_changes_its_mind(house)
    for _ in range(2):
        house.pass_time(hours=7)
        house.run("poll")
    assert house.state() == "review"
    assert told(house) == ["action_refused", "contradiction", TOO_LATE]
    assert refund(house, "19.99")[0] == ExitCode.CLEAN
    assert TOO_LATE not in told(house)


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_recovery_after_it_is_told_to_whoever_decides(house: House, capsys: pytest.CaptureFixture[str], dry_run: bool) -> None:
    """Who takes the provider's word for right hears that the cancel came too late, and the ledger keeps that they were told."""
    contradicted(house)
    cancelled_in_vain(house)
    provider_changes_its_mind(house)
    assert decide(house, "order:000471", "provider-is-right", dry_run=dry_run) == ExitCode.CLEAN
    assert TOO_LATE in capsys.readouterr().out
    kept = house.ledger("SELECT resolution FROM item WHERE kind = 'double_charge' AND subject = 'order:000471'")
    assert [row["resolution"] for row in kept] == ([] if dry_run else ["provider-is-right"])
    assert house.state() == ("review" if dry_run else "completed")


def test_whoever_decides_is_told_where_another_item_of_the_kind_stands_open(house: House) -> None:
    """That the merchant changed the row says nothing of the cancel; the ledger keeps that they heard of both (I6)."""
    house.sql(
        "CREATE TRIGGER meanwhile AFTER UPDATE OF status ON orders WHEN NEW.status='review' "
        "BEGIN UPDATE orders SET status='paid' WHERE order_id=NEW.order_id; END"
    )
    house.sandbox.faults.switch_on("contradictory_rows")
    house.add(order(payment_token=WORKED_ON))
    house.run()
    house.sql("DROP TRIGGER meanwhile")
    assert [kind for kind, _ in house.items()] == ["contradiction", "double_charge"]
    house.pass_time(minutes=30)
    cancelled_in_vain(house)
    assert told(house) == [
        "action_refused",
        "contradiction",
        "double_charge",
    ]  # of the row once, whoever asked for a cancel (I10)
    provider_changes_its_mind(house)
    assert decide(house, "order:000471", "provider-is-right") == ExitCode.CLEAN
    kept = house.ledger("SELECT resolution, explanation FROM item WHERE kind = 'double_charge' ORDER BY opened_at")
    news = [(row["resolution"], TOO_LATE in row["explanation"]) for row in kept]
    assert news == [(MORE_NEWS, False), ("provider-is-right", True)]


def test_a_row_that_changes_after_it_is_told_too(house: House) -> None:
    """That the cancel came too late is one thing, that the merchant has the order as paid meanwhile another (I5, I20)."""
    contradicted(house)
    cancelled_in_vain(house)
    provider_changes_its_mind(house)
    house.pass_time(hours=7)
    house.run("poll")
    assert told(house) == ["action_refused", "contradiction", TOO_LATE]
    house.change("000471", status="paid")
    house.run("poll")
    assert told(house) == ["action_refused", "contradiction", TOO_LATE, "write_back_conflict"]


def test_a_cancel_that_a_person_takes_for_right_lifts_our_hold_from_a_row_that_is_theirs(house: House) -> None:
    """The row stays as the merchant has it, and bears no hold of ours any more, as where a read tells of the cancel (I13)."""
    contradicted(house)
    assert cancel(house)[0] == ExitCode.CLEAN
    house.change("000471", status="paid")
    assert decide(house, "order:000471", "provider-is-right") == ExitCode.CLEAN
    house.run("poll")
    assert house.state() == "cancelled"
    assert (house.row()["status"], house.row()["hold_reference"]) == ("paid", None)


def test_what_whoever_decides_was_told_is_no_charge_in_house(house: House) -> None:
    """The item that the decision opens and closes keeps their word; what a read tells of the same stands among the charges."""
    contradicted(house)
    cancelled_in_vain(house)
    provider_changes_its_mind(house)
    assert decide(house, "order:000471", "provider-is-right") == ExitCode.CLEAN
    assert house.ledger("SELECT * FROM item WHERE kind = 'double_charge'")
    assert charges(house) == 0


def test_what_a_read_tells_of_it_is_counted(house: House) -> None:
    """Also once a person has decided about it, at another moment."""
    contradicted(house)
    cancelled_in_vain(house)
    provider_changes_its_mind(house)
    house.pass_time(hours=7)
    house.run("poll")
    assert charges(house) == 1
    house.pass_time(hours=1)
    assert decide(house, "order:000471", "provider-is-right") == ExitCode.CLEAN
    assert charges(house) == 1


def charges(house: House) -> int:
    """What the metrics count of the day as charged in-house while it was held."""
    with open_ledger_alone(house.settings, clock=house.clock) as ledger, ledger.reading() as connection:
        figures = count_conflicts(connection, ledger.mid, DAY)
    return sum(count for (name, _), count in figures.items() if name == "mitbatch_house_charge_during_hold")
