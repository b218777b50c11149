"""The rest of the branches of the ledger and of what is applied to it: each reached once, with what follows."""

import sqlite3
from contextlib import closing

import pytest

from batch.applying import Heard, hear
from batch.compared import Compared
from batch.contradictions import accept_after_refusal
from batch.ledger.hints import hints_so_far, make_due
from batch.ledger.identity import Identity, check_identity, lock_identity
from batch.ledger.items import open_item
from batch.ledger.moves import note_reads
from batch.ledger.reading import nearest_order_ids
from batch.order_rows import MAX_TEXT_LENGTH, storable_id
from batch.pace import utc_text
from batch.settled_orders import lay_down_settlement
from jobs.databases import open_ledger
from schemas.errors import IdentityChanged, LedgerBusy
from schemas.reasons import ItemKind
from schemas.states import State
from tests.ledger.room import MID, Room
from tests.table.acknowledging import ONE, acknowledge, items, row, sent
from tests.table.answers import read_of
from tests.table.desk import Desk
from tests.table.rules import Case

TWO = "b00000000002"
IDENTITY = Identity("sandbox", "https://api.example/v1/", MID, "SHA256:a")


def claimed_again(desk: Desk) -> None:
    """An order that was refused and claimed a second time."""
    sent(desk, "a")
    acknowledge(desk, row("a"))
    assert desk.states("a") == ["rejected"]
    desk.room.sql("DELETE FROM item")
    desk.room.claim(TWO, "a")


def test_an_old_refusal_of_an_order_that_was_claimed_again(desk: Desk) -> None:
    """The first file's refusal once more says nothing about the second claim."""
    claimed_again(desk)
    assert acknowledge(desk, row("a")) == []
    assert desk.states("a") == ["claimed"]


def test_a_late_acceptance_of_an_order_that_was_claimed_again(desk: Desk) -> None:
    """The first file's acceptance puts the second claim under review, and again it stays there."""
    claimed_again(desk)
    for _ in range(2):
        assert acknowledge(desk, row("a", "k")) == [("contradiction", "order:a")]
        assert desk.states("a") == ["review"]


def test_a_refused_file_is_accepted_after_an_order_was_claimed_again(desk: Desk) -> None:
    """A whole file that is accepted after all: its refused orders and later claims of them go to review, none that stayed."""
    sent(desk, "a", "b", "c")
    acknowledge(desk, row("a"), row("b"))
    desk.room.put("c", State.WITHDRAWN)
    desk.room.claim(TWO, "a")
    with desk.room.ledger.writing(desk.room.run) as writing:
        accept_after_refusal(writing, desk.equipment, desk.batch(ONE), "e" * 32)
    assert desk.states("a", "b", "c") == ["review", "review", "withdrawn"]
    assert ("contradiction", "order:a") in items(desk.room)


def test_a_contradiction_of_an_order_under_review(desk: Desk) -> None:
    """An order that a person looks at already is moved by no further contradiction, and no event says so."""
    sent(desk, "a")
    assert acknowledge(desk, row("a", "k"), row("a")) == [("contradiction", "order:a")]
    before = desk.room.submission("a")
    assert acknowledge(desk, row("a", "k"), row("a")) == [("contradiction", "order:a")]
    assert (desk.room.submission("a"), before.state) == (before, State.REVIEW)


def test_rows_go_by_their_line_where_they_name_no_order(desk: Desk) -> None:
    """A row without an order id is known by its line; one whose line is another order's, or none, is set aside (I14)."""
    sent(desk, "a", "b", "c")
    found = acknowledge(desk, row("", "k", number="2"), row("a", "j", number="3"), row("", "i", number="9"))
    assert found == [("quarantine", f"batch:{ONE}")]
    assert desk.states("a", "b", "c") == ["sending", "pending", "sending"]


def test_an_id_that_belongs_to_another_order_proves_nothing(desk: Desk) -> None:
    """A completed read under an id that another order of ours bears moves nothing, and a person is told (H-14)."""
    sent(desk, "a", "000471")
    acknowledge(desk, row("a", "5f2c"))
    case = Case("sending", "Completed", 7)
    with desk.room.ledger.writing(desk.room.run) as writing:
        hear(writing, desk.equipment, desk.room.submission("000471"), Heard("poll", b"{}", read_of(case)))
    assert desk.states("a", "000471") == ["pending", "sending"]
    assert items(desk.room) == [("contradiction", "order:000471")]


@pytest.mark.parametrize("problem", ["not JSON", ""])
def test_an_answer_without_a_read_is_asked_for_again_later(problem: str, desk: Desk) -> None:
    """What cannot be read, or is not there, moves nothing; the order is due again after the pace's time, not at once."""
    sent(desk, "a")
    acknowledge(desk, row("a", "k"))
    desk.room.sql("UPDATE submission SET next_read_at = '2026-11-23T06:00:00Z'")
    before = desk.room.submission("a")
    with desk.room.ledger.writing(desk.room.run) as writing:
        hear(writing, desk.equipment, before, Heard("poll", b"?", None, problem))
    after = desk.room.submission("a")
    assert (after.state, after.event_seq) == (before.state, before.event_seq)
    assert after.next_read_at > utc_text(desk.room.ledger.now())
    assert items(desk.room) == ([("quarantine", "order:a")] if problem else [])


@pytest.mark.parametrize(("word", "code", "open_after"), [("CaptureRequired", 5, True), ("Completed", 7, False)])
def test_what_is_due_is_due_until_the_order_goes_on(word: str, code: int, open_after: bool, desk: Desk) -> None:
    """The item about a capture stands while the provider goes on saying that it waits for one, and closes when it does not."""
    sent(desk, "000471")
    acknowledge(desk, row("000471", "5f2c"))
    desk.move(State.CAPTURE_REQUIRED, "000471")
    with desk.room.ledger.writing(desk.room.run) as writing:
        open_item(writing, ItemKind.CAPTURE_DUE, "order:000471", "capture it", due_business_days=3)
        hear(writing, desk.equipment, desk.room.submission("000471"), Heard("poll", b"{}", read_of(Case("", word, code))))
    assert desk.room.sql("SELECT closed_at IS NULL FROM item") == [(open_after,)]


def test_what_the_ledger_does_not_know_is_null(desk: Desk) -> None:
    """An order of which the provider said nothing has no day, id and word of it: not an empty one that queries would count."""
    sent(desk, "a")
    columns = "handed_over_date, provider_order_id, provider_status, next_read_at, mit_mode"
    assert desk.room.sql(f"SELECT {columns} FROM submission") == [(None,) * 5]


def test_a_hint_whose_ids_do_not_fit_teaches_nothing(desk: Desk) -> None:
    """News that join the provider's id of one order with the name of another make neither due."""
    sent(desk, "a", "b")
    acknowledge(desk, row("a", "k"))
    before = desk.room.everything("lease")
    with desk.room.ledger.writing(desk.room.run) as writing:
        for order_id, provider_order_id in (("b", "k"), ("a", "other"), ("nobody", ""), ("", "nobody")):
            assert not make_due(writing, provider_order_id=provider_order_id, order_id=order_id, called_expired=True)
    assert desk.room.everything("lease") == before


@pytest.mark.parametrize("times", [0, 1, 3])
def test_hints_are_counted_until_an_order_is_read(times: int, room: Room) -> None:
    """How often the provider's news named it; an order that is due at its pace was named by none."""
    room.claim(ONE, "a")
    with room.ledger.writing(room.run) as writing:
        for _ in range(times):
            make_due(writing, provider_order_id="", order_id="a", called_expired=False)
    assert hints_so_far(room.submission("a")) == times
    with room.ledger.writing(room.run) as writing:
        note_reads(writing, [(room.submission("a"), "2026-12-01T00:00:00Z")])
    assert hints_so_far(room.submission("a")) == 0


def test_a_page_of_a_settlement_of_which_no_line_can_be_read(desk: Desk) -> None:
    """Its lines are counted as odd ones; none is laid down, and the comparison goes on."""
    compared = Compared("")
    lay_down_settlement(desk.equipment, desk.room.run, compared, [None, None])
    assert (compared.odd_lines, compared.settled_lines) == (2, 0)
    assert desk.room.sql("SELECT * FROM settled_line") == []


def test_noting_no_reads_writes_nothing(room: Room) -> None:
    """A page without orders is no statement."""
    room.claim(ONE, "a")
    before = room.everything("lease")
    with room.ledger.writing(room.run) as writing:
        note_reads(writing, [])
    assert room.everything("lease") == before


def test_the_nearest_ids_differ_in_case_and_zeros(room: Room) -> None:
    """An id that is nearly one of ours finds it; what is like nothing finds nothing; % and _ are letters like others."""
    room.claim(ONE, "00471", "AbC-1", "a%c")
    with room.ledger.reading() as connection:
        near = {each: sorted(nearest_order_ids(connection, MID, each)) for each in ("471", "abc-1", "a%c9", "a_c", "zzz")}
    assert near == {"471": ["00471"], "abc-1": ["AbC-1"], "a%c9": ["a%c"], "a_c": [], "zzz": []}


@pytest.mark.parametrize("name", ["environment", "api_url", "host_key"])
def test_every_difference_of_identity_is_refused(name: str, room: Room) -> None:
    """A ledger that is tied to one identity refuses every other, and writes nothing (I21)."""
    key = lock_identity(room.ledger, IDENTITY, ledger_id="l", scrub_key="ab" * 32)
    before = room.everything()
    assert check_identity(room.ledger, IDENTITY) == key == bytes.fromhex("ab" * 32)
    assert lock_identity(room.ledger, IDENTITY, ledger_id="other", scrub_key="cd" * 32) == key
    other = Identity(**{each: getattr(IDENTITY, each) for each in IDENTITY.__dataclass_fields__} | {name: "other"})
    with pytest.raises(IdentityChanged, match=f"{name} was .* is now other"):
        check_identity(room.ledger, other)
    with pytest.raises(IdentityChanged, match=f"{name} was .* is now other"):
        lock_identity(room.ledger, other, ledger_id="", scrub_key="")
    assert room.everything() == before


def test_a_ledger_of_another_merchant_is_refused(room: Room) -> None:
    """A ledger belongs to one merchant id, and says which."""
    assert check_identity(room.ledger, IDENTITY) is None
    lock_identity(room.ledger, IDENTITY, ledger_id="l", scrub_key="ab" * 32)
    with pytest.raises(IdentityChanged, match=f"belongs to merchant {MID}, the settings name other"):
        check_identity(room.ledger, Identity("sandbox", IDENTITY.api_url, "other", "SHA256:a"))


def test_a_database_that_is_locked_is_told_and_nothing_is_written(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program that keeps the file locked ends the step with what to do next (P-15)."""
    monkeypatch.setattr("jobs.databases.BUSY_SECONDS", 0)
    room.close()
    room.ledger.engine = open_ledger(f"sqlite:///{room.path}")
    before = room.everything()
    with closing(sqlite3.connect(room.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusy, match="database is locked"), room.ledger.writing(room.run):
            pass
    assert room.everything() == before


def test_ids_that_are_too_long_stay_apart() -> None:
    """Two ids that differ only beyond what is kept are kept apart by a hash; half a surrogate pair is spelt out."""
    long = "x" * (MAX_TEXT_LENGTH + 1)
    one, other = storable_id(long + "a"), storable_id(long + "b")
    assert one != other
    assert (one[:200], len(one)) == ("x" * 200, 200 + 3 + 16)
    assert storable_id("a\ud800\x00") == "a\\ud800\\u0000"
    assert storable_id("x" * MAX_TEXT_LENGTH) == "x" * MAX_TEXT_LENGTH
