"""What the oracle excuses, it excuses by the order of happening: nothing that came later, and nothing that nobody did."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from batch.pace import utc_text
from schemas.resolutions import Resolution
from tests.world.campaign import CORPUS
from tests.world.hands import Decided
from tests.world.merchant import Charge, RowChange
from tests.world.oracle_answers import i7_evidence
from tests.world.oracle_call_doctors import call_of
from tests.world.oracle_calls import i12_calls_have_proof
from tests.world.oracle_codes import i20_honest_codes
from tests.world.oracle_decisions import proven_missing
from tests.world.oracle_doctors import one
from tests.world.oracle_evidence import Evidence, evidence_of
from tests.world.oracle_forced import wrong_in_repeat
from tests.world.oracle_holding import i1_hold
from tests.world.oracle_payloads import payload_of
from tests.world.put_back import PutBack
from tests.world.schedule import Deed, Schedule, from_json
from tests.world.shrink import happened
from tests.world.test_oracle import honest
from tests.world.turning import Turned
from tests.world.witness import Send
from tests.world.world import leave_ground

A_MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module", autouse=True)
def _leave_the_ground() -> Iterator[None]:
    yield
    leave_ground()


def seen_with(**changed: object) -> Evidence:
    """The evidence of a quiet story, with some of it changed."""
    return replace(honest(), **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize("after_its_end", [False, True])
def test_a_clock_that_is_put_back_unsays_no_end(after_its_end: bool) -> None:
    """A charge on a clock that was put back is judged by the latest word that the provider had said before."""
    order_id = one(honest(), "declined")
    (first, _), *_, (last, _) = honest().steps[order_id]
    charge = Charge(order_id, first + A_MINUTE, last if after_its_end else last - A_MINUTE, 10**6)
    assert bool(list(i1_hold(seen_with(charges=[charge])))) is not after_its_end


@pytest.mark.parametrize(
    ("states", "point", "is_excused"),
    [
        ((("sending", -1), ("rejected", -1)), 10**6, True),
        ((("sending", -1), ("rejected", 0)), 10**6, True),
        ((("sending", -1), ("rejected", -1), ("review", 0)), 10**6, True),
        ((("sending", -1), ("rejected", -1), ("review", -1)), 10**6, False),
        ((("sending", -1),), 10**6, False),
        ((), 10**6, False),
        ((("sending", -1), ("rejected", -1)), 0, False),
    ],
    ids="refused,refused in this second,found in this second,found before,not refused,unknown,not read yet".split(","),
)
def test_a_refusal_excuses_a_charge_only_while_it_stands(
    states: tuple[tuple[str, int], ...], point: int, is_excused: bool
) -> None:
    """What the provider works on although it said that it refused it may be charged once that was read, until it is unsaid."""
    order_id = one(honest(), "rejected")
    at = honest().marks[-1].times[1]
    told = tuple((state, utc_text(at + days * timedelta(days=1))) for state, days in states)
    charge = Charge(order_id, at, at, 10**6, (), point, told)
    accepted = next(row for row in honest().journal if row["event"] == "accepted") | {"order_id": order_id}
    seen = seen_with(
        charges=[charge], steps={**honest().steps, order_id: [(at, "Processing")]}, journal=[*honest().journal, accepted]
    )
    assert bool(list(i1_hold(seen))) is not is_excused


@pytest.mark.parametrize(
    ("state", "is_excused"), [("declined", True), ("cancelled", True), ("review", False), ("pending", False)]
)
def test_a_late_completion_excuses_a_charge_only_until_it_is_heard_of(state: str, is_excused: bool) -> None:
    """Who was told that an order is cancelled may charge it, until somebody hears that it was completed after all."""
    order_id = one(honest(), "completed")
    at = honest().steps[order_id][-1][0] + A_MINUTE
    charge = Charge(order_id, at, at, 10**6, told=(("pending", ""), (state, "")))
    seen = seen_with(charges=[charge], traits={order_id: "completes late"})
    assert bool(list(i1_hold(seen))) is not is_excused


@pytest.mark.parametrize(
    ("resolution", "sends", "is_recorded", "is_excused"),
    [
        (Resolution.REPEAT_CALL, 1, True, True),
        (Resolution.REPEAT_CALL, 2, True, False),
        (Resolution.REPEAT_CALL, 1, False, False),
        (Resolution.NO_RESCUE, 1, True, False),
    ],
    ids="before,after,refused,another".split(","),
)
def test_a_decision_excuses_only_the_call_after_it(
    resolution: Resolution, sends: int, is_recorded: bool, is_excused: bool
) -> None:
    """An order is called again by a person's word only if it was given before, and was kept; the ledger is not asked for it."""
    calls = [call_of(honest(), status=0), call_of(honest())]
    decided = Decided(f"order:{calls[0].name}", resolution, (calls[0].name,), sends, is_recorded=is_recorded)
    seen = seen_with(sends=calls, decided=[decided], events=[])
    assert bool(list(i12_calls_have_proof(seen))) is not is_excused
    twice = seen_with(sends=[*calls, calls[1]], decided=[decided], events=[])
    assert list(i12_calls_have_proof(twice)), "one word is good for one call"


def test_a_word_about_a_file_is_kept_where_the_ledger_forgot_it() -> None:
    """That a file never arrived counts as it was decided, whatever ledger stands there at the end, and only if it was kept."""
    word = Decided("batch:b", Resolution.NEVER_ARRIVED, (), 3, "file.json", is_recorded=True)
    seen = seen_with(batches=[], events=[], decided=[word, replace(word, is_recorded=False, sends=4)])
    assert proven_missing(seen, "file.json") == [3]
    assert proven_missing(seen, "another.json") == []


def _shorter(send: Send) -> tuple[Send, str, str]:
    """A file that goes again without its first order, before the provider knows any: that order, and the hold of its claim."""
    document = json.loads(send.content)
    gone = document["transactionRequests"].pop(0)
    content = json.dumps(document).encode()
    before = replace(send, content=content, at=send.at - A_MINUTE, point=send.point + 10)
    return before, gone["orderId"], f"mitbatch:{gone['idempotencyKey']}"


@pytest.mark.parametrize(
    ("hold", "point", "is_excused"),
    [("", 0, True), ("", 11, False), ("mitbatch:another", 0, False)],
    ids="before,after,of another claim".split(","),
)
def test_a_row_that_changed_excuses_only_a_file_after_it(hold: str, point: int, is_excused: bool) -> None:
    """A file goes again without an order only if the merchant had changed its row before, while it bore that claim's hold."""
    send = next(send for send in honest().sends if send.kind == "rename" and len(payload_of(send.content)) > 1)
    again, order_id, ours = _shorter(send)
    assert list(wrong_in_repeat(honest(), again, send.content, 0)), "nothing kept it from leaving"
    change = RowChange(order_id, "paid", hold or ours, send.point + point)
    seen = seen_with(changes=[change], changed={order_id: "paid"})
    assert bool(list(wrong_in_repeat(seen, again, send.content, 0))) is not is_excused


@pytest.mark.parametrize(("point", "is_excused"), [(0, True), (1, False)])
def test_a_hold_that_was_taken_away_excuses_only_later_sends(point: int, is_excused: bool) -> None:
    """An order leaves without its hold only if somebody had taken the hold away before."""
    send = next(send for send in honest().sends if send.kind == "rename")
    assert send.left is not None
    order_id, claim = next(iter(send.left.orders.items()))
    bare = replace(send, left=replace(send.left, holds={}))
    change = RowChange(order_id, "hold taken", claim["hold_reference"], send.point + point)
    seen = seen_with(changes=[change], changed={order_id: "hold taken"})
    assert seen.is_left_free(bare, order_id, claim) is not is_excused
    assert not seen.is_left_free(send, order_id, claim)


def test_a_world_remembers_what_the_oracle_asks_for() -> None:
    """Changes of rows and charges are kept with their place in the order of happening, whatever the clock says."""
    story, found = happened(Schedule(52, 2, (Deed("merchant", 0, 60, "paid"),)))
    assert found == []
    (change,) = story.changes
    row = story.world.merchant.rows()[change.order_id]
    assert (change.how, change.hold_reference, change.point) == ("paid", row["hold_reference"], 60)
    charge = next(each for each in honest().charges if each.told)
    assert [state for state, _ in charge.told] == [
        row["to_state"] for row in honest().events if row["subject"] == f"order:{charge.order_id}" and row["kind"] == "transition"
    ]
    assert 0 < charge.point <= len(honest().labels)
    now = story.world.clock.now()
    story.world.leap(timedelta(days=-1))
    put_back = story.world._charge_of(charge.order_id)
    assert (put_back.at, put_back.latest) == (now - timedelta(days=1), now)
    (held,) = story.world.put_back
    assert held.words == {(row["evidence_id"], row["received_at"]) for row in evidence_of(story).pieces}
    assert held.events == {row["hash"] for row in evidence_of(story).events}
    story.world.leap(timedelta(days=1))
    assert story.world.put_back == [held]


OFF, ON = False, True


@pytest.mark.parametrize(
    ("turned", "is_excused"),
    [
        ([(0, OFF)], True),
        ([(5, OFF)], True),
        ([(5, OFF), (6, ON)], True),
        ([(-1, OFF), (0, ON)], False),
        ([("closed", OFF)], True),
        ([("later", OFF)], False),
        ([], False),
    ],
    ids="before,meanwhile,off and on meanwhile,on again before,while it closed,after it had closed,never".split(","),
)
def test_a_switch_excuses_copies_that_wait_only_where_the_run_could_see_it(
    turned: list[tuple[int | str, bool]], is_excused: bool
) -> None:
    """A file of copies waits half sent behind what was off at some moment before the run closed its record, not after that."""
    (mark, run) = next((mark, run) for mark, run in zip(honest().marks, honest().runs, strict=True) if run[1].code == 0)
    assert mark.wrote is not None
    began, closed = mark.points[0], mark.wrote[1]
    assert began + 6 < closed < mark.points[1]
    waits = {"file_name": "t", "batch_id": "b", "kind": "transmit", "step": "part_verified", "delivered_at": None}
    night = replace(mark, job="nightly", batches=(*mark.batches, waits))
    points = {"closed": closed, "later": closed + 1}
    by_hand = [Turned("sending", on, points[at] if isinstance(at, str) else began + at, "", 0) for at, on in turned]
    seen = seen_with(marks=[night], runs=[run], turned=by_hand)
    assert bool(list(i20_honest_codes(seen))) is not is_excused


def test_what_a_person_commits_is_none_of_a_run_that_stands_still() -> None:
    """A switch that is turned after a run's last commit leaves when that run closed its record as it was."""
    last = Schedule(52, 2, ())
    quiet, _ = happened(last)
    wrote = quiet.world.witness.marks[0].wrote
    assert wrote is not None
    turned, found = happened(replace(last, deeds=(Deed("switch", 0, wrote[1] + 1, "mit off"),)))
    assert found == []
    assert turned.turned[0].point == wrote[1] + 1
    assert turned.world.witness.marks[0].wrote == wrote


@pytest.mark.parametrize(
    ("shift", "held", "is_named"),
    [
        (0, [], False),
        (1, [], True),
        (1, [("words",)], False),
        (0, [("words",)], False),
        (1, [(), ("words",)], False),
        (1, [("words", "event")], True),
        (1, [()], True),
        (0, [("event",)], True),
        (1, [("words of then",)], True),
    ],
    ids="before,after,there first,first by both,there since,both there,none there,not there,others there".split(","),
)
def test_words_came_first_where_they_were_there_when_the_clock_was_put_back(
    shift: int, held: list[tuple[str, ...]], is_named: bool
) -> None:
    """Moments tell what came first only as long as the clock was not put back in between; then it counts what was there (I7)."""
    event = next(row for row in honest().events if row["to_state"] == "completed" and row["evidence_id"])
    received_at = utc_text(datetime.fromisoformat(event["at"]) + timedelta(hours=shift))
    pieces = [
        {**row, "received_at": received_at} if row["evidence_id"] == event["evidence_id"] else row for row in honest().pieces
    ]
    words = {"words": (event["evidence_id"], received_at), "words of then": (event["evidence_id"], "2026-01-01T00:00:00Z")}
    put_back = [
        PutBack(frozenset(words[each] for each in there if each in words), frozenset({event["hash"]} if "event" in there else ()))
        for there in held
    ]
    assert bool(list(i7_evidence(seen_with(pieces=pieces, put_back=put_back)))) is is_named


def test_words_that_came_after_the_clock_was_put_back_are_told_from_those_before() -> None:
    """A file that was stored before the clock was put back is acted upon at an earlier moment; other words are not excused."""
    path = CORPUS / "a_file_was_stored_before_the_clock_was_put_back.json"
    story, found = happened(from_json(path.read_text(encoding="utf-8")))
    assert found == []
    seen = evidence_of(story)
    received = {row["evidence_id"]: row for row in seen.pieces}
    (early,) = {
        row["evidence_id"]
        for row in seen.events
        if row["evidence_id"] and row["at"] < received[row["evidence_id"]]["received_at"]
    }
    since = utc_text(datetime.fromisoformat(received[early]["received_at"]) + timedelta(seconds=1))
    pieces = [{**row, "received_at": since} if row["evidence_id"] == early else row for row in seen.pieces]
    assert list(i7_evidence(replace(seen, pieces=pieces)))
    assert list(i7_evidence(replace(seen, put_back=[])))
