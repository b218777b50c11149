"""S24: what the provider said goes when nothing can need it any more; what it proves stays, and nobody empties it unseen."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from batch import forgetting
from batch.ledger import Run, forgotten_answers
from batch.ledger.own_chain import note_of_ledger
from batch.ledger.transaction import Writing
from batch.pace import utc_text
from jobs.cli import run
from schemas.settings import RetentionSettings
from tests.night.house import COMPLETED, DAY, EXPIRED, ONHOLD, OTHER_AMOUNT, REFUSED, House, order
from tests.webhooks.keeping import ledger_of

DAYS = 120
PERSON = "canary.person@mail.example"
ENDED, LATE, ODD = ("a", "b"), "late", "odd"


class Died(BaseException):
    """The process is gone at this very line."""


@pytest.fixture
def ended(house: House) -> House:
    """Two orders that were recovered, one that expires later, and one that a person never decides about."""
    house.set(retention={"answer_days": DAYS})
    tokens = {"a": COMPLETED, "b": COMPLETED, LATE: EXPIRED, ODD: OTHER_AMOUNT}
    house.add(*(order(each, payment_token=token, email=PERSON) for each, token in tokens.items()))
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    assert house.states() == {"a": "completed", "b": "completed", LATE: "pending", ODD: "review"}
    return house


def said_of(house: House, *order_ids: str) -> set[str]:
    """What the provider answered about these orders alone when it was asked."""
    rows = house.ledger("SELECT evidence_id, subject FROM evidence WHERE source = 'poll'")
    return {row["evidence_id"] for row in rows if row["subject"] in {f"order:{order_id}" for order_id in order_ids}}


def empty(house: House) -> set[str]:
    """What is empty."""
    return {row["evidence_id"] for row in house.ledger("SELECT evidence_id FROM evidence WHERE length(content) = 0")}


def named(house: House) -> list[str]:
    """What the ledger's own chain says was emptied, each as often as it says so."""
    rows = house.ledger("SELECT detail FROM event WHERE subject = 'ledger' AND kind = 'forgotten' ORDER BY seq")
    return [each for row in rows for each in json.loads(row["detail"])["evidence"]]


def found(house: House, capfd: pytest.CaptureFixture[str]) -> tuple[int, set[str]]:
    """How `audit verify` ends, and about what it complains."""
    capfd.readouterr()
    code = run(["--config", str(house.config), "--json", "audit", "verify"])
    return code, {each["subject"] for each in json.loads(capfd.readouterr().out)["tampering"]}


def sql(house: House, *statements: str) -> None:
    """What somebody with a database shell does, who knows how to get past the triggers."""
    with closing(sqlite3.connect(house.ledger_path)) as ledger, ledger:
        for statement in statements:
            ledger.execute(statement)


def forget(house: House) -> None:
    """The night after the first two orders' time, with what else is due."""
    house.pass_time(days=DAYS)
    house.run("poll")
    house.pass_time(days=1)
    house.run()


def test_answers_go_after_their_time(ended: House, capfd: pytest.CaptureFixture[str]) -> None:
    """Not a day before, each by the end of its own order; what a person must still decide stays; the order's page says so."""
    assert RetentionSettings().answer_days > 540
    ended.pass_time(days=DAYS)
    ended.run()
    assert (empty(ended), named(ended)) == (set(), [])
    ended.pass_time(days=1)
    ended.run()
    assert ended.states()[LATE] == "expired"
    assert empty(ended) & said_of(ended, *ENDED, LATE, ODD) == said_of(ended, *ENDED) != set()
    ended.pass_time(days=DAYS + 1)
    ended.run()
    assert empty(ended) & said_of(ended, *ENDED, LATE, ODD) == said_of(ended, *ENDED, LATE)
    assert sorted(named(ended)) == sorted(empty(ended))
    assert found(ended, capfd) == (0, set())
    assert run(["--config", str(ended.config), "explain", "a"]) == 0
    assert "poll, forgotten after its time (retention.answer_days), sha256 " in capfd.readouterr().out
    assert run(["--config", str(ended.config), "--json", "explain", "a"]) == 0
    shown = {each["evidence_id"] for each in json.loads(capfd.readouterr().out)["evidence"] if each["is_forgotten"]}
    assert shown & said_of(ended, "a") == said_of(ended, "a")


def test_what_happened_stays_as_it_was(ended: House, capfd: pytest.CaptureFixture[str]) -> None:
    """Orders, events, requests, items, hashes, and finance's files of every day: made again, they are the same byte for byte."""
    ended.pass_time(days=DAYS)
    ended.run()
    days = sorted(path.name for path in (ended.settings.data_dir / "audit").iterdir())
    files = {day: ended.audit_bytes(day) for day in days}
    before = ended.ledger_rows()
    states = ended.states()
    ended.pass_time(days=1)
    ended.run()
    after = ended.ledger_rows()
    assert said_of(ended, *ENDED) <= empty(ended)
    assert {name for name in before if not set(before[name]) <= set(after[name])} == {"evidence", "remote_file"}
    assert [row[:-1] for row in before["remote_file"]] == [row[:-1] for row in after["remote_file"]]  # but when it was last read
    assert [row[:-1] for row in before["evidence"]] == [row[:-1] for row in after["evidence"]]
    assert {day: ended.audit_bytes(day) for day in days} == files
    assert ended.run("rerun", DAY).code in {0, 10}
    assert ended.run("reconcile").code in {0, 10}
    assert ended.states() == states
    assert {day: ended.audit_bytes(day) for day in days} == files
    assert found(ended, capfd) == (0, set())
    assert set(ended.accepted().values()) == {1}


def test_nothing_of_a_person_is_left_in_the_file(ended: House) -> None:
    """Neither in a row nor in a page that was let go of, nor in the log beside it while somebody else has the ledger open."""
    ended.pass_time(days=2)
    with closing(sqlite3.connect(ended.ledger_path)) as another:
        (said,) = another.execute("SELECT count(*) FROM evidence WHERE instr(content, ?)", [PERSON.encode()]).fetchone()
        assert said >= 4
        sql(ended, f"UPDATE submission SET state = 'declined' WHERE order_id = '{ODD}'", "UPDATE item SET closed_at = 'x'")
        for _ in range(3):
            ended.pass_time(days=DAYS)
            ended.run()
        another.execute("SELECT count(*) FROM evidence").fetchone()
        files = {path.name: path.read_bytes() for path in ended.ledger_path.parent.glob("ledger.db*")}
    assert set(files) == {"ledger.db", "ledger.db-wal", "ledger.db-shm"}
    assert [name for name, content in files.items() if PERSON.encode() in content] == []
    assert empty(ended) >= said_of(ended, *ENDED, LATE, ODD)


def test_nothing_goes_while_sending_is_paused_or_on_a_dry_run(ended: House) -> None:
    """Somebody may be looking into what happened; and what only looks changes nothing."""
    ended.pass_time(days=DAYS + 1)
    before = ended.ledger_rows()
    assert run(["--config", str(ended.config), "--quiet", "nightly", "--dry-run"]) in {0, 10, 30}
    assert ended.ledger_rows() == before
    assert run(["--config", str(ended.config), "--quiet", "pause", "--reason", "looking into it", "--yes"]) == 0
    ended.run()
    assert (empty(ended), named(ended)) == (set(), [])
    assert run(["--config", str(ended.config), "--quiet", "resume", "--reason", "done", "--yes"]) == 0
    ended.run()
    assert said_of(ended, *ENDED) <= empty(ended)


def test_what_may_be_read_again_is_never_emptied(house: House) -> None:
    """A row of a file that named an order before its id was known may be heard at any time: its file stays for ever."""
    house.set(retention={"answer_days": DAYS})
    house.add(order("a", payment_token=COMPLETED))
    document = {"mid": house.sandbox.mid, "outcomes": [{"orderId": "stranger", "orderSessionKey": "k-1", "status": "expired"}]}
    house.put_outbound("outcomes_x_1.json", document)
    house.run()
    sql(house, "UPDATE item SET closed_at = 'x', resolution = 'x'")
    house.pass_time(hours=2)
    house.run("poll")
    for _ in range(3):
        house.pass_time(days=DAYS)
        house.run()
    kept = house.ledger("SELECT source FROM evidence WHERE length(content) > 0 AND source <> 'acknowledgement'")
    assert [row["source"] for row in kept] == ["file"]
    assert (
        house.ledger("SELECT 1 FROM early_news WHERE evidence_id IN (SELECT evidence_id FROM evidence WHERE content = X'')") == []
    )


def dying(target: object, name: str, *, after: bool) -> Callable[[pytest.MonkeyPatch, int], None]:
    """Die before, or right after, a call of this name, the so many-th time."""

    def plant(monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
        real, calls = getattr(target, name), iter(range(1, 1000))

        def dies(*arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - whatever the line takes and gives
            is_now = next(calls) == nth
            if is_now and not after:
                raise Died
            given = real(*arguments, **more)
            if is_now:
                raise Died
            return given

        monkeypatch.setattr(target, name, dies)

    return plant


POINTS = {
    f"{when} {words}": dying(target, name, after=when == "after")
    for words, target, name in (
        ("a look for what is old", forgetting, "old_answers"),
        ("what is emptied and written down", forgetting, "empty_answers"),
        ("the event, in the same transaction", forgotten_answers, "note_of_ledger"),
    )
    for when in ("before", "after")
}


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", POINTS)
def test_dying_anywhere_leaves_whole_portions(
    point: str, nth: int, ended: House, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is empty is named, what is named is empty; the next night does the rest, each once, as if nobody had died."""
    monkeypatch.setattr(forgetting, "AT_A_TIME", 1)
    ended.pass_time(days=DAYS + 1)
    ended.run("poll")
    with monkeypatch.context() as dead:
        POINTS[point](dead, nth)
        with pytest.raises(Died):
            ended.run()
    assert sorted(named(ended)) == sorted(empty(ended))
    assert not said_of(ended, *ENDED) <= empty(ended)
    ended.pass_time(hours=2)
    ended.run()
    assert said_of(ended, *ENDED) <= empty(ended)
    assert sorted(named(ended)) == sorted(empty(ended))
    assert found(ended, capfd) == (0, set())


def test_dying_at_the_log_changes_nothing(ended: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """All is committed before the log is cut off; the next night has nothing left to empty."""
    ended.pass_time(days=DAYS + 1)
    with monkeypatch.context() as dead:
        dead.setattr("jobs.assembly.leave_no_copy", _dies)
        with pytest.raises(Died):
            ended.run()
    before = named(ended)
    assert said_of(ended, *ENDED) <= set(before)
    ended.pass_time(hours=2)
    ended.run()
    assert named(ended) == before


def test_what_stays_stands_in_no_ones_way(ended: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """So much goes in one night, the oldest first; what must stay is passed over, however much of it there is."""
    monkeypatch.setattr(forgetting, "AT_A_TIME", 1)
    monkeypatch.setattr(forgetting, "MOST_PORTIONS", 1)
    ended.pass_time(days=DAYS + 1)
    oldest, *_ = ended.ledger("SELECT evidence_id FROM evidence ORDER BY received_at")
    for count in (1, 2):
        ended.run()
        assert len(empty(ended)) == len(named(ended)) == count
    assert empty(ended) == said_of(ended, *ENDED)
    assert oldest["evidence_id"] not in empty(ended)


def _dies(_engine: object) -> None:
    raise Died


EMPTY = "UPDATE evidence SET content = X'' WHERE source = 'poll' AND subject = 'order:{}'"


@pytest.mark.parametrize("order_id", ["late", "odd"])
def test_who_empties_what_no_night_emptied_is_found(order_id: str, ended: House, capfd: pytest.CaptureFixture[str]) -> None:
    """The database lets a body be emptied; the books say that nobody did that."""
    forget(ended)
    assert found(ended, capfd) == (0, set())
    sql(ended, EMPTY.format(order_id))
    assert found(ended, capfd) == (30, {f"evidence:{each}" for each in said_of(ended, order_id)})


def forged(house: House, *evidence_ids: str, before: str, before_date: str) -> None:
    """An event that says that a night emptied these: what an attacker with the lease of a run could write."""
    with ledger_of(house) as ledger, ledger.unguarded() as connection:
        (row,) = house.ledger("SELECT * FROM run ORDER BY started_at DESC LIMIT 1")
        names = {name: row.get(name, "") for name in Run.__dataclass_fields__}
        detail = {"before": before, "before_date": before_date, "count": len(evidence_ids), "evidence": list(evidence_ids)}
        writing = Writing(connection, ledger.mid, Run(**{**names, "token": 1}), "2027-03-31T00:00:00Z")
        note_of_ledger(writing, kind="forgotten", source="retention", reason="forged", detail=detail)


@pytest.mark.parametrize(
    ("order_id", "before", "why"),
    [
        ("odd", "2026-12-01T00:00:00Z", "had not ended for so long"),
        ("late", "2026-12-01T00:00:00Z", "after the limit"),
        ("a", "2026-11-23T00:00:00Z", "after the limit"),
        ("a", "2027-03-01T00:00:00Z", "no run did that"),
    ],
)
def test_a_forged_event_makes_no_body_empty(
    order_id: str, before: str, why: str, ended: House, capfd: pytest.CaptureFixture[str]
) -> None:
    """What an event names must have been old enough, by a limit that settings allow, and its orders ended by then."""
    ended.pass_time(days=DAYS)
    ended.run("poll")
    sql(ended, EMPTY.format(order_id))
    forged(ended, *said_of(ended, order_id), before=before, before_date=before[:10])
    code, subjects = found(ended, capfd)
    assert code == 30
    assert {f"evidence:{each}" for each in said_of(ended, order_id)} <= subjects
    run(["--config", str(ended.config), "audit", "verify"])
    assert why in capfd.readouterr().out


def test_other_words_in_an_emptied_body_are_found(ended: House, capfd: pytest.CaptureFixture[str]) -> None:
    """The hash stays: nothing but what was said fits it."""
    forget(ended)
    one = min(said_of(ended, "a"))
    sql(ended, f"UPDATE evidence SET content = CAST('other words' AS BLOB) WHERE evidence_id = '{one}'")
    assert found(ended, capfd) == (30, {f"evidence:{one}"})


def test_an_order_that_goes_on_later_does_not_make_it_wrong(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    """What was right in its time stays right: an order that was refused, and is handed over once more long after."""
    house.set(retention={"answer_days": DAYS})
    house.add(order("a", payment_token=REFUSED))
    house.run()
    assert house.states() == {"a": "rejected"}
    sql(house, "UPDATE item SET closed_at = 'x', resolution = 'x'")
    house.change("a", status="paid")
    for _ in range(2):
        house.pass_time(days=DAYS)
        house.run()
    gone = empty(house)
    assert gone == set(named(house)) != set()
    house.change("a", status="declined", payment_token=ONHOLD, charged_at=utc_text(house.clock.now()))
    house.run()
    assert house.states() == {"a": "pending"}
    assert empty(house) == gone
    assert found(house, capfd) == (0, set())
