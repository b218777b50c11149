"""What becomes of the files of an outbound folder in memory: which are applied, read again, set aside, and what is told."""

import json
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from batch.acknowledgements import collect
from batch.responses import MOST_FILE_BYTES
from batch.sftp_channel import RemoteName
from schemas.errors import SftpRefused
from schemas.states import API_FORMAT, BatchStep
from tests.ledger.room import MID
from tests.table.acknowledging import ONE, items
from tests.table.desk import Desk

ANSWER = f"{ONE}_response.json"
Files = list[tuple[object, ...]]


@dataclass
class Outbound:
    """The provider's outbound folder. `fetched` counts what was asked for, by name."""

    files: dict[str, bytes] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    modified: dict[str, int] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    def answers(self) -> list[RemoteName]:
        """What is listed."""
        size = {name: self.sizes.get(name, len(content)) for name, content in self.files.items()}
        return [RemoteName(name, size[name], not name.startswith("folder"), self.modified.get(name)) for name in self.files]

    def fetch(self, name: str, limit: int) -> bytes | None:
        """One file's content."""
        assert limit == MOST_FILE_BYTES
        self.fetched.append(name)
        if name in self.refused:
            raise SftpRefused("no rights")
        return None if name in self.gone else self.files[name]


@pytest.fixture
def outbound(desk: Desk) -> Outbound:
    """An empty folder, and a delivered file of two orders that nobody has answered."""
    desk.held(ONE, "a", "b")
    desk.deliver(desk.batch(ONE))
    assert desk.batch(ONE).step is BatchStep.DELIVERED
    folder = Outbound()
    object.__setattr__(desk.equipment, "folder", cast("Any", folder))
    return folder


def answer(*order_ids: str, mid: str = MID, file: str = f"{ONE}.json", result: str = "Success", error: str = "") -> bytes:
    """An acknowledgement that accepts these orders."""
    rows = [
        {"orderId": each, "sequenceNumber": number, "orderSessionKey": f"k-{each}", "status": "SUBMITTED", "result": "Success"}
        for number, each in enumerate(order_ids, start=1)
    ]
    errors = [{"item1": error}] if error else []
    told = {"file": file, "kind": "evaluate", "mid": mid, "result": result, "errors": errors, "responses": rows}
    return json.dumps(told).encode()


def collected(desk: Desk) -> int:
    """Read the folder once."""
    return collect(desk.equipment, desk.room.run)


def known(desk: Desk) -> Files:
    """What the ledger has of outbound files."""
    return desk.room.sql("SELECT name, verdict, reason FROM remote_file ORDER BY name, seen_at, verdict")


def told(desk: Desk) -> list[str]:
    """What people are told in open items."""
    return [str(row[0]) for row in desk.room.sql("SELECT explanation FROM item WHERE closed_at IS NULL ORDER BY subject")]


def test_an_acknowledgement_is_applied_once(desk: Desk, outbound: Outbound) -> None:
    """The file is answered, its orders are pending, nobody waits; the same content again changes nothing."""
    assert collected(desk) == 1
    outbound.files[ANSWER] = answer("a", "b")
    assert collected(desk) == 0
    batch = desk.batch(ONE)
    assert (batch.step, batch.acknowledged_at, desk.states("a", "b")) == (
        BatchStep.ACKNOWLEDGED,
        "2026-11-23T06:30:00Z",
        ["pending", "pending"],
    )
    assert known(desk) == [(ANSWER, "applied", "")]
    before = desk.room.everything("lease")
    assert collected(desk) == 0
    assert (desk.room.everything("lease"), outbound.fetched) == (before, [ANSWER])
    last = "SELECT reason, evidence_id IS NULL FROM event WHERE subject = ? ORDER BY seq DESC LIMIT 1"
    assert desk.room.sql(last, f"batch:{ONE}") == [("the provider answered", 0)]


def test_a_known_file_is_read_again_when_it_looks_changed_or_an_hour_has_passed(desk: Desk, outbound: Outbound) -> None:
    """Another time in the listing, or an hour: it is fetched; the same content is noted as read, and applied no more."""
    outbound.files[ANSWER] = answer("a", "b")
    collected(desk)
    outbound.modified[ANSWER] = 7
    events = desk.room.sql("SELECT count(*) FROM event")
    desk.room.clock.sleep(3600)
    desk.room.run = desk.room.take("second")
    collected(desk)
    assert outbound.fetched == [ANSWER] * 2
    assert desk.room.sql("SELECT read_at, modified FROM remote_file") == [("2026-11-23T07:30:00Z", 7)]
    outbound.modified[ANSWER] = 8
    collected(desk)
    assert outbound.fetched == [ANSWER] * 3
    assert desk.room.sql("SELECT modified FROM remote_file") == [(8,)]
    desk.room.clock.sleep(3600)
    desk.room.run = desk.room.take("third", alive=False)
    for _ in range(2):
        collected(desk)
        assert outbound.fetched == [ANSWER] * 4, "it looks as before: after an hour, and not twice"
    assert desk.room.sql("SELECT read_at, modified FROM remote_file") == [("2026-11-23T08:30:00Z", 8)]
    assert desk.room.sql("SELECT count(*) FROM event") == events


@pytest.mark.parametrize(("waited", "verdict"), [(59, "unstable"), (60, "set_aside")])
def test_what_cannot_be_read_is_set_aside_once_it_stands_still(waited: int, verdict: str, desk: Desk, outbound: Outbound) -> None:
    """The first time it may still be being written; after a minute of the same content a person is told why, once."""
    outbound.files[ANSWER] = answer("a", "b")[:-1]
    collected(desk)
    assert [row[:2] for row in known(desk)] == [(ANSWER, "unstable")]
    assert items(desk.room) == []
    desk.room.clock.sleep(waited)
    collected(desk)
    assert [row[:2] for row in known(desk)] == [(ANSWER, verdict)]
    assert items(desk.room) == ([("quarantine", f"file:{ANSWER}")] if verdict == "set_aside" else [])
    assert desk.states("a", "b") == ["sending", "sending"]
    outbound.files[ANSWER] = answer("a", "b")
    collected(desk)
    assert (desk.states("a", "b"), told(desk)) == (["pending", "pending"], [])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (answer("a", mid="other"), "It is for merchant 'other', not for us."),
        (answer("a", file="else.json"), "It answers 'else.json', which is no file of ours of that name."),
        (answer("a", result="perhaps"), "The acknowledgement says neither that the file was accepted nor that it was refused."),
    ],
)
def test_what_is_not_for_us_is_set_aside_with_its_reason(content: bytes, words: str, desk: Desk, outbound: Outbound) -> None:
    """Nothing follows from it."""
    outbound.files[ANSWER] = content
    collected(desk)
    desk.room.clock.sleep(60)
    collected(desk)
    assert known(desk) == [(ANSWER, "set_aside", words)]
    assert told(desk)[0].endswith(f": {words}")
    assert desk.states("a", "b") == ["sending", "sending"]


def test_a_merchant_id_is_read_in_any_case(desk: Desk, outbound: Outbound) -> None:
    """The provider may write it in capitals."""
    outbound.files[ANSWER] = answer("a", "b", mid=MID.upper())
    assert collected(desk) == 0


@pytest.mark.parametrize("step", [BatchStep.CLAIMED, BatchStep.SENDING, BatchStep.EMPTY])
def test_an_answer_to_what_was_not_sent_proves_nothing(step: BatchStep, desk: Desk, outbound: Outbound) -> None:
    """It is told with the step of the file, and the orders stay."""
    desk.room.sql("UPDATE batch SET step = ?", step.value)
    outbound.files[ANSWER] = answer("a", "b")
    collected(desk)
    desk.room.clock.sleep(60)
    collected(desk)
    assert told(desk)[0].endswith(f"It answers {ONE}.json, which was not sent (its step is {step}).")
    assert desk.states("a", "b") == ["sending", "sending"]


def test_a_file_answers_no_calls(desk: Desk, outbound: Outbound) -> None:
    """What is sent by calls never lies in a folder: a file that claims to answer it proves nothing, and moves no order."""
    desk.room.sql("UPDATE batch SET format = ?", API_FORMAT)
    outbound.files[ANSWER] = answer(result="Failed", error="no such merchant")
    collected(desk)
    desk.room.clock.sleep(60)
    collected(desk)
    assert told(desk)[0].endswith(f"It answers '{ONE}.json', which is no file of ours of that name.")
    assert (desk.states("a", "b"), desk.batch(ONE).step) == (["sending", "sending"], BatchStep.DELIVERED)


@pytest.mark.parametrize("step", [BatchStep.PART_VERIFIED, BatchStep.IN_DOUBT, BatchStep.DELIVERED])
@pytest.mark.parametrize("accepted", [True, False])
def test_an_answer_settles_a_file_wherever_it_stands(step: BatchStep, accepted: bool, desk: Desk, outbound: Outbound) -> None:
    """It proves that the file arrived: answered or refused, and delivered now where that was not known."""
    delivered = None if step is not BatchStep.DELIVERED else "2026-11-23T06:00:00Z"
    desk.room.sql("UPDATE batch SET step = ?, delivered_at = ?", step.value, delivered)
    outbound.files[ANSWER] = answer("a", "b") if accepted else answer(result="Failed", error="no such merchant")
    collected(desk)
    batch = desk.batch(ONE)
    assert batch.step is (BatchStep.ACKNOWLEDGED if accepted else BatchStep.REFUSED)
    assert batch.delivered_at == (delivered or "2026-11-23T06:30:00Z")
    assert desk.states("a", "b") == ["pending" if accepted else "rejected"] * 2
    ((reason,),) = desk.room.sql("SELECT reason FROM event WHERE subject = ? ORDER BY seq DESC LIMIT 1", f"batch:{ONE}")
    assert str(reason) == ("the provider answered" if accepted else "no such merchant")


def test_a_refusal_without_words(desk: Desk, outbound: Outbound) -> None:
    """It is told in ours."""
    outbound.files[ANSWER] = answer(result="Failed")
    collected(desk)
    assert told(desk) == [next(words for words in told(desk) if words.endswith(f"{ONE}.json: the provider refused the file"))]


def test_a_refused_file_that_is_accepted_after_all(desk: Desk, outbound: Outbound) -> None:
    """Its orders are held again and under review, and the file counts as answered."""
    outbound.files[ANSWER] = answer(result="Failed")
    collected(desk)
    outbound.files[ANSWER] = answer("a", "b")
    collected(desk)
    assert (desk.states("a", "b"), desk.batch(ONE).step) == (["review", "review"], BatchStep.ACKNOWLEDGED)
    assert [row[1] for row in known(desk)] == ["applied", "applied"]


def test_names_that_are_not_ours_are_left_alone(desk: Desk, outbound: Outbound) -> None:
    """A plain file of another name is not fetched, nor told; one with an odd name is told once and never asked for."""
    outbound.files |= {"readme.txt": b"x", "folder_response.json": b"", "odd name": b"x", "4111111111111111_response.json": b"x"}
    collected(desk)
    collected(desk)
    assert outbound.fetched == []
    names = [str(row[0]) for row in known(desk)]
    assert [name for name in names if not name.startswith("withheld-")] == ["folder_response.json", "odd name"]
    assert len(names) == 3
    assert len(told(desk)) == 3
    assert all(words.endswith(": its name is not plain, or it is not a plain file") for words in told(desk))


def test_a_file_that_is_too_large_is_not_fetched(desk: Desk, outbound: Outbound) -> None:
    """One byte more than is read: set aside by its listing alone; one of the full size is fetched."""
    outbound.files[ANSWER] = answer("a", "b")
    outbound.sizes[ANSWER] = MOST_FILE_BYTES + 1
    collected(desk)
    assert (outbound.fetched, desk.states("a")) == ([], ["sending"])
    assert told(desk)[0].endswith(f"it has {MOST_FILE_BYTES + 1:,} bytes; at most {MOST_FILE_BYTES:,} are read")
    outbound.sizes[ANSWER] = MOST_FILE_BYTES
    collected(desk)
    assert (outbound.fetched, desk.states("a")) == ([ANSWER], ["pending"])


def test_one_file_that_cannot_be_read_keeps_no_other_back(desk: Desk, outbound: Outbound) -> None:
    """A refusal is told; a file that is gone between listing and fetching is none; the others are applied."""
    outbound.files = {"outcomes_1.json": b"{}", "outcomes_2.json": b"{}", ANSWER: answer("a", "b")}
    outbound.refused, outbound.gone = {"outcomes_1.json"}, {"outcomes_2.json"}
    assert collected(desk) == 0
    assert outbound.fetched == ["outcomes_1.json", "outcomes_2.json", ANSWER]
    assert [words.rpartition(": ")[2] for words in told(desk)] == ["no rights"]
    assert "it cannot be read: no rights" in told(desk)[0]


def test_news_of_outcomes(desk: Desk, outbound: Outbound) -> None:
    """They make their order due for a read, and end nothing; another merchant's are set aside."""
    outbound.files[ANSWER] = answer("a", "b")
    collected(desk)
    row = {"orderSessionKey": "k-a", "orderId": "a", "status": "Completed"}
    news = {"mid": MID.upper(), "outcomes": [row]}
    outbound.files["outcomes_1.json"] = json.dumps(news).encode()
    outbound.files["outcomes_2.json"] = json.dumps(news | {"mid": "other"}).encode()
    collected(desk)
    assert [row[:2] for row in known(desk)][1:] == [("outcomes_1.json", "applied"), ("outcomes_2.json", "unstable")]
    assert desk.states("a", "b") == ["pending", "pending"]
    assert desk.room.submission("a").next_read_at == "2026-11-23T06:30:00Z"
    assert desk.room.submission("b").next_read_at == "2026-11-23T06:35:00Z"
    desk.room.clock.sleep(60)
    collected(desk)
    assert told(desk)[0].endswith(": It is for merchant 'other', not for us.")


@pytest.mark.parametrize(("waited", "verdict"), [(59, "unstable"), (60, "applied")])
def test_news_without_an_end_are_applied_once_they_stand_still(waited: int, verdict: str, desk: Desk, outbound: Outbound) -> None:
    """CSV shows no end: it may be the beginning of more, until it has not grown for a minute (F-02)."""
    outbound.files[ANSWER] = answer("a", "b")
    collected(desk)
    outbound.files["outcomes_1.csv"] = f"mid,orderSessionKey,orderId,status\r\n{MID},k-a,a,Completed\r\n".encode()
    collected(desk)
    assert [row[:2] for row in known(desk)][1:] == [("outcomes_1.csv", "unstable")]
    desk.room.clock.sleep(waited)
    collected(desk)
    assert [row[:2] for row in known(desk)][1:] == [("outcomes_1.csv", verdict)]
    assert (desk.room.submission("a").next_read_at <= "2026-11-23T06:31:00Z") is (verdict == "applied")
    assert items(desk.room) == []
