"""By what the end of an order was heard: the evidence names the webhooks of it that `mitbatch serve` took."""

import json
from datetime import timedelta

import pytest

from batch.ledger.transaction import Ledger
from batch.ledger.webhook_inbox import Arrival, store_webhooks
from jobs.certify.heard import webhooks_of
from jobs.databases import default_engine, open_ledger
from schemas.certification import Verdict
from tests.certify.merchant import Broken, Merchant, only

ITEM = "mit.sftp.outcome"


def take_webhook(merchant: Merchant, content: bytes, nonce: str) -> None:
    """What `mitbatch serve` does with a webhook whose signature is right."""
    engine = open_ledger(merchant.settings.ledger.url)
    ledger = Ledger(engine, mid=merchant.settings.provider.mid, clock=merchant.clock, lease_seconds=900)
    now = merchant.clock.now()
    assert store_webhooks(ledger, [Arrival(nonce, now, now + timedelta(seconds=1), content)]) == [True]
    engine.dispose()


def told(order_id: str, event: str = "order.completed") -> bytes:
    """A webhook about an order."""
    return json.dumps({"Event": event, "ExternalOrderId": order_id, "OrderId": "k", "IsTestMode": True}).encode()


def test_a_webhook_is_named_beside_the_read(merchant: Merchant) -> None:
    """The marked order's webhook lies in the merchant's own ledger, where it stays; others are not taken for it."""
    merchant.settings.data_dir.mkdir()

    def comes(merchant: Merchant) -> None:
        (order_id,) = [str(row["order_id"]) for row in merchant.sandbox.accepted("evaluate")]
        take_webhook(merchant, told(order_id), "n-1")
        take_webhook(merchant, told("000471"), "n-2")
        take_webhook(merchant, b"no object", "n-3")

    merchant.failed_when(ITEM, Broken(comes), "mit.sftp")
    shown = only(merchant.rounds[-1], ITEM)
    assert shown.verdict is Verdict.PASSED
    assert "by reading the order, and by webhook (order.completed at 2026-" in shown.seen
    assert shown.seen.count("order.completed") == 1
    assert webhooks_of(merchant.settings, default_engine, "000471") != []


@pytest.mark.parametrize(
    ("host", "words"), [("hooks.acme.com", "mitbatch serve took no webhook of it."), ("", "by reading the order.")]
)
def test_without_one_the_evidence_says_so(host: str, words: str, merchant: Merchant) -> None:
    """A round never claims a webhook, and does not speak of webhooks to who takes none."""
    merchant.set("webhook", public_host=host)

    assert only(merchant.certify("mit.sftp"), ITEM).seen.endswith(words)
