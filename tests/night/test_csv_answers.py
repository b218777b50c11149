"""A provider that answers in CSV: the same orders end the same, and half a file is not taken for a whole one."""

import re
from collections import Counter
from collections.abc import Callable

import pytest

from jobs.sandbox.outbound import to_csv
from tests.night.conftest import MakeHouse
from tests.night.house import COMPLETED, ONHOLD, House, order, paid
from tests.night.test_outbound import sent


def answer_in_csv(house: House) -> tuple[str, bytes]:
    """The name and content of the acknowledgement in CSV that never came."""
    name, document = house.acknowledgement()
    return name.replace(".json", ".csv"), to_csv(document)


def test_a_night_in_csv(make_house: MakeHouse) -> None:
    """Acknowledgements, outcomes and copies in CSV: accepted, refused and completed orders end as they do in JSON."""
    house = make_house(answer_format="csv", outcome_files=True)
    house.sandbox.faults.switch_on("refuse_row", after=2)
    house.add(order("a", payment_token=COMPLETED), order("b"), order("c", payment_token=ONHOLD), paid("p"))
    assert house.run().code == 10
    assert house.run("transmit").code == 0
    assert house.states() == {"a": "pending", "b": "rejected", "c": "pending"}
    assert {path.suffix for path in house.sandbox.outbound.iterdir()} == {".csv"}
    assert "refused on purpose" in next(row["error_text"] for row in house.audit("submissions") if row["order_id"] == "b")
    assert [row["result"] for row in house.ledger("SELECT result FROM transmission")] == ["success"]
    house.pass_time(days=4)
    house.run("poll")
    house.pass_time(minutes=5)
    house.run("poll")
    assert house.states() == {"a": "completed", "b": "rejected", "c": "pending"}
    news = house.ledger("SELECT verdict FROM remote_file WHERE name LIKE 'outcomes_%'")
    assert [row["verdict"] for row in news] == ["applied"]
    assert house.items() == [("row_refused", "order:b")]


def test_a_refused_file_in_csv_is_believed_when_it_stays_so(make_house: MakeHouse) -> None:
    """Its one row could be the beginning of more: it is read again, and then the orders are given back."""
    house = make_house(answer_format="csv")
    house.sandbox.faults.switch_on("refuse_file")
    house.add(order("a"), order("b"))
    assert house.run().code == 0
    assert house.states() == {"a": "sending", "b": "sending"}
    house.pass_time(minutes=1)
    assert house.run("poll").code == 10
    assert house.states() == {"a": "rejected", "b": "rejected"}
    assert house.retry_takes("a")


@pytest.mark.parametrize("cut", ["inside the last row", "between two rows", "inside the header", "before the last line end"])
def test_half_a_file_is_not_a_whole_one(house: House, cut: str) -> None:
    """A CSV that is still being written moves nothing, wherever it is cut; whole, it is applied in the same poll (F-01, F-02)."""
    sent(house, "a", "b")
    name, content = answer_in_csv(house)
    ends = {
        "inside the last row": len(content) - 70,
        "between two rows": content.index(b"\n", content.index(b"\n") + 1) + 1,
        "inside the header": 20,
        "before the last line end": len(content) - 1,
    }
    house.put_outbound(name, content[: ends[cut]])
    assert house.run("poll").code == 0
    assert house.states() == {"a": "sending", "b": "sending"}
    assert house.items() == []
    house.put_outbound(name, content)
    assert house.run("poll").code == 0
    assert house.states() == {"a": "pending", "b": "pending"}
    assert house.steps() == ["acknowledged"]


def test_a_file_that_stays_short_is_taken_for_what_it_says(house: House) -> None:
    """Unchanged for a minute, an answer that leaves a row out is applied; the other order stays held, and is found by asking."""
    sent(house, "a", "b")
    name, content = answer_in_csv(house)
    house.put_outbound(name, b"".join(content.splitlines(keepends=True)[:2]).rstrip(b"\n"))
    house.run("poll")
    house.pass_time(minutes=1)
    assert house.run("poll").code == 0
    assert house.states() == {"a": "pending", "b": "sending"}
    assert not house.retry_takes("b")
    house.pass_time(hours=2)
    house.run("poll")
    assert house.states() == {"a": "pending", "b": "pending"}


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "UTF-16": lambda content: content.decode().encode("utf-16"),
    "code page 1252": lambda content: content + b"Z\xfcrich\n",
    "NUL": lambda content: content + bytes(512),
    "an open quote": lambda content: content + b'"\n',
    "a column twice": lambda content: content.replace(b"kind", b"file", 1),
    "a column renamed": lambda content: content.replace(b"result", b"outcome", 1),
    "another merchant's row": lambda content: (
        content + re.sub(rb"evaluate,[0-9a-f-]+", b"evaluate,m", content.splitlines()[1]) + b"\n"
    ),
    "a lonely header": lambda content: content.splitlines(keepends=True)[0],
    "semicolons": lambda content: content.replace(b",", b";"),
    "20 MB": lambda content: content + b"\n" * (20 << 20),
}


def test_spoilt_csv_changes_nothing(house: House) -> None:
    """Each way to spoil it ends in quarantine and moves nothing; the right content is then applied (F-13, F-15)."""
    house.set(outcomes={"ingest_window_seconds": 1_000_000})
    sent(house, "a", "b")
    name, content = answer_in_csv(house)
    for number, spoil in enumerate(SPOILT.values(), start=1):
        house.put_outbound(name, spoil(content))
        house.run("poll")
        house.pass_time(minutes=5)
        house.run("poll")
        assert house.states() == {"a": "sending", "b": "sending"}
        assert house.items() == [("quarantine", f"file:{name}")]
        verdicts = Counter(row["verdict"] for row in house.ledger("SELECT verdict FROM remote_file"))
        assert verdicts == {"set_aside": number}
    house.put_outbound(name, content)
    house.run("poll")
    assert house.states() == {"a": "pending", "b": "pending"}
    assert house.items() == []


@pytest.mark.parametrize("fault", ["byte_order_mark", "crlf_lines", "mixed_line_ends", "no_last_newline", "reordered_columns"])
def test_what_does_not_matter_in_csv(make_house: MakeHouse, fault: str) -> None:
    """A byte order mark, any line ends, another order of columns: the same rows are read (F-13, F-14, F-15)."""
    house = make_house(answer_format="csv")
    house.sandbox.faults.switch_on(fault)
    house.add(order("a", payment_token=ONHOLD), order('é,"b"', payment_token=ONHOLD))
    house.run()
    house.pass_time(minutes=1)
    assert house.run("poll").code == 0
    assert house.states() == {"a": "pending", 'é,"b"': "pending"}


def test_one_bad_row_is_set_aside_alone(house: House) -> None:
    """A row that has a cell too many stands in nobody's way: its neighbour is applied, its order stays held, a person is told."""
    sent(house, "a", "b")
    name, content = answer_in_csv(house)
    lines = content.splitlines(keepends=True)
    house.put_outbound(name, b"".join([lines[0], lines[1].replace(b",", b",=1+1,", 1), lines[2]]))
    house.run("poll")
    house.pass_time(minutes=1)
    assert house.run("poll").code == 10
    assert house.states() == {"a": "sending", "b": "pending"}
    assert [kind for kind, _ in house.items()] == ["quarantine"]
    shown = house.cli("status").stdout
    assert "1 row of its answer set aside: row 1 is no row with these columns" in shown
    (told,) = house.audit("review")
    assert (told["kind"], told["order_id"], told["amount"], told["closed_at"]) == ("quarantine", "", "", "")
    assert "1 row of its answer set aside: row 1 is no row with these columns" in told["provider_says"]
    assert told["review_id"] in shown or told["command"].startswith(f"mitbatch review resolve {told['review_id']} --as ")


def test_both_formats_of_one_answer(house: House) -> None:
    """The same answer in JSON and in CSV is one answer; two that contradict each other are for a person."""
    house.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))
    house.run()
    name, document = house.acknowledgement()
    house.put_outbound(name.replace(".json", ".csv"), to_csv(document))
    assert house.run("poll").code == 0
    assert house.states() == {"a": "pending", "b": "pending"}
    rows = [row | {"result": "Failed", "orderSessionKey": None, "status": None} for row in document["responses"]]
    house.put_outbound(name.replace(".json", ".csv"), to_csv({**document, "responses": rows}))
    assert house.run("poll").code == 10
    assert house.states() == {"a": "review", "b": "review"}
