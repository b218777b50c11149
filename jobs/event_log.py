"""The log of what runs do, for whoever watches a machine: a JSON object a line, as it happens, with the ids of run and order.

Only the fields of `FIELDS` are ever written, so that a secret, a card, a name or a person's words cannot slip in with what
somebody adds later; a value in which a card number stands is withheld. The log is for watching and searching: the
ledger is the record, and a log that cannot be written never stops a run.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import orjson

from batch.card_numbers import has_card_number
from batch.equipment import Clock, Progress
from batch.ledger.steps import BY_HAND
from batch.pace import utc_text
from schemas.errors import ExitCode, MitbatchError

FIELDS = (
    "at",
    "level",
    "event",
    "run_id",
    "job",
    "business_date",
    "environment",
    "mid",
    "order_id",
    "batch_id",
    "operation_id",
    "kind",
    "from",
    "to",
    "source",
    "reason",
    "evidence_id",
    "stage",
    "total",
    "code",
    "sentence",
    "exit_code",
    "seconds",
)
"""Every field that a line may have, in the order in which it stands there."""

_KNOWN = frozenset(FIELDS)
_NOTHING = (None, "")

FROM_OUTSIDE = frozenset({"reason", "sentence", "stage"})
"""Fields whose words may come from elsewhere: these are looked through for card numbers. All others this program words, and
an order id with a card number in it never came past the gate, unless the merchant vouches for such ids."""

WITHHELD = "(withheld: a card number stood here)"
_LONGEST = 400
_NAME = re.compile(r"^mitbatch-([0-9]{4}-[0-9]{2}-[0-9]{2})\.jsonl$")
_SUBJECTS = {"order": "order_id", "batch": "batch_id", "operation": "operation_id"}
_GRAVE = frozenset({ExitCode.INTERNAL, ExitCode.REFUSED, ExitCode.CONFIGURATION})


class EventLog(Protocol):
    """Where a run says what it does."""

    def begin(self, run_id: str) -> None:
        """Every line from now on bears this run's id."""
        ...

    def note(self, event: str, *, level: str = "info", **fields: object) -> None:
        """One line. Raises ValueError for a field that the log does not know: that is a mistake in this program."""
        ...

    def told(self, events: Sequence[Mapping[str, object]]) -> None:
        """Rows of the ledger's event chain that have just been committed: a line for each."""
        ...

    def trouble(self) -> str:
        """Why lines are missing; empty when none is."""
        ...


class NoLog:
    """A log that nobody keeps: dry runs, and commands that only look."""

    def begin(self, run_id: str) -> None:
        """Nothing bears it."""

    def note(self, event: str, *, level: str = "info", **fields: object) -> None:
        """Say nothing, but refuse what a real log would refuse."""
        line(event, level, "", fields)

    def told(self, events: Sequence[Mapping[str, object]]) -> None:
        """Say nothing."""

    def trouble(self) -> str:
        """Nothing is missing."""
        return ""


class LogFile:
    """One file for each UTC day in a private folder, 0600; lines are appended whole, also by several programs at once.

    The folder is made when the first run begins: a command that was refused before leaves nothing behind.
    """

    def __init__(self, folder: Path, clock: Clock, *, orders: bool = True) -> None:
        self._folder, self._clock, self._orders = folder, clock, orders
        self._trouble, self._run_id = "", ""

    def begin(self, run_id: str) -> None:
        """Every line from now on bears this run's id."""
        self._run_id = run_id

    def note(self, event: str, *, level: str = "info", **fields: object) -> None:
        """One line, now."""
        self._append([line(event, level, utc_text(self._clock.now()), {"run_id": self._run_id, **fields})])

    def told(self, events: Sequence[Mapping[str, object]]) -> None:
        """A line for each row of the event chain, with the time of the row; none for orders where the settings want none."""
        self._append([told_line(row) for row in events if self._orders or not str(row["subject"]).startswith("order:")])

    def trouble(self) -> str:
        """The operating system's word for why lines could not be written; empty when all were."""
        return self._trouble

    def drop_older(self, days: int) -> None:
        """Remove the files of days that lie further back; no other file is touched."""
        first = (self._clock.now() - timedelta(days=days)).date().isoformat()
        try:
            for path in sorted(self._folder.iterdir()) if self._folder.is_dir() else []:
                shape = _NAME.match(path.name)
                if shape and shape[1] < first:
                    path.unlink()
        except OSError as error:
            self._trouble = error.strerror or str(error)

    def _append(self, lines: Sequence[bytes]) -> None:
        if not lines or not (self._run_id or self._folder.is_dir()):
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f"mitbatch-{self._clock.now().date().isoformat()}.jsonl"
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(path, flags, 0o600)
            try:
                _write_whole(descriptor, b"".join(lines))
            finally:
                os.close(descriptor)
        except OSError as error:
            self._trouble = error.strerror or str(error)


class Telling:
    """A progress that also says in the log which stage begins."""

    def __init__(self, progress: Progress, log: EventLog) -> None:
        self._progress, self._log = progress, log
        self.advance: Callable[..., None] = progress.advance
        self.trouble: Callable[[str], None] = progress.trouble

    def stage(self, name: str, total: int | None = None) -> None:
        """A new stage begins."""
        self._log.note("stage", stage=name, total=total)
        self._progress.stage(name, total)


def note_problem(log: EventLog, problem: MitbatchError, **fields: object) -> None:
    """A line for something that a person must be told."""
    level = "error" if problem.exit_code in _GRAVE else "warning"
    log.note("problem", level=level, code=problem.code, exit_code=int(problem.exit_code), sentence=str(problem), **fields)


def line(event: str, level: str, at: str, fields: Mapping[str, object]) -> bytes:
    """One line of the log as bytes. Raises ValueError for a field that is not in FIELDS."""
    given = {**fields, "at": at, "level": level, "event": event}
    shown = {name: _shown(name, given[name]) for name in _in_order(tuple(given)) if given[name] not in _NOTHING}
    return orjson.dumps(shown) + b"\n"


@lru_cache(maxsize=256)
def _in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    """These fields as they stand in a line; there are few kinds of lines. Raises ValueError for one that the log has not."""
    if strange := set(names) - _KNOWN:
        raise ValueError(f"the log has no field {', '.join(sorted(strange))}")
    return tuple(name for name in FIELDS if name in names)


def told_line(row: Mapping[str, object]) -> bytes:
    """The line for one row of the event chain; the words of a person who acts by hand stay in the ledger alone."""
    subject, _, key = str(row["subject"]).partition(":")
    fields = {
        "run_id": row["run_id"],
        "business_date": row["business_date"],
        _SUBJECTS.get(subject, "kind"): key or subject,
        "from": row["from_state"],
        "to": row["to_state"],
        "source": row["source"],
        "reason": "" if row["source"] == BY_HAND else row["reason"],
        "evidence_id": row["evidence_id"],
    }
    return line(str(row["kind"]), "info", str(row["at"]), fields)


def _shown(name: str, value: object) -> object:
    """A value as it may be seen: bounded, without card numbers; control characters are escaped by JSON itself."""
    if not isinstance(value, str):
        return value if isinstance(value, int | float) else _shown(name, str(value))
    text = WITHHELD if name in FROM_OUTSIDE and _has_card_number(value) else value
    return (text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8"))[:_LONGEST]


_has_card_number = lru_cache(maxsize=256)(has_card_number)
"""A night gives the same reason to each of its orders."""


def _write_whole(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
