"""Webhooks leave the inbox when their nonces guard nothing any more: applied ones alone, and what they said stays."""

from datetime import timedelta

import pytest
from pytest_mock import MockerFixture

from batch.ledger.webhook_inbox import store_webhooks
from batch.pace import utc_text
from batch.webhooks import TOLERANCE
from jobs.explain import show_explanation
from jobs.output import Options
from schemas.settings import RetentionSettings
from tests.night.house import ONHOLD, House, order
from tests.webhooks.keeping import about, arrival, keep, ledger_of, verdicts
from tests.webhooks.signing import payload


@pytest.fixture
def told(house: House) -> House:
    """An order of which a webhook came and was applied, and a night later."""
    house.add(order("a", payment_token=ONHOLD))
    house.run()
    keep(house, about(house, "a"), payload("payout.created"))
    house.run("poll")
    assert [verdict for verdict, _ in verdicts(house)] == ["applied", "ignored"]
    return house


def nonces(house: House) -> int:
    """How many webhooks are in the inbox."""
    return len(verdicts(house))


def test_applied_webhooks_leave_after_their_time(told: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Not a moment before; the evidence stays, and the order's story is the same as before."""
    kept = told.ledger("SELECT * FROM evidence WHERE source='webhook' ORDER BY evidence_id")
    mentions = told.ledger("SELECT * FROM mention")
    told.pass_time(days=30)
    told.run()
    assert nonces(told) == 2
    show_explanation(Options(told.config), "a")
    heard = [line for line in capsys.readouterr().out.splitlines() if "webhook, " in line]
    told.pass_time(seconds=1)
    told.run()
    assert nonces(told) == 0
    assert told.ledger("SELECT * FROM evidence WHERE source='webhook' ORDER BY evidence_id") == kept
    assert told.ledger("SELECT * FROM mention") == mentions
    show_explanation(Options(told.config), "a")
    assert [line for line in capsys.readouterr().out.splitlines() if "webhook, " in line] == heard != []


def test_what_was_not_applied_stays_however_old(told: House) -> None:
    """A webhook that waits is no one's to delete: it is applied first, and goes in a later night."""
    told.pass_time(days=31)
    with ledger_of(told) as ledger:
        store_webhooks(ledger, [arrival(about(told, "a", "order.expired"), told.clock.now() - timedelta(days=31))])
    told.set(retention={"webhook_days": 2})
    told.run("poll")
    assert nonces(told) == 3  # polls delete nothing
    told.run()
    assert nonces(told) == 0


def test_a_waiting_webhook_is_never_deleted(told: House, mocker: MockerFixture) -> None:
    """Even where applying fails for weeks."""
    told.pass_time(days=31)
    keep(told, about(told, "a", "order.expired"))
    mocker.patch("batch.pipeline.apply_webhooks")
    told.pass_time(days=31)
    told.run()
    assert verdicts(told) == [("stored", "")]


def test_a_replay_is_refused_by_its_date_when_its_nonce_is_gone() -> None:
    """The least retention is longer than any date is believed, twice over, and longer than a clock may jump."""
    (least,) = (each.ge for each in RetentionSettings.model_fields["webhook_days"].metadata)
    assert timedelta(days=least) > 2 * TOLERANCE + timedelta(days=1)


def test_a_date_that_lies_ahead_keeps_its_nonce(told: House) -> None:
    """What was signed later than it came is kept by its signed date."""
    now = told.clock.now()
    with ledger_of(told) as ledger:
        store_webhooks(ledger, [arrival(about(told, "a", "order.expired"), now)])
    told.run("poll")
    early, late = utc_text(now - timedelta(days=1)), utc_text(now + timedelta(minutes=5))
    with ledger_of(told) as ledger, ledger.unguarded() as connection:
        connection.exec_driver_sql(f"UPDATE webhook SET received_at='{early}', sent_at='{late}'")
    told.pass_time(days=30)
    told.run()
    assert nonces(told) == 3
    told.pass_time(minutes=6)
    told.run()
    assert nonces(told) == 0


def test_many_go_in_pages(told: House, mocker: MockerFixture) -> None:
    """A night that dies between two pages leaves the rest to the next."""
    mocker.patch("batch.webhook_news.FORGOTTEN_AT_A_TIME", 3)
    keep(told, *(about(told, "a", TimeStamp=f"2026-11-23T00:00:{n:02}.000000Z") for n in range(10)))
    told.run("poll")
    assert nonces(told) == 12
    told.pass_time(days=31)
    told.run()
    assert nonces(told) == 0
