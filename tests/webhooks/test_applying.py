"""What follows from a webhook: its order is due for a read, and the read decides; nothing else ever follows from it."""

import pytest
from pytest_mock import MockerFixture

from batch.ledger.webhook_inbox import settle_webhook
from schemas.errors import TransitionLost
from tests.night.conftest import MakeHouse
from tests.night.house import CANCELLED, COMPLETED, ONHOLD, House, order
from tests.webhooks.keeping import about, keep, reads_of, verdicts
from tests.webhooks.signing import payload

ORDER_EVENTS = (
    "order.completed",
    "order.cancelled",
    "order.expired",
    "order.refunded",
    "order.capturerequired",
    "payment.chargeback.received",
    "challenge.presented",
    "challenge.passed",
)


def sent(house: House, *order_ids: str, token: str = ONHOLD) -> None:
    """These orders are pending at the provider, and not due for a read."""
    house.add(*(order(each, payment_token=token) for each in order_ids))
    assert house.run().code == 0


@pytest.mark.parametrize("event", ORDER_EVENTS)
def test_a_webhook_is_a_hint(house: House, event: str) -> None:
    """Whatever it says, the order is asked for once more and stays as the read says: here, worked on."""
    sent(house, "a")
    reads = reads_of(house, "a")
    keep(house, about(house, "a", event))

    assert house.run("poll").code == 0
    assert reads_of(house, "a") == reads + 1
    assert (house.state("a"), house.row("a")["status"]) == ("pending", "pending")
    assert verdicts(house) == [("applied", event)]
    assert not house.retry_takes("a")


def test_the_read_that_follows_completes(house: House) -> None:
    """A completion is told at once and read in the very next run, long before the order would have been due."""
    sent(house, "a", token=COMPLETED)
    house.pass_time(hours=1)
    keep(house, about(house, "a"))
    house.set(outcomes={"min_poll_interval_seconds": 36000})

    assert house.run("poll").code == 0
    assert house.state("a") == "completed"
    sources = house.ledger("SELECT source FROM event WHERE subject='order:a' AND to_state='completed' AND kind='transition'")
    assert [row["source"] for row in sources] == ["poll"]


def test_an_order_that_has_ended_is_read_again(make_house: MakeHouse) -> None:
    """A chargeback after the completion is told by webhook alone, and a read finds it."""
    house = make_house()
    house.add(order("a", payment_token=f"{COMPLETED[:-4]}a00a"))
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    assert house.state("a") == "completed"
    house.pass_time(days=20)
    house.run("poll")
    assert house.state("a") == "completed"
    keep(house, about(house, "a", "payment.chargeback.received"))
    house.run("poll")

    assert house.state("a") == "chargeback"


def test_cancelled_is_called_expired(house: House) -> None:
    """An order that a read ended with the code for cancelled is called expired because a webhook says so, as a file would."""
    sent(house, "a", token=CANCELLED)
    house.pass_time(days=3)
    house.run("poll")
    assert house.state("a") == "declined"
    keep(house, about(house, "a", "order.expired"))
    house.run("poll")

    assert house.state("a") == "expired"
    assert house.row("a")["status"] == "not_recovered"


def test_a_stranger_is_set_aside_and_others_go_on(house: House) -> None:
    """A webhook about nobody's order opens one item, and the one after it is followed."""
    sent(house, "a")
    reads = reads_of(house, "a")
    keep(house, payload(ExternalOrderId="nobody", OrderId="00000000-0000-4000-8000-00000000dead"), about(house, "a"))

    assert house.run("poll").code == 10
    assert [kind for kind, _ in house.items()] == ["quarantine"]
    assert sorted(verdicts(house)) == [("applied", "order.completed"), ("set_aside", "order.completed")]
    assert reads_of(house, "a") == reads + 1


def test_ids_that_do_not_fit_together_are_set_aside(house: House) -> None:
    """Our id of one order with the provider's id of another makes neither due."""
    sent(house, "a", "b")
    reads = reads_of(house, "a"), reads_of(house, "b")
    keep(house, about(house, "a", ExternalOrderId="b"))

    assert house.run("poll").code == 10
    assert (reads_of(house, "a"), reads_of(house, "b")) == reads


def test_a_webhook_before_the_acknowledgement_is_applied_when_its_id_is_known(make_house: MakeHouse) -> None:
    """What named only the provider's id is set aside until an acknowledgement teaches it; then the order is due."""
    house = make_house(acknowledgement_delay_seconds=1800)
    house.add(order("a", payment_token=COMPLETED))
    assert house.run().code == 0
    assert house.state("a") == "sending"
    house.pass_time(minutes=5)
    keep(house, about(house, "a", ExternalOrderId=None))
    assert house.run("poll").code == 10
    assert (house.state("a"), [kind for kind, _ in house.items()]) == ("sending", ["quarantine"])
    house.pass_time(hours=2)
    house.set(outcomes={"min_poll_interval_seconds": 36000})
    house.run("poll")

    assert house.state("a") == "completed"
    assert house.items() == []


def test_a_webhook_before_the_acknowledgement_finds_the_order_by_our_id(make_house: MakeHouse) -> None:
    """With our own id in it, the order is searched for at once, although no acknowledgement has come."""
    house = make_house(acknowledgement_delay_seconds=18000)
    house.add(order("a", payment_token=COMPLETED))
    house.run()
    house.pass_time(minutes=5)
    keep(house, about(house, "a"))

    assert house.run("poll").code == 0
    assert house.state("a") == "pending"


def test_what_cannot_be_read_is_set_aside(house: House) -> None:
    """A signed body that is no webhook opens an item, whose words repeat nothing of it."""
    sent(house, "a")
    keep(house, b'{"Event": "4111111111111111"}', b"\xff\xfe", payload("payout.created", OrderId=None, ExternalOrderId=None))

    assert house.run("poll").code == 10
    assert sorted(verdict for verdict, _ in verdicts(house)) == ["ignored", "set_aside", "set_aside"]
    explanations = house.ledger("SELECT explanation FROM item")
    assert len(explanations) == 2
    assert "4111" not in str(explanations)


def test_an_event_that_nobody_knows_is_told_and_read(house: House) -> None:
    """An event that is not published opens one item for its name, however often it comes, and a read decides."""
    sent(house, "a")
    reads = reads_of(house, "a")
    keep(
        house,
        about(house, "a", "order.teleported"),
        about(house, "a", "Order.Teleported"),
        payload("x", OrderId=None, ExternalOrderId=None),
    )

    assert house.run("poll").code == 10
    assert house.items() == [("unknown_status", "event:order.teleported"), ("unknown_status", "event:x")]
    assert (house.state("a"), reads_of(house, "a")) == ("pending", reads + 1)


@pytest.mark.parametrize(("environment", "is_followed"), [("production", False), ("sandbox", True)])
@pytest.mark.parametrize("mark", [True, "yes", None])
def test_test_mode_counts_in_the_sandbox_only(house: House, environment: str, is_followed: bool, mark: object) -> None:
    """What is not plainly live is ignored in production, with one item for all of it, and followed in the sandbox."""
    house.settings = house.settings.model_copy(update={"environment": environment})
    sent(house, "a")
    reads = reads_of(house, "a")
    keep(house, about(house, "a", IsTestMode=mark), about(house, "a", "order.expired", IsTestMode=mark))

    assert house.run("poll").code == (0 if is_followed else 10)
    assert (reads_of(house, "a") > reads) is is_followed
    assert house.items() == ([] if is_followed else [("quarantine", "webhooks:test_mode")])
    assert {verdict for verdict, _ in verdicts(house)} == ({"applied"} if is_followed else {"ignored"})
    hints = house.ledger("SELECT expired_hint FROM submission")
    assert [row["expired_hint"] for row in hints] == [int(is_followed)]


def test_each_is_applied_once(house: House) -> None:
    """Nothing is left for a second run, and the ledger stays as it is."""
    sent(house, "a")
    keep(house, about(house, "a"), about(house, "a", IsResent=True))
    house.run("poll")
    before = house.ledger_rows()
    house.run("poll")

    assert house.ledger_rows() == before
    assert len(house.ledger("SELECT 1 FROM evidence WHERE source='webhook'")) == 2


def test_more_than_a_page_of_them(house: House) -> None:
    """A hundred and fifty at once are all applied in one run."""
    sent(house, "a")
    keep(house, *(about(house, "a", ConfirmationId=f"{n:08X}") for n in range(150)))
    house.run("poll")

    assert verdicts(house) == [("applied", "order.completed")] * 150


def test_one_that_cannot_be_applied_stops_no_other(house: House, mocker: MockerFixture) -> None:
    """Where following one webhook is refused by the ledger, that one is set aside and its neighbours are followed."""
    sent(house, "a", "b", "c")
    keep(house, *(about(house, each) for each in "abc"))
    poison = about(house, "b")

    def settle(writing: object, waiting: object, verdict: str, **more: str) -> None:
        if verdict == "applied" and waiting.content == poison:  # type: ignore[attr-defined]
            raise TransitionLost("The ledger's own constraints refused a step.")
        settle_webhook(writing, waiting, verdict, **more)  # type: ignore[arg-type]

    mocker.patch("batch.webhook_news.settle_webhook", settle)
    assert house.run("poll").code == 10

    assert sorted(verdict for verdict, _ in verdicts(house)) == ["applied", "applied", "set_aside"]
    assert [kind for kind, _ in house.items()] == ["quarantine"]
