"""Acknowledgements and whatever else lies in the provider's outbound folder: late, partial, wrong, hostile."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox
from tests.night.conftest import MakeHouse
from tests.night.house import DAY, ONHOLD, START, House, order

Document = dict[str, Any]


def sent(house: House, *order_ids: str) -> None:
    """These orders were sent, and no acknowledgement came."""
    house.sandbox.faults.switch_on("no_acknowledgement")
    house.add(*(order(each, payment_token=ONHOLD) for each in order_ids))
    assert house.run().code == 0
    assert house.steps() == ["delivered"]


def test_within_the_window_a_missing_answer_is_clean(house: House) -> None:
    """Delivered and not yet acknowledged is exit 0 inside the ingest window; the orders are `sending` and blocked."""
    sent(house, "a", "b")
    house.pass_time(minutes=50)
    assert house.run("poll").code == 0
    assert house.states() == {"a": "sending", "b": "sending"}
    assert house.items() == []
    assert not house.retry_takes("a")


def test_after_the_window_orders_are_in_doubt_until_found(house: House) -> None:
    """After the window: in doubt, an item, exit 11, still held; a listing that does not answer releases nothing; then found."""
    sent(house, "a", "b")
    house.pass_time(hours=1, minutes=1)
    house.sandbox.faults.switch_on("server_error_before", times=99, where="orders")
    report = house.run("poll")
    assert report.code == 11
    assert house.states() == {"a": "in_doubt", "b": "in_doubt"}
    assert [kind for kind, _ in house.items()] == ["missing_acknowledgement"]
    assert house.row("a")["status"] == "pending"
    assert not house.retry_takes("a")
    assert house.run().code == 11
    house.sandbox.faults.clear()
    assert house.run("poll").code == 0
    assert house.states() == {"a": "pending", "b": "pending"}
    assert house.steps() == ["acknowledged"]
    assert house.items() == []
    assert house.accepted() == Counter(["a", "b"])
    assert house.row("a")["provider_order_id"] != ""


def test_an_order_that_the_listing_does_not_show_stays_held(house: House) -> None:
    """Not being found proves nothing: the order stays in doubt and blocked, night after night."""
    sent(house, "a")
    house.sandbox.faults.clear()
    house.sandbox.reset()
    house.pass_time(hours=2)
    for _ in range(3):
        assert house.run().code == 11
        assert house.state("a") == "in_doubt"
        house.pass_time(days=1)
    assert house.received() == []
    assert not house.retry_takes("a")


def test_a_late_acknowledgement_is_applied(make_house: MakeHouse) -> None:
    """An acknowledgement that comes half an hour later is read by the next poll."""
    house = make_house(acknowledgement_delay_seconds=1800)
    house.add(order("a", payment_token=ONHOLD))
    assert house.run().code == 0
    assert house.state("a") == "sending"
    house.pass_time(minutes=31)
    assert house.run("poll").code == 0
    assert house.state("a") == "pending"
    assert (house.row("a")["status"], house.row("a")["provider_status"]) == ("pending", "SUBMITTED")


def test_a_delayed_acknowledgement_is_awaited(make_house: MakeHouse) -> None:
    """The night waits for an answer that comes within acknowledgement_wait_seconds."""
    house = make_house(acknowledgement_delay_seconds=45, pickup_delay_seconds=5)
    house.set(outcomes={"acknowledgement_wait_seconds": 60})
    house.add(order("a", payment_token=ONHOLD))
    assert house.run().code == 0
    assert (house.state("a"), house.steps()) == ("pending", ["acknowledged"])


def test_a_partial_acknowledgement_is_read_again(house: House) -> None:
    """An acknowledgement that is still being written is read when it is whole; nobody needs to look."""
    house.set(outcomes={"acknowledgement_wait_seconds": 60})
    house.sandbox.faults.switch_on("partial_acknowledgement")
    house.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))
    report = house.run()
    assert house.sandbox.faults.fired("partial_acknowledgement") == 1
    assert house.states() == {"a": "pending", "b": "pending"}
    assert (report.code, house.items()) == (0, [])


def test_a_refused_file_releases_its_orders(house: House) -> None:
    """A refused file rejects all its orders, opens an item, exits 10, and gives the rows back; mended, they go again."""
    house.sandbox.faults.switch_on("refuse_file")
    house.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))
    report = house.run()
    assert report.code == 10
    assert house.states() == {"a": "rejected", "b": "rejected"}
    assert [kind for kind, _ in house.items()] == ["file_refused"]
    assert {house.row(each)["status"] for each in "ab"} == {"not_recovered"}
    assert house.retry_takes("a")
    assert house.run().code == 0
    assert house.accepted() == Counter()
    house.change("b", status="declined")
    assert house.run().code == 0
    assert house.states() == {"a": "rejected", "b": "pending"}
    assert house.accepted() == Counter(["b"])
    keys = [row["idempotency_key"] for row in house.ledger("SELECT idempotency_key FROM submission WHERE order_id='b'")]
    assert len(set(keys)) == 2


def test_exactly_the_refused_row_is_released(house: House) -> None:
    """Of three rows the second is refused: it is released with an item, the others stay held (I14)."""
    house.sandbox.faults.switch_on("refuse_row", after=2)
    house.add(*(order(each, payment_token=ONHOLD) for each in "abc"))
    report = house.run()
    assert report.code == 10
    assert house.states() == {"a": "pending", "b": "rejected", "c": "pending"}
    assert house.items() == [("row_refused", "order:b")]
    assert [house.row(each)["status"] for each in "abc"] == ["pending", "not_recovered", "pending"]
    assert [house.retry_takes(each) for each in "abc"] == [False, True, False]
    (row,) = [row for row in house.audit("submissions") if row["order_id"] == "b"]
    assert (row["acknowledgement"], row["error_code"]) == ("rejected", "MB-ROW-REJECTED")
    assert "refused on purpose" in row["error_text"]


SPOILT: dict[str, Callable[[Document], object]] = {
    "another merchant's": lambda doc: doc | {"mid": "11111111-2222-4333-8444-555555555555"},
    "no merchant": lambda doc: {name: value for name, value in doc.items() if name != "mid"},
    "an unknown file": lambda doc: doc | {"file": "evaluate_00000000_20261123_000000000000.json"},
    "a path as file": lambda doc: doc | {"file": "../../../etc/passwd"},
    "an unknown result": lambda doc: doc | {"result": "perhaps"},
    "no result": lambda doc: {name: value for name, value in doc.items() if name != "result"},
    "rows that are no list": lambda doc: doc | {"responses": {"a": 1}},
    "a list": lambda doc: [doc],
    "a number": lambda _: 7,
    "zero bytes": lambda _: b"",
    "html": lambda _: b"<!DOCTYPE html><title>Welcome</title>",
    "not UTF-8": lambda doc: json.dumps(doc).encode("utf-16"),
    "cut in half": lambda doc: json.dumps(doc).encode()[:-20],
    "NaN": lambda doc: json.dumps(doc | {"extra": float("nan")}).encode(),
    "a name twice": lambda doc: json.dumps(doc).encode().replace(b'"kind"', b'"result": "failed", "kind"', 1),
    "200,000 deep": lambda _: b"[" * 200_000,
    "a number of a million digits": lambda _: b'{"result": ' + b"9" * 1_000_000 + b"}",
    "20 MB": lambda doc: json.dumps(doc).encode() + b" " * (20 << 20),
    "words after the end": lambda doc: json.dumps(doc).encode() + b"{}",
}


@pytest.fixture(scope="module")
def unanswered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house whose two orders were sent, and whose acknowledgement never came."""
    folder, clock = tmp_path_factory.mktemp("house"), MovableClock(START)
    with Sandbox(folder / "provider", clock=clock) as sandbox:
        house = House(folder, sandbox, clock)
        house.set(outcomes={"ingest_window_seconds": 1_000_000})
        sent(house, "a", "b")
        yield house


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_acknowledgement_changes_nothing(unanswered: House, name: str) -> None:
    """It is set aside with an item when it is still the same in a later poll, and no order moves."""
    house = unanswered
    answer, document = house.acknowledgement()
    house.put_outbound(answer, SPOILT[name](document))
    house.run("poll")
    house.pass_time(minutes=5)
    assert house.run("poll").code in (0, 10)
    assert house.states() == {"a": "sending", "b": "sending"}
    assert house.items() == [("quarantine", f"file:{answer}")]
    (verdict,) = house.ledger("SELECT verdict FROM remote_file ORDER BY rowid DESC LIMIT 1")
    assert verdict == {"verdict": "set_aside"}
    assert not house.retry_takes("a")


def test_the_right_acknowledgement_after_a_spoilt_one_is_applied(house: House) -> None:
    """A file that was set aside and is right later is taken, and its item closes."""
    sent(house, "a", "b")
    answer, document = house.acknowledgement()
    house.put_outbound(answer, b"<html>")
    house.run("poll")
    house.pass_time(minutes=5)
    assert house.run("poll").code == 10
    house.put_outbound(answer, document)
    assert house.run("poll").code == 0
    assert house.states() == {"a": "pending", "b": "pending"}
    assert house.items() == []


BOTH = {"a": "pending", "b": "pending"}
ONLY_B = {"a": "sending", "b": "pending"}
REVIEWED = {"a": "review", "b": "pending"}
NEITHER = {"a": "sending", "b": "sending"}
ROWS: dict[str, tuple[Callable[[list[Document]], list[Any]], dict[str, str], list[str]]] = {
    "a row twice": (lambda rows: [rows[0], rows[0], rows[1]], BOTH, []),
    "other order": (lambda rows: rows[::-1], BOTH, []),
    "a row is missing": (lambda rows: rows[1:], ONLY_B, []),
    "no rows": (lambda _: [], NEITHER, []),
    "a stranger": (lambda rows: [*rows, rows[0] | {"orderId": "zz", "sequenceNumber": "3"}], BOTH, ["quarantine"]),
    "refused too": (lambda rows: [*rows, rows[0] | {"result": "Failed", "orderSessionKey": ""}], REVIEWED, ["contradiction"]),
    "two keys": (lambda rows: [*rows, rows[0] | {"orderSessionKey": "another"}], REVIEWED, ["contradiction"]),
    "numbers swapped": (
        lambda rows: [rows[0] | {"sequenceNumber": "2"}, rows[1] | {"sequenceNumber": "1"}],
        NEITHER,
        ["quarantine"],
    ),
    "accepted without a key": (lambda rows: [rows[0] | {"orderSessionKey": ""}, rows[1]], ONLY_B, ["quarantine"]),
    "an unknown row result": (lambda rows: [rows[0] | {"result": "maybe"}, rows[1]], ONLY_B, ["quarantine"]),
    "rows that are no objects": (lambda rows: [rows[0], 7, None, "x", rows[1]], BOTH, ["quarantine"]),
    "an unknown row status": (lambda rows: [rows[0] | {"status": "QUANTUM"}, rows[1]], BOTH, []),
}


@pytest.fixture(scope="module")
def oddly_answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One night of many files of two orders each, every file with its own odd answer, and one poll."""
    folder, clock = tmp_path_factory.mktemp("house"), MovableClock(START)
    with Sandbox(folder / "provider", clock=clock) as sandbox:
        house = House(folder, sandbox, clock)
        house.set(channels={"max_rows_per_file": 2})
        house.sandbox.faults.switch_on("no_acknowledgement", times=99)
        house.add(*(order(f"{name}/{each}", payment_token=ONHOLD) for name in ROWS for each in "ab"))
        house.run()
        for batch in house.ledger("SELECT batch_id FROM batch"):
            answer, document = house.acknowledgement(batch["batch_id"])
            name = str(document["responses"][0]["orderId"]).partition("/")[0]
            house.put_outbound(answer, document | {"responses": ROWS[name][0](document["responses"])})
        house.run("poll")
        yield house


@pytest.mark.parametrize("name", ROWS)
def test_odd_rows_touch_no_other_order(oddly_answered: House, name: str) -> None:
    """Rows that are doubled, missing, strange or contradictory: each order gets what its own rows say, and no more."""
    house = oddly_answered
    _, states, kinds = ROWS[name]
    assert {each: house.state(f"{name}/{each}") for each in "ab"} == states
    (batch,) = house.ledger("SELECT DISTINCT batch_id FROM submission WHERE order_id LIKE ?", [f"{name}/%"])
    subjects = (f"order:{name}/a", f"order:{name}/b", f"batch:{batch['batch_id']}")
    assert [kind for kind, subject in house.items() if subject in subjects] == kinds
    assert not house.retry_takes(f"{name}/a")
    assert not house.retry_takes(f"{name}/b")


def test_each_odd_row_is_told_with_its_reason(oddly_answered: House) -> None:
    """`status` shows which row was set aside and why, for a row that cannot be read and for one that fits no order."""
    house = oddly_answered
    told = {row["subject"]: row["explanation"] for row in house.ledger("SELECT subject, explanation FROM item")}
    words = {}
    for name in ("a stranger", "an unknown row result", "rows that are no objects", "numbers swapped"):
        (batch,) = house.ledger("SELECT DISTINCT batch_id FROM submission WHERE order_id LIKE ?", [f"{name}/%"])
        words[name] = told[f"batch:{batch['batch_id']}"]
    assert "1 row of its answer set aside: the row for 'zz' as number 3 fits none of the file" in words["a stranger"]
    assert "row 1 has no known result" in words["an unknown row result"]
    assert "3 rows of its answer set aside: row 2 is no row" in words["rows that are no objects"]
    assert "as number 2 fits none of the file; the row for" in words["numbers swapped"]
    listed = house.cli("status", "--json").stdout
    assert all(json.dumps(text)[1:-1] in listed for text in words.values())


def test_an_order_that_no_row_names_is_searched_for(house: House) -> None:
    """An acknowledgement that leaves an order out does not lose it: after the window it is found by asking."""
    sent(house, "a", "b")
    answer, document = house.acknowledgement()
    house.put_outbound(answer, document | {"responses": document["responses"][:1]})
    house.run("poll")
    assert house.state("b") == "sending"
    house.pass_time(hours=2)
    report = house.run("poll")
    assert house.states() == {"a": "pending", "b": "pending"}
    assert report.code in (0, 10)


def test_the_same_acknowledgement_again_changes_nothing(house: House) -> None:
    """An acknowledgement that is published once more, or under a changed size, moves nothing."""
    house.add(order("a", payment_token=ONHOLD))
    house.run()
    (answer,) = house.sandbox.outbound.iterdir()
    before = house.states(), house.row("a"), house.items()
    answer.write_bytes(answer.read_bytes() + b"\n")
    assert house.run("poll").code == 0
    assert (house.states(), house.row("a"), house.items()) == before


def test_an_acknowledgement_that_says_the_contrary_later_is_reviewed(house: House) -> None:
    """Accepted first and refused later: a person decides, and the order stays blocked."""
    house.add(order("a", payment_token=ONHOLD))
    house.run()
    answer, document = house.acknowledgement()
    refused = [row | {"result": "Failed", "orderSessionKey": "", "status": None} for row in document["responses"]]
    house.put_outbound(answer, document | {"responses": refused})
    assert house.run("poll").code == 10
    assert house.state("a") == "review"
    assert house.row("a")["status"] == "review"
    assert not house.retry_takes("a")


def _hostile(house: House) -> None:
    outbound = os.fsencode(house.sandbox.outbound)
    for name in (
        b"..\\x_response.json",
        b"...._response.json",
        b"-rf_response.json",
        b" _response.json",
        b"a\nb_response.json",
        b"\xff\xfe_response.json",
        b"caf\xc3\xa9_response.json",
        b"$(reboot)_response.json",
        b"outcomes_\x1b[31m.json",
        b"y" * 240 + b"_response.json",
        b"../x_response.csv".replace(b"/", b"\\"),
        b"outcomes_%2e%2e%2fx;.csv",
    ):
        with open(os.path.join(outbound, name), "wb") as file:  # noqa: PTH118, PTH123 - names that are no text
            file.write(b"{}")
    (house.sandbox.outbound / "folder_response.json").mkdir()
    (house.sandbox.outbound / "link_response.json").symlink_to("/etc/hostname")
    (house.sandbox.outbound / "zero_response.json").touch()
    (house.sandbox.outbound / "outcomes_zero.json").touch()


def test_hostile_names_are_set_aside_and_stop_nothing(house: House) -> None:
    """Whatever lies in the outbound folder, nothing of it is followed or written here, and the real answer is applied."""
    house.add(order("a", payment_token=ONHOLD))
    _hostile(house)
    report = house.run()
    assert report.code == 10
    assert house.state("a") == "pending"
    house.pass_time(minutes=1)
    house.run("poll")
    assert {kind for kind, _ in house.items()} == {"quarantine"}
    assert len(house.items()) >= 15
    known = house.items()
    assert house.run().code == 0
    assert house.items() == known
    ours = {"orders.db", "mitbatch.toml", "var", "provider"}
    assert {path.name for path in house.folder.iterdir()} == ours
    assert {path.name for path in house.settings.data_dir.iterdir()} <= {
        "audit",
        "export",
        "log",
        "metrics",
        "sent",
        "written",
    } | {path.name for path in house.ledger_path.parent.glob("ledger.db*")}
    assert len(list(house.sandbox.outbound.iterdir())) == 17


def test_files_of_no_concern_are_left_alone(house: House) -> None:
    """A plain file of the provider's that is no answer of any kind opens no item."""
    house.add(order("a", payment_token=ONHOLD))
    house.put_outbound("statement_2026-11.pdf", b"%PDF")
    assert house.run().code == 0
    assert house.items() == []


def test_an_outcomes_file_is_a_hint(make_house: MakeHouse) -> None:
    """An outcomes file alone ends nothing; it makes the order due, and the read decides."""
    house = make_house()
    house.add(order("a", payment_token=ONHOLD))
    house.run()
    (key,) = [each["order_session_key"] for each in house.sandbox.orders()]
    news = [{"orderSessionKey": key, "orderId": "a", "status": "COMPLETED", "timestampUtc": "2026-11-23T06:31:00Z"}]
    house.put_outbound("outcomes_x_1.json", {"mid": house.sandbox.mid, "outcomes": news})
    reads = len([row for row in house.sandbox.journal() if row["event"] == "answered" and str(row["path"]).endswith(str(key))])
    assert house.run("poll").code == 0
    again = len([row for row in house.sandbox.journal() if row["event"] == "answered" and str(row["path"]).endswith(str(key))])
    assert again == reads + 1
    assert house.state("a") == "pending"
    assert house.row("a")["status"] == "pending"
    assert DAY in [path.name for path in (house.settings.data_dir / "audit").iterdir()]
