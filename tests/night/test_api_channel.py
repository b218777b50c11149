"""Orders handed over by calls: one each, with the stored key and body; every answer read for what it proves, and no more."""

from collections import Counter
from functools import partial

import pytest

from batch.api import ApiAccess
from tests.night.house import ONHOLD, REFUSED, House, order

API = {"evaluate": "api", "transmit": "off"}


@pytest.fixture
def caller(house: House) -> House:
    """A house that hands over by calls alone."""
    house.set(channels=API)
    return house


def calls(house: House, path: str = "evaluate") -> list[object]:
    """HTTP statuses of the answers to calls so far."""
    return [row["http_status"] for row in house.sandbox.journal() if row["event"] == "answered" and path in str(row["path"])]


def test_a_night_by_calls(caller: House) -> None:
    """Each order is called once, is pending by its answer, and completed by a read alone; no file travels."""
    caller.add(order("a"), order("b", payment_token=ONHOLD), order("c", payment_token=REFUSED))
    report = caller.run()
    assert report.code == 10
    assert caller.accepted() == Counter(["a", "b"])
    assert caller.states() == {"a": "pending", "b": "pending", "c": "rejected"}
    assert caller.steps() == ["acknowledged"]
    assert caller.received() == []
    assert caller.items() == [("row_refused", "order:c")]
    assert caller.row("c")["status"] == "not_recovered"
    assert not caller.retry_takes("a")
    caller.pass_time(hours=2)
    assert caller.run("poll").code == 0
    assert caller.state("a") == "completed"
    assert caller.run().code == 0
    assert caller.accepted() == Counter(["a", "b"])
    assert len(calls(caller)) == 3


AFTER_ITS_EFFECT = {
    "server_error_after": None,
    "gateway_timeout_after": None,
    "reset_connection": None,
    "html_answer": None,
    "empty_answer": None,
    "malformed_json": None,
    "truncated_json": None,
    "not_utf8_json": None,
    "duplicate_key_json": None,
    "deep_json": 2000,
    "huge_json": 3,
    "gzip_bomb": 4,
    "failure_in_200": None,
    "success_and_declined": None,
    "conflict_after": None,
}
"""Answers that tell nothing although the order was taken, with the figure that each is given."""


@pytest.mark.parametrize(("fault", "figure"), AFTER_ITS_EFFECT.items())
def test_an_answer_that_tells_nothing_is_settled_by_reading(caller: House, fault: str, figure: int | None) -> None:
    """The order was taken and its answer is of no use: it is found by our id, and called once (H-05, H-06, H-10 to H-12)."""
    caller.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))
    caller.sandbox.faults.switch_on(fault, where="evaluate", after=figure)
    report = caller.run()
    assert caller.sandbox.faults.fired(fault) == 1
    assert report.findings.doubtful == 1
    assert report.code == 0
    assert caller.states() == {"a": "pending", "b": "pending"}
    assert caller.run().code == 0
    assert caller.accepted() == Counter(["a", "b"])
    assert len(calls(caller)) == 2


@pytest.mark.parametrize(
    "fault",
    ["server_error_before", "bad_gateway", "service_unavailable", "gateway_timeout", "conflict_before", "redirect_elsewhere"],
)
def test_what_cannot_be_found_stays_in_doubt(caller: House, fault: str) -> None:
    """Nobody can tell whether it was taken, and it is not found: held, told, and never called again (H-07, H-08, H-17)."""
    caller.add(order("a"), order("b"))
    caller.sandbox.faults.switch_on(fault, where="evaluate")
    assert caller.run().code == 11
    (doubted,) = [each for each, state in caller.states().items() if state == "in_doubt"]
    assert not caller.retry_takes(doubted)
    assert caller.items() == []
    caller.pass_time(hours=2)
    assert caller.run("poll").code == 11
    assert [kind for kind, _ in caller.items()] == ["missing_acknowledgement"]
    for _ in range(2):
        caller.pass_time(hours=20)
        assert caller.run().code == 11
    assert caller.state(doubted) == "in_doubt"
    assert caller.accepted()[doubted] == 0
    assert len(calls(caller)) == 2


def test_silence_is_no_answer(caller: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two calls are never answered: their deadline passes, both are found by our id, and neither is called again (H-06)."""
    monkeypatch.setattr("batch.api.ApiAccess", partial(ApiAccess, timeout_seconds=2))
    caller.add(*(order(each, payment_token=ONHOLD) for each in "abc"))
    caller.sandbox.faults.switch_on("silence_after", where="evaluate", times=1)
    caller.sandbox.faults.switch_on("endless_body", where="evaluate", times=1)
    report = caller.run()
    assert report.findings.doubtful == 2
    assert set(caller.states().values()) == {"pending"}
    assert caller.run().code == 0
    assert caller.accepted() == Counter("abc")


def test_one_refused_token_is_renewed_once(caller: House) -> None:
    """A 401 proves that nothing was done: one new token, the same call once more, and one order at the provider (H-01)."""
    caller.add(order("a"), order("b"))
    caller.sandbox.faults.switch_on("unauthorized_once", where="evaluate")
    assert caller.run().code == 0
    assert caller.accepted() == Counter(["a", "b"])
    assert sorted(map(str, calls(caller))) == ["200", "200", "401"]
    assert len(calls(caller, "token")) == 2


@pytest.mark.parametrize(("fault", "code"), [("unauthorized_once", "MB-API-LOGIN"), ("forbidden", "MB-API-LOGIN")])
def test_refused_credentials_stop_the_calls(caller: House, fault: str, code: str) -> None:
    """Whoever refuses a fresh token refuses all: nothing is in doubt, all stay held, and go once in the next (H-02, H-03)."""
    names = [f"{number:03}" for number in range(150)]
    caller.add(*(order(each) for each in names))
    caller.sandbox.faults.switch_on(fault, where="evaluate", times=999)
    report = caller.run()
    assert report.code == 20
    assert f"[{code}]" in str(report.findings.problems[-1])
    assert set(caller.states().values()) == {"held"}
    assert len(calls(caller)) <= 2 * 64
    assert not caller.retry_takes("000")
    caller.sandbox.faults.clear()
    assert caller.run().code == 0
    assert caller.accepted() == Counter(names)


WAITS = {
    "too_many_requests": (None, 1, 5),
    "too_many_requests_seconds": (40, 40, 50),
    "too_many_requests_absurd": (None, 120, 130),
    "too_many_requests_negative": (None, 1, 5),
}
"""Faults of the kind of 429, the figure that each is given, and between which seconds the run waits."""


@pytest.mark.parametrize(("fault", "asked"), WAITS.items())
def test_too_many_calls_wait_as_told(caller: House, fault: str, asked: tuple[int | None, int, int]) -> None:
    """A 429 lets everything wait as long as it says, within our bounds, and then goes on; each order is taken once (H-04)."""
    figure, least, most = asked
    names = [f"{number:03}" for number in range(100)]
    caller.add(*(order(each) for each in names))
    caller.sandbox.faults.switch_on(fault, where="evaluate", skip=10, after=figure)
    before = caller.clock.now()
    report = caller.run()
    assert report.code == 0
    assert least <= (caller.clock.now() - before).total_seconds() <= most
    assert caller.accepted() == Counter(names)
    assert len(calls(caller)) == 101


def test_too_many_calls_for_ever_end_the_run(caller: House) -> None:
    """When the provider takes nothing however long we wait, the run ends: nothing was sent, all stay held (H-04)."""
    caller.add(order("a"), order("b"))
    caller.sandbox.faults.switch_on("too_many_requests", where="evaluate", times=999)
    report = caller.run()
    assert report.code == 20
    assert [problem.code for problem in report.findings.problems] == ["MB-API-BUSY"]
    assert caller.states() == {"a": "held", "b": "held"}
    assert len(calls(caller)) <= 2 * 8
    caller.sandbox.faults.clear()
    assert caller.run().code == 0
    assert caller.accepted() == Counter(["a", "b"])


def test_a_refused_order_stops_no_other(caller: House) -> None:
    """One 400 rejects exactly its order, with the provider's words scrubbed; mended, it goes again with a new key (H-09)."""
    caller.add(order("a"), order("b"))
    caller.sandbox.faults.switch_on("order_invalid", where="evaluate")
    assert caller.run().code == 10
    (refused,) = [each for each, state in caller.states().items() if state == "rejected"]
    (row,) = [row for row in caller.audit("submissions") if row["order_id"] == refused]
    assert row["channel"] == "api"
    assert row["error_text"] == "Transaction.AvsResultCode: The AvsResultCode field is required."
    assert row["acknowledgement"] == "rejected"
    caller.change(refused, status="declined")
    assert caller.run().code == 0
    assert caller.accepted() == Counter(["a", "b"])
    keys = [row["idempotency_key"] for row in caller.ledger("SELECT * FROM submission WHERE order_id=?", [refused])]
    assert len(set(keys)) == 2


def test_doubt_upon_doubt_stops_the_calls(caller: House) -> None:
    """A provider that fails every call is called no more: what was under way is in doubt, all others stay held till later."""
    names = [f"{number:03}" for number in range(300)]
    caller.add(*(order(each) for each in names))
    caller.sandbox.faults.switch_on("server_error_before", where="evaluate", times=999)
    assert caller.run().code == 11
    states = Counter(caller.states().values())
    assert states["held"] >= 100
    assert states["in_doubt"] + states["held"] == 300
    assert len(calls(caller)) == states["in_doubt"]
    caller.sandbox.faults.clear()
    assert caller.run().code == 11
    assert Counter(caller.states().values()) == {"pending": states["held"], "in_doubt": states["in_doubt"]}
    assert max(caller.accepted().values()) == 1
