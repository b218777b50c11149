"""Whether something may leave at this moment: each switch by itself, for files of orders and for copies of good charges (I25)."""

import pytest

from batch.ledger.switches import SwitchRun, SwitchWanted, turn
from batch.permission import must_wait_now, switches_now
from batch.switching import SENDING
from tests.ledger.room import DAY, Room
from tests.table.desk import Desk
from tests.table.test_call_turns import copied

ONE = "b00000000001"
SITE = "site:acme-us"


def turned(room: Room, name: str, *, on: bool) -> None:
    """Turn something off by hand, or on again."""
    number = room.sql("SELECT count(*) FROM run")[0][0]
    turn(room.ledger, SwitchRun(f"{number:032}", "switch", DAY), SwitchWanted(name, on, "as a test wants it", "ada"))


@pytest.mark.parametrize("name", [SENDING, SITE, "mit"])
def test_a_file_waits_for_every_switch_of_its_orders(name: str, desk: Desk) -> None:
    """While sending is paused, or its site or its kind of order is off, and not longer."""
    batch = desk.held(ONE, "a")
    assert not must_wait_now(desk.equipment, batch)
    turned(desk.room, name, on=False)
    assert set(switches_now(desk.equipment).by_hand) == {name}
    assert must_wait_now(desk.equipment, batch)
    turned(desk.room, name, on=True)
    assert not must_wait_now(desk.equipment, batch)


def test_a_file_waits_for_no_switch_of_others(desk: Desk) -> None:
    """Neither another kind of order nor another site keeps it back, nor does it matter whether copies are sent at all."""
    batch = Desk(desk.room, channels={"transmit": "off"}).held(ONE, "a")
    for name in ("cit_website", "cit_call_center", "site:acme-ca"):
        turned(desk.room, name, on=False)
    assert not must_wait_now(desk.equipment, batch)


def test_nothing_leaves_while_sending_is_paused_whatever_is_in_it(desk: Desk) -> None:
    """A file none of whose orders has a line any more is of no site and no kind: the pause stops it all the same."""
    batch = desk.held(ONE, "a")
    desk.room.sql("UPDATE submission SET sequence_number = 0")
    assert not must_wait_now(desk.equipment, batch)
    turned(desk.room, SENDING, on=False)
    assert must_wait_now(desk.equipment, batch)


@pytest.mark.parametrize(("name", "waits"), [(SENDING, True), (SITE, True), ("mit", False), ("site:acme-ca", False)])
def test_copies_wait_for_their_site_and_for_the_pause(name: str, waits: bool, desk: Desk) -> None:
    """A copy of a good charge is of no kind that is rescued."""
    copied(desk.room, ONE, "a")
    turned(desk.room, name, on=False)
    assert must_wait_now(desk.equipment, desk.batch(ONE)) is waits


@pytest.mark.parametrize(("transmit", "waits"), [("off", True), ("sftp", False), ("api", False)])
def test_copies_wait_where_none_are_sent(transmit: str, waits: bool, room: Room) -> None:
    """What was claimed before the merchant turned copies off stays at home."""
    copied(room, ONE, "a")
    desk = Desk(room, channels={"transmit": transmit})
    assert must_wait_now(desk.equipment, desk.batch(ONE)) is waits


def test_copies_wait_for_the_sites_of_their_own_batch(room: Room) -> None:
    """That copies of another batch are of a site that is off keeps none of these back."""
    copied(room, ONE, "a")
    copied(room, "b00000000002", "b")
    room.sql("UPDATE transmission SET site = 'acme-ca' WHERE order_id = 'b'")
    desk = Desk(room)
    assert [must_wait_now(desk.equipment, desk.batch(each)) for each in (ONE, "b00000000002")] == [False, True]
    room.sql("UPDATE transmission SET result = 'success' WHERE order_id = 'b'")
    assert not must_wait_now(desk.equipment, desk.batch("b00000000002")), "what was answered waits for nothing"
