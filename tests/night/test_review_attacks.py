"""Decisions that must not open a door: each of these once sent, released, booked or believed what it must not."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from pytest_mock import MockerFixture

from batch.action_rules import RefundAsked, settlement
from batch.api import ProviderApi
from batch.provider_reads import Answer
from batch.responses import OrderRead
from jobs.output import Options
from jobs.refunds import refund_many, refund_one
from jobs.review_list import list_review
from schemas.errors import DecisionRefused, ExitCode, UsageRefused
from schemas.operations import OperationKind, OperationStep
from schemas.profile import Meaning
from tests.night.house import House, order
from tests.night.requests import cancel, completed, refund, steps
from tests.night.test_review import FOREVER, balances, decide, doubtful_refund, vanished_file

PAN = "4111111111111111"


def answers_as(mocker: MockerFixture, change: Callable[[OrderRead], OrderRead]) -> None:
    """From now on the provider's single reads say something else."""
    real = ProviderApi.read_orders

    def read(self: ProviderApi, ids: Sequence[str]) -> Iterator[Answer]:
        return (replace(each, read=change(each.read)) if each.read else each for each in real(self, ids))

    mocker.patch.object(ProviderApi, "read_orders", read)


def test_an_order_whose_file_may_still_leave_is_not_released(house: House) -> None:
    """Its part lies in the inbound folder and would be renamed by the next nightly: refused; nothing is sent twice (I1, I2)."""
    house.add(order("a"), order("b", amount_minor=500))
    house.sandbox.faults.switch_on("drop_before_rename")
    house.sandbox.faults.switch_on("refuse_connection", times=FOREVER, skip=1)
    house.run()
    house.sandbox.faults.clear()
    with pytest.raises(DecisionRefused, match="may still be taken"):
        decide(house, "order:a", "support-confirmed-no-rescue")
    assert not house.retry_takes("a")
    house.run()
    assert house.accepted() == Counter({"a": 1, "b": 1})


def test_a_file_with_a_released_order_is_not_renamed(house: House, mocker: MockerFixture) -> None:
    """Even if such an order stands in the ledger already, its file does not leave with it."""
    house.add(order("a"), order("b", amount_minor=500))
    house.sandbox.faults.switch_on("drop_before_rename")
    house.sandbox.faults.switch_on("refuse_connection", times=FOREVER, skip=1)
    house.run()
    house.sandbox.faults.clear()
    mocker.patch("batch.review._must_not_leave")
    decide(house, "order:a", "support-confirmed-no-rescue")
    assert house.run().code == ExitCode.IN_DOUBT
    assert (house.accepted(), house.state("b")) == (Counter(), "in_doubt")


def test_what_was_given_back_stays_in_the_books(house: House, mocker: MockerFixture) -> None:
    """An order partly given back, under review and then decided for, is partly given back: in its row and in the summary."""
    completed(house)
    refund(house, "5.00")
    answers_as(mocker, lambda read: replace(read, status="DECLINED", code=None))
    told = house.sandbox.orders()[0]
    news = [{"orderSessionKey": told["order_session_key"], "orderId": "000471", "status": "DECLINED"}]
    house.put_outbound("outcomes_x_1.json", {"mid": house.sandbox.mid, "outcomes": news})
    house.pass_time(hours=1)
    house.run("poll")
    assert house.state() == "review"
    mocker.stopall()
    decide(house, "order:000471", "provider-is-right")
    assert (house.state(), house.row()["status"], house.row()["refunded_minor"]) == (
        "partially_refunded",
        "partially_refunded",
        500,
    )
    (line,) = [row for row in house.audit("summary") if (row["section"], row["line"]) == ("money", "refunded")]
    assert line["amount_minor"] == "-500"
    balances(house)


def test_a_sum_that_appears_is_no_proof_that_nothing_happened() -> None:
    """The provider showed nothing before and shows the whole amount now: it does not count as untouched (I12)."""
    read = OrderRead("key", "o-1", 7, "Completed", 1999, "USD", refunded_minor=1999)
    asked = RefundAsked(1999, 1999, None, can_show=True)
    assert settlement(OperationKind.REFUND, read, Meaning.COMPLETED, is_late=True, refund=asked).step is None
    shows_none = replace(read, refunded_minor=None)
    found = settlement(OperationKind.REFUND, shows_none, Meaning.COMPLETED, is_late=True, refund=asked)
    assert found.step is OperationStep.REFUSED


@pytest.mark.parametrize(("before", "shown", "is_done"), [(None, None, True), (0, 1999, True), (0, 0, False), (0, None, True)])
@pytest.mark.parametrize("is_late", [False, True])
def test_an_order_that_was_returned_otherwise_proves_no_refund(
    before: int | None, shown: int | None, is_done: bool, is_late: bool
) -> None:
    """That nothing more is shown as given back than before does not tell of our request, whoever returned the order (I2)."""
    read = OrderRead("key", "o-1", 6, "Returned", 1999, "USD", refunded_minor=shown)
    asked = RefundAsked(1999, 1999, before, can_show=True)
    found = settlement(OperationKind.REFUND, read, Meaning.REFUNDED, is_late=is_late, refund=asked)
    assert (found.step, found.ever) == ((OperationStep.DONE, True) if is_done else (None, True))


def test_a_cancel_of_an_order_that_never_came_can_be_settled(house: House) -> None:
    """Nobody knows its id there; support says that nothing happened, and no later run is in doubt about it."""
    vanished_file(house)
    house.sandbox.faults.switch_on("server_error_before", where="external_cancel", times=9)
    assert cancel(house, "a", external=True)[0] == ExitCode.IN_DOUBT
    asked = [row["path"] for row in house.sandbox.journal() if row["event"] == "answered"]
    assert not any(str(path).endswith("/orders/") for path in asked)
    house.sandbox.faults.clear()
    house.pass_time(hours=3)
    house.run("poll")
    assert [kind for kind, _ in house.items()] == ["action_in_doubt", "missing_acknowledgement"]
    (item,) = house.ledger("SELECT item_id FROM item WHERE closed_at IS NULL AND kind='action_in_doubt'")
    decide(house, item["item_id"], "support-confirmed-it-did-not")
    assert steps(house) == [("cancel", "refused")]


def test_a_read_about_another_order_settles_no_request(house: House, mocker: MockerFixture) -> None:
    """A decision that cites it is refused; one that fits keeps what the provider said (H-14, I7)."""
    item = doubtful_refund(house)
    answers_as(mocker, lambda read: replace(read, provider_order_id="other", external_id="zzz", amount_minor=400))
    with pytest.raises(DecisionRefused, match="shows another"):
        decide(house, item, "support-confirmed-it-happened")
    mocker.stopall()
    decide(house, item, "support-confirmed-it-happened")
    (event,) = house.ledger("SELECT evidence_id FROM event WHERE subject LIKE 'operation:%' AND to_state='done'")
    (kept,) = house.ledger("SELECT source FROM evidence WHERE evidence_id=?", [event["evidence_id"]])
    assert kept["source"] == "poll"


def test_no_card_number_becomes_a_request(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither as its id nor in any cell of a CSV: refused, and repeated nowhere (I18)."""
    completed(house)
    options = Options(house.config, json=True)
    with pytest.raises(UsageRefused, match="no card number"):
        refund_one(options, "000471", amount="5.00", reason="x", request_id=PAN, yes=True, clock=house.clock)
    with pytest.raises(UsageRefused, match="That is not an amount"):
        refund_one(options, "000471", amount=f"{PAN}.5", reason="x", yes=True, clock=house.clock)
    file = house.folder / "refunds.csv"
    for row in (f"{PAN},5.00,USD,x,r1", f"000471,{PAN},USD,x,r1", f"000471,5.00,USD,x,{PAN}", f"000471,5.00,USD,{PAN},r1"):
        file.write_text(f"order_id,amount,currency,reason,request_id\n{row}\n", encoding="utf-8")
        assert refund_many(options, file, yes=True, clock=house.clock) == ExitCode.USAGE
    shown = capsys.readouterr()
    assert PAN not in shown.out + shown.err
    assert steps(house) == []


def test_a_file_with_one_released_order_can_still_be_decided(house: House) -> None:
    """It is not sent again with that order, and still waits; that it was not taken releases the others."""
    batch = vanished_file(house)
    decide(house, "order:a", "support-confirmed-no-rescue")
    assert ("missing_acknowledgement", f"batch:{batch}") in house.items()
    with pytest.raises(DecisionRefused, match=r"'a' of .* was released"):
        decide(house, f"batch:{batch}", "support-confirmed-never-arrived")
    assert decide(house, f"batch:{batch}", "support-confirmed-not-taken") == ExitCode.CLEAN
    assert (house.steps(), house.states(), house.items()) == (["refused"], {"a": "rejected", "b": "rejected"}, [])


def test_calls_in_doubt_can_be_decided_as_the_list_says(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """A group of calls is no file: what is offered works, order by order, and the group's item stays while one is in doubt."""
    house.set(channels={"evaluate": "api", "transmit": "off"})
    house.add(order("a"), order("b"))
    house.sandbox.faults.switch_on("service_unavailable", where="evaluate", times=2)
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    capsys.readouterr()
    list_review(Options(house.config))
    shown = capsys.readouterr().out
    assert "decide --as noted\n" in shown
    assert "order:ID --as repeat-call | support-confirmed-no-rescue" in shown
    decide(house, "order:a", "support-confirmed-no-rescue")
    assert [kind for kind, _ in house.items()] == ["missing_acknowledgement"]
    assert decide(house, "order:b", "support-confirmed-no-rescue") == ExitCode.CLEAN
    assert (house.states(), house.items()) == ({"a": "rejected", "b": "rejected"}, [])
