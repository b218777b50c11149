"""The pretend provider tells `serve` what happens, rightly and wrongly (W-01 to W-08), and a poll then asks it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_mock import MockerFixture

from tests.night.conftest import MakeHouse
from tests.night.house import CANCELLED, COMPLETED, EXPIRED, ONHOLD, House, order
from tests.night.test_commands import until
from tests.webhooks.keeping import reads_of, verdicts
from tests.webhooks.serving import Reached, served


@pytest.fixture
def reached(house: House) -> Iterator[Reached]:
    """A server that the provider tells everything."""
    with served(house) as found:
        house.sandbox.register_webhook(found.url)
        yield found
        house.sandbox.webhooks.settle()


def sent(house: House, **tokens: str) -> None:
    """These orders were handed over."""
    house.add(*(order(name, payment_token=token) for name, token in tokens.items()))
    assert house.run().code == 0


def later(house: House, **step: float) -> list[object]:
    """Time passes, and everything that is then due is told; the answers to what was told since the last time."""
    before = len(house.sandbox.webhooks.deliveries())
    house.pass_time(**step)
    assert house.sandbox.webhooks.settle(60)
    return [told["http_status"] for told in house.sandbox.webhooks.deliveries()[before:]]


def test_what_happens_is_told_and_read(reached: Reached) -> None:
    """A completion, a cancellation and an expiry are each told once, kept, and found by the next poll."""
    house = reached.house
    sent(house, a=COMPLETED, b=CANCELLED, c=EXPIRED)
    house.set(outcomes={"min_poll_interval_seconds": 10**8})
    answers = later(house, days=3)
    house.run("poll")
    answers += later(house, days=20)
    house.run("poll")

    assert answers == [200, 200, 200]
    assert house.states() == {"a": "completed", "b": "declined", "c": "expired"}
    assert {verdict for verdict, _ in verdicts(house)} == {"applied"}
    assert house.items() == []


@pytest.mark.parametrize(
    "fault", ["wrong_webhook_key", "unsigned_webhook", "changed_webhook_body", "stale_webhook", "other_host_webhook"]
)
def test_a_forgery_changes_nothing(reached: Reached, fault: str) -> None:
    """W-01, W-02: what is not signed for us, just now, is 401 each time, and the order stays as it was until it is read."""
    house = reached.house
    sent(house, a=ONHOLD)
    before = house.ledger_rows()
    house.sandbox.faults.switch_on(fault, times=3)
    house.sandbox.webhooks.send("order.completed", None)

    assert later(house, minutes=0) == [401]
    assert later(house, minutes=1) == [401]
    assert house.ledger_rows() == before


def test_a_replay_hours_later_is_refused(reached: Reached) -> None:
    """W-02: the very same bytes and headers three hours later are too old."""
    house = reached.house
    sent(house, a=ONHOLD)
    house.sandbox.faults.switch_on("replayed_webhook")
    house.sandbox.webhooks.send("order.completed", None)

    assert later(house, minutes=0) == [200]
    before = house.ledger_rows()
    assert later(house, hours=3) == [401]
    assert house.ledger_rows() == before


def test_a_hundred_times_at_once_is_once(reached: Reached) -> None:
    """W-03: a hundred copies are all answered well and are one webhook, applied once; IsResent is one more."""
    house = reached.house
    sent(house, a=COMPLETED)
    for fault in ("duplicate_webhook", "resent_webhook"):
        house.sandbox.faults.switch_on(fault)
    assert later(house, hours=1) == [200] * 100
    assert later(house, minutes=1) == [200]
    house.run("poll")

    assert len(reached.kept()) == 2
    assert verdicts(house) == [("applied", "order.completed")] * 2
    assert house.state("a") == "completed"


def test_a_completion_before_the_acknowledgement(make_house: MakeHouse) -> None:
    """W-04: completed is told the moment that the order is accepted: it completes nothing, before and after the answer."""
    house = make_house(acknowledgement_delay_seconds=3600)
    with served(house) as reached:
        house.sandbox.register_webhook(reached.url)
        house.sandbox.faults.switch_on("early_webhook")
        sent(house, a=EXPIRED)
        until(lambda: bool(house.sandbox.webhooks.deliveries()))  # the provider takes the file, and tells it, in its own time
        assert [told["http_status"] for told in house.sandbox.webhooks.deliveries()] == [200]
        house.run("poll")
        assert house.state("a") in {"sending", "pending"}
        later(house, hours=2)
        house.run("poll")
        assert house.state("a") == "pending"


@pytest.mark.parametrize(("token", "event"), [(COMPLETED, "order.completed"), (EXPIRED, "order.expired")])
def test_its_contrary_follows(reached: Reached, token: str, event: str) -> None:
    """W-05: an event and at once its contrary: the read decides."""
    house = reached.house
    sent(house, a=token)
    house.sandbox.faults.switch_on("contrary_webhook", where=event)
    later(house, days=22)
    house.run("poll")

    assert len(reached.kept()) == 2
    assert house.state("a") == event.removeprefix("order.")


def test_a_late_event_says_nothing_new(reached: Reached) -> None:
    """W-05: an event that is told a day late makes its order due once more, and nothing else."""
    house = reached.house
    sent(house, a=COMPLETED)
    house.sandbox.faults.switch_on("late_webhook")
    assert later(house, hours=1) == []
    house.run("poll")
    state = house.state("a")
    assert later(house, days=1) == [200]
    house.run("poll")

    assert (state, house.state("a")) == ("completed", "completed")


@pytest.mark.parametrize(("environment", "is_followed"), [("production", False), ("sandbox", True)])
def test_a_test_webhook(house: House, environment: str, is_followed: bool) -> None:
    """W-06: test mode is kept and ignored in production, with an item; in the sandbox it is a hint as any other."""
    house.settings = house.settings.model_copy(update={"environment": environment})
    with served(house) as reached:
        house.sandbox.register_webhook(reached.url)
        sent(house, a=ONHOLD)
        reads = reads_of(house, "a")
        house.sandbox.faults.switch_on("test_mode_webhook")
        (a,) = house.sandbox._brain.orders()
        house.sandbox.webhooks.send("order.completed", a)
        assert later(house, minutes=0) == [200]
        house.run("poll")

        assert (reads_of(house, "a") > reads) is is_followed
        assert house.items() == ([] if is_followed else [("quarantine", "webhooks:test_mode")])
        assert house.state("a") == "pending"


@pytest.mark.parametrize(
    ("fault", "answer", "items"),
    [
        ("odd_content_type", 200, []),
        ("extra_webhook_fields", 200, []),
        ("absent_webhook_fields", 200, ["quarantine"]),
        ("huge_webhook", None, []),
        ("slow_webhook", 200, []),
        ("unknown_order_webhook", 200, ["quarantine"]),
    ],
)
def test_odd_webhooks(reached: Reached, fault: str, answer: int | None, items: list[str]) -> None:
    """W-07, W-08: odd types and fields are taken, too much is not read, strangers are set aside; no order changes."""
    house = reached.house
    sent(house, a=ONHOLD)
    house.sandbox.faults.switch_on(fault)
    (a,) = house.sandbox._brain.orders()
    house.sandbox.webhooks.send("order.completed", a)
    answers = later(house, minutes=0)
    house.run("poll")

    assert answers in ([answer], [413] if answer is None else [answer])
    assert [kind for kind, _ in house.items()] == items
    assert len(reached.kept()) == (0 if answer is None else 1)
    assert house.state("a") == "pending"


def test_killed_between_keeping_and_applying(reached: Reached, mocker: MockerFixture) -> None:
    """A run that dies while it applies a webhook leaves it kept, as if it had just come, and the next run follows it."""
    house = reached.house
    sent(house, a=COMPLETED)
    house.set(outcomes={"min_poll_interval_seconds": 10**8})
    assert later(house, hours=1) == [200]

    class Died(BaseException):
        """The process ended here."""

    for place in ("settle_webhook", "follow_hints", "store_evidence"):
        mocker.patch(f"batch.webhook_news.{place}", side_effect=Died)
        with pytest.raises(Died):
            house.run("poll")
        mocker.stopall()
        assert verdicts(house) == [("stored", "")]
        assert house.ledger("SELECT 1 FROM evidence WHERE source='webhook'") == []
        assert house.state("a") == "pending"
        house.clock.advance(timedelta(minutes=16))  # the dead run's lease, in this very process, runs out
    house.run("poll")

    assert house.state("a") == "completed"
    assert verdicts(house) == [("applied", "order.completed")]
