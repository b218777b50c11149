"""Every command that a comparison prints is run as it stands: the state of the order, and the kind of difference, accept it."""

import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from jobs import surroundings
from jobs.cli import run
from jobs.clock import SystemClock
from tests.night.comparing import add_at_provider, change_at_provider, compare, differing, lose_at_provider
from tests.night.house import OTHER_AMOUNT, House, order
from tests.night.requests import completed, refund
from tests.night.test_cancel import WORKED_ON, pending
from tests.night.test_cancel_in_review import contradicted
from tests.night.test_capture import authorised
from tests.night.test_reconcile_settlement import settlement
from tests.night.test_review import decide

BY_CALL = {"evaluate": "api", "transmit": "api"}
CHARGEBACK = "0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a00a"
ACCEPTED = (0, 10, 11)
"""Exit codes of a command that did what it says, whatever waits for a person besides."""

Obey = Callable[[House, str], int]


@pytest.fixture
def obey(monkeypatch: pytest.MonkeyPatch) -> Obey:
    """Run a command line as a person copies it, on the house's clock and with the word that it asks for."""

    def ran(house: House, line: str) -> int:
        program, command, *rest = shlex.split(line)
        assert program == "mitbatch"
        for name in ("now", "monotonic", "sleep"):
            monkeypatch.setattr(SystemClock, name, lambda _, *given, name=name: getattr(house.clock, name)(*given))
        word = ["--yes"] if command in ("cancel", "refund") else []
        return run(["--config", str(house.config), command, *word, *rest])

    return ran


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """No report is drawn: what a command does is not on it."""
    whole = surroundings.of_this_machine
    for module in ("jobs.actions", "jobs.by_order", "jobs.refunds", "jobs.running", "jobs.night", "jobs.reconcile"):
        monkeypatch.setattr(
            f"{module}.of_this_machine", lambda *given, **more: replace(whole(*given, **more), page=None), raising=False
        )


def held(house: House) -> None:
    """One order is held, and nothing of it was sent."""
    house.set(channels=BY_CALL)
    house.add(order())
    house.sandbox.faults.switch_on("token_refused", times=99)
    house.run()
    house.sandbox.faults.clear()


def in_doubt(house: House) -> None:
    """One order was called, and no answer came."""
    house.set(channels=BY_CALL)
    house.add(order(payment_token=WORKED_ON))
    house.sandbox.faults.switch_on("server_error_before", where="evaluate")
    house.run()


def partially_refunded(house: House) -> None:
    """Of one order a part was given back, and more is left than one refund may be."""
    completed(house)
    assert refund(house, "5.00")[0] == 0


def refunded(house: House) -> None:
    """One order was given back."""
    completed(house)
    assert refund(house, "19.99")[0] == 0


def charged_back(house: House) -> None:
    """The cardholder has disputed one order."""
    house.add(order(payment_token=CHARGEBACK))
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    house.pass_time(days=5)
    compare(house)
    house.run("poll")


STATES: dict[str, tuple[Callable[[House], None], str]] = {
    "held": (held, "mitbatch explain 000471"),
    "in_doubt": (in_doubt, "mitbatch poll"),
    "pending": (pending, 'mitbatch cancel --reason "charged in-house" 000471'),
    "capture_required": (authorised, 'mitbatch cancel --reason "charged in-house" 000471'),
    "review": (contradicted, 'mitbatch cancel --reason "charged in-house" 000471'),
    "completed": (completed, 'mitbatch refund --amount 19.99 --reason "charged in-house" 000471'),
    "partially_refunded": (partially_refunded, 'mitbatch refund --amount 11.99 --reason "charged in-house" 000471'),
    "refunded": (refunded, "mitbatch explain 000471"),
    "chargeback": (charged_back, "mitbatch explain 000471"),
}
"""How an order comes to each state in which it may be held, and what is printed where it is charged in-house then."""

BECOMES = {"pending": "cancelled", "capture_required": "cancelled", "completed": "refunded"}
"""What becomes of an order by the printed command; of the others, nothing at once."""


def charge_command(house: House) -> str:
    """The command of the open case about a charge in-house, and the comparison's line that begins with the same words."""
    (told,) = house.ledger("SELECT explanation FROM item WHERE subject = 'charge:000471' AND closed_at IS NULL")
    assert differing(house)["000471"][1].startswith(told["explanation"])
    return str(told["explanation"]).rpartition(": ")[2]


@pytest.mark.parametrize("state", STATES)
def test_a_charge_in_house_names_a_command_that_the_state_accepts(house: House, obey: Obey, state: str) -> None:
    """For each state of a held order that the merchant's own retry has taken."""
    make, command = STATES[state]
    make(house)
    assert house.state() == state
    house.change("000471", retry_state="in_flight")
    compare(house)
    assert charge_command(house) == command
    assert obey(house, command) in ACCEPTED
    assert house.state() == BECOMES.get(state, state) or state in ("in_doubt", "partially_refunded")
    if state in ("held", "in_doubt"):
        assert house.accepted() == {}


@pytest.mark.parametrize("state", ["pending", "completed", "partially_refunded"])
def test_a_held_row_that_turns_paid_is_a_charge_in_house(house: House, obey: Obey, state: str) -> None:
    """Also of an order that was recovered, as the customer may have paid twice; it is told once, and as no conflict besides."""
    make, command = STATES[state]
    make(house)
    house.change("000471", status="paid")
    report, compared = compare(house)
    assert (report.code, compared.house_charges, house.items()) == (10, 1, [("double_charge", "charge:000471")])
    assert charge_command(house) == command
    assert obey(house, command) in ACCEPTED


@pytest.mark.parametrize("state", ["refunded", "chargeback"])
def test_a_row_that_turns_paid_after_the_money_went_back_is_no_double_charge(house: House, state: str) -> None:
    """Nothing of it is kept at the provider: the row alone is not as it should be."""
    STATES[state][0](house)
    house.change("000471", status="paid")
    _, compared = compare(house)
    assert (compared.house_charges, house.items()) == (0, [("write_back_conflict", "order:000471")])


def test_an_id_that_looks_like_an_option_is_no_option(house: House, obey: Obey) -> None:
    """The command is taken as it stands whatever the order is called."""
    completed(house, "-5")
    house.change("-5", retry_state="in_flight")
    compare(house)
    (told,) = house.ledger("SELECT explanation FROM item WHERE subject = 'charge:-5'")
    assert obey(house, told["explanation"].rpartition(": ")[2]) in ACCEPTED
    assert house.state("-5") == "refunded"


def _differ(**changed: Any) -> Callable[[House], None]:  # noqa: ANN401 - cells of a row
    return lambda house: house.change("000471", **changed)


def _delete(house: House) -> None:
    house.sql("DELETE FROM orders")


DIFFERENCES: dict[str, tuple[Callable[[House], None], Callable[[House], None]]] = {
    "amount": (pending, _differ(amount_minor=5)),
    "currency": (pending, _differ(currency="EUR")),
    "stopped": (pending, _differ(status="cancelled")),
    "completed too early": (pending, _differ(status="completed")),
    "held by another": (pending, _differ(hold_reference="theirs")),
    "free": (pending, _differ(status="declined", hold_reference=None)),
    "given back otherwise": (partially_refunded, _differ(refunded_minor=499)),
    "recovered and changed": (completed, _differ(status="written off")),
    "deleted": (pending, _delete),
    "lost": (pending, lambda house: lose_at_provider(house, "000471")),
    "twice": (pending, lambda house: add_at_provider(house, "000471", order_session_key="9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d")),
    "other amount there": (pending, lambda house: change_at_provider(house, "000471", amount=5)),
}
"""Each kind of difference: how the order stood, and what makes the books differ."""


def commands_of(explanation: str) -> list[str]:
    """The commands in an explanation, each behind its own words."""
    return re.findall(r": (mitbatch [^;]*?)(?=; |$)", explanation)


@pytest.mark.parametrize("kind", DIFFERENCES)
def test_each_kind_of_difference_names_commands_that_are_accepted(house: House, obey: Obey, kind: str) -> None:
    """Every command of the line, and of the item, runs; where it says what a row should be, that makes the books agree."""
    make, differ = DIFFERENCES[kind]
    make(house)
    house.pass_time(hours=2)
    house.run("poll")
    row = house.row()
    differ(house)
    compare(house)
    explanation = differing(house)["000471"][1]
    told = [each["explanation"] for each in house.ledger("SELECT explanation FROM item WHERE closed_at IS NULL")]
    assert [words for words in told if not commands_of(words)] == []
    _set_right(house, row, explanation)
    for command in [*commands_of(explanation), *(each for words in told for each in commands_of(words))]:
        assert obey(house, command) in ACCEPTED, command
    if "the row" in explanation or "looks free" in explanation:
        compare(house)
        assert differing(house) == {}


def _set_right(house: House, row: dict[str, Any], explanation: str) -> None:
    """Do what an explanation says: put the row back, and give its cells the values that it names."""
    if "put the row back" in explanation:
        house.add(row | {"status": None, "hold_reference": None})
    cells = dict(re.findall(r"(status|hold_reference|currency) '([^']+)'", explanation))
    cells |= dict(re.findall(r"(amount_minor) (\d+)", explanation))
    cells |= dict(re.findall(r"(refunded_minor) of the row to (\d+)", explanation))
    if "the row" in explanation:
        assert cells
        house.change("000471", **cells)


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "cancelled"},
        {"status": "paid"},
        {"status": "paid", "hold_reference": None},
        {"status": "cancelled", "amount_minor": 5},
        None,
    ],
)
def test_what_has_not_left_is_not_sent_because_somebody_obeyed(house: House, obey: Obey, changed: dict[str, Any] | None) -> None:
    """The merchant stops an order that waits for the provider: no advice puts it back, and the next night withdraws it."""
    held(house)
    _delete(house) if changed is None else house.change("000471", **changed)
    compare(house)
    explanation = differing(house)["000471"][1]
    assert ("set the row" in explanation, "put the row" in explanation) == (False, False)
    for command in commands_of(explanation):
        assert obey(house, command) in ACCEPTED
    house.run()
    assert (house.state(), house.accepted()) == ("withdrawn", {})


def test_a_row_of_a_recovered_order_that_looks_free_is_not_left_to_the_poll(house: House, obey: Obey) -> None:
    """No poll holds it again: the cells are named, so that nobody charges it twice."""
    completed(house)
    house.change("000471", status="declined", hold_reference=None)
    compare(house)
    explanation = differing(house)["000471"][1]
    _set_right(house, house.row(), explanation)
    assert [command for command in commands_of(explanation) if obey(house, command) not in ACCEPTED] == []
    assert not house.retry_takes()


@pytest.mark.parametrize("state", ["completed", "refunded", "chargeback"])
def test_nobody_is_told_to_write_over_paid_without_looking(house: House, state: str) -> None:
    """The row may be the only trace of the merchant's own charge, or right because the other one went back."""
    STATES[state][0](house)
    house.change("000471", status="paid", hold_reference=None)
    compare(house)
    assert "if you were paid for it otherwise, leave the row so" in differing(house)["000471"][1]


def test_an_amount_that_a_person_accepted_is_right_in_the_row_as_well(house: House) -> None:
    """Recovered with another amount, accepted, and the row set to it: nobody is told to set it back."""
    house.add(order(payment_token=OTHER_AMOUNT))
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    assert decide(house, "order:000471", "other-amount-accepted") == 0
    (recovered,) = [row["recovered_minor"] for row in house.audit("outcomes") if row["state_to"] == "completed"]
    house.change("000471", amount_minor=int(recovered))
    compare(house)
    assert [words for _, words in differing(house).values() if "its row shows" in words] == []


def test_a_settlement_names_commands_that_are_accepted(house: House, obey: Obey) -> None:
    """For an amount, a currency, a return and a chargeback that the ledger does not know, and an order that was released."""
    completed(house)
    lines = ("000471,,capture,19.98,EUR", "000471,,Refund,-5.00,EUR", "000471,,Chargeback,-1.00,EUR")
    compare(house, settlement=settlement(house, *lines))
    found = commands_of(differing(house)["000471"][1])
    assert len(found) >= 3
    assert [command for command in found if obey(house, command) not in ACCEPTED] == []
