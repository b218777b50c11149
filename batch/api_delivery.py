"""Sending groups of orders or copies over the API: many calls at a time, each intended before and recorded after.

The ledger is written while calls are under way: a turn records what has come back, then the intent for the next calls,
then their mark outside the ledger, and only then are they begun. What each errand promises stands in
`batch.api_evaluates` and `batch.api_copies`; here is when to go on, when to wait, and when to stop.
"""

from collections.abc import Sequence
from typing import Protocol

from batch.api_copies import Transmits
from batch.api_evaluates import Evaluates
from batch.api_line import MOST_DOUBTS, Call, Called
from batch.call_answers import MOST_PAUSE_SECONDS, Verdict, pause_asked
from batch.equipment import Equipment
from batch.findings import Findings
from batch.ledger import Batch, Run, Writing
from schemas.errors import (
    AnotherRunActive,
    ApiBusy,
    ApiLoginRefused,
    ApiUnreachable,
    FileNotWritten,
    InternalError,
    LedgerBusy,
    MitbatchError,
    NothingSent,
    SafetyRefusal,
    Stopped,
)
from schemas.states import BatchStep

SET = 128
"""So many orders are intended at a time, so that a death leaves few in doubt."""

MOST_PAUSES = 6
"""So often in a row a run waits when the provider asks it to, and takes nothing meanwhile; each wait doubles the last."""

WHILE_SECONDS = 5.0
"""A wait is made of such pieces, so that a run that is asked to stop does so."""


class Errand(Protocol):
    """What is sent by calls: orders, or copies."""

    path: str

    def prepare(self, batch: Batch) -> Batch:
        """Settle what an earlier run left of this group."""
        ...

    def intend(self, batch: Batch, most: int) -> tuple[Batch, list[Call]]:
        """Record the intent for the next calls."""
        ...

    def objection(self, call: Call) -> str:
        """Why an intended call is not begun after all; empty where nothing speaks against it."""
        ...

    def apply(self, writing: Writing, back: Sequence[Called]) -> dict[Verdict, int]:
        """Record what has come back."""
        ...

    def set_aside(self, writing: Writing, called: Called, why: str) -> dict[Verdict, int]:
        """Doubt one answer that cannot be applied, and tell of it."""
        ...

    def forget(self, back: Sequence[Called]) -> None:
        """What has come back is recorded for good: its calls are under way no more."""
        ...

    def left(self, batch: Batch) -> int:
        """How many calls of this group have still to be made."""
        ...

    def finish(self, writing: Writing, batch: Batch) -> Batch:
        """Close a group of which nothing is left to be called."""
        ...


class ApiDelivery:
    """The calls of one run for groups of one kind. What stops one order is recorded with it; what stops all is found once."""

    def __init__(self, equipment: Equipment, run: Run, findings: Findings, errand: Errand) -> None:
        self._equipment, self._run, self._findings, self._errand = equipment, run, findings, errand
        self._due: list[Batch] = []
        self._owed: list[Called] = []
        self._first: int
        self._pause = 0.0
        self._doubts_in_a_row = self._most_doubts = 0
        self._stops = self._was_late = False
        self._problem: MitbatchError | None = None

    def deliver(self, batches: Sequence[Batch]) -> None:
        """Call what is due of every group, oldest first, and close the groups of which nothing is left."""
        if not batches:
            return
        self._equipment.progress.stage("call", sum(batch.row_count for batch in batches))
        self._due = list(batches)
        try:
            for number, batch in enumerate(batches):
                self._due[number] = self._errand.prepare(batch)
            self._call_all()
        finally:
            self._findings.uncalled += sum(self._errand.left(batch) for batch in self._due)

    def _call_all(self) -> None:
        wait, in_vain = 0.0, 0
        while True:
            before = self._findings.called
            if not self._one_pass():
                return
            in_vain, wait = (0, 0.0) if self._findings.called > before else (in_vain + 1, wait)
            if in_vain >= MOST_PAUSES:
                self._findings.add(self._in_vain(in_vain))
                return
            wait = min(max(self._pause, 2 * wait), MOST_PAUSE_SECONDS)
            self._wait(wait)

    def _in_vain(self, times: int) -> MitbatchError:
        if self._pause:
            return ApiBusy(f"The provider's API asked us {times} times in a row to come later (HTTP 429).")
        return ApiUnreachable(f"This machine stood still {times} times in a row when calls were to begin; none was made.")

    def _one_pass(self) -> bool:
        """Call whatever is held. Returns whether to go on: when the provider wants us to wait first, or calls came too late."""
        self._pause, self._first, self._was_late = 0.0, 0, False
        if any(self._errand.left(batch) for batch in self._due):
            try:
                self._equipment.sends.be_ready()
            except (ApiLoginRefused, ApiUnreachable) as problem:
                self._findings.add(problem)
                return False
            self._equipment.sends.call_all(self._errand.path, self._turn, self._errand.objection)
            owed, self._owed = self._owed, []
            if owed:
                self._record(owed)
        self._close()
        if self._problem is not None:
            raise self._problem
        return (bool(self._pause) or self._was_late) and not self._stops

    def _turn(self, back: Sequence[Called]) -> Sequence[Call] | None:
        """Record what has come back, then intend what is called next. What stops the intent does not lose what came back."""
        self._owed += back
        if self._owed:
            try:
                self._record(self._owed)
            except LedgerBusy as problem:  # what is under way comes back, and is recorded with this
                self._problem, self._stops = self._problem or problem, True
                return None
            owed, self._owed = self._owed, []
            self._look_at(owed)
        if self._stops or self._pause:
            return None
        try:
            return self._next()
        except (NothingSent, SafetyRefusal, AnotherRunActive, Stopped) as problem:
            self._problem, self._stops = problem, True
            return None

    def _record(self, back: Sequence[Called]) -> None:
        """Record what has come back in one transaction; where one cannot be, each on its own, and that one set aside (I15)."""
        try:
            with self._equipment.ledger.writing(self._run, last=True) as writing:
                counts = self._errand.apply(writing, back)
        except InternalError as error:
            if len(back) > 1:
                for one in back:
                    self._record([one])
                return
            with self._equipment.ledger.writing(self._run, last=True) as writing:
                counts = self._errand.set_aside(writing, back[0], error.what)
        self._errand.forget(back)
        self._count(counts)

    def _next(self) -> Sequence[Call]:
        while self._first < len(self._due):
            batch = self._due[self._first]
            intended, calls = self._errand.intend(batch, SET)
            self._due[self._first] = intended
            if calls:
                self._mark(intended, calls, after=_event_of(batch))
                return calls
            self._first += 1
        return []

    def _mark(self, batch: Batch, calls: Sequence[Call], *, after: tuple[int, str]) -> None:
        try:
            self._equipment.departures.mark_calls(batch.batch_id, _event_of(batch), batch.file_name, after=after)
        except FileNotWritten:
            self._take_back(calls)
            raise

    def _take_back(self, calls: Sequence[Call]) -> None:
        """The intent was recorded, and no call of it was made."""
        not_made = [Called(call, not_made=True) for call in calls]
        with self._equipment.ledger.writing(self._run, last=True) as writing:
            self._errand.apply(writing, not_made)
        self._errand.forget(not_made)

    def _count(self, verdicts: dict[Verdict, int]) -> None:
        answered = verdicts.get(Verdict.TAKEN, 0) + verdicts.get(Verdict.REFUSED, 0)
        self._findings.called += answered
        self._findings.doubtful += verdicts.get(Verdict.DOUBTFUL, 0)
        self._equipment.progress.advance(answered)

    def _look_at(self, back: Sequence[Called]) -> None:
        """Whether what came back lets more be called: refused credentials, no connection, or doubt upon doubt do not."""
        for called in back:
            if called.not_made:
                self._was_late = self._was_late or bool(called.problem)  # it is held again, and nothing speaks against it
                continue
            self._doubts_in_a_row = self._doubts_in_a_row + 1 if called.tells_nothing else 0
            self._most_doubts = max(self._most_doubts, self._doubts_in_a_row)
            if called.http_status == 429:
                now = self._equipment.clock.now()
                self._pause = max(self._pause, pause_asked(called.retry_after, now))
            if called.is_login:
                words = called.problem or f"The provider's API refuses our calls (HTTP {called.http_status})."
                self._halt(ApiLoginRefused(words))
            elif called.not_sent:
                self._halt(ApiUnreachable(f"No call could be made: {called.problem}."))
        if self._most_doubts >= MOST_DOUBTS and not self._stops:
            self._halt(ApiUnreachable(f"The provider's API gave no clear answer to {MOST_DOUBTS} calls in a row."))

    def _halt(self, problem: MitbatchError) -> None:
        self._findings.add(problem)
        self._stops = True

    def _close(self) -> None:
        for number, batch in enumerate(self._due):
            if batch.step in (BatchStep.CLAIMED, BatchStep.CALLING) and not self._errand.left(batch):
                with self._equipment.ledger.writing(self._run, last=True) as writing:
                    self._due[number] = self._errand.finish(writing, batch)

    def _wait(self, seconds: float) -> None:
        ends = self._equipment.clock.monotonic() + seconds
        while (left := ends - self._equipment.clock.monotonic()) > 0:
            with self._equipment.ledger.writing(self._run):
                pass  # still our turn, and nobody asked us to stop
            self._equipment.clock.sleep(min(left, WHILE_SECONDS))


def _event_of(batch: Batch) -> tuple[int, str]:
    return batch.event_seq, batch.event_hash


def deliver_calls(equipment: Equipment, run: Run, findings: Findings, batches: Sequence[Batch]) -> None:
    """Send what is due of these groups: evaluates first, then copies."""
    errands: tuple[tuple[str, Errand], ...] = (("evaluate", Evaluates(equipment, run)), ("transmit", Transmits(equipment, run)))
    for kind, errand in errands:
        ApiDelivery(equipment, run, findings, errand).deliver([batch for batch in batches if batch.kind == kind])
