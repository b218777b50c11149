"""CONTRACT 6: batch files of both kinds and formats, and the acknowledgement that each gets."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox, SandboxOptions
from tests.sandbox.merchant import (
    acknowledgement,
    batch_name,
    bearer,
    charge,
    decline,
    deliver,
    evaluate_file,
    expiry,
    sftp,
    token_ending,
    transmit_file,
    without,
)


def flat(record: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """A record as CSV cells: nested names joined by a dot, booleans as true and false (CONTRACT 6.4)."""
    cells: dict[str, str] = {}
    for name, value in record.items():
        if isinstance(value, list):
            value = {str(position): inner for position, inner in enumerate(value)}
        if isinstance(value, dict):
            cells.update(flat(value, f"{prefix}{name}."))
        elif isinstance(value, bool):
            cells[f"{prefix}{name}"] = "true" if value else "false"
        elif value is not None:
            cells[f"{prefix}{name}"] = str(value)
    return cells


def csv_file(sandbox: Sandbox, records: list[dict[str, Any]], head: dict[str, str]) -> bytes:
    """A CSV batch file: the header block's cells, sequenceNumber, then the record's (CONTRACT 6.4)."""
    lines = [
        {**head, "sequenceNumber": str(position), **flat(without(record, "mid"))}
        for position, record in enumerate(records, start=1)
    ]
    columns = list(dict.fromkeys(name for line in lines for name in line))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue().encode()


def send(sandbox: Sandbox, name: str, content: bytes) -> dict[str, Any]:
    """Deliver a file and read its acknowledgement."""
    with sftp(sandbox) as session:
        deliver(session, name, content)
        return acknowledgement(session, name)


def test_an_evaluate_file_is_acknowledged_row_by_row(sandbox: Sandbox) -> None:
    """CONTRACT 6.4: one response for each row with our order id, the session key, SUBMITTED and Success."""
    name = batch_name(sandbox)
    content = evaluate_file(sandbox, [decline(sandbox, "0012"), decline(sandbox, "sub-2")])
    found = send(sandbox, name, content)
    accepted = sandbox.accepted("evaluate")

    assert found == {
        "file": name,
        "kind": "evaluate",
        "mid": sandbox.mid,
        "result": "success",
        "errors": [],
        "responses": [
            {
                "sequenceNumber": str(position),
                "orderId": row["order_id"],
                "orderSessionKey": row["order_session_key"],
                "status": "SUBMITTED",
                "result": "Success",
                "errors": [],
            }
            for position, row in enumerate(accepted, start=1)
        ],
    }
    assert [(row["order_id"], row["sequence_number"], row["file"], row["channel"]) for row in accepted] == [
        ("0012", "1", name, "sftp"),
        ("sub-2", "2", name, "sftp"),
    ]


def test_a_received_file_is_journaled_with_its_hash(sandbox: Sandbox) -> None:
    """The journal holds the file's name, size and SHA-256."""
    name, content = batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)])
    send(sandbox, name, content)
    (row,) = [row for row in sandbox.journal() if row["event"] == "file_received"]

    assert (row["file"], row["size"], row["sha256"]) == (name, len(content), hashlib.sha256(content).hexdigest())


def test_the_four_layouts_say_the_same(sandbox: Sandbox) -> None:
    """Evaluate and transmit, as JSON and as CSV, are taken, and a record hashes alike in both formats."""
    items = [{"sku": "a,b", "amount": 100}, {"sku": 'say "x"\nagain', "amount": 2499}]
    declined, paid = {**decline(sandbox), "orderItems": items}, charge(sandbox)
    head = {"mid": sandbox.mid, "authorization": bearer(sandbox)}
    files = {
        batch_name(sandbox, "evaluate", 1): evaluate_file(sandbox, [declined]),
        batch_name(sandbox, "evaluate", 2, "csv"): csv_file(sandbox, [declined], {**head, "expiryDateUtc": expiry(sandbox)}),
        batch_name(sandbox, "transmit", 1): transmit_file(sandbox, [paid]),
        batch_name(sandbox, "transmit", 2, "csv"): csv_file(sandbox, [paid], head),
    }
    answers = [send(sandbox, name, content) for name, content in files.items()]

    assert [answer["result"] for answer in answers] == ["success"] * 4
    assert [list(answer["responses"][0]["errors"]) for answer in answers] == [[], [], [], []]
    assert "orderSessionKey" not in answers[2]["responses"][0]
    assert [answer["responses"][0]["transmitId"] for answer in answers[2:]] == [
        row["transmit_id"] for row in sandbox.accepted("transmit")
    ]
    for kind in ("evaluate", "transmit"):
        assert len({row["payload_sha256"] for row in sandbox.accepted(kind)}) == 1
        assert {row["amount"] for row in sandbox.accepted(kind)} == {2599}


def test_the_file_has_a_default_expiry_that_a_row_overrides(sandbox: Sandbox) -> None:
    """CONTRACT 6.1: expiryDateUtc of the configuration is the default for rows without their own."""
    own = {**decline(sandbox, "own"), "expiryDateUtc": "2030-01-02T03:04:05Z"}
    send(sandbox, batch_name(sandbox), evaluate_file(sandbox, [without(decline(sandbox, "none"), "expiryDateUtc"), own]))

    assert [row["expiry"] for row in sandbox.accepted("evaluate")] == [expiry(sandbox), "2030-01-02T03:04:05Z"]


def test_a_bad_row_is_refused_alone(sandbox: Sandbox) -> None:
    """A refused row has result Failed, errors and no key, and no rescue starts; its neighbours are taken."""
    records = [
        decline(sandbox, "good"),
        without(decline(sandbox, "bad"), "transaction.responseCode"),
        decline(sandbox, "test-token", token_ending("a005")),
        decline(sandbox, "card", "4111111111111111"),
        decline(sandbox, "good"),
    ]
    found = send(sandbox, batch_name(sandbox), evaluate_file(sandbox, records))

    assert found["result"] == "success"
    assert [row["result"] for row in found["responses"]] == ["Success", "Failed", "Failed", "Failed", "Failed"]
    assert all("orderSessionKey" not in row for row in found["responses"][1:])
    assert [row["errors"][0]["item2"] for row in found["responses"][1:]] == [
        "Transaction.ResponseCode",
        "PaymentMethod.CardNumber",
        "PaymentMethod.CardNumber",
        "OrderId",
    ]
    assert [row["order_id"] for row in sandbox.accepted("evaluate")] == ["good"]
    assert "4111111111111111" not in (sandbox.folder / "journal.jsonl").read_text()


def changed(change: Callable[[dict[str, Any]], object]) -> Callable[[Sandbox], bytes]:
    """A maker of an evaluate file in which something was changed."""

    def make(sandbox: Sandbox) -> bytes:
        document = json.loads(evaluate_file(sandbox, [decline(sandbox)]))
        change(document)
        return json.dumps(document).encode()

    return make


BAD_FILES: dict[str, Callable[[Sandbox], bytes]] = {
    "not UTF-8": lambda sandbox: b"\xff",
    "not JSON": lambda sandbox: b"{",
    "twice": lambda sandbox: b'{"configuration": 1, "configuration": 2}',
    "nested deeper": lambda sandbox: b"[" * 100_000,
    "not an object with": lambda sandbox: b"[]",
    "byte order mark": lambda sandbox: b"\xef\xbb\xbf" + evaluate_file(sandbox, [decline(sandbox)]),
    "mid": changed(lambda document: document["configuration"].update(mid="another")),
    "token is missing": changed(lambda document: document["configuration"].pop("authorizationToken")),
    "token is missing, unknown": changed(lambda document: document["configuration"].update(authorizationToken="x")),
    "expiryDateUtc": changed(lambda document: document["configuration"].update(expiryDateUtc="soon")),
    "no rows": changed(lambda document: document["transactionRequests"].clear()),
    "sequenceNumber '1'": changed(lambda document: document["transactionRequests"][0].update(sequenceNumber="2")),
    "sequenceNumber": changed(lambda document: document["transactionRequests"][0].update(sequenceNumber=1)),
    "not an object": changed(lambda document: document["transactionRequests"].append("row")),
    "at most 2000": lambda sandbox: evaluate_file(sandbox, [decline(sandbox, str(n)) for n in range(2001)]),
}


@pytest.mark.parametrize("reason", BAD_FILES)
def test_a_bad_file_is_refused_as_a_whole(sandbox: Sandbox, reason: str) -> None:
    """A refused file has result failed, a reason, and no responses, and nothing in it is accepted (CONTRACT 6.4)."""
    found = send(sandbox, batch_name(sandbox), BAD_FILES[reason](sandbox))

    assert found["result"] == "failed"
    assert reason in " ".join(error["item1"] for error in found["errors"])
    assert "responses" not in found
    assert sandbox.accepted("evaluate") == []
    assert [row["event"] for row in sandbox.journal() if row["event"] == "file_refused"] == ["file_refused"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "header row"),
        (b"mid,mid,sequenceNumber\n", "header row"),
        (b"mid,authorization,expiryDateUtc,sequenceNumber\n", "no rows"),
        (b"mid,authorization,sequenceNumber\na,b,1\n", "expirydateutc is missing"),
        (b"mid,authorization,expiryDateUtc,sequenceNumber\na,b,c\n", "line 2 has 3 cells"),
        (b"mid,authorization,expiryDateUtc,sequenceNumber\na,b,c,1\na,x,c,2\n", "same in every row"),
        (b'mid,authorization,expiryDateUtc,sequenceNumber\na,"b\n', "not CSV"),
        (b"mid,authorization,expiryDateUtc,sequenceNumber,a,a.b\na,b,c,1,2,3\n", "both a value and an object"),
    ],
)
def test_a_bad_csv_file_is_refused_as_a_whole(sandbox: Sandbox, content: bytes, reason: str) -> None:
    """A CSV file that is ragged, ambiguous or without its columns is refused with the reason."""
    found = send(sandbox, batch_name(sandbox, ending="csv"), content)

    assert found["result"] == "failed"
    assert reason in " ".join(error["item1"] for error in found["errors"])


def test_two_thousand_rows_are_taken(sandbox: Sandbox) -> None:
    """The row limit is 2000, and a file of 2000 rows is taken."""
    found = send(sandbox, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox, str(n)) for n in range(2000)]))

    assert len(found["responses"]) == len(sandbox.accepted("evaluate")) == 2000


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path, clock: MovableClock) -> None:
    """A file above the size limit gets a refusal, and its content is not read."""
    with Sandbox(tmp_path, clock, SandboxOptions(max_file_bytes=100)) as sandbox:
        found = send(sandbox, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)]))

    assert found["errors"][0]["item1"] == "the file is larger than 100 bytes"


def test_the_embedded_token_is_checked_at_pick_up(tmp_path: Path, clock: MovableClock) -> None:
    """CONTRACT 6.2: a token that was good at the upload and is over at the pick-up refuses the file."""
    with Sandbox(tmp_path, clock, SandboxOptions(pickup_delay_seconds=600)) as sandbox, sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)]))
        sandbox.advance(timedelta(days=1))
        found = acknowledgement(session, batch_name(sandbox))

    assert found["result"] == "failed"
    assert "token" in found["errors"][0]["item1"]


def test_a_delayed_pick_up_happens_at_its_own_moment(tmp_path: Path, clock: MovableClock) -> None:
    """When the clock leaps far, a file due in between is picked up when it was due, with its token still good."""
    with Sandbox(tmp_path, clock, SandboxOptions(pickup_delay_seconds=599)) as sandbox, sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)]))
        before = session.listdir("inbound")
        sandbox.advance(timedelta(days=1))
        (row,) = sandbox.accepted("evaluate")

    assert before == [batch_name(sandbox)]
    assert row["at"] == "2026-11-23T01:39:59Z"


def test_the_acknowledgement_waits_its_delay(tmp_path: Path, clock: MovableClock) -> None:
    """With a delay the file is taken at once and answered later."""
    with Sandbox(tmp_path, clock, SandboxOptions(acknowledgement_delay_seconds=60)) as sandbox, sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)]))
        first = (len(sandbox.accepted("evaluate")), session.listdir("outbound"))
        sandbox.advance(timedelta(seconds=60))
        second = session.listdir("outbound")

    assert first == (1, [])
    assert second == [batch_name(sandbox).replace(".json", "_response.json")]


@pytest.mark.parametrize(
    ("removal", "at_first", "an_hour_later"),
    [("at_pickup", False, False), ("later", True, False), ("never", True, True)],
)
def test_a_taken_file_leaves_inbound_as_the_option_says(
    tmp_path: Path, clock: MovableClock, removal: Literal["at_pickup", "later", "never"], at_first: bool, an_hour_later: bool
) -> None:
    """CONTRACT 6.4: a picked-up file goes at some time; the option chooses when."""
    with Sandbox(tmp_path, clock, SandboxOptions(removal=removal)) as sandbox, sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)]))
        first = bool(session.listdir("inbound"))
        sandbox.advance(timedelta(hours=1))
        second = bool(session.listdir("inbound"))

    assert (first, second) == (at_first, an_hour_later)


@pytest.mark.parametrize("name", ["notes.json", "evaluate.json", "EVALUATE_1.json", "evaluate_1.xml", "evaluate_1"])
def test_a_file_without_the_prefix_is_not_picked_up(sandbox: Sandbox, name: str) -> None:
    """CONTRACT 6.1: a name without its prefix or a known ending is not picked up, and gets no answer."""
    with sftp(sandbox) as session:
        deliver(session, name, evaluate_file(sandbox, [decline(sandbox)]))
        found = (session.listdir("inbound"), session.listdir("outbound"))

    assert found == ([name], [])
    assert sandbox.accepted("evaluate") == []


@pytest.mark.parametrize(("deduplicate", "accepted", "keys"), [("off", 2, 2), ("order_id", 1, 1), ("file_name", 1, 1)])
def test_a_file_sent_twice(
    tmp_path: Path, clock: MovableClock, deduplicate: Literal["off", "order_id", "file_name"], accepted: int, keys: int
) -> None:
    """Without deduplication a second file of the same name is processed again; with it the first answer returns."""
    with Sandbox(tmp_path, clock, SandboxOptions(deduplicate=deduplicate)) as sandbox:
        content = evaluate_file(sandbox, [decline(sandbox)])
        answers = [send(sandbox, batch_name(sandbox), content) for _ in range(2)]
        found = sandbox.accepted("evaluate")

    assert len(found) == accepted
    assert len({answer["responses"][0]["orderSessionKey"] for answer in answers}) == keys


def test_a_reset_forgets_the_names_of_files(tmp_path: Path, clock: MovableClock) -> None:
    """After a reset a file name that was taken before is new again."""
    with Sandbox(tmp_path, clock, SandboxOptions(deduplicate="file_name")) as sandbox:
        content = evaluate_file(sandbox, [decline(sandbox)])
        send(sandbox, batch_name(sandbox), content)
        sandbox.reset()
        send(sandbox, batch_name(sandbox), content)
        accepted = len(sandbox.accepted("evaluate"))

    assert accepted == 1


def test_a_reset_forgets_what_was_due(tmp_path: Path, clock: MovableClock) -> None:
    """A file that waited for its pick-up when everything was forgotten is never heard of again."""
    with Sandbox(tmp_path, clock, SandboxOptions(pickup_delay_seconds=60)) as sandbox, sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)]))
        sandbox.reset()
        sandbox.advance(timedelta(hours=1))
        found = sandbox.journal()

    assert found == []


def test_an_order_in_two_files_is_deduplicated_by_order_only(tmp_path: Path, clock: MovableClock) -> None:
    """Deduplication by order id sees an order in another file; by file name it does not."""
    counts = []
    for deduplicate in ("order_id", "file_name"):
        options = SandboxOptions(deduplicate=deduplicate)
        with Sandbox(tmp_path / deduplicate, clock, options) as sandbox:
            for n in (1, 2):
                send(sandbox, batch_name(sandbox, n=n), evaluate_file(sandbox, [decline(sandbox)]))
            counts.append(len(sandbox.accepted("evaluate")))

    assert counts == [1, 2]


def test_outcome_files_tell_what_changed_once(tmp_path: Path, clock: MovableClock) -> None:
    """CONTRACT 6.4: with the option on, an advance writes one file with the orders that became final, each once."""
    options = SandboxOptions(outcome_files=True)
    with Sandbox(tmp_path, clock, options) as sandbox, sftp(sandbox) as session:
        records = [decline(sandbox, last, token_ending(last)) for last in ("a001", "a002", "a003")]
        send(sandbox, batch_name(sandbox), evaluate_file(sandbox, records))
        rows = []
        for step in (timedelta(hours=1), timedelta(hours=1), timedelta(days=21)):
            known = set(session.listdir("outbound"))
            sandbox.advance(step)
            new = sorted(set(session.listdir("outbound")) - known)
            rows.append([row for name in new for row in json.loads((sandbox.outbound / name).read_bytes())["outcomes"]])

    assert [[(row["orderId"], row["status"]) for row in told] for told in rows] == [
        [("a001", "COMPLETED"), ("a002", "DECLINED")],
        [],
        [("a003", "EXPIRED")],
    ]
    assert set(rows[0][0]) == {"orderSessionKey", "orderId", "status", "timestampUtc"}
    assert rows[0][0]["timestampUtc"] == "2026-11-23T02:30:00Z"
