"""What a person is told of: what it cites, and that it is told anew where there is more of it."""

import pytest

from batch.ledger.items import Item, open_among, open_anew, open_item, open_items
from schemas.reasons import ItemKind
from tests.ledger.room import DAY, MID
from tests.table.desk import Desk

KIND, ABOUT = ItemKind.QUARANTINE, "order:a"


def told(desk: Desk, words: str, *, anew: bool = False, evidence_id: str = "") -> bool:
    """Tell a person; returns whether it is new to them."""
    tell = open_anew if anew else open_item
    with desk.room.ledger.writing(desk.room.run) as writing:
        return tell(writing, KIND, ABOUT, words, due_business_days=3, evidence_id=evidence_id)


def standing(desk: Desk) -> list[Item]:
    """What stands open."""
    with desk.room.ledger.reading() as connection:
        return open_items(connection, MID)


@pytest.mark.parametrize("evidence_id", ["e" * 32, ""])
def test_what_is_told_names_its_evidence(evidence_id: str, desk: Desk) -> None:
    """The evidence that it rests on, and none where there is none; its own id is short enough to be typed."""
    assert told(desk, "so", evidence_id=evidence_id)
    (item,) = standing(desk)
    assert (item.evidence_id, item.explanation, len(item.item_id)) == (evidence_id, "so", 12)
    assert desk.room.sql("SELECT evidence_id, opened_date FROM item") == [(evidence_id or None, DAY)]


def test_more_of_it_takes_the_place_of_what_stood_open(desk: Desk) -> None:
    """With other words the first is closed and it is told anew; with the same words it stands as it was."""
    assert (told(desk, "so"), told(desk, "so", anew=True)) == (True, False)
    assert told(desk, "and more", anew=True)
    assert [item.explanation for item in standing(desk)] == ["and more"]
    assert desk.room.sql("SELECT explanation, resolution FROM item WHERE closed_at IS NOT NULL") == [
        ("so", "there is more news of it")
    ]


def test_which_of_many_stand_open(desk: Desk) -> None:
    """Those of this kind alone, and none that nobody asked about."""
    told(desk, "so")
    with desk.room.ledger.writing(desk.room.run) as writing:
        open_item(writing, KIND, "order:b", "so", due_business_days=3)
        open_item(writing, ItemKind.CHALLENGE, "order:c", "so", due_business_days=3)
        assert open_among(writing, KIND, [ABOUT, "order:c"]) == {ABOUT}
