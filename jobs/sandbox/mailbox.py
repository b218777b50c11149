"""The two SFTP folders seen from the provider: it picks files up, takes their rows, answers, and tidies, each when due."""

import hashlib
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from jobs.sandbox.acknowledgements import failed_file, file_answer, row_answer
from jobs.sandbox.bearers import Bearers
from jobs.sandbox.brain import Accepted, Brain, Kind, Origin, Refused
from jobs.sandbox.faults import Faults
from jobs.sandbox.intake_faults import FileCall, RowCall
from jobs.sandbox.intake_files import Batch, FileRefused, check_batch, kind_of, read_batch
from jobs.sandbox.journal import Journal
from jobs.sandbox.moments import Clock
from jobs.sandbox.options import SandboxOptions
from jobs.sandbox.outbound import Outbound
from jobs.sandbox.strict_text import Fields
from jobs.sandbox.validation import looks_like_card, text_at


@dataclass(order=True)
class _Due:
    at: datetime
    n: int
    act: Callable[[datetime], None] = field(compare=False)


@dataclass(frozen=True)
class Folders:
    """Where the files are on disk: the two folders that the client sees, and one for files still being written."""

    inbound: Path
    outbound: Path
    spool: Path


class Mailbox:
    """Let things happen to files when their time on the sandbox clock has come. Guarded by the brain's lock."""

    def __init__(
        self,
        folders: Folders,
        brain: Brain,
        bearers: Bearers,
        setting: tuple[str, SandboxOptions, Clock],
        record: tuple[Journal, Faults],
    ) -> None:
        self._folders = folders
        self._brain = brain
        self._bearers = bearers
        self._mid, self._options, self._clock = setting
        self._journal, self._faults = record
        self._agenda: list[_Due] = []
        self._count = itertools.count()
        self._taken_names: dict[str, dict[str, object]] = {}
        as_csv = self._options.answer_format == "csv"
        self.outbox = Outbound(folders.outbound, folders.spool, self._faults, self._plan, as_csv)

    def reset(self) -> None:
        """Forget everything that was due, and empty both folders."""
        with self._brain.lock:
            self._agenda.clear()
            self._taken_names.clear()
            for folder in (self._folders.inbound, self._folders.outbound, self._folders.spool):
                for path in folder.iterdir():
                    if path.is_dir() and not path.is_symlink():
                        path.rmdir()
                    else:
                        path.unlink()

    def arrived(self, name: str, *, at_once: bool = False) -> None:
        """A final name appeared in the inbound folder: pick it up when its delay is over, or at once and remove it."""
        if name.endswith(".part"):
            return
        with self._brain.lock:
            now = self._clock.now()
            if at_once:
                self._pick_up(name, now, remove=True)
            else:
                delay = timedelta(seconds=self._options.pickup_delay_seconds)
                self._plan(now + delay, lambda due: self._pick_up(name, due))
            self.catch_up()

    def catch_up(self) -> None:
        """Let everything happen that is due by now, each at its own moment and in its order."""
        with self._brain.lock:
            while self._agenda and self._agenda[0].at <= self._clock.now():
                due = heapq.heappop(self._agenda)
                due.act(due.at)

    def _plan(self, at: datetime, act: Callable[[datetime], None]) -> None:
        heapq.heappush(self._agenda, _Due(at, next(self._count), act))

    def _pick_up(self, name: str, now: datetime, *, remove: bool = False) -> None:
        path = self._folders.inbound / name
        if not path.is_file():
            self._journal.record("file_vanished", now, file=name)
            return
        kind = kind_of(name)
        if kind is None:
            self._journal.record("file_ignored", now, file=name, why="the name has no known prefix or ending")
            return
        size = path.stat().st_size
        raw = path.read_bytes() if size <= self._options.max_file_bytes else None
        sha256 = hashlib.sha256(raw).hexdigest() if raw is not None else None
        self._journal.record("file_received", now, file=name, kind=kind, sha256=sha256, size=size)
        self._tidy(path, now, remove=remove)
        if self._options.deduplicate == "file_name" and name in self._taken_names:
            self._journal.record("file_deduplicated", now, file=name)
            answer = self._taken_names[name]
        else:
            answer = self._take(name, kind, raw, now)
            self._taken_names[name] = answer
        delay = timedelta(seconds=self._options.acknowledgement_delay_seconds)
        self._plan(now + delay, lambda due: self._acknowledge(name, answer, due))

    def _tidy(self, path: Path, now: datetime, *, remove: bool) -> None:
        if remove or self._options.removal == "at_pickup":
            path.unlink()
        elif self._options.removal == "later":
            delay = timedelta(seconds=self._options.removal_delay_seconds)
            self._plan(now + delay, lambda due: path.unlink(missing_ok=True))

    def _take(self, name: str, kind: Kind, raw: bytes | None, now: datetime) -> dict[str, object]:
        call = FileCall()
        self._faults.strike_now("intake.file", call)
        reasons = list(call.reasons)
        batch: Batch | None = None
        if raw is None:
            reasons.append(f"the file is larger than {self._options.max_file_bytes} bytes")
        else:
            try:
                batch = read_batch(name, kind, raw)
                reasons += check_batch(batch, self._mid, self._options.max_rows_per_file)
                if not self._bearers.is_good(batch.authorization, now):
                    reasons.append("the embedded token is missing, unknown or over at pick-up")
            except FileRefused as refusal:
                reasons.append(str(refusal))
        if reasons or batch is None:
            self._journal.record("file_refused", now, file=name, kind=kind, errors=reasons)
            return failed_file(name, kind, self._mid, reasons)
        return file_answer(name, kind, self._mid, self._take_rows(name, kind, batch, now))

    def _take_rows(self, name: str, kind: Kind, batch: Batch, now: datetime) -> list[dict[str, object]]:
        answers = []
        seen: set[str] = set()
        for position, row in enumerate(batch.rows, start=1):
            record = {name: value for name, value in row.items() if name != "sequencenumber"}
            order_id = text_at(record, "OrderId")
            origin = Origin("sftp", name, str(position))
            reason = self._row_reason(record, position, order_id, seen)
            if reason:
                verdict: Accepted | Refused = self._brain.refuse_row(kind, record, origin, now, reason)
            elif kind == "evaluate":
                verdict = self._brain.evaluate(record, origin, now, batch.expiry)
            else:
                verdict = self._brain.transmit(record, origin, now)
            seen.add(order_id)
            answers.append(row_answer(kind, str(position), order_id, verdict))
        return answers

    def _row_reason(self, record: Fields, position: int, order_id: str, seen: set[str]) -> dict[str, list[str]]:
        call = RowCall(position=position)
        self._faults.strike_now("intake.row", call)
        if call.refused:
            return {"Row": ["The row is refused on purpose."]}
        if order_id and order_id in seen:
            return {"OrderId": ["The same orderId stands in an earlier row of this file."]}
        if looks_like_card(text_at(record, "PaymentMethod.CardNumber")):
            return {"PaymentMethod.CardNumber": ["A batch file carries a payment token, never a card number."]}
        return {}

    def _acknowledge(self, name: str, answer: dict[str, object], now: datetime) -> None:
        target = f"{name.rpartition('.')[0]}_response.json"
        self.outbox.send("acknowledgement", target, answer, now, self._acknowledged)

    def _acknowledged(self, target: str, now: datetime) -> None:
        self._journal.record("acknowledged", now, file=target)
