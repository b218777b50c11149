"""Steps of the send protocol that only their traces tell apart: what is counted, what is told, and which rows are shown anew."""

from collections.abc import Sequence

import pytest
from sqlalchemy.engine import Connection

from batch.applying import Heard, hear
from batch.ledger.items import open_item
from batch.ledger.lease import LeaseTerms, end_run
from batch.ledger.moves import Move, move_orders
from batch.responses import OrderRead
from schemas.errors import AnotherRunActive, ExitCode, LeaseWanted, OrdersUnreachable, SftpLost, SftpRefused, TransitionLost
from schemas.reasons import ItemKind
from schemas.states import State
from tests.ledger.room import Room
from tests.table.desk import Desk

NAMES = tuple(f"b0000000000{number}" for number in range(1, 6))
ONE = NAMES[0]
LOST = SftpLost("lost")


def verified(desk: Desk, *order_ids: str) -> None:
    """A file whose part is verified and whose rename was refused: a later run finds it so."""
    batch = desk.held(ONE, *order_ids)
    desk.folder.trouble["publish"] = [SftpRefused("no")]
    assert desk.deliver(batch) == ["MB-SFTP-REFUSED"]


def shown(desk: Desk, *order_ids: str) -> list[int]:
    """How often each order had something new for its row."""
    return [desk.room.submission(each).row_version for each in order_ids]


def test_a_server_that_loses_three_files_in_a_row_gets_no_fourth(desk: Desk) -> None:
    """Every file is tried twice; after three that were lost the others wait for the next run, and are named."""
    batches = [desk.held(name, f"o{name}") for name in NAMES]
    desk.folder.trouble["write_part"] = [LOST] * 10
    assert desk.deliver(*batches) == ["MB-SFTP-LOST"]
    assert len(desk.folder.trouble["write_part"]) == 4
    assert desk.findings.undelivered == [f"{name}.json" for name in NAMES]


def test_a_file_that_arrives_ends_the_row(desk: Desk) -> None:
    """Two lost, one delivered, two lost: all five were tried."""
    batches = [desk.held(name, f"o{name}") for name in NAMES]
    tries = iter([True] * 4 + [False] + [True] * 4)
    real = desk.folder.write_part

    def loses_some(name: str, content: bytes) -> None:
        if next(tries):
            raise LOST
        real(name, content)

    desk.folder.write_part = loses_some  # type: ignore[method-assign]
    assert desk.deliver(*batches) == ["MB-SFTP-LOST"]
    assert desk.findings.delivered == [f"{NAMES[2]}.json"]
    assert list(tries) == []


def test_refusals_do_not_stop_the_other_files(desk: Desk) -> None:
    """A server that refuses each file is asked for each."""
    batches = [desk.held(name, f"o{name}") for name in NAMES]
    desk.folder.trouble["write_part"] = [SftpRefused("no")] * 5
    assert desk.deliver(*batches) == ["MB-SFTP-REFUSED"]
    assert desk.folder.trouble["write_part"] == []


def test_an_order_system_that_is_away_is_asked_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is away for every file: the others wait for the next run, unsent."""
    asked: list[Sequence[str]] = []

    def is_away(order_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        asked.append(order_ids)
        raise OrdersUnreachable("down")

    batches = []
    for name in NAMES:
        desk.held(name, f"o{name}")
        desk.room.sql("UPDATE batch SET step = 'sending' WHERE batch_id = ?", name)
        batches.append(desk.batch(name))
    monkeypatch.setattr(desk.equipment.source, "written", is_away)
    assert desk.deliver(*batches) == [OrdersUnreachable("down").code]
    assert (len(asked), desk.findings.undelivered) == (1, [f"{name}.json" for name in NAMES])


def test_a_released_order_keeps_the_file_from_its_name(desk: Desk) -> None:
    """A verified file of which an order was refused meanwhile is not renamed: in doubt, and the others stay held."""
    verified(desk, "a", "b")
    desk.move(State.REJECTED, "a")
    assert desk.deliver(desk.batch(ONE)) == ["MB-SFTP-REFUSED"]
    assert (desk.batch(ONE).step, desk.states("a", "b")) == ("in_doubt", ["rejected", "in_doubt"])
    assert list(desk.folder.files) == [f"{ONE}.json.part"]


def test_an_order_without_a_line_says_nothing_about_the_file(desk: Desk) -> None:
    """What was left out of a file and is at the provider all the same is no proof that the file arrived: it is renamed."""
    verified(desk, "a", "b")
    desk.move(State.PENDING, "b", provider_order_id="k", sequence_number=0)
    assert desk.deliver(desk.batch(ONE)) == []
    assert (desk.batch(ONE).step, list(desk.folder.files)) == ("delivered", [f"{ONE}.json"])


def test_doubt_and_its_end_show_nothing_new_in_the_rows(desk: Desk) -> None:
    """The rows show `pending` all the while: going into doubt and out of it asks for no writing to the order system."""
    verified(desk, "a", "b")
    before = shown(desk, "a", "b")
    desk.folder.trouble["size_of"] = [LOST]
    desk.deliver(desk.batch(ONE))
    assert desk.states("a", "b") == ["in_doubt", "in_doubt"]
    assert shown(desk, "a", "b") == before
    assert desk.deliver(desk.batch(ONE)) == []
    assert (desk.states("a", "b"), shown(desk, "a", "b")) == (["sending", "sending"], before)


def test_a_doubt_that_ends_with_the_part_gone_shows_nothing_new(desk: Desk) -> None:
    """The part is gone, so it was renamed: the orders are being sent as before."""
    verified(desk, "a")
    before = shown(desk, "a")
    desk.folder.trouble["size_of"] = [LOST]
    desk.deliver(desk.batch(ONE))
    assert desk.states("a") == ["in_doubt"]
    desk.folder.files.clear()
    assert desk.deliver(desk.batch(ONE)) == []
    assert (desk.states("a"), shown(desk, "a"), desk.batch(ONE).step) == (["sending"], before, "delivered")


def test_an_order_that_moves_up_gets_the_line_before_it(desk: Desk) -> None:
    """The first order of an unsent file stays at home: the second takes its line, an event says so, and no row changes."""
    batch = desk.held(ONE, "a", "b")
    desk.folder.trouble["write_part"] = [LOST, LOST]
    desk.deliver(batch)
    staying, before = shown(desk, "a")[0], shown(desk, "b")
    desk.room.sql("UPDATE submission SET expires_at = '2026-11-23T07:00:00Z' WHERE order_id = 'a'")
    assert desk.deliver(desk.batch(ONE)) == []
    order = desk.room.submission("b")
    assert shown(desk, "a") == [staying + 1], "its row is told that it is free"
    assert (desk.states("a", "b"), order.sequence_number, shown(desk, "b")) == (["withdrawn", "sending"], 1, before)
    told = desk.room.sql("SELECT kind, reason FROM event WHERE subject = 'order:b' ORDER BY seq DESC LIMIT 1")
    assert told == [("numbered", "its line in the file is now 1")]


def test_orders_that_stand_elsewhere_by_then_are_counted(room: Room) -> None:
    """Of two orders one is no longer where it was read: neither moves, and the error says of how many it is so."""
    room.claim(ONE, "a", "b")
    stale = [room.submission("a"), room.submission("b")]
    room.put("a", State.HELD)
    before = room.everything("lease")
    with pytest.raises(TransitionLost, match=r"^1 of 2 orders stood elsewhere"), room.ledger.writing(room.run) as writing:
        move_orders(writing, [Move(each, State.HELD, "hold", "so") for each in stale])
    assert room.everything("lease") == before


def test_a_night_waits_longer_and_longer_and_not_beyond_its_time(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second at first, twice as long each time, five seconds at most, and together what the settings allow."""
    end_run(room.ledger, room.run, ExitCode.CLEAN)
    room.take("the-poll-of-this-hour", "poll")
    pauses: list[float] = []
    monkeypatch.setattr(room.clock, "sleep", pauses.append)
    words = r"^A poll run \(the-poll, process 7 on here\) is active\."
    with pytest.raises(AnotherRunActive, match=words):
        room.take("night", "nightly", terms=LeaseTerms(900, 20.0))
    assert pauses == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 2.5]


@pytest.mark.parametrize(("job", "stops"), [("nightly", False), ("rerun", False), ("poll", True), ("refund", True)])
def test_only_a_lesser_run_steps_aside(job: str, stops: bool, room: Room) -> None:
    """A mark that a night waits stops a lesser run at its next step; a night that finds one in its own lease goes on."""
    end_run(room.ledger, room.run, ExitCode.CLEAN)
    run = room.take("this", job)
    room.sql("UPDATE lease SET wanted_by = 'other'")
    if stops:
        with pytest.raises(LeaseWanted, match=rf"^Run this \({job}\) stopped"), room.ledger.writing(run):
            pass
    with room.ledger.writing(run, last=stops) as writing:
        assert isinstance(writing.connection, Connection)


@pytest.mark.parametrize(
    ("word", "code", "said"), [("Processing", None, "Processing"), ("", 4, "4"), ("Processing", 4, "Processing")]
)
def test_an_answer_that_is_understood_closes_the_doubt(word: str, code: int | None, said: str, desk: Desk) -> None:
    """Items about unreadable and unknown words of this order close, with the words that closed them."""
    desk.held(ONE, "a", "b")
    desk.move(State.SENDING, "a", "b")
    with desk.room.ledger.writing(desk.room.run) as writing:
        for kind in (ItemKind.UNKNOWN_STATUS, ItemKind.QUARANTINE):
            for order in ("a", "b"):
                open_item(writing, kind, f"order:{order}", "so", due_business_days=3)
        moved = hear(
            writing, desk.equipment, desk.room.submission("a"), Heard("poll", b"{}", OrderRead("k", "a", code, word, 1999, "USD"))
        )
    assert moved.state is State.PENDING
    assert moved.provider_status == said.upper()
    closed = desk.room.sql("SELECT kind, subject, resolution FROM item WHERE closed_at IS NOT NULL ORDER BY kind")
    words = f"the provider now says {said}"
    assert closed == [("quarantine", "order:a", words), ("unknown_status", "order:a", words)]
    told = desk.room.sql("SELECT reason FROM event WHERE subject = 'order:a' ORDER BY seq DESC LIMIT 1")
    assert told == [(f"the provider has it: {word or f'code {code}'}",)]
