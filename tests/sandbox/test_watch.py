"""What a listener of the brain hears: every event once, in order, with its own moment."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.clock import MovableClock, ShiftedClock
from jobs.sandbox import Sandbox, SandboxOptions
from jobs.sandbox.brain import Brain
from jobs.sandbox.courses import Event, Order
from tests.sandbox.merchant import api, batch_name, cit, decline, deliver, evaluate_file, sftp, token_ending

Heard = list[tuple[str, str, int]]


@pytest.fixture
def heard(tmp_path: Path, clock: MovableClock) -> Iterator[tuple[Sandbox, Heard]]:
    """A sandbox, and what has been heard of it: event, order id, minutes since the start."""
    found: Heard = []
    start = clock.now()

    def listen(event: Event, order: Order) -> None:
        assert order.changed is not None
        found.append((event, order.order_id, int((order.changed - start).total_seconds() // 60)))

    with Sandbox(tmp_path, clock) as sandbox:
        brain: Brain = sandbox._brain
        brain.watch(listen)
        yield sandbox, found


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("a001", [("completed", "o", 60)]),
        ("a002", [("cancelled", "o", 60)]),
        ("a003", [("expired", "o", 30240)]),
        ("a004", [("expired", "o", 30240)]),
        ("a006", []),
        ("a007", []),
        ("a009", [("capturerequired", "o", 60), ("cancelled", "o", 60 + 7 * 1440)]),
        ("a00a", [("completed", "o", 60), ("chargeback", "o", 60 + 1440)]),
        ("a00b", [("completed", "o", 60), ("refunded", "o", 60 + 1440)]),
    ],
)
def test_each_ending_is_told_at_its_own_moment(heard: tuple[Sandbox, Heard], last: str, expected: Heard) -> None:
    """One leap over a month tells every event of a managed MIT with the moment at which it fell due."""
    sandbox, found = heard
    with api(sandbox) as client:
        client.post("evaluate", json=decline(sandbox, "o", token_ending(last)))
    sandbox.advance(timedelta(days=30))

    assert found == [("accepted", "o", 0), *expected]


@pytest.mark.parametrize(("last", "word", "end"), [("b003", "passed", "completed"), ("b004", "failed", "cancelled")])
def test_a_challenge_is_told_step_by_step(heard: tuple[Sandbox, Heard], last: str, word: str, end: str) -> None:
    """A challenge is presented at once, attempted after five minutes, and passed or failed after ten."""
    sandbox, found = heard
    record = cit(sandbox, "c")
    record["paymentMethod"]["cardNumber"] = token_ending(last)
    with api(sandbox) as client:
        client.post("evaluate", json=record)
    sandbox.advance(timedelta(hours=1))

    events = ["accepted", "challenge.presented", "challenge.attempted", f"challenge.{word}", end]
    assert found == list(zip(events, "ccccc", (0, 0, 5, 10, 10), strict=True))


def test_events_of_many_orders_are_told_in_the_order_of_their_moments(heard: tuple[Sandbox, Heard]) -> None:
    """What falls due before a later acceptance is told before it, though nobody asked in between."""
    sandbox, found = heard
    clock = sandbox.clock
    with api(sandbox) as client:
        client.post("evaluate", json=decline(sandbox, "late", token_ending("a002")))
        clock.advance(timedelta(minutes=5))
        client.post("evaluate", json=decline(sandbox, "early", token_ending("a001")))
    clock.advance(timedelta(minutes=70))
    with api(sandbox) as client:
        client.post("evaluate", json=decline(sandbox, "new", token_ending("a006")))

    ids = [("accepted", "late"), ("accepted", "early"), ("cancelled", "late"), ("completed", "early"), ("accepted", "new")]
    assert [row[:2] for row in found] == ids


def test_a_late_pick_up_is_told_after_what_came_before_it(tmp_path: Path, clock: MovableClock) -> None:
    """In one leap an order completes and a file is picked up two minutes later: they are told in that order."""
    found: list[tuple[str, str]] = []
    with Sandbox(tmp_path, clock, SandboxOptions(pickup_delay_seconds=300)) as sandbox, sftp(sandbox) as session:
        sandbox._brain.watch(lambda event, order: found.append((event, order.order_id)))
        with api(sandbox) as client:
            client.post("evaluate", json=decline(sandbox, "first", token_ending("a001")))
        clock.advance(timedelta(minutes=57))
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox, "second", token_ending("a006"))]))
        sandbox.advance(timedelta(minutes=10))

    assert found == [("accepted", "first"), ("completed", "first"), ("accepted", "second")]


def test_a_deed_is_told_and_what_it_prevents_is_not(heard: tuple[Sandbox, Heard]) -> None:
    """A cancelled order is told as cancelled once, and never as completed."""
    sandbox, found = heard
    with api(sandbox) as client:
        key = client.post("evaluate", json=decline(sandbox, "o", token_ending("a001"))).json()["orderSessionKey"]
        client.post(f"orders/{key}/cancel", json={})
        client.post(f"orders/{key}/cancel", json={})
    sandbox.advance(timedelta(days=30))

    assert found == [("accepted", "o", 0), ("cancelled", "o", 0)]


def test_rows_of_a_file_are_told_too(heard: tuple[Sandbox, Heard]) -> None:
    """An order that came by file is told like one that came by call."""
    sandbox, found = heard
    with sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox, "f", token_ending("a001"))]))
    sandbox.advance(timedelta(hours=2))

    assert [row[:2] for row in found] == [("accepted", "f"), ("completed", "f")]


def test_a_listener_is_called_outside_the_lock(heard: tuple[Sandbox, Heard]) -> None:
    """A listener may ask the brain from another thread while it is told, so no lock is held."""
    sandbox, _ = heard
    free: list[bool] = []

    def listen(event: Event, order: Order) -> None:
        asker = threading.Thread(target=lambda: free.append(sandbox._brain.order(order.order_session_key) is not None))
        asker.start()
        asker.join(2)
        free.append(not asker.is_alive())

    sandbox._brain.watch(listen)
    with api(sandbox) as client:
        client.post("evaluate", json=decline(sandbox, "o", token_ending("a006")))
    sandbox.advance(timedelta(0))

    assert free == [True, True]


def test_a_reset_drops_what_is_due(heard: tuple[Sandbox, Heard]) -> None:
    """Orders that were forgotten are told no more."""
    sandbox, found = heard
    with api(sandbox) as client:
        client.post("evaluate", json=decline(sandbox, "o", token_ending("a001")))
    sandbox.reset()
    sandbox.advance(timedelta(days=30))

    assert found == [("accepted", "o", 0)]


def test_the_server_notices_by_itself(tmp_path: Path) -> None:
    """On a clock that runs, a row of a file is told without anybody asking or advancing."""
    told = threading.Event()
    with Sandbox(tmp_path, ShiftedClock()) as sandbox, sftp(sandbox) as session:
        sandbox._brain.watch(lambda event, order: told.set())
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)]))

        assert told.wait(5)
