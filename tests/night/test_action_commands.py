"""The commands cancel, capture and refund: what they print, what they ask for, their exit codes, and what bad input gets."""

import json
from pathlib import Path
from typing import Any

import pytest

from jobs.by_order import cancel, capture
from jobs.cli import run
from jobs.output import Options
from jobs.refunds import refund_many, refund_one
from schemas.errors import ActionNotPossible, MitbatchError, UsageRefused
from tests.night.house import ONHOLD, House, order
from tests.night.requests import asked, completed, given_back, steps

WHY = "as the customer asked"


def options(house: House, *, as_json: bool = False) -> Options:
    """The global options of a command for this house."""
    return Options(config=house.config, json=as_json)


def refused(house: House, amount: str, order_id: str = "000471", reason: str = WHY) -> MitbatchError:
    """Why a refund command is refused before anything is done."""
    before = (house.ledger_rows(), house.row(), asked(house, "/refund"))
    with pytest.raises(MitbatchError) as problem:
        refund_one(options(house), order_id, amount=amount, reason=reason, yes=True, clock=house.clock)
    assert (house.ledger_rows(), house.row(), asked(house, "/refund")) == before
    return problem.value


@pytest.mark.parametrize("amount", ["1.234", "-1.00", "0", "0.00", "NaN", "1e5", "1,00", "", "one"])
def test_a_malformed_amount_is_usage(house: House, amount: str) -> None:
    """Exit 2, one sentence with the right form, nothing changed."""
    completed(house)
    problem = refused(house, amount)
    assert problem.exit_code == 2
    assert "is not an amount of USD" in str(problem)


def test_what_cannot_be_given_back_is_refused_in_one_sentence(house: House) -> None:
    """Unknown order 2; above what was captured 30; a card number or nothing for a reason 2."""
    completed(house)
    assert isinstance(refused(house, "1.00", "000472"), UsageRefused)
    assert isinstance(refused(house, "20.00"), ActionNotPossible)
    card = refused(house, "1.00", reason="card 4111 1111 1111 1111")
    assert card.exit_code == 2
    assert "4111" not in str(card)
    assert refused(house, "1.00", reason=" ").exit_code == 2


def test_a_pending_order_has_nothing_to_give_back_or_to_capture(house: House) -> None:
    """Both are refused with 30, and nothing changes."""
    house.add(order(payment_token=ONHOLD))
    house.run()
    assert refused(house, "1.00").exit_code == 30
    with pytest.raises(ActionNotPossible):
        capture(options(house), "000471", reason=WHY, yes=True, clock=house.clock)
    assert steps(house) == []


def test_without_a_terminal_it_needs_a_word(house: House) -> None:
    """Nobody is waited for: exit 2, nothing is done."""
    completed(house)
    with pytest.raises(UsageRefused, match="--yes"):
        refund_one(options(house), "000471", amount="1.00", reason=WHY, clock=house.clock)
    assert steps(house) == []


def test_a_dry_run_shows_and_does_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Every line is marked, the effect is named, and no side changes."""
    completed(house)
    before = house.ledger_rows()
    assert refund_one(options(house), "000471", amount="5.00", reason=WHY, dry_run=True, clock=house.clock) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("DRY RUN  ") for line in lines)
    assert "USD 14.99 are left afterwards" in "".join(lines)
    assert (house.ledger_rows(), asked(house, "/refund")) == (before, 0)


def test_a_refund_says_what_it_did(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Where it acts, what was given back, where the files are, and the code; the same as one object with --json."""
    completed(house)
    assert refund_one(options(house), "000471", amount="5.00", reason=WHY, yes=True, clock=house.clock) == 0
    told = capsys.readouterr()
    assert "USD 5.00 of order '000471' (completed) is given back" in told.err
    first, done, *_, last = told.out.splitlines()
    assert first.startswith("mitbatch refund 2026-11-23 sandbox mid ")
    assert done == "refunded        order '000471'   USD 5.00   the order is partially_refunded now"
    assert last == "EXIT 0 clean"
    assert refund_one(options(house, as_json=True), "000471", amount="5.00", reason=WHY, yes=True, clock=house.clock) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["results"][0]["result"], found["exit_code"]) == ("mitbatch.refund/1", "repeated", 0)
    assert given_back(house) == 500


def test_a_cancel_says_what_it_did_and_that_it_was_done(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """The first cancels, the second says so in one sentence and changes nothing."""
    house.add(order(payment_token="0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a004"))
    house.run()
    assert cancel(options(house), "000471", reason=WHY, yes=True, clock=house.clock) == 0
    assert "cancelled       order '000471'" in capsys.readouterr().out
    before = house.ledger_rows()
    assert cancel(options(house), "000471", reason=WHY, yes=True, clock=house.clock) == 0
    assert "was cancelled already" in capsys.readouterr().out
    assert (house.ledger_rows(), asked(house, "/cancel")) == (before, 1)


def test_a_file_of_refunds_stops_at_no_bad_row(house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each row on its own: done, repeated, malformed, unknown, above what is left, in another currency; one summary."""
    completed(house, "a", "b")
    file = tmp_path / "refunds.csv"
    rows = [
        "order_id,amount,currency,reason,request_id",
        "a,5.00,USD,late,t-1",
        "a,1.234,USD,late,t-2",
        "nobody,5.00,USD,late,t-3",
        "b,50.00,USD,late,t-4",
        "b,5.00,EUR,late,t-5",
        "b,5.00,USD,card 4111111111111111,t-6",
        "b,,USD,late,t-7",
        "b,11.99,USD,late,t-8",
        "a,5.00,USD,late,t-1",
    ]
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert refund_many(options(house), file, yes=True, clock=house.clock) == 30
    told = capsys.readouterr()
    assert "malformed 5 · not_possible 1 · repeated 1" in told.out
    assert "done 2" in told.out
    assert "USD 16.99" in told.out
    assert "4111" not in told.out + told.err
    assert (given_back(house, "a"), given_back(house, "b")) == (500, 1199)
    assert house.states() == {"a": "partially_refunded", "b": "partially_refunded"}

    assert refund_many(options(house), file, yes=True, clock=house.clock) == 30
    assert (given_back(house, "a"), given_back(house, "b"), asked(house, "/refund")) == (500, 1199, 2)
    file.write_text("\n".join([rows[0], rows[2]]) + "\n", encoding="utf-8")
    assert refund_many(options(house), file, yes=True, clock=house.clock) == 2


@pytest.mark.parametrize(
    "words",
    [
        "refund",
        "refund 000471",
        "refund 000471 --amount 1.00",
        "refund 000471 --csv x.csv",
        "refund --csv no-such-file.csv --yes",
        "cancel 000471",
        "capture 000471",
        "cancel --reason why",
    ],
)
def test_an_incomplete_command_line_is_usage(house: House, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 and a sentence, whatever is missing."""
    assert run(["--config", str(house.config), *words.split()]) == 2
    assert capsys.readouterr().err
