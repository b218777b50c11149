"""Merchants who may not read orders: an outcomes file's row ends an order, and is bound as closely as a read (I3, I6, I7)."""

from collections.abc import Sequence

import pytest

from jobs.sandbox.outbound import to_csv
from tests.night.conftest import MakeHouse
from tests.night.house import CANCELLED, COMPLETED, ONHOLD, House, order

COUNT = iter(range(1, 1000))


@pytest.fixture
def deaf(house: House) -> House:
    """Two orders are at the provider, whose orders may not be read; files are believed."""
    house.set(outcomes={"trust_files": True, "ask": "off", "acknowledgement_wait_seconds": 4})
    house.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))
    assert house.run().code == 0
    assert house.states() == {"a": "pending", "b": "pending"}
    return house


def tell(house: House, *rows: tuple[str, str], by: Sequence[str] = ("orderId", "orderSessionKey"), csv: bool = False) -> None:
    """An outcomes file with a status word for each order; then a poll."""
    keys = {
        row["order_id"]: row["provider_order_id"] for row in house.ledger("SELECT order_id, provider_order_id FROM submission")
    }
    named = [{"orderId": each, "orderSessionKey": keys[each]} for each, _ in rows]
    outcomes = [{name: ids[name] for name in by} | {"status": word} for ids, (_, word) in zip(named, rows, strict=True)]
    document: dict[str, object] = {"mid": house.sandbox.mid, "outcomes": outcomes}
    name = f"outcomes_x_{next(COUNT)}.{'csv' if csv else 'json'}"
    house.put_outbound(name, to_csv(document) if csv else document)
    house.run("poll")
    if csv:
        house.pass_time(minutes=1)
        house.run("poll")


def asked(house: House) -> int:
    """How often the provider was asked about orders."""
    return sum("order" in str(row.get("path", "")) for row in house.sandbox.journal() if row["event"] == "answered")


@pytest.mark.parametrize("by", [("orderId",), ("orderSessionKey",), ("orderId", "orderSessionKey")], ids=" ".join)
def test_a_row_ends_its_order(deaf: House, by: tuple[str, ...]) -> None:
    """Named by either id or both; the order rows and the events say so, and the provider was never asked."""
    tell(deaf, ("a", "completed"), ("b", "DECLINED"), by=by)
    assert deaf.states() == {"a": "completed", "b": "declined"}
    assert (deaf.row("a")["status"], deaf.row("b")["status"]) == ("completed", "not_recovered")
    assert (deaf.retry_takes("a"), deaf.retry_takes("b")) == (False, True)
    cited = deaf.ledger(
        "SELECT DISTINCT source, evidence_id FROM event WHERE kind = 'transition' AND to_state IN ('completed', 'declined')"
    )
    stored = deaf.ledger("SELECT evidence_id FROM evidence WHERE source = 'file'")
    assert cited == [{"source": "file", "evidence_id": stored[0]["evidence_id"]}]
    assert [row["recovered_minor"] for row in deaf.audit("outcomes") if row["order_id"] == "a"][-1:] == ["1999"]
    assert asked(deaf) == 0


def test_a_row_in_csv_ends_its_order(deaf: House) -> None:
    """The format makes no difference."""
    tell(deaf, ("a", "APPROVED"), ("b", "EXPIRED"), csv=True)
    assert deaf.states() == {"a": "completed", "b": "expired"}


@pytest.mark.parametrize("words", [("COMPLETED", "DECLINED"), ("DECLINED", "COMPLETED"), ("EXPIRED", "APPROVED")], ids=" ".join)
@pytest.mark.parametrize("apart", [False, True], ids=["one file", "two files"])
def test_rows_that_disagree_are_for_a_person(deaf: House, words: tuple[str, str], apart: bool) -> None:
    """In one file or in two, in either order: review, an item, and the order is blocked again."""
    if apart:
        tell(deaf, ("a", words[0]))
        tell(deaf, ("a", words[1]))
    else:
        tell(deaf, ("a", words[0]), ("a", words[1]))
    assert deaf.states() == {"a": "review", "b": "pending"}
    assert deaf.row("a")["status"] == "review"
    assert not deaf.retry_takes("a")
    assert deaf.items() != []


@pytest.mark.parametrize("word", ["QUANTUM", "NOTFOUND", "PROCESSING", "", "4111 1111 1111 1111"])
def test_other_words_end_nothing(deaf: House, word: str) -> None:
    """A word that is unknown, not final, or none leaves the order pending and held (I16)."""
    tell(deaf, ("a", word))
    assert deaf.states() == {"a": "pending", "b": "pending"}
    assert not deaf.retry_takes("a")


def test_a_row_for_another_id_ends_nothing(deaf: House) -> None:
    """A row whose two ids do not belong together, or that names the provider's id of nobody, counts for no order."""
    (key,) = (row["provider_order_id"] for row in deaf.ledger("SELECT provider_order_id FROM submission WHERE order_id = 'b'"))
    outcomes = [
        {"orderId": "a", "orderSessionKey": key, "status": "COMPLETED"},
        {"orderId": "a", "orderSessionKey": "00000000-0000-4000-8000-00000000dead", "status": "COMPLETED"},
    ]
    deaf.put_outbound("outcomes_strange.json", {"mid": deaf.sandbox.mid, "outcomes": outcomes})
    assert deaf.run("poll").code == 10
    assert deaf.states() == {"a": "pending", "b": "pending"}


def test_a_row_before_the_acknowledgement_counts_after_it(house: House) -> None:
    """News of an order whose id at the provider we do not know yet is believed once the acknowledgement teaches it (F-09)."""
    house.set(outcomes={"trust_files": True, "ask": "off"})
    house.sandbox.faults.switch_on("no_acknowledgement")
    house.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))
    house.run()
    name, document = house.acknowledgement()
    by_key, by_ours = (row["orderSessionKey"] for row in document["responses"]), ["a", "b"]
    outcomes = [{"orderSessionKey": next(by_key), "status": "COMPLETED"}, {"orderId": by_ours[1], "status": "DECLINED"}]
    house.put_outbound("outcomes_early.json", {"mid": house.sandbox.mid, "outcomes": outcomes})
    house.run("poll")
    assert house.states() == {"a": "sending", "b": "sending"}
    house.put_outbound(name, document)
    house.run("poll")
    assert house.states() == {"a": "completed", "b": "declined"}


def test_the_same_rows_again_change_nothing(deaf: House) -> None:
    """Another file with the same words, and polls without news: nothing moves."""
    tell(deaf, ("a", "COMPLETED"))
    before = deaf.states(), deaf.ledger("SELECT count(*) AS n FROM event WHERE kind = 'transition'"), deaf.items()
    tell(deaf, ("a", "COMPLETED"))
    deaf.pass_time(hours=7)
    deaf.run("poll")
    assert (deaf.states(), deaf.ledger("SELECT count(*) AS n FROM event WHERE kind = 'transition'"), deaf.items()) == before


@pytest.mark.parametrize(
    ("token", "word", "state"),
    [
        (COMPLETED, "COMPLETED", "completed"),
        (COMPLETED, "DECLINED", "review"),
        (CANCELLED, "COMPLETED", "review"),
        (ONHOLD, "COMPLETED", "review"),
        (ONHOLD, "EXPIRED", "review"),
    ],
)
def test_where_orders_may_be_read_the_read_is_the_proof(house: House, token: str, word: str, state: str) -> None:
    """The same poll reads what a row has ended; a read that disagrees, or shows it as worked on, is for a person."""
    house.set(outcomes={"trust_files": True})
    house.add(order("a", payment_token=token))
    house.run()
    house.pass_time(hours=2)
    tell(house, ("a", word))
    assert house.state("a") == state
    assert house.retry_takes("a") is False


def test_without_the_setting_a_row_is_a_hint(house: House) -> None:
    """By default a row makes its order due for a read and ends nothing."""
    house.add(order("a", payment_token=ONHOLD))
    house.run()
    tell(house, ("a", "COMPLETED"))
    assert house.state("a") == "pending"


def test_the_older_call_asks_where_orders_may_not_be_read(make_house: MakeHouse) -> None:
    """outcomes.ask = "outcome": each due order is asked about by POST /outcome; its words end orders, NOTFOUND is no fact."""
    house = make_house()
    house.set(outcomes={"ask": "outcome"})
    house.add(order("a", payment_token=COMPLETED), order("b", payment_token=CANCELLED), order("c", payment_token=ONHOLD))
    house.run()
    house.pass_time(hours=2)
    house.sandbox.faults.switch_on("outcome_not_found")
    house.run("poll")
    open_now = [name for name, state in house.states().items() if state == "pending"]
    assert len(open_now) >= 2
    house.pass_time(days=4)
    assert house.run("poll").code == 0
    assert house.states() == {"a": "completed", "b": "declined", "c": "pending"}
    assert asked(house) == 0
    sources = {
        row["source"]
        for row in house.ledger("SELECT source FROM event WHERE kind = 'transition' AND to_state IN ('completed', 'declined')")
    }
    assert sources == {"outcome"}
    kept = house.ledger("SELECT subject, content FROM evidence WHERE source = 'outcome'")
    assert all(b"orderSessionKey" in row["content"].splitlines()[0] for row in kept)


@pytest.mark.parametrize("fault", ["failure_in_200", "html_answer", "malformed_json", "server_error_after"])
def test_a_spoilt_outcome_ends_nothing(house: House, fault: str) -> None:
    """A failed call or no JSON leaves the order pending and held (H-10, H-11, H-12)."""
    house.set(outcomes={"ask": "outcome"})
    house.add(order("a", payment_token=COMPLETED))
    house.run()
    house.pass_time(days=4)
    house.sandbox.faults.switch_on(fault, where="outcome")
    house.run("poll")
    assert house.sandbox.faults.fired(fault) == 1
    assert house.state("a") == "pending"
    house.pass_time(days=1)
    house.run("poll")
    assert house.state("a") == "completed"


@pytest.mark.parametrize("outcomes", [{"trust_files": True, "ask": "off"}, {"ask": "outcome"}], ids=["files", "older call"])
@pytest.mark.parametrize(("fault", "arrives"), [("drop_before_rename", 0), ("drop_after_rename", 1)])
def test_a_lost_rename_is_settled_by_the_part_where_nothing_may_be_searched(
    house: House, outcomes: dict[str, object], fault: str, arrives: int
) -> None:
    """The next night looks for the part all the same: still there, it is renamed; gone, it was delivered."""
    house.set(outcomes=outcomes)
    house.add(order("a", payment_token=ONHOLD))
    house.sandbox.faults.switch_on(fault)
    house.sandbox.faults.switch_on("refuse_connection", skip=1, times=9)
    house.sandbox.faults.switch_on("no_acknowledgement", times=arrives or 1)
    house.run()
    assert house.accepted()["a"] == arrives
    house.sandbox.faults.clear()
    house.run()
    assert house.accepted()["a"] == 1
    assert [row["step"] for row in house.ledger("SELECT step FROM batch")] == ["delivered" if arrives else "acknowledged"]
    assert house.state("a") == ("sending" if arrives else "pending")
