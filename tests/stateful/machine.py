"""Random steps on the real ledger with the model beside it; after each one both must agree, and the chain be whole."""

from collections import Counter
from collections.abc import Callable
from dataclasses import astuple
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from batch.books import FIRST_HASH
from batch.build import idempotency_key
from batch.gate import Verdict
from batch.ledger import Batch, Run, Submission, Writing
from batch.ledger.batches import batch_by_id
from batch.ledger.claim import Claim, NewBatch, claim_batch
from batch.ledger.decisions import record_decisions
from batch.ledger.evidence import store_evidence
from batch.ledger.hints import make_due
from batch.ledger.items import close_items, open_item
from batch.ledger.lease import end_run
from batch.ledger.moves import Move, move_orders, note_reads
from batch.ledger.past import past_of
from batch.ledger.reading import attempts_of, count_by_state
from batch.ledger.steps import move_batch
from schemas.errors import (
    AnotherRunActive,
    ExitCode,
    IllegalTransition,
    LeaseLost,
    LeaseWanted,
    MitbatchError,
    TransitionLost,
)
from schemas.reasons import ItemKind, Reason
from schemas.states import BatchStep, State
from tests.ledger.room import MID, order
from tests.stateful.bench import DAYS, Bench
from tests.stateful.model import CLAIMABLE_AGAIN, Model, may_move, may_step
from tests.table.chain import FIRST, seal

IDS = ("000471", "471", "\u00e9", "e\u0301", "1E10", "a b")
CURRENCIES = ("USD", "JPY")
EXPIRY = "2026-12-14T06:30:00Z"

Copy = TypeVar("Copy")
pick = st.integers(0, 11)
seldom = st.integers(0, 7).map(lambda number: number == 0)
STEPS_DONE: Counter[str] = Counter()
"""How often each kind of step was taken in this process, and how it ended."""


class LedgerBesideModel(RuleBasedStateMachine):
    """Runs come and go, some are overtaken and write all the same; orders and files are moved from where they stood once."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.model = Model()
        self.runs: list[Run] = []
        self.seen: dict[str, list[Submission]] = {}
        self.files: dict[str, list[Batch]] = {}
        self.heads: dict[str, tuple[int, str, str]] = {}
        self.last_event = 0
        self.token_of_last_commit = 0
        self.host_of_holder = 0
        self.deadline = 0
        self.take(job="nightly", day=1, host=0, holder_lives=True)
        for picked in ([0, 1], [2]):
            self.claim(picked, amount=1999, currency=len(picked), by=False)

    def teardown(self) -> None:
        """Remove the file."""
        self.bench.close()

    # Runs

    @rule(job=st.sampled_from(("nightly", "poll")), day=st.integers(0, 2), host=st.integers(0, 1), holder_lives=st.booleans())
    def take(self, job: str, day: int, host: int, holder_lives: bool) -> None:
        """A run begins: it gets the lease where nobody has it, where the holder's process is dead here, or its time is over."""
        run_id = f"run-{len(self.runs)}"
        holder = next((run for run in self.runs if run.run_id == self.model.holder), None)
        free = holder is None or self._is_over() or (self.host_of_holder == host and not holder_lives)

        def start() -> None:
            self.runs.append(self.bench.take(run_id, job, DAYS[day], host=str(host), holder_lives=holder_lives))

        self._expect(start, None if free else AnotherRunActive, "take")
        if free:
            self.model.token += 1
            self.model.holder, self.model.is_wanted, self.host_of_holder = run_id, False, host
            self.deadline = int(self.bench.clock.now().timestamp()) + 900
            assert self.runs[-1].token == self.model.token

    @rule(by=seldom)
    def end(self, by: bool) -> None:
        """A run ends and gives the lease back; one that lost it cannot."""
        run = self._who(by)
        self._write(run, lambda: end_run(self.bench.ledger, run, ExitCode.CLEAN), "end", last=True)
        if run.run_id == self.model.holder:
            self.model.holder, self.model.is_wanted = "", False

    @rule(seconds=st.sampled_from((1, 60, 899, 901, 90_000)))
    def pass_time(self, seconds: int) -> None:
        """Time passes; a lease that is not renewed runs out."""
        self.bench.clock.sleep(seconds)

    # Orders

    @rule(picked=st.lists(pick, min_size=1, max_size=3), amount=st.sampled_from((1, 1999, 10**12)), currency=pick, by=seldom)
    def claim(self, picked: list[int], amount: int, currency: int, by: bool) -> None:
        """Some orders are claimed for a file: all of them, or none where one is active or named twice."""
        free_ids = [each for each in IDS if not self.model.is_active(each)]
        ids = [IDS[each % len(IDS)] if each > 8 or not free_ids else free_ids[each % len(free_ids)] for each in picked]
        batch_id = f"b{len(self.model.steps):011d}"
        money = CURRENCIES[currency % len(CURRENCIES)]
        free = len(set(ids)) == len(ids) and not any(self.model.is_active(each) for each in ids)

        def write(writing: Writing) -> None:
            known = past_of(writing.connection, MID, ids)
            claims = []
            for order_id in ids:
                past = known.get(order_id)
                attempt = past.attempt + 1 if past else 1
                key = idempotency_key(MID, order_id, attempt)
                charge = order(order_id)._replace(amount_minor=amount, currency=money)
                head = (past.event_seq, past.event_hash, past.event_date) if past else (0, FIRST_HASH, "")
                claims.append(Claim(charge, attempt, key, f"mitbatch:{key}", {"orderId": order_id}, *head))
            claim_batch(writing, NewBatch(batch_id, "evaluate", f"{batch_id}.json", "json", EXPIRY), claims)

        if self._transaction(by, write, None if free else TransitionLost, "claim"):
            self.model.claim(batch_id, [(each, amount, money) for each in ids])

    @rule(picked=st.lists(st.tuples(pick, pick, st.booleans(), seldom), min_size=1, max_size=3), by=seldom)
    def move(self, picked: list[tuple[int, int, bool, bool]], by: bool) -> None:
        """Orders are moved together, each from where it was read now or once: all or none, and only along the rules."""
        moves: dict[str, tuple[Move, bool]] = {}
        for which, to, shows, stale in picked:
            order_id = self._any_order(which)
            now = self._read(order_id)
            copy = self._copy(self.seen, order_id, now, which, stale=stale)
            is_old = (copy.attempt, copy.event_seq) != (now.attempt, now.event_seq)
            moves[order_id] = (self._a_move(copy if is_old else now, to, shows=shows), is_old)
        self._move_all(list(moves.values()), by=by)

    @rule(which=pick, to=st.lists(pick, min_size=1, max_size=6))
    def go_on(self, which: int, to: list[int]) -> None:
        """One order goes on, step by step, as the rules let it."""
        for each in to:
            submission = self._read(self._any_order(which))
            if submission.state in CLAIMABLE_AGAIN:
                break
            allowed = [state for state in State if may_move(submission.state, state)]
            move = Move(submission, allowed[each % len(allowed)], "poll", "as told", changes={"next_read_at": ""})
            if self._move_all([(move, False)], by=False):
                self.model.claims[submission.order_id][-1].is_due = False

    def _move_all(self, moves: list[tuple[Move, bool]], *, by: bool) -> bool:
        error: type[MitbatchError] | None = TransitionLost if any(is_old for _, is_old in moves) else None
        if any(each.to and not may_move(each.submission.state, each.to) for each, _ in moves):
            error = IllegalTransition
        written = self._transaction(by, lambda writing: move_orders(writing, [each for each, _ in moves]), error, "move")
        for each, _ in moves if written else ():
            self.model.move(each.submission.order_id, each.to or each.submission.state, shows=each.shows)
        return written

    @rule(which=pick, number=pick, wild=seldom, stale=seldom, by=seldom)
    def step(self, which: int, number: int, wild: bool, stale: bool, by: bool) -> None:
        """A file is taken to a step, from where it was read now or once: most of the time to one that the rules allow."""
        batch_id = sorted(self.model.steps)[which % len(self.model.steps)]
        with self.bench.ledger.reading() as connection:
            now = batch_by_id(connection, MID, batch_id)
        assert now is not None
        copy = self._copy(self.files, batch_id, now, which, stale=stale)
        allowed = [] if wild else [each for each in BatchStep if may_step(copy.step, each)]
        to = (allowed or list(BatchStep))[number % len(allowed or BatchStep)]
        error: type[MitbatchError] | None = TransitionLost if copy != now else None
        error = error if may_step(copy.step, to) else IllegalTransition
        if self._transaction(by, lambda writing: move_batch(writing, copy, to, reason="as told"), error, "step"):
            self.model.step(batch_id, to)

    @rule(which=pick, due=st.booleans(), by=seldom)
    def read(self, which: int, due: bool, by: bool) -> None:
        """An order was asked about: that is written down, and moves nothing."""
        submission = self._read(self._any_order(which))
        when = "2026-11-24T00:00:00Z" if due else ""
        if self._transaction(by, lambda writing: note_reads(writing, [(submission, when)]), None, "read"):
            claim = self.model.claims[submission.order_id][-1]
            claim.reads, claim.is_due = claim.reads + 1, due

    @rule(which=pick, stranger=seldom, expired=st.booleans(), by=seldom)
    def hint(self, which: int, stranger: bool, expired: bool, by: bool) -> None:
        """News name an order: it is due, and moves nowhere; of a stranger nothing follows."""
        order_id = "stranger" if stranger or not self.model.claims else self._any_order(which)
        known: list[bool] = []

        def write(writing: Writing) -> None:
            known.append(bool(make_due(writing, provider_order_id="", order_id=order_id, called_expired=expired)))

        if self._transaction(by, write, None, "hint"):
            assert known == [order_id != "stranger"]
            if order_id != "stranger":
                claim = self.model.claims[order_id][-1]
                claim.is_due, claim.was_called_expired = True, claim.was_called_expired or expired

    # What is kept beside them

    @rule(source=st.sampled_from(("poll", "file")), content=st.sampled_from((b"a", b"b", b"")), by=seldom)
    def keep(self, source: str, content: bytes, by: bool) -> None:
        """Words of the provider are stored once for each source."""
        fresh: list[bool] = []

        def write(writing: Writing) -> None:
            fresh.append(store_evidence(writing, source=source, subject="order:x", content=content).is_new)

        if self._transaction(by, write, None, "evidence"):
            assert fresh == [(source, content) not in self.model.evidence]
            self.model.evidence.add((source, content))

    @rule(kind=st.sampled_from((ItemKind.CONTRADICTION, ItemKind.QUARANTINE)), which=pick, close=st.booleans(), by=seldom)
    def item(self, kind: ItemKind, which: int, close: bool, by: bool) -> None:
        """An item is opened once until it is closed, and may be opened again then."""
        subject = f"order:{IDS[which % len(IDS)]}"
        standing = self.model.items.get((kind.value, subject), [])
        is_open = bool(standing) and standing[-1]
        fresh: list[bool] = []

        def write(writing: Writing) -> None:
            if close:
                close_items(writing, kind, subject, "settled")
            else:
                fresh.append(open_item(writing, kind, subject, "look", due_business_days=3))

        if self._transaction(by, write, None, "item"):
            assert fresh == ([] if close else [not is_open])
            if close and is_open:
                standing[-1] = False
            elif not close and not is_open:
                self.model.items[kind.value, subject] = [*standing, True]

    @rule(which=pick, reason=st.sampled_from((Reason.SELECTED, Reason.OPTED_OUT, Reason.SITE_DISABLED)), by=seldom)
    def decide(self, which: int, reason: Reason, by: bool) -> None:
        """The gate's verdict is kept by date and order; the last one wins."""
        order_id = IDS[which % len(IDS)]
        verdict = Verdict(order_id, reason is Reason.SELECTED, reason, "so", "", "acme-us", "USD", 1999, {}, None)
        if self._transaction(by, lambda writing: record_decisions(writing, [verdict]), None, "decide"):
            self.model.decisions[self.runs[-1].business_date, order_id] = reason.value

    @rule(which=pick, by=seldom)
    def fail_halfway(self, which: int, by: bool) -> None:
        """A step that ends in an error after it wrote has written nothing."""
        submission = self._read(self._any_order(which))

        def write(writing: Writing) -> None:
            move_orders(writing, [Move(submission, None, "poll", "news", kind="news")])
            store_evidence(writing, source="poll", subject="x", content=b"halfway")
            raise TransitionLost("the power went")

        assert not self._transaction(by, write, TransitionLost, "fail")

    @rule()
    def want(self) -> None:
        """A nightly that finds a lesser run waits for no time at all, and leaves word that it wants the lease."""
        holder = next((run for run in self.runs if run.run_id == self.model.holder), None)
        if holder is not None and holder.gives_way and not self._is_over():
            self.bench.rows("UPDATE lease SET wanted_by = 'nightly'")
            self.model.is_wanted = True

    # What holds after every step

    @invariant()
    def the_claims_agree(self) -> None:
        """Every claim stands where the model has it, and at most one of an order is active."""
        names = "order_id, attempt, batch_id, sequence_number, amount_minor, currency, state, row_version, reads"
        rows = self.bench.rows(f"SELECT {names}, next_read_at IS NOT NULL, expired_hint FROM submission")
        claims = [each for claims in self.model.claims.values() for each in claims]
        assert sorted(rows) == sorted(
            (*astuple(claim)[:-2], int(claim.is_due), int(claim.was_called_expired)) for claim in claims
        )
        active = Counter(row[0] for row in rows if row[6] not in CLAIMABLE_AGAIN)
        assert not active or max(active.values()) == 1

    @invariant()
    def counts_and_amounts_balance(self) -> None:
        """Counts and minor units by state and currency are the model's (I5)."""
        with self.bench.ledger.reading() as connection:
            found = count_by_state(connection, MID)
        flat = {(state, currency): each for state, by_money in found.items() for currency, each in by_money.items()}
        assert flat == self.model.totals()

    @invariant()
    def what_is_beside_agrees(self) -> None:
        """Files, evidence, items and decisions are the model's."""
        assert dict(self.bench.rows("SELECT batch_id, step FROM batch")) == self.model.steps
        assert set(self.bench.rows("SELECT source, content FROM evidence")) == self.model.evidence
        items = Counter(self.bench.rows("SELECT kind, subject, closed_at IS NULL FROM item"))
        assert items == Counter((*key, int(is_open)) for key, each in self.model.items.items() for is_open in each)
        decisions = self.bench.rows("SELECT business_date, order_id, reason FROM decision")
        assert {(day, order_id): reason for day, order_id, reason in decisions} == self.model.decisions

    @invariant()
    def the_chain_is_whole(self) -> None:
        """Each new event follows the one before it, is sealed, dated no earlier, and written under the latest token (I6, I11)."""
        tokens = dict(self.bench.rows("SELECT run_id, fencing_token FROM run"))
        for rowid, row in self.bench.events_after(self.last_event):
            subject = str(row["subject"])
            seq, before, day = self.heads.get(subject, (0, FIRST, ""))
            assert (row["seq"], row["previous_hash"]) == (seq + 1, before)
            assert row["hash"] == seal(row)
            assert str(row["business_date"]) >= day
            assert tokens[row["run_id"]] == self.token_of_last_commit
            assert row["to_state"] == self.model.states[subject][seq]
            self.heads[subject] = (seq + 1, str(row["hash"]), str(row["business_date"]))
            self.last_event = rowid
        assert {subject: head[0] for subject, head in self.heads.items()} == dict(self.model.events)
        assert tokens == {run.run_id: run.token for run in self.runs}
        heads = {
            f"order:{name}": digest
            for name, digest in self.bench.rows(
                "SELECT order_id, event_hash FROM submission s WHERE attempt = "
                "(SELECT MAX(attempt) FROM submission t WHERE t.order_id = s.order_id)"
            )
        }
        heads |= {f"batch:{name}": digest for name, digest in self.bench.rows("SELECT batch_id, event_hash FROM batch")}
        assert heads == {subject: head[1] for subject, head in self.heads.items()}

    @invariant()
    def tokens_grow(self) -> None:
        """The lease's token is the greatest ever given, and is whose the model says."""
        ((token, run_id),) = self.bench.rows("SELECT token, run_id FROM lease")
        assert (token, run_id or "") == (self.model.token, self.model.holder)
        assert [run.token for run in self.runs] == list(range(1, len(self.runs) + 1))

    # How a step is taken

    def _who(self, by: bool) -> Run:
        """The run that writes: the newest, or where `by` is true one that was overtaken."""
        return self.runs[len(self.runs) // 2 - 1] if by and len(self.runs) > 1 else self.runs[-1]

    def _is_over(self) -> bool:
        return self.deadline < int(self.bench.clock.now().timestamp())

    def _any_order(self, which: int) -> str:
        return sorted(self.model.claims)[which % len(self.model.claims)]

    def _read(self, order_id: str) -> Submission:
        with self.bench.ledger.reading() as connection:
            return attempts_of(connection, MID, order_id)[-1]

    def _copy(self, kept: dict[str, list[Copy]], name: str, now: Copy, which: int, *, stale: bool) -> Copy:
        """What was read now, or at an earlier step; what is read now is kept for later."""
        copies = kept.setdefault(name, [])
        copies.append(now)
        return copies[which % len(copies)] if stale else now

    def _a_move(self, copy: Submission, to: int, *, shows: bool) -> Move:
        """One of the moves that the rules allow most of the time, any state at all sometimes, news at times."""
        allowed = [state for state in State if may_move(copy.state, state)]
        if to == 0:
            return Move(copy, None, "poll", "news", kind="news", shows=shows)
        wild = list(State)[(to * 7) % len(State)]
        return Move(copy, wild if to > 9 or not allowed else allowed[to % len(allowed)], "poll", "as told", shows=shows)

    def _transaction(self, by: bool, write: Callable[[Writing], object], error: type[MitbatchError] | None, name: str) -> bool:
        """Do it in a transaction of a run; returns whether it was written. Only the error that the model expects may come.

        Where nobody has the lease and no stale run is asked for, a run begins first, so that most steps are taken.
        """
        if not by and self.runs[-1].run_id != self.model.holder:
            self.take(job="nightly", day=len(self.runs) % 3, host=0, holder_lives=False)
        run = self._who(by)

        def act() -> None:
            with self.bench.ledger.writing(run) as writing:
                write(writing)

        return self._write(run, act, name, error)

    def _write(
        self, run: Run, act: Callable[[], object], name: str, error: type[MitbatchError] | None = None, *, last: bool = False
    ) -> bool:
        if run.run_id != self.model.holder:
            error = LeaseLost
        elif self.model.is_wanted and run.gives_way and not last:
            error = LeaseWanted
        self._expect(act, error, name)
        if error is None:
            self.token_of_last_commit = run.token
            self.deadline = int(self.bench.clock.now().timestamp()) + 900
        return error is None

    def _expect(self, act: Callable[[], object], error: type[MitbatchError] | None, name: str) -> None:
        raised: type[MitbatchError] | None = None
        try:
            act()
        except MitbatchError as problem:
            raised = type(problem)
        STEPS_DONE[f"{name}: {error.__name__ if error else 'written'}"] += 1
        assert raised is error, f"{name} by run {self.model.holder}: {raised}, expected {error}"
