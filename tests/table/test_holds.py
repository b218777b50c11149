"""What claim, hold and intent write down besides the step itself, and what they leave alone."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from batch.holding import claim, hold
from batch.ledger.items import open_item
from batch.ledger.lease import end_run
from batch.ledger.moves import Move, move_orders
from batch.ledger.past import past_of
from schemas.errors import ExitCode, LeaseLost, LeaseWanted
from schemas.reasons import ItemKind
from schemas.states import State
from tests.ledger.room import MID, Room
from tests.pure.samples import good_row, judged
from tests.table.acknowledging import items, sent
from tests.table.desk import Desk

ONE, TWO = "b00000000001", "b00000000002"


def test_a_mended_order_that_is_claimed_again_ends_the_item_of_its_refusal(desk: Desk) -> None:
    """Its own, and no other: a person has nothing left to look at, and its claim has no mode, as the first had none."""
    sent(desk, "000471")
    desk.room.put("000471", State.REJECTED)
    with desk.room.ledger.writing(desk.room.run) as writing:
        past = past_of(writing.connection, MID, ["000471"])["000471"]
        for subject in ("order:000471", "order:other"):
            open_item(writing, ItemKind.ROW_REFUSED, subject, "so", due_business_days=3)
    verdict = judged(good_row(), State.REJECTED)
    assert verdict is not None
    claim(replace(desk.equipment, new_batch_id=lambda: TWO), desk.room.run, [(verdict, past)], is_cit=False)
    assert desk.room.sql("SELECT subject FROM item WHERE closed_at IS NULL") == [("order:other",)]
    assert desk.room.sql("SELECT attempt, state, mit_mode FROM submission ORDER BY attempt") == [
        (1, "rejected", None),
        (2, "claimed", None),
    ]


def test_neither_hold_nor_intent_is_news_for_the_row(desk: Desk) -> None:
    """The row shows the hold that was placed in it: nothing is left to be written there until an answer comes."""
    batch = desk.room.claim(ONE, "a")
    placed: list[object] = []

    def place_holds(wanted: list[object], *, now: str) -> dict[str, str]:
        placed.extend(wanted)
        return {}

    before = desk.room.submission("a")
    hold(replace(desk.equipment, writer=cast("Any", SimpleNamespace(place_holds=place_holds))), desk.room.run, batch)
    assert (len(placed), desk.states("a"), desk.room.submission("a").row_version) == (1, ["held"], before.row_version)
    assert desk.deliver(desk.batch(ONE)) == []
    assert (desk.states("a"), desk.room.submission("a").row_version) == (["sending"], before.row_version)
    assert items(desk.room) == []


CHANGED = {
    "sequence_number": 7,
    "handed_over_date": "2026-11-22",
    "provider_order_id": "k",
    "provider_status": "SO",
    "written_version": 5,
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_a_move_changes_is_in_the_ledger(name: str, desk: Desk) -> None:
    """Each by itself, and nothing else of the order but its event, which is of the day of its run."""
    sent(desk, "a")
    before = desk.room.submission("a")
    end_run(desk.room.ledger, desk.room.run, ExitCode.CLEAN)
    desk.room.run = desk.room.take("of the next day", day="2026-11-24")
    with desk.room.ledger.writing(desk.room.run) as writing:
        (moved,) = move_orders(writing, [Move(before, None, "poll", "so", "", "learnt", {}, {name: CHANGED[name]}, shows=False)])
    now = desk.room.submission("a")
    assert (getattr(now, name), now.event_date, now) == (CHANGED[name], "2026-11-24", moved)
    same: dict[str, Any] = {each: getattr(before, each) for each in ("event_seq", "event_hash", "event_date", name)}
    assert now._replace(**same) == before


def test_a_run_is_named_by_the_first_signs_of_its_id(room: Room) -> None:
    """Eight of them: enough to find it, and few enough to be read."""
    end_run(room.ledger, room.run, ExitCode.CLEAN)
    run = room.take("0123456789abcdef", "poll")
    room.sql("UPDATE lease SET wanted_by = 'other'")
    with pytest.raises(LeaseWanted, match=r"^Run 01234567 \(poll\) stopped"), room.ledger.writing(run):
        pass
    room.sql("UPDATE lease SET run_id = 'other'")
    with pytest.raises(LeaseLost, match=r"^Run 01234567 \(poll\) no longer"), room.ledger.writing(run):
        pass
