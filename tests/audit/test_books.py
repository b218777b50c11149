"""The fold: hashes, what a day can know, and the equation."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from batch.book_entries import Attempt, Delivery, Event, Total
from batch.books import (
    FIRST_HASH,
    Balance,
    attempt_events,
    balance,
    canonical_detail,
    chain_digest,
    event_hash,
    movement,
    stand,
)
from batch.history_rows import delivery_of
from batch.tally import Tally
from schemas.audit_columns import Section
from schemas.states import EDGES, NEVER_AGAIN, OPEN, RELEASED, State

EVENT = Event(1, "2026-11-23T07:00:00Z", "2026-11-23", "run", "transition", "", "claimed", "claim", "selected", "", {})
ATTEMPT = Attempt(
    order_id="1", attempt=1, site="acme", currency="USD", amount_minor=100, channel="sftp", batch_id="b", file_name="f",
    idempotency_key="k", hold_reference="h", expires_at="", delivered_at="", delivered_date="",
    row_state="", response_code="", decline_group="", events=(),
)  # fmt: skip


def history(*steps: tuple[str, str], recovered: int | None = None) -> Attempt:
    """An attempt that went through (date, state) steps."""
    events, before = [], ""
    for seq, (date, state) in enumerate(steps, start=1):
        detail = {"recovered_minor": recovered} if recovered and state == "completed" else {}
        events.append(EVENT._replace(seq=seq, business_date=date, from_state=before, to_state=state, detail=detail))
        before = state
    return ATTEMPT._replace(row_state=before, events=attempt_events(events, 1))


def test_the_event_hash_is_fixed() -> None:
    """The seal of an event is SHA-256 over the hash before it and the row as canonical JSON, and leaves both hashes out."""
    row = {"subject": "order:é", "seq": 1, "from_state": None}
    assert event_hash(FIRST_HASH, row) == "22596ac874c0aa269f9662e48f101f03b6fc517a4f5ff87b3c918dfe9b6f3adf"
    assert event_hash(FIRST_HASH, {**row, "hash": "x", "previous_hash": "y"}) == event_hash(FIRST_HASH, row)
    assert event_hash("1" * 64, row) != event_hash(FIRST_HASH, row)


def test_detail_has_one_text() -> None:
    """However a detail was put together, its text is the same: keys sorted, no spaces, letters as they are."""
    assert canonical_detail({"b": 1, "a": "é"}) == canonical_detail({"a": "é", "b": 1}) == '{"a":"é","b":1}'
    with pytest.raises(ValueError, match="JSON"):
        canonical_detail({"a": float("nan")})


def test_the_chain_digest_sees_every_part_of_every_head() -> None:
    """Another subject, length or hash of any chain gives another digest, and no two heads can pass for one."""
    heads = [("order:1", 3, "aa"), ("order:2", 1, "bb")]
    changed = [
        [("order:1", 4, "aa"), heads[1]],
        heads[:1],
        [("order:1", 3, "ab"), heads[1]],
        [('order:1",3,"aa"]\n["order:2', 1, "bb")],
    ]
    assert len({chain_digest(found) for found in [heads, *changed]}) == 5


def test_a_closed_day_stays_closed() -> None:
    """An event that a rerun books on an earlier date than the order's last one counts for the later date."""
    attempt = history(("2026-11-23", "claimed"), ("2026-11-24", "held"), ("2026-11-22", "sending"))
    assert [event.business_date for event in attempt.events] == ["2026-11-23", "2026-11-24", "2026-11-24"]


def test_a_day_knows_nothing_of_the_next() -> None:
    """The state at the end of a day is that of the last event booked by then; before its claim an order is not there."""
    attempt = history(("2026-11-23", "claimed"), ("2026-11-23", "held"), ("2026-11-25", "sending"))
    first, second, third = (stand(attempt, date) for date in ("2026-11-23", "2026-11-24", "2026-11-25"))
    assert stand(attempt, "2026-11-22") is None
    assert first is not None
    assert second is not None
    assert third is not None
    assert [(s.opening, s.closing, len(s.moves)) for s in (first, second, third)] == [
        ("", "held", 2),
        ("held", "held", 0),
        ("held", "sending", 1),
    ]


@pytest.mark.parametrize(
    ("delivered", "answered", "sent"),
    [(1, 2, 1), (2, 1, 1), (None, 1, 1), (3, None, None), (None, None, None), (1, None, 1)],
)
def test_sent_is_when_it_was_first_known(delivered: int | None, answered: int | None, sent: int | None) -> None:
    """An order is sent on the day its file is known to be delivered, or the provider answers for it; the first of both."""
    days = {1: "2026-11-23", 2: "2026-11-24", 3: "2026-11-25", None: ""}
    steps = [("2026-11-22", state) for state in ("claimed", "held", "sending")]
    attempt = history(*steps, *([(days[answered], "pending")] if answered else []))
    standing = stand(attempt._replace(delivered_date=days[delivered]), "2026-11-24")
    assert standing is not None
    assert standing.sent_date == days[sent]


def test_every_permitted_move_has_its_side_of_the_books() -> None:
    """A move between open states moves nothing; into an end it leaves by that end's line; out of an end it reopens."""
    for old, targets in EDGES.items():
        for new in targets:
            line = movement(EVENT._replace(from_state=old, to_state=new))
            crosses = (old in OPEN) != (new in OPEN)
            assert bool(line) == crosses
            if crosses:
                assert line == ("reopened" if new in OPEN else "completed" if new in NEVER_AGAIN else str(new))


def test_a_better_name_for_an_end_moves_nothing() -> None:
    """An order that was released as declined and is called expired later is released once, and the books close on both days."""
    first, second = "2026-11-22", "2026-11-23"
    steps = [(first, state) for state in ("claimed", "held", "sending", "pending", "declined")]
    lines = {}
    for renamed in (first, second):
        for day in (first, second):
            tally, standing = Tally(day), stand(history(*steps, (renamed, "expired")), day)
            assert standing is not None
            tally.count_standing(standing)
            lines[renamed, day] = {line: total["USD"].orders for line, total in tally.per_line(Section.HELD).items()}
            assert all(found.balanced for found in tally.balances().values())

    released = {"claimed": 1, "declined": 1}
    assert lines == {(first, first): released, (first, second): {}, (second, first): released, (second, second): {}}


def test_money_counts_while_the_recovery_stands() -> None:
    """A recovery is booked when it is seen, taken back while under review, and goes out again by refund or chargeback."""
    day = "2026-11-23"
    states = ["claimed", "held", "sending", "pending", "completed", "review", "completed", "refunded", "chargeback"]
    standing = stand(history(*((day, state) for state in states), recovered=90), day)
    assert standing is not None
    moved = [(m.recovered, m.refunded, m.chargeback) for m in standing.money]
    assert moved[4:] == [(90, 0, 0), (-90, 0, 0), (90, 0, 0), (0, -90, 0), (0, 90, -90)]


def test_the_equation_is_per_site_and_currency() -> None:
    """Totals of two currencies or sites never meet, and one order or cent too many breaks the equation."""
    lines = [("a", "USD", "opening", Total(2, 20)), ("a", "USD", "expired", Total(1, 5)), ("a", "USD", "closing", Total(1, 15))]
    balances = balance([*lines, ("a", "EUR", "claimed", Total(1, 1)), ("b", "USD", "completed", Total(1, 1))])
    assert balances["a", "USD"] == Balance(opening=Total(2, 20), released=Total(1, 5), closing=Total(1, 15))
    assert {key: found.balanced for key, found in balances.items()} == {
        ("a", "USD"): True,
        ("a", "EUR"): False,
        ("b", "USD"): False,
    }
    assert not replace(balances["a", "USD"], closing=Total(1, 16)).balanced
    assert set(RELEASED) == {"withdrawn", "rejected", "declined", "expired", "cancelled"}
    assert State.REVIEW in OPEN


def steps(*told: str) -> list[SimpleNamespace]:
    """Rows of a file's chain, from `step date`, with `by hand` behind what a person decided; times are their dates."""
    rows = [words.split(maxsplit=2) for words in told]
    source = {True: "operator", False: "send"}
    return [
        SimpleNamespace(to_state=row[0], at=f"{row[1]}T07:00:00Z", business_date=row[1], source=source[len(row) > 2])
        for row in rows
    ]


@pytest.mark.parametrize(
    ("told", "date"),
    [
        ([], ""),
        (["claimed 1", "sending 1", "part_verified 1", "in_doubt 1"], ""),
        (["claimed 1", "sending 1", "part_verified 1", "delivered 1", "acknowledged 2"], "1"),
        (["claimed 1", "sending 1", "part_verified 1", "in_doubt 1", "acknowledged 2"], "2"),
        (["claimed 1", "sending 1", "part_verified 1", "refused 1", "acknowledged 2"], "1"),
        (["claimed 1", "sending 1", "delivered 1 by hand", "acknowledged 3"], "1"),
        (["sending 1", "delivered 1", "sending 2 by hand"], "1"),
        (["sending 1", "delivered 1", "sending 2 by hand", "part_verified 3", "delivered 3"], "3"),
        (["sending 1", "delivered 1", "sending 2 by hand", "part_verified 3", "acknowledged 4"], "4"),
        (["calling 1", "acknowledged 1", "calling 2 by hand", "acknowledged 2"], "1"),
    ],
)
def test_a_file_left_when_its_chain_says_so(told: list[str], date: str) -> None:
    """The first confirmed delivery counts, else the first answer; what a person says never came leaves anew, later."""
    assert delivery_of(steps(*told)) == Delivery(f"{date}T07:00:00Z" if date else "", date)
