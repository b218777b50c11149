"""What the night and the poll do when the provider's API fails: nothing is concluded, the others go on, it settles later."""

from collections import Counter

import pytest

from jobs.running import RunReport
from tests.night.house import ONHOLD, House, order


def messages(report: RunReport) -> str:
    """Every problem of a run."""
    return "\n".join(str(problem) for problem in report.findings.problems)


def at_the_provider(house: House, *order_ids: str) -> None:
    """These orders are at the provider, and two hours have passed: each has been recovered."""
    house.add(*(order(each) for each in order_ids))
    assert house.run().code == 0
    house.pass_time(hours=2)


def answers(house: House, path: str = "") -> list[object]:
    """HTTP statuses of the answers so far."""
    return [row["http_status"] for row in house.sandbox.journal() if row["event"] == "answered" and path in str(row["path"])]


def test_a_refused_token_sends_nothing(house: House) -> None:
    """Refused credentials: exit 20, no file leaves, both orders blocked; with good ones each goes once."""
    house.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))
    house.sandbox.faults.switch_on("token_refused", times=99)
    report = house.run()
    assert report.code == 20
    assert "[MB-API-LOGIN]" in messages(report)
    assert house.sandbox.app_secret not in messages(report)
    assert house.received() == []
    assert list(house.sandbox.inbound.iterdir()) == []
    assert not house.retry_takes("a")
    house.sandbox.faults.clear()
    assert house.run().code == 0
    assert house.accepted() == Counter(["a", "b"])


def test_one_401_is_answered_with_one_new_token(house: House) -> None:
    """A bearer that is suddenly refused is renewed once, and the read goes on (H-01)."""
    at_the_provider(house, "a")
    house.sandbox.faults.switch_on("unauthorized_once", where="order")
    tokens = len(answers(house, "token"))
    assert house.run("poll").code == 0
    assert house.state("a") == "completed"
    assert len(answers(house, "token")) == tokens + 2


def test_401_for_ever_stops_asking(house: House) -> None:
    """A fresh token that is refused too ends the asking with exit 20; nothing changes, and no storm follows (H-02)."""
    at_the_provider(house, *"abcdefgh")
    house.sandbox.faults.switch_on("unauthorized_once", times=999)
    tokens = len(answers(house, "token"))
    report = house.run("poll")
    assert report.code == 20
    assert "[MB-API-LOGIN]" in messages(report)
    assert set(house.states().values()) == {"pending"}
    assert len(answers(house, "token")) - tokens <= 4
    house.sandbox.faults.clear()
    assert house.run("poll").code == 0
    assert set(house.states().values()) == {"completed"}


@pytest.mark.parametrize("fault", ["server_error_before", "not_found", "html_answer", "empty_answer"])
def test_one_bad_answer_stops_no_other(house: House, fault: str) -> None:
    """One order's read fails: it stays pending and blocked, the others are settled, and the next poll settles it."""
    at_the_provider(house, "a", "b", "c")
    house.sandbox.faults.switch_on(fault, where="order")
    report = house.run("poll")
    assert house.sandbox.faults.fired(fault) == 1
    assert Counter(house.states().values()) == {"completed": 2, "pending": 1}
    (left,) = [key for key, state in house.states().items() if state == "pending"]
    assert house.row(left)["status"] == "pending"
    assert not house.retry_takes(left)
    quarantined = fault in {"html_answer", "empty_answer"}
    assert report.code == (10 if quarantined else 0)
    house.pass_time(hours=7)
    assert house.run("poll").code == 0
    assert set(house.states().values()) == {"completed"}
    assert house.items() == []


def test_one_reset_connection_stops_no_other(house: House) -> None:
    """One connection is reset under a read: at worst that order waits for the next poll, and all are settled then."""
    at_the_provider(house, "a", "b", "c")
    house.sandbox.faults.switch_on("reset_connection", where="order")
    assert house.run("poll").code == 0
    assert Counter(house.states().values())["completed"] >= 2
    house.pass_time(hours=7)
    assert house.run("poll").code == 0
    assert set(house.states().values()) == {"completed"}


@pytest.mark.parametrize("fault", ["server_error_before", "reset_connection"])
def test_an_api_that_is_down_changes_nothing(house: House, fault: str) -> None:
    """No read is answered: exit 20, a message, no order moves; the next poll settles all."""
    at_the_provider(house, "a", "b")
    house.sandbox.faults.switch_on(fault, times=999)
    report = house.run("poll")
    assert report.code == 20
    assert "[MB-API-UNREACHABLE]" in messages(report)
    assert set(house.states().values()) == {"pending"}
    house.sandbox.faults.clear()
    assert house.run("poll").code == 0
    assert set(house.states().values()) == {"completed"}


def test_an_unknown_status_changes_nothing_but_opens_an_item(house: House) -> None:
    """A status that no contract knows: state and hold stay, an item opens, and the next known answer closes it (I16)."""
    at_the_provider(house, "a")
    house.sandbox.faults.switch_on("unknown_status", where="order")
    report = house.run("poll")
    assert report.code == 10
    assert (house.state("a"), house.row("a")["status"]) == ("pending", "pending")
    assert house.items() == [("unknown_status", "order:a")]
    assert not house.retry_takes("a")
    house.pass_time(hours=7)
    assert house.run("poll").code == 0
    assert house.state("a") == "completed"
    assert house.items() == []


def test_an_answer_about_another_order_is_set_aside(house: House) -> None:
    """The answer to a read names another order: nothing follows from it, an item opens; the next right answer counts (H-14)."""
    at_the_provider(house, "a", "b")
    house.sandbox.faults.switch_on("other_order_answer")
    report = house.run("poll")
    assert report.code == 10
    assert sorted(house.states().values()) == ["completed", "pending"]
    assert [kind for kind, _ in house.items()] == ["quarantine"]
    (left,) = [key for key, state in house.states().items() if state == "pending"]
    assert house.row(left)["provider_order_id"] in {str(each["order_session_key"]) for each in house.sandbox.orders()}
    house.pass_time(hours=7)
    assert house.run("poll").code == 0
    assert set(house.states().values()) == {"completed"}
    assert house.items() == []


def test_an_order_that_is_unknown_for_ever_stays_held(house: House) -> None:
    """404 for an order that we know proves nothing, day after day, until after its expiry a person is told."""
    house.add(order(payment_token=ONHOLD))
    house.run()
    house.sandbox.faults.switch_on("not_found", times=9999)
    for _ in range(3):
        house.pass_time(days=2)
        assert house.run("poll").code == 0
        assert house.state() == "pending"
    house.pass_time(days=20)
    assert house.run("poll").code == 10
    assert [kind for kind, _ in house.items()] == ["unknown_status"]
    assert not house.retry_takes()


def test_many_orders_are_asked_about_once_each(house: House) -> None:
    """A poll of 70 due orders asks once for each, and all are settled."""
    at_the_provider(house, *(f"{number:03}" for number in range(70)))
    before = len(answers(house, "/orders/"))
    assert house.run("poll").code == 0
    assert len(answers(house, "/orders/")) - before == 70
    assert Counter(house.states().values()) == {"completed": 70}
    assert house.run("poll").code == 0
    assert len(answers(house, "/orders/")) - before == 70


def test_a_poll_is_paced_and_all_asks_for_all(house: House) -> None:
    """Nothing is asked before it is due; `poll --all` asks for every order that the provider has."""
    house.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))
    house.run()
    before = len(answers(house, "/orders/"))
    house.pass_time(minutes=1)
    house.run("poll")
    assert len(answers(house, "/orders/")) == before
    house.run("poll", everything=True)
    assert len(answers(house, "/orders/")) == before + 2
