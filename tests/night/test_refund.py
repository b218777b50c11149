"""Giving money back: exact, never above what is left, once for each request, and settled by reading after a lost answer."""

import sqlite3
import threading
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.engine import URL

from batch.refund_requests import RefundRequest
from batch.refunding import refund_order
from jobs.actions import Request
from jobs.databases import default_engine
from jobs.surroundings import of_this_machine
from schemas.errors import ActionInDoubt, ActionNotPossible, ProviderRefused, UsageRefused
from schemas.operations import OperationKind
from tests.night.conftest import MakeHouse
from tests.night.house import CANCELLED, ONHOLD, House, order
from tests.night.requests import asked, completed, given_back, made, refund, refunding, steps


def test_a_part_and_then_the_rest(house: House) -> None:
    """A part makes the order partially refunded, the rest refunded; row, ledger and provider agree to the cent."""
    completed(house)
    code, result = refund(house, "11.99")
    assert (code, house.state(), house.row()["status"]) == (0, "partially_refunded", "partially_refunded")
    assert (house.row()["refunded_minor"], given_back(house)) == (1199, 1199)
    assert result.problem is None

    assert refund(house, "8.00")[0] == 0
    assert (house.state(), house.row()["status"], house.row()["refunded_minor"]) == ("refunded", "refunded", 1999)
    assert (given_back(house), asked(house, "/refund")) == (1999, 2)
    assert steps(house) == [("refund", "done")] * 2
    assert not house.retry_takes()
    assert house.run("poll").code == 0
    assert house.states() == {"000471": "refunded"}


def test_several_parts_show_their_sum(house: House) -> None:
    """Each further part moves the row's amount on, and the money of the day adds up."""
    completed(house)
    for amount, total in (("5.00", 500), ("3.00", 800), ("1.00", 900)):
        assert refund(house, amount)[0] == 0
        assert (house.state(), house.row()["refunded_minor"], given_back(house)) == ("partially_refunded", total, total)
    (line,) = [row for row in house.audit("summary") if (row["section"], row["line"]) == ("money", "refunded")]
    assert line["amount_minor"] == "-900"


def test_the_provider_is_told_dollars(house: House) -> None:
    """One cent more than is left is refused by us, and the last cent is given back."""
    completed(house, amount_minor=1)
    assert refund(house, "0.02")[0] == 30
    assert refund(house, "0.01")[0] == 0
    assert given_back(house) == 1
    assert house.state() == "refunded"


@pytest.mark.parametrize(("amount", "words"), [("20.00", "more than the USD 19.99"), ("19.98", "60 %")])
def test_more_than_may_be_is_refused_here(house: House, amount: str, words: str) -> None:
    """Above what was captured, or a part above the profile's share: exit 30, nothing sent, nothing written."""
    completed(house)
    before = house.row()
    code, result = refund(house, amount)
    assert code == 30
    assert isinstance(result.problem, ActionNotPossible)
    assert words in str(result.problem)
    assert (steps(house), asked(house, "/refund"), house.row()) == ([], 0, before)


def test_the_sum_of_parts_is_what_is_checked(house: House) -> None:
    """A part that alone would be allowed is refused when too little is left."""
    completed(house)
    assert refund(house, "11.00")[0] == 0
    assert refund(house, "9.00")[0] == 30
    assert given_back(house) == 1100


def test_what_the_provider_shows_as_gone_counts(make_house: MakeHouse) -> None:
    """A refund that was made in the provider's portal leaves less to give back, where the provider shows it."""
    house = make_house(shows_refunds=True)
    completed(house)
    brain = house.sandbox._brain
    (there,) = brain.orders()
    brain.change(type(there)(**{**vars(there), "refunds": (1500,)}), house.clock.now(), "refunded", amount=1500)
    assert refund(house, "5.00")[0] == 30
    assert refund(house, "4.99")[0] == 0
    assert given_back(house) == 1999


@pytest.mark.parametrize("token", [ONHOLD, CANCELLED])
def test_only_what_was_recovered_is_given_back(house: House, token: str) -> None:
    """A pending order, and one that ended without money: exit 30, one sentence, nothing sent."""
    house.add(order(payment_token=token))
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    code, result = refund(house, "1.00")
    assert code == 30
    assert "has not completed" in str(result.problem)
    assert asked(house, "/refund") == 0


def test_an_order_that_completed_a_moment_ago_can_be_given_back(house: House) -> None:
    """The order is read first: what the ledger still calls pending is known to be completed by then."""
    house.add(order())
    house.run()
    house.pass_time(hours=2)
    assert refund(house, "19.99")[0] == 0
    assert house.state() == "refunded"


def test_an_unknown_order_and_another_currency_are_usage(house: House) -> None:
    """Neither takes anything from anybody: exit 2."""
    completed(house)
    code, result = refund(house, "1.00", "000472")
    assert code == 2
    assert isinstance(result.problem, UsageRefused)
    wanted = RefundRequest("000471", 100, "EUR", "why", "ada")
    report, (result,) = made(
        house, OperationKind.REFUND, Request("000471", lambda equipment, run: refund_order(equipment, run, wanted))
    )
    assert report.code == 2
    assert "is in USD" in str(result.problem)
    assert steps(house) == []


def test_the_same_amount_again_is_a_repetition(house: House) -> None:
    """Within 24 hours nothing is sent and the first is shown, exit 0; a day later it is a new one."""
    completed(house)
    _, first = refund(house, "5.00")
    code, again = refund(house, "5.00")
    assert code == 0
    assert again.asked is not None
    assert first.asked is not None
    assert again.asked.repeated
    assert again.asked.operation == first.asked.operation
    assert (given_back(house), asked(house, "/refund")) == (500, 1)
    house.pass_time(hours=24)
    house.sandbox._brain.options = type(house.sandbox._brain.options)(repeated_refund="new")
    assert refund(house, "5.00")[0] == 0
    assert given_back(house) == 1000


def test_a_request_id_names_one_refund(make_house: MakeHouse) -> None:
    """The same id is never sent twice, however late; another id gives the same amount again; another amount is usage."""
    house = make_house(repeated_refund="new")
    completed(house)
    assert refund(house, "5.00", request_id="t-1")[0] == 0
    house.pass_time(days=3)
    code, again = refund(house, "5.00", request_id="t-1")
    assert (code, again.asked is not None and again.asked.repeated, given_back(house)) == (0, True, 500)
    assert refund(house, "5.00", request_id="t-2")[0] == 0
    assert given_back(house) == 1000
    code, wrong = refund(house, "6.00", request_id="t-1")
    assert code == 2
    assert "stands for USD 5.00" in str(wrong.problem)


def test_an_answer_that_is_an_old_one_gave_nothing_back(house: House) -> None:
    """The provider takes an equal refund for a repetition and replays its success: the ledger does not believe it."""
    completed(house)
    assert refund(house, "5.00", request_id="t-1")[0] == 0
    code, result = refund(house, "5.00", request_id="t-2")
    assert code == 10
    assert isinstance(result.problem, ProviderRefused)
    assert "repetition" in str(result.problem)
    assert (given_back(house), house.row()["refunded_minor"]) == (500, 500)


def test_a_refusal_by_the_provider_is_told(make_house: MakeHouse) -> None:
    """Its reason is in the sentence, exit 10; nothing moved, and the same may be asked for again."""
    house = make_house(partial_refund_percent=10)
    completed(house)
    code, result = refund(house, "5.00")
    assert code == 10
    assert "partial refund may be" in str(result.problem)
    assert (house.state(), given_back(house), steps(house)) == ("completed", 0, [("refund", "refused")])
    assert refund(house, "5.00")[0] == 10
    assert asked(house, "/refund") == 2


AFTER = ["gateway_timeout_after", "reset_connection", "conflict_after", "malformed_json", "truncated_json", "huge_json"]
BEFORE = ["server_error_before", "bad_gateway", "service_unavailable", "conflict_before"]


@pytest.mark.parametrize("fault", AFTER)
def test_a_lost_answer_to_a_whole_refund_is_settled_by_the_read(house: House, fault: str) -> None:
    """It happened, its answer is lost: the read that follows shows it returned, and it is never asked for again (H-05, H-06)."""
    completed(house)
    house.sandbox.faults.switch_on(fault, where="refund")
    code, _ = refund(house, "19.99")
    assert house.sandbox.faults.fired(fault) == 1
    assert (code, steps(house), house.state()) == (0, [("refund", "done")], "refunded")
    assert (given_back(house), asked(house, "/refund")) == (1999, 1)


@pytest.mark.parametrize("fault", [*AFTER, "server_error_after", "failure_in_200"])
def test_a_lost_answer_is_settled_by_what_is_shown(make_house: MakeHouse, fault: str) -> None:
    """Where the provider shows what was given back, a part whose answer is lost is settled as well."""
    house = make_house(shows_refunds=True)
    completed(house)
    house.sandbox.faults.switch_on(fault, where="refund")
    refund(house, "5.00")
    assert house.sandbox.faults.fired(fault) == 1
    assert (steps(house), house.state(), given_back(house)) == ([("refund", "done")], "partially_refunded", 500)
    assert house.row()["refunded_minor"] == 500
    assert refund(house, "5.00")[0] == 0
    assert (given_back(house), asked(house, "/refund")) == (500, 1)


@pytest.mark.parametrize("fault", BEFORE)
def test_what_never_happened_is_refused_after_the_window(make_house: MakeHouse, fault: str) -> None:
    """An unclear answer and nothing given back: in doubt (11) until the window is over, then refused and free to be asked."""
    house = make_house(shows_refunds=True)
    completed(house)
    house.sandbox.faults.switch_on(fault, where="refund")
    code, result = refund(house, "5.00")
    assert code == 11
    assert isinstance(result.problem, ActionInDoubt)
    assert steps(house) == [("refund", "in_doubt")]
    assert house.run("poll").code == 11
    assert refund(house, "5.00")[0] == 11
    assert refund(house, "4.00")[0] == 30
    house.pass_time(hours=1)
    assert house.run("poll").code == 10
    assert steps(house) == [("refund", "refused")]
    assert [kind for kind, _ in house.items()] == ["action_refused"]
    assert refund(house, "5.00")[0] == 0
    assert (given_back(house), asked(house, "/refund")) == (500, 2)


def test_what_no_read_can_tell_stays_in_doubt(house: House) -> None:
    """A part whose answer is lost, and a provider that does not show it: held in doubt with an item, never asked for again."""
    completed(house)
    house.sandbox.faults.switch_on("gateway_timeout_after", where="refund")
    assert refund(house, "5.00")[0] == 11
    assert [kind for kind, _ in house.items()] == ["action_in_doubt"]
    house.pass_time(days=2)
    assert house.run("poll").code == 11
    assert (steps(house), given_back(house), asked(house, "/refund")) == ([("refund", "in_doubt")], 500, 1)
    assert refund(house, "19.99")[0] == 30
    assert house.state() == "completed"


def test_a_read_that_fails_asks_for_nothing(house: House) -> None:
    """How the order stands cannot be read: exit 20, nothing is written down and nothing sent."""
    completed(house)
    house.sandbox.faults.switch_on("server_error_before", where="order", times=9)
    assert refund(house, "5.00")[0] == 20
    assert (steps(house), asked(house, "/refund")) == ([], 0)


def test_a_bearer_that_is_refused_is_renewed_once(house: House) -> None:
    """401 to the refund itself: one new token and the same request, which happens once (H-01)."""
    completed(house)
    house.sandbox.faults.switch_on("unauthorized_once", where="refund")
    assert refund(house, "5.00")[0] == 0
    assert given_back(house) == 500


def test_two_at_once_refund_once(house: House) -> None:
    """Two commands for the same refund at the same moment: one does it, the other finds the lease held, or the first done."""
    completed(house)
    codes: list[Any] = []

    def work() -> None:
        try:
            codes.append(refund(house, "5.00")[0])
        except Exception as error:  # noqa: BLE001 - another run is active: that is one of the two right answers
            codes.append(getattr(error, "exit_code", error))

    runners = [threading.Thread(target=work) for _ in range(2)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    assert sorted(map(int, codes)) in ([0, 0], [0, 21])
    assert (given_back(house), asked(house, "/refund")) == (500, 1)


def test_a_refund_is_in_finances_files(house: House) -> None:
    """refunds.csv has the request with what really left, and outcomes.csv the change of state."""
    completed(house)
    refund(house, "5.00")
    house.sandbox._brain.options = type(house.sandbox._brain.options)(partial_refund_percent=1)
    refund(house, "4.00")
    done, failed = sorted(house.audit("refunds"), key=lambda row: row["status"], reverse=True)
    assert (done["status"], done["requested_minor"], done["effect_minor"], done["effect"]) == (
        "succeeded",
        "500",
        "-500",
        "-5.00",
    )
    assert (done["refunded_total_minor"], done["refundable_left_minor"]) == ("500", "1499")
    assert (done["requested_by"], done["reason"], done["written_back"]) == ("ada@desk", "as the customer asked", "yes")
    assert (failed["status"], failed["effect_minor"]) == ("failed", "0")
    assert "partial refund" in failed["provider_message"]
    (outcome,) = [row for row in house.audit("outcomes") if row["state_to"] == "partially_refunded"]
    assert (outcome["source"], outcome["written_back"]) == ("operator", "yes")


class _Dies(BaseException):
    """The end of a process."""


class _Line:
    """Counts the commits of one process, and lets it die at one of them: nothing is committed after that."""

    def __init__(self, moment: str, number: int) -> None:
        self.moment, self.number, self.count, self.dead = moment, number, 0, False

    def make_engine(self, url: URL | str, **options: Any) -> Engine:  # noqa: ANN401 - SQLAlchemy's own options
        """An engine whose commits are counted."""
        engine = default_engine(url, **options)
        commit = engine.dialect.do_commit

        def do_commit(connection: Any) -> None:  # noqa: ANN401 - the driver's own type
            here, self.count = self.count, self.count + 1
            self.dead = self.dead or (self.moment, self.number) == ("before", here)
            if self.dead:
                raise _Dies
            commit(connection)
            self.dead = (self.moment, self.number) == ("after", here)
            if self.dead:
                raise _Dies

        engine.dialect.do_commit = do_commit  # type: ignore[method-assign,assignment]
        return engine


@pytest.mark.parametrize("number", range(12))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_death_at_any_commit_refunds_once(make_house: MakeHouse, moment: str, number: int) -> None:
    """Killed before or after any commit of the command: polls and the same command again end with one refund, told everywhere."""
    house = make_house(shows_refunds=True)
    completed(house)
    line = _Line(moment, number)
    dying = replace(of_this_machine(house.clock), make_engine=line.make_engine)
    with suppress(_Dies):
        made(house, OperationKind.REFUND, refunding("5.00"), surroundings=dying)
    assert line.dead or number > 8, "fewer commits than are tried here"
    with closing(sqlite3.connect(house.ledger_path)) as connection, connection:
        connection.execute("UPDATE lease SET run_id = NULL, expires_at = NULL")  # the process is gone
    house.run("poll")
    house.pass_time(hours=1)
    house.run("poll")
    assert refund(house, "5.00")[0] == 0
    assert given_back(house) == 500
    assert sum(row["amount_minor"] for row in house.ledger("SELECT amount_minor FROM operation WHERE step = 'done'")) == 500
    assert (house.state(), house.row()["refunded_minor"]) == ("partially_refunded", 500)
