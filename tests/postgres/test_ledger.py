"""The ledger's promises on PostgreSQL: one claim per order, one writer, a history that nobody changes."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text

from batch.ledger import Ledger
from batch.ledger.evidence import store_evidence
from batch.ledger.identity import Identity, lock_identity
from batch.ledger.lease import end_run
from batch.ledger.moves import Move, move_orders
from batch.ledger.webhook_inbox import store_webhooks
from jobs.databases import open_ledger
from schemas.errors import ExitCode, LeaseLost, LedgerBusy, TransitionLost
from schemas.states import State
from tests.ledger import test_forgotten_answers, test_lease, test_promises, test_states
from tests.ledger.room import MID, START, TERMS
from tests.postgres.cluster import Cluster
from tests.postgres.room import PostgresRoom
from tests.webhooks import test_inbox
from tests.webhooks.keeping import arrival
from tests.webhooks.signing import payload

SAME = [
    test_promises.test_two_orders_of_one_batch_may_not_be_the_same,
    test_promises.test_ids_are_compared_byte_for_byte,
    test_promises.test_a_batch_that_does_not_exist_takes_no_order,
    test_promises.test_every_chain_is_whole,
    test_promises.test_evidence_is_stored_once,
    test_promises.test_a_file_is_known_by_name_and_content,
    test_promises.test_an_item_is_opened_once_per_cause,
    test_lease.test_a_night_does_not_wait_for_ever,
    test_lease.test_the_token_only_grows,
    test_lease.test_who_lost_the_lease_writes_nothing,
    test_lease.test_a_run_that_shows_life_keeps_its_lease,
    test_lease.test_an_expired_lease_is_taken_over,
    test_lease.test_a_dead_owner_of_this_machine_is_replaced_at_once,
    test_lease.test_a_dead_looking_owner_of_another_machine_is_waited_for,
    test_lease.test_whoever_asked_a_run_to_stop_is_heard_before_it_writes,
    test_lease.test_of_many_that_come_at_once_one_gets_in,
    test_states.test_news_without_a_new_state_is_an_event,
    test_states.test_who_comes_second_loses_and_writes_nothing,
    test_states.test_a_batch_that_has_moved_loses_too,
    test_states.test_a_state_changed_behind_our_back_loses,
    test_states.test_a_block_that_raises_writes_nothing,
    test_forgotten_answers.test_a_file_without_an_answer_keeps_what_was_said_of_it,
    test_forgotten_answers.test_what_was_said_since_stays,
    test_forgotten_answers.test_emptied_is_written_down_in_the_same_step,
    test_forgotten_answers.test_pages_go_on_where_they_ended,
    test_forgotten_answers.test_what_is_said_again_stands_there_again,
    test_inbox.test_a_webhook_is_kept_byte_for_byte,
    test_inbox.test_a_nonce_is_taken_once,
    test_inbox.test_what_waits_is_told_with_its_age,
    test_inbox.test_a_webhook_is_settled_once,
]


@pytest.mark.parametrize("promise", SAME, ids=lambda promise: promise.__name__)
def test_the_same_as_on_sqlite(promise: Callable[[PostgresRoom], None], room: PostgresRoom) -> None:
    """What is promised of a ledger in a file is true of one on PostgreSQL."""
    promise(room)


def test_receivers_that_meet_keep_a_webhook_once(cluster: Cluster) -> None:
    """Of the same webhooks at four receivers at once, each is new to exactly one of them."""
    room = PostgresRoom(Path(cluster.database()), cluster=cluster)
    barrier = threading.Barrier(4)

    def receive(_number: int) -> list[bool]:
        barrier.wait(timeout=30)
        return store_webhooks(room.ledger, [arrival(payload(), START, f"n-{n}") for n in range(20)])

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(receive, range(4)))
    room.close()

    assert [sum(new) for new in zip(*found, strict=True)] == [1] * 20


@pytest.mark.parametrize("state", State)
def test_one_rescue_per_order(state: State, room: PostgresRoom) -> None:
    """PostgreSQL too refuses a second claim of an order in every state but withdrawn and rejected."""
    test_promises.test_one_rescue_per_order(state, room)


@pytest.mark.parametrize("old", State)
def test_every_pair_of_states(old: State, room: PostgresRoom) -> None:
    """On PostgreSQL too exactly the moves of the table happen."""
    test_states.test_every_pair_of_states(old, room)


@pytest.mark.parametrize("table", ["event", "evidence"])
@pytest.mark.parametrize("change", ["UPDATE {table} SET mid = 'x'", "DELETE FROM {table}", "TRUNCATE {table}"])
def test_history_cannot_be_changed(table: str, change: str, room: PostgresRoom) -> None:
    """Events and evidence refuse UPDATE, DELETE and TRUNCATE, even of their owner."""
    room.claim("b00000000001", "o-1")
    with room.ledger.writing(room.run) as writing:
        store_evidence(writing, source="poll", subject="order:o-1", content=b"{\xff\0}")
    before = room.everything()

    with pytest.raises(psycopg.IntegrityError, match=f"{table} is append-only"):
        room.sql(change.format(table=table))
    assert room.everything() == before
    assert before[table] != []


@pytest.mark.parametrize("why", test_forgotten_answers.NEEDED)
def test_what_may_be_needed_stays(why: str, room: PostgresRoom) -> None:
    """On PostgreSQL too old words go, but for each single reason to keep them."""
    test_forgotten_answers.test_what_may_be_needed_stays(why, room)


@pytest.mark.parametrize("change", [*test_forgotten_answers.CHANGES, "content = NULL"])
def test_evidence_can_be_emptied_and_nothing_else(change: str, room: PostgresRoom) -> None:
    """Its owner too can empty it, and put back what was there, and nothing more: PostgreSQL knows the hash itself."""
    test_forgotten_answers.ended(room)
    before = room.everything()
    none, other = "''::bytea", "'\\x01'::bytea"
    with pytest.raises(psycopg.IntegrityError, match="evidence is append-only"):
        room.sql(f"UPDATE evidence SET {change.format(none=none, other=other)}")
    assert room.everything() == before
    room.sql(f"UPDATE evidence SET content = {none}")
    with pytest.raises(psycopg.IntegrityError, match="evidence is append-only"):
        room.sql(f"UPDATE evidence SET content = {other}")
    room.sql("UPDATE evidence SET content = ?", test_forgotten_answers.WORDS)
    assert room.everything() == before


def test_a_reader_sees_one_picture(room: PostgresRoom) -> None:
    """All statements of one reading see the same ledger, although another transaction commits between them."""
    room.claim("b00000000001", "o-1")
    with room.ledger.reading() as connection:
        first = connection.execute(text("SELECT state FROM submission")).scalar_one()
        with room.ledger.writing(room.run) as writing:
            move_orders(writing, [Move(room.submission("o-1"), State.HELD, "hold", "held")])
        second = connection.execute(text("SELECT state FROM submission")).scalar_one()

    assert (first, second, room.submission("o-1").state) == ("claimed", "claimed", State.HELD)


def test_two_first_runs_tie_the_ledger_once(cluster: Cluster) -> None:
    """Eight first runs that meet at one new ledger all get the same key, and one of them gets the lease."""
    room = PostgresRoom(Path(cluster.database()), cluster=cluster)
    room.sql("DELETE FROM run")
    room.sql("DELETE FROM lease")
    barrier = threading.Barrier(8)

    def first_run(number: int) -> tuple[bytes, str]:
        barrier.wait(timeout=30)
        key = lock_identity(
            room.ledger, Identity("sandbox", "https://a/", MID, "k"), ledger_id=f"l{number}", scrub_key=f"{number:064x}"
        )
        try:
            return key, room.take(f"run-{number}").run_id
        except Exception as error:  # noqa: BLE001 - its kind is what is asserted
            return key, type(error).__name__

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(first_run, range(8)))
    room.close()

    assert len({key for key, _ in found}) == 1
    assert sorted(end for _, end in found)[:7] == ["AnotherRunActive"] * 7


def test_a_commit_whose_answer_is_lost_is_said_to_be_unknown(room: PostgresRoom) -> None:
    """A connection that dies at COMMIT says that the step is whole or not at all, and the next look finds which."""

    def cut(connection: object) -> None:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()  # type: ignore[attr-defined]
        room.sql("SELECT pg_terminate_backend(?, 5000)", pid)

    room.claim("b00000000001", "o-1")
    read = room.submission("o-1")
    sqlalchemy_event.listen(room.ledger.engine, "commit", cut)
    with pytest.raises(LedgerBusy) as busy, room.ledger.writing(room.run) as writing:
        move_orders(writing, [Move(read, State.HELD, "hold", "held")])
    sqlalchemy_event.remove(room.ledger.engine, "commit", cut)

    assert "as a whole or not at all" in str(busy.value.now)
    assert room.submission("o-1").state is State.CLAIMED
    with room.ledger.writing(room.run) as writing:
        move_orders(writing, [Move(room.submission("o-1"), State.HELD, "hold", "held")])
    assert room.submission("o-1").event_seq == 2


def test_a_runner_that_was_taken_over_while_it_waited_writes_nothing(room: PostgresRoom) -> None:
    """A writer that waits for the lease's row finds after the wait that it is no longer its turn."""
    room.claim("b00000000001", "o-1")
    old, read = room.run, room.submission("o-1")
    other = Ledger(open_ledger(room.cluster.url(str(room.path))), mid=MID, clock=room.clock, lease_seconds=TERMS.seconds)
    room.clock.advance(timedelta(seconds=TERMS.seconds + 1))
    held, outcome = threading.Event(), []

    def late() -> None:
        held.wait(timeout=30)
        try:
            with other.writing(old) as writing:
                move_orders(writing, [Move(read, State.HELD, "hold", "held")])
        except (LeaseLost, TransitionLost) as error:
            outcome.append(type(error))

    thread = threading.Thread(target=late)
    thread.start()
    with room.ledger.unguarded() as connection:
        connection.execute(text("UPDATE lease SET token = token + 1, run_id = 'new'"))
        held.set()
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = ?"
        while not room.sql(waiting, str(room.path)):
            pass
    thread.join(timeout=30)
    other.engine.dispose()

    assert outcome == [LeaseLost]
    assert room.submission("o-1").state is State.CLAIMED


def test_the_end_of_a_run_frees_the_lease(room: PostgresRoom) -> None:
    """A run that has ended leaves a lease that the next one takes with a greater token."""
    end_run(room.ledger, room.run, ExitCode.CLEAN)
    assert room.take("next").token == room.run.token + 1
    assert room.clock.now() == START
