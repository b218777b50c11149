"""One poll over many pending orders: how many calls it makes, and what a listing may and may not say."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from batch.ledger.hints import make_due
from batch.ledger.reading import Due
from batch.listing import is_worth_a_listing
from schemas.errors import LeaseLost
from tests.cost.merchant import Merchant, merchant, order_id, provider_of
from tests.cost.provider import CountingProvider, answer

ORDERS, PAGE = 200, 10


@pytest.fixture
def provider() -> CountingProvider:
    """A provider that works on 200 orders, and has recovered every hundredth."""
    made = provider_of(ORDERS)
    for kept in made.orders[::100]:
        kept.code = 7
    return made


def polled(folder: Path, provider: CountingProvider, **more: int) -> tuple[dict[str, str], list[str]]:
    """The orders that ended in one poll, and those that are still due after it."""
    with merchant(folder, provider, page_size=PAGE, **more) as made:
        made.poll()
        return made.states(), made.due()


CHANGED = {order_id(0): "completed", order_id(100): "completed"}


def test_the_cost_follows_what_changed(tmp_path: Path, provider: CountingProvider) -> None:
    """Twenty pages for 198 orders that are as they were, and one read for each that is not; one token for all of it."""
    assert polled(tmp_path, provider) == (CHANGED, [])
    assert provider.calls == {"token": 1, "listing": 20, "read": 2}
    assert provider.asked == [order_id(0), order_id(100)]


def test_without_the_listing_each_order_is_a_call(tmp_path: Path, provider: CountingProvider) -> None:
    """Where fewer are due than a listing is made for, each is read."""
    assert polled(tmp_path, provider, listing_from=ORDERS + 1) == (CHANGED, [])
    assert provider.calls == {"token": 1, "read": ORDERS}


@pytest.mark.parametrize(
    ("orders", "at_work", "is_worth"),
    [(499, 500, False), (500, 500, True), (500, 125_000, True), (500, 125_001, False), (100_000, 100_000, True), (0, 0, False)],
)
def test_a_listing_is_made_where_it_is_cheaper(orders: int, at_work: int, is_worth: bool) -> None:
    """From 500 due orders on, unless the pages of everything that is worked on were more than half of the reads."""
    assert is_worth_a_listing(Due(orders, at_work, ""), 500, 500) is is_worth


def test_rows_that_shift_cost_reads_and_nothing_else(tmp_path: Path, provider: CountingProvider) -> None:
    """Orders end while pages are turned: what a page leaves out because of it is read, and all that ended is known (H-15)."""

    def meanwhile(number: int) -> None:
        provider.orders[number * 3].code = 7

    provider.meanwhile = meanwhile
    ended, due = polled(tmp_path, provider)
    left_out = [name for name in provider.asked if name not in ended]

    assert set(ended) >= set(CHANGED)
    assert due == []
    assert 0 < len(left_out) <= provider.calls["listing"]
    assert provider.calls.total() < ORDERS / 2


Document = dict[str, Any]


def _is_hidden(number: int, document: Document) -> Document:
    rows = document["orders"]
    return document | {"orders": [row for row in rows if row["externalOrderId"] not in {order_id(7), order_id(150)}]}


def _changed(**changed: object) -> Callable[[int, Document], Document]:
    def spoil(_number: int, document: Document) -> Document:
        rows = document["orders"]
        return document | {"orders": [row | changed if row["externalOrderId"] == order_id(7) else row for row in rows]}

    return spoil


def _doubled(_number: int, document: Document) -> Document:
    rows = document["orders"]
    return document | {"orders": [*rows, *(row for row in rows if row["externalOrderId"] == order_id(7))]}


@pytest.mark.parametrize(
    ("spoil", "read"),
    [
        (_is_hidden, [7, 150]),
        (_changed(status=7, statusName="Completed"), [7]),
        (_changed(status=2, statusName="Cancelled"), [7]),
        (_changed(status=1, statusName="Onhold"), [7]),
        (_changed(status=99, statusName="Quantum"), [7]),
        (_changed(status=4, statusName="Completed"), [7]),
        (_changed(externalOrderId="o-0000008"), [7]),
        (_changed(id="a stranger"), [7]),
        (_changed(amount=1998), [7]),
        (_changed(currencyCode="EUR"), [7]),
        (_changed(amount=19.99), [7]),
        (_doubled, [7]),
    ],
    ids="left-out completed cancelled on-hold unknown at-odds id key amount currency odd twice".split(),
)
def test_a_listing_proves_nothing(
    tmp_path: Path, provider: CountingProvider, spoil: Callable[[int, Document], Document], read: list[int]
) -> None:
    """What it leaves out or shows otherwise is read singly, in the same poll; only the read counts (I12, I16)."""
    provider.spoil = spoil
    ended, due = polled(tmp_path, provider)

    assert ended == CHANGED
    assert due == []
    assert provider.asked == sorted([order_id(0), order_id(100), *map(order_id, read)])


HOSTILE: dict[str, Callable[[int, Document], Any]] = {
    "the first page for ever": lambda _, document: document | {"hasNextPage": True},
    "strangers for ever": lambda number, _: {"orders": [{"id": f"x{number}", "status": 4}], "hasNextPage": True},
    "nothing for ever": lambda *_: {"orders": [], "hasNextPage": True},
    "no JSON": lambda *_: httpx.Response(200, stream=httpx.ByteStream(b"<html>")),
    "no rows": lambda *_: {"hasNextPage": True},
    "forbidden": lambda *_: answer({}, 403),
    "failing": lambda *_: answer({}, 500),
    "not there": lambda *_: answer({}, 404),
    "the end at once": lambda _, document: document | {"orders": document["orders"][:3], "hasNextPage": False},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_listing_is_left_soon(tmp_path: Path, provider: CountingProvider, name: str) -> None:
    """Whatever it does, a bounded number of pages is asked for, and every order that it did not show is read (I22)."""
    provider.spoil = HOSTILE[name]
    if name == "the first page for ever":
        first = [kept.shown() for kept in provider.orders[1 : PAGE + 1]]
        provider.spoil = lambda *_: {"orders": first, "hasNextPage": True}
    ended, due = polled(tmp_path, provider)

    assert ended == CHANGED
    assert due == []
    assert provider.calls["listing"] <= 6
    assert provider.calls["read"] >= ORDERS - PAGE


def test_pages_without_end_are_bounded(tmp_path: Path, provider: CountingProvider) -> None:
    """Two of our own pages in turn for ever: after twice as many pages as our orders fill, it is left."""
    pages = [[kept.shown() for kept in provider.orders[start : start + PAGE]] for start in (1, 20)]
    provider.spoil = lambda number, _: {"orders": pages[number % 2], "hasNextPage": True}
    ended, _ = polled(tmp_path, provider)

    assert ended == CHANGED
    assert provider.calls["listing"] == 2 * ORDERS // PAGE + 10


def test_a_page_that_fails_once_is_asked_for_again(tmp_path: Path, provider: CountingProvider) -> None:
    """One failure costs one more call and no read."""
    failures = iter([answer({}, 502), None])

    def fails_once(number: int, document: Document) -> Any:  # noqa: ANN401 - a document or an answer
        return (number == 3 and next(failures, None)) or document

    provider.spoil = fails_once
    assert polled(tmp_path, provider) == (CHANGED, [])
    assert (provider.calls["listing"], provider.calls["read"]) == (21, 2)


def test_an_unreadable_page_costs_its_own_orders(tmp_path: Path, provider: CountingProvider) -> None:
    """The pages after it are still asked for."""
    provider.spoil = lambda number, document: {"orders": 7} if number == 3 else document
    assert polled(tmp_path, provider) == (CHANGED, [])
    assert (provider.calls["listing"], provider.calls["read"]) == (21, 2 + PAGE)


def test_a_hint_is_answered_by_a_read(tmp_path: Path, provider: CountingProvider) -> None:
    """An order that a file's row or a webhook has made due is read, although the listing shows it as it was."""
    with merchant(tmp_path, provider, page_size=PAGE) as made:
        with made.equipment.ledger.writing(made.bench.run) as writing:
            for number in (7, 150):
                make_due(writing, provider_order_id="", order_id=order_id(number), called_expired=False)
        made.poll()

        assert provider.asked == [order_id(0), order_id(7), order_id(100), order_id(150)]
        assert made.due() == []


def test_at_its_expiry_only_reads_count(tmp_path: Path, provider: CountingProvider) -> None:
    """A listing that shows an ended order as worked on for ever postpones its read to its expiry and no longer (I13)."""
    lying = order_id(100)
    provider.spoil = lambda _, document: {
        **document,
        "orders": [*document["orders"], {**provider.orders[100].shown(), "status": 4, "statusName": "Processing"}],
    }
    with merchant(tmp_path, provider, page_size=PAGE) as made:
        made.poll()
        assert lying not in made.states()
        made.bench.clock.advance(timedelta(days=20, seconds=1))
        made.poll()

        assert made.states()[lying] == "completed"
        assert provider.calls["read"] >= ORDERS


def test_a_listing_goes_on_where_it_was_cut_off(tmp_path: Path, provider: CountingProvider) -> None:
    """A run that dies between two pages has asked about what it has seen; the next one asks about the rest."""

    def dies(number: int) -> None:
        if number == 11:
            raise KeyboardInterrupt

    provider.meanwhile = dies
    with merchant(tmp_path, provider, page_size=PAGE) as made:
        with pytest.raises(KeyboardInterrupt):
            made.poll()
        assert len(made.due()) == ORDERS - 10 * PAGE
        assert made.states() == {}
        provider.meanwhile = lambda _: None
        made.poll()

        assert (made.states(), made.due()) == (CHANGED, [])
        assert provider.calls["read"] == 2


def test_a_run_that_was_overtaken_notes_nothing(tmp_path: Path, provider: CountingProvider) -> None:
    """Each page asks first whether it is still this run's turn (I11)."""
    with merchant(tmp_path, provider, page_size=PAGE) as made:
        provider.meanwhile = lambda number: _overtake(made) if number == 2 else None
        with pytest.raises(LeaseLost):
            made.poll()
        assert len(made.due()) == ORDERS - PAGE


def _overtake(made: Merchant) -> None:
    made.bench.raw.execute("UPDATE lease SET run_id = 'another'")


def test_a_read_asks_the_ledger_for_what_it_needs(tmp_path: Path, provider: CountingProvider) -> None:
    """Whether a cancel was asked for is looked up for the two orders that were recovered, and for none that is as it was."""
    with merchant(tmp_path, provider, listing_from=ORDERS + 1) as made:
        asked: Counter[str] = Counter()

        def count(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
            asked["requests"] += "FROM operation" in statement

        event.listen(made.bench.engine, "before_cursor_execute", count)
        made.poll()
        event.remove(made.bench.engine, "before_cursor_execute", count)

        assert made.states() == CHANGED
        assert asked["requests"] == len(CHANGED)
