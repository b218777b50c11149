"""Answers and outages that must not open a door: each of these once released, completed, repeated or lost what it must not."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from pytest_mock import MockerFixture

from batch.api import ProviderApi
from batch.api_copies import Transmits
from batch.api_delivery import ApiDelivery
from batch.api_evaluates import Evaluates
from batch.api_line import Called
from batch.call_answers import Verdict
from batch.ledger import Writing
from batch.ledger.moves import move_orders
from batch.ledger.steps import move_batch
from batch.provider_reads import Answer
from schemas.errors import ApiBusy, ApiLoginRefused, ExitCode, LedgerBusy
from tests.night.house import ONHOLD, UNANSWERED, House, order, paid
from tests.night.requests import cancel
from tests.night.test_cit import cit, shop
from tests.night.test_corrections import REFUSED, mended
from tests.night.test_sync_mode import days, evaluates, sync_house

__all__ = ["shop", "sync_house"]


def test_a_row_without_ids_releases_no_file(house: House) -> None:
    """A CSV acknowledgement whose only row has blank ids says nothing about the file: every order stays held (I1, I14)."""
    house.sandbox.faults.switch_on("no_acknowledgement")
    house.add(*(order(name, payment_token=ONHOLD) for name in "abc"))
    house.run()
    name, answer = house.acknowledgement()
    head = "file,kind,mid,sequenceNumber,orderId,orderSessionKey,status,result,errors"
    row = f"{answer['file']},evaluate,{answer['mid']},,,,,Failed,row has no order id"
    house.put_outbound(name.replace(".json", ".csv"), f"{head}\n{row}\n".encode())
    house.run("poll")
    house.pass_time(minutes=1)
    house.run("poll")
    assert set(house.states().values()) == {"sending"}
    assert not any(house.retry_takes(each) for each in "abc")


def test_news_of_a_refused_claim_ends_no_later_one(house: House) -> None:
    """Files are trusted, and one named the first claim by our id alone: the second, which the provider works on, stays held."""
    house.set(outcomes={"trust_files": True, "acknowledgement_wait_seconds": 4})
    house.add(order("a", payment_token=REFUSED), order("b", payment_token=ONHOLD))
    house.run()
    house.put_outbound("outcomes_1.json", {"mid": house.sandbox.mid, "outcomes": [{"orderId": "a", "status": "DECLINED"}]})
    house.run("poll")
    mended(house, "a")
    for _ in range(3):
        house.sandbox.faults.switch_on("server_error_after", where="order", times=99)
        house.pass_time(hours=1)
        house.run()
    assert house.state("a") == "pending"
    assert not house.retry_takes("a")


def test_half_a_cell_completes_no_other_order(house: House) -> None:
    """A trusted CSV that was cut inside its last cell names a shorter id: that order does not complete (I3)."""
    house.set(outcomes={"trust_files": True, "ask": "off", "acknowledgement_wait_seconds": 4})
    house.add(order("1234", payment_token=ONHOLD), order("12345", payment_token=ONHOLD))
    house.run()
    house.put_outbound("outcomes_cut.csv", f"mid,status,orderId\n{house.sandbox.mid},COMPLETED,1234".encode())
    for _ in range(2):
        house.pass_time(minutes=1)
        house.run("poll")
    assert house.states() == {"1234": "pending", "12345": "pending"}
    house.put_outbound("outcomes_cut.csv", f"mid,status,orderId\n{house.sandbox.mid},COMPLETED,12345\n".encode())
    for _ in range(2):
        house.pass_time(hours=7)
        house.run("poll")
    assert house.states() == {"1234": "pending", "12345": "completed"}


def test_what_was_cancelled_is_not_evaluated_again(sync_house: House, mocker: MockerFixture) -> None:
    """Sync mode: the cancel is confirmed and the read after it fails; no poll asks for its rescue once more (I1, I2)."""
    house = sync_house
    house.add(order("a", payment_token=UNANSWERED))
    house.run()
    house.pass_time(hours=72)

    async def down(_: ProviderApi, provider_order_id: str) -> Answer:
        return Answer(provider_order_id, b"", None, "down", is_unreachable=True)

    mocker.patch.object(ProviderApi, "_read", down)
    cancel(house, "a")
    house.run("poll")
    assert len(evaluates(house)) == 1


@pytest.mark.parametrize(("fault", "problem"), [("too_many_requests", ApiBusy), ("forbidden", ApiLoginRefused)])
def test_repeats_that_are_turned_away_stop(sync_house: House, fault: str, problem: type[Exception]) -> None:
    """They are told, and what was not called is called by the next poll, not after another tenth of the period."""
    house = sync_house
    house.add(*(order(f"o{number:03}", payment_token=ONHOLD) for number in range(200)))
    house.run()
    house.pass_time(hours=72)
    house.sandbox.faults.switch_on(fault, where="evaluate", times=9999)
    report = house.run("poll")
    assert report.code == ExitCode.NOTHING_SENT
    assert [type(each) for each in report.findings.problems] == [problem]
    repeated = len(house.ledger("SELECT 1 FROM event WHERE kind='repeated'"))
    assert repeated < 200
    house.sandbox.faults.clear()
    before = len(evaluates(house))
    house.pass_time(hours=6)
    house.run("poll")
    assert len(evaluates(house)) - before == 200 - repeated


def test_a_busy_ledger_loses_no_answer(house: House, mocker: MockerFixture) -> None:
    """The ledger is locked when the first answers come back: they are recorded with the next, and what was not called is held."""
    house.set(channels={"evaluate": "api", "transmit": "off"})
    house.add(*(order(f"o{number:03}", payment_token=ONHOLD) for number in range(300)))
    real, tries = ApiDelivery._record, iter(range(99))

    def record(self: ApiDelivery, back: Sequence[Called]) -> None:
        if next(tries) == 0:
            raise LedgerBusy("The ledger's database could not be used (database is locked).")
        real(self, back)

    mocker.patch.object(ApiDelivery, "_record", record)
    assert house.run().code == ExitCode.NEEDS_PERSON
    assert set(house.states().values()) == {"pending", "held"}
    house.pass_time(hours=1)
    assert house.run().code == ExitCode.CLEAN
    assert Counter(house.states().values()) == Counter(pending=300)
    assert max(house.accepted().values()) == 1


@pytest.mark.parametrize("errand", [Evaluates, Transmits])
def test_a_commit_that_fails_loses_no_answer(house: House, mocker: MockerFixture, errand: type[Evaluates | Transmits]) -> None:
    """The first answers are written and their commit fails: they are written again with the next, and no call is repeated."""
    house.set(channels={"evaluate": "api", "transmit": "api"})
    house.add(*(order(f"o{number:03}", payment_token=ONHOLD) for number in range(140)))
    house.add(*(paid(f"p{number:03}") for number in range(140)))
    real, tries = errand.apply, iter(range(99))

    def apply(self: Evaluates | Transmits, writing: Writing, back: Sequence[Called]) -> dict[Verdict, int]:
        counts = real(self, writing, back)  # type: ignore[arg-type]  # one and the same class
        if next(tries) == 0:
            raise LedgerBusy("The ledger's database could not be used (database is locked).")
        return counts

    mocker.patch.object(errand, "apply", apply)
    jobs = ("nightly", "transmit")
    codes = [house.run(job).code for job in jobs]
    assert ExitCode.NEEDS_PERSON in codes
    assert ExitCode.INTERNAL not in codes
    house.pass_time(hours=1)
    assert [house.run(job).code for job in jobs] == [ExitCode.CLEAN, ExitCode.CLEAN]
    assert Counter(house.states().values()) == Counter(pending=140)
    assert max(house.accepted().values()) == 1
    assert {row["result"] for row in house.ledger("SELECT result FROM transmission")} == {"success"}
    assert len(house.sandbox.accepted("transmit")) == 140


@pytest.mark.parametrize("where", ["batch.api_evaluates.move_batch", "batch.api_copies.move_batch"])
def test_a_run_that_stood_still_in_its_intent_calls_nobody(house: House, mocker: MockerFixture, where: str) -> None:
    """A run that stands still while it records its intent, for longer than its lease, makes no call of it: the next run does."""
    house.set(channels={"evaluate": "api", "transmit": "api"})
    house.add(order("a", payment_token=ONHOLD), paid("p"))
    stands = mocker.patch(where, side_effect=_standing_still(house, move_batch))
    codes = {house.run("nightly").code, house.run("transmit").code}
    assert stands.called
    assert ExitCode.NOTHING_SENT in codes
    kind = "evaluate" if "evaluates" in where else "transmit"
    assert house.sandbox.accepted(kind) == []
    mocker.stopall()
    assert [house.run(job).code for job in ("nightly", "transmit")] == [ExitCode.CLEAN, ExitCode.CLEAN]
    assert len(house.sandbox.accepted(kind)) == 1


def test_a_run_that_stood_still_once_goes_on(house: House, mocker: MockerFixture) -> None:
    """Calls that came too late once, because the machine stood still, are intended anew and made by the same run."""
    house.set(channels={"evaluate": "api", "transmit": "off"})
    house.add(order("a", payment_token=ONHOLD))
    stand, once = _standing_still(house, move_batch), iter([True])
    mocker.patch(
        "batch.api_evaluates.move_batch", side_effect=lambda *a, **k: (stand if next(once, False) else move_batch)(*a, **k)
    )
    assert house.run().code is ExitCode.CLEAN
    assert (house.states(), house.accepted()) == ({"a": "pending"}, Counter(["a"]))


def test_a_run_that_stood_still_repeats_nothing(sync_house: House, mocker: MockerFixture) -> None:
    """The same for an order of sync mode that is to be evaluated again."""
    sync_house.add(order("a", payment_token=ONHOLD))
    sync_house.run()
    stands = mocker.patch("batch.sync_repeats.move_orders", side_effect=_standing_still(sync_house, move_orders))
    days(sync_house, 4)
    assert stands.called
    assert len(evaluates(sync_house)) == 1
    mocker.stopall()
    days(sync_house, 4)
    assert len(evaluates(sync_house)) > 1


def _standing_still(house: House, real: Callable[..., Any]) -> Callable[..., Any]:
    def stand(*given: object, **named: object) -> object:
        done = real(*given, **named)
        house.pass_time(seconds=house.settings.lease.seconds + 1)
        return done

    return stand


def test_a_customer_who_has_left_is_not_charged_days_later(shop: House) -> None:
    """A CIT that could not be called is withdrawn once its decline is too old, and is the merchant's again."""
    shop.add(cit("c", token=ONHOLD))
    shop.sandbox.faults.switch_on("forbidden", where="evaluate", times=999)
    shop.run()
    shop.sandbox.faults.clear()
    shop.pass_time(days=5)
    shop.run()
    assert (shop.states(), shop.accepted(), shop.row("c")["status"]) == ({"c": "withdrawn"}, Counter(), "declined")
