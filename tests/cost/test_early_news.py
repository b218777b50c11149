"""What it costs to apply stored news once an id is learnt: it follows what is new, not how often it was told (CONTRACT 12)."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, update

from batch.early_news import apply_early_news
from batch.ledger.evidence import store_evidence
from batch.ledger.webhook_inbox import Arrival, store_webhooks
from batch.outcome_news import apply_news
from batch.responses import read_outcomes
from batch.webhook_news import apply_webhooks
from schemas.ledger_tables import submission
from tests.cost.merchant import Merchant, merchant, order_id, provider_of
from tests.webhooks.signing import payload


@contextmanager
def unanswered(folder: Path, count: int) -> Iterator[Merchant]:
    """So many orders were sent, and of none the provider's id is known."""
    with merchant(folder, provider_of(count)) as made:
        with made.equipment.ledger.writing(made.bench.run) as writing:
            writing.connection.execute(update(submission).values(provider_order_id=None, state="sending", next_read_at=None))
        yield made


def learn(made: Merchant, first: int, count: int = 1) -> int:
    """These orders get to know their ids; how many statements it took to apply what was told of them before."""
    keys = {order_id(number): made.provider.orders[number].key for number in range(first, first + count)}
    asked: Counter[str] = Counter()

    def note(*_about: object) -> None:
        asked["statements"] += 1

    with made.equipment.ledger.writing(made.bench.run) as writing:
        for each, key in keys.items():
            one = update(submission).where(submission.c.order_id == each)
            writing.connection.execute(one.values(provider_order_id=key))
        event.listen(made.bench.engine, "before_cursor_execute", note)
        apply_early_news(writing, made.equipment, list(keys.values()))
        event.remove(made.bench.engine, "before_cursor_execute", note)
    return asked["statements"]


def come(made: Merchant, count: int, ours: str | None) -> None:
    """So many webhooks about the first order come before its acknowledgement, and are applied."""
    now, key = made.bench.clock.now(), made.provider.orders[0].key
    bodies = [
        payload(ExternalOrderId=ours, OrderId=key, TimeStamp=f"2026-11-23T06:30:00.{number:06}Z") for number in range(count)
    ]
    store_webhooks(made.equipment.ledger, [Arrival(f"nonce-{number}", now, now, body) for number, body in enumerate(bodies)])
    apply_webhooks(made.equipment, made.bench.run)


def told(made: Merchant) -> tuple[int, int]:
    """How many items stand open, and how many pieces of evidence are in the first order's story."""
    ((open_items,),) = made.bench.raw.execute("SELECT count(*) FROM item WHERE closed_at IS NULL").fetchall()
    ((mentions,),) = made.bench.raw.execute("SELECT count(*) FROM mention WHERE order_id = ?", [order_id(0)]).fetchall()
    return open_items, mentions


@pytest.mark.parametrize("names_ours", [True, False])
def test_a_storm_of_webhooks_is_applied_once(tmp_path: Path, names_ours: bool) -> None:
    """Told 320 times, an order is made due once; each telling stays in its story, and what stood open about it closes."""
    with unanswered(tmp_path, 1) as made:
        come(made, 320, order_id(0) if names_ours else None)
        assert told(made) == ((0, 320) if names_ours else (320, 0))
        statements = learn(made, 0)
        assert told(made) == (0, 320)
        assert made.due() == [order_id(0)]
    assert statements <= 40 + (0 if names_ours else 320)


def test_keeping_a_storm_looks_for_its_own_ids_alone(tmp_path: Path) -> None:
    """What is kept of a webhook is looked up by its ids, through the key: never by going through all that was kept before."""
    with unanswered(tmp_path, 1) as made:
        seen: set[str] = set()
        event.listen(made.bench.engine, "before_cursor_execute", lambda _c, _k, text, *_: seen.add(text))
        come(made, 2, order_id(0))
        looked = [text for text in seen if text.startswith("SELECT") and ("FROM early_news" in text or "FROM mention" in text)]
        assert looked
        assert all(f"{table}.{key} IN" in text for text in looked for table, key in TABLES.items() if f"FROM {table}" in text)


TABLES = {"early_news": "provider_order_id", "mention": "order_id"}


def file_of(made: Merchant, *more: dict[str, str]) -> str:
    """An outcomes file about every order by the provider's id, and these rows; its evidence id."""
    rows = [{"orderSessionKey": kept.key, "status": "COMPLETED"} for kept in made.provider.orders]
    content = json.dumps({"mid": made.equipment.ledger.mid, "outcomes": [*rows, *more]}).encode()
    _, news, odd = read_outcomes(content, made.equipment.profile)
    with made.equipment.ledger.writing(made.bench.run) as writing:
        stored = store_evidence(writing, source="file", subject="file:x", content=content)
        apply_news(writing, made.equipment, news, odd, stored.evidence_id)
    return stored.evidence_id


def test_a_file_costs_what_is_learnt_of_it(tmp_path: Path) -> None:
    """Of a file of 300 early rows one id is learnt: one row is applied, and the item stands until the last of them is known."""
    with unanswered(tmp_path, 300) as made:
        file_of(made)
        assert learn(made, 0) <= 15
        assert made.due() == [order_id(0)]
        learn(made, 1, 298)
        assert told(made) == (1, 1)
        learn(made, 299)
        assert told(made) == (0, 1)
        assert len(made.due()) == 300


@pytest.mark.parametrize(
    "stranger", [{"orderSessionKey": "nobody"}, {"orderId": "nobody"}, {"orderSessionKey": "", "status": "x"}]
)
def test_a_row_of_nobodys_keeps_the_item_open(tmp_path: Path, stranger: dict[str, str]) -> None:
    """When all other rows are known, one that names no order of ours, or cannot be read, is still to be looked at."""
    with unanswered(tmp_path, 3) as made:
        file_of(made, {"status": "COMPLETED", **stranger})
        learn(made, 0, 3)
        assert told(made) == (1, 1)
