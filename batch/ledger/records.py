"""What the ledger hands out: frozen records of runs, batches and submissions. They change only by being read again.

Of submissions a night makes several for each order: they are tuples, which are made several times as fast.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import RowMapping

from schemas.states import API_FORMAT, BatchStep, State


@dataclass(frozen=True, slots=True)
class Owner:
    """The process behind a run: enough to tell later, on the same host, whether it is still alive."""

    host: str
    pid: int
    pid_started: str


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job. `token` is the fencing token that its lease was given; it grows with every lease."""

    run_id: str
    job: str
    business_date: str
    token: int

    @property
    def gives_way(self) -> bool:
        """Whether this run stops at its next step when a nightly or rerun waits."""
        return self.job not in {"nightly", "rerun"}


@dataclass(frozen=True, slots=True)
class Batch:
    """One file, or one group of calls, on its way to the provider; times are UTC text, empty where it has not come to that."""

    batch_id: str
    kind: str
    business_date: str
    file_name: str
    format: str
    expires_at: str
    row_count: int
    step: BatchStep
    rows_digest: str
    part_sha256: str
    token_minted_at: str
    delivered_at: str
    acknowledged_at: str
    event_seq: int
    event_hash: str
    event_date: str

    @property
    def is_of_calls(self) -> bool:
        """Whether it never becomes a file: its rows are sent by calls, one each."""
        return self.format == API_FORMAT

    @classmethod
    def of(cls, row: RowMapping) -> "Batch":
        """The batch that a ledger row stands for."""
        values: dict[str, Any] = {name: row[name] if row[name] is not None else "" for name in cls.__dataclass_fields__}
        return cls(**{**values, "step": BatchStep(row["step"])})


class Submission(NamedTuple):
    """One order's claim, without its wire record. Amounts are minor units, times UTC text, empty where unknown.

    `channel` is sftp or api, `mit_mode` sync, cit, or empty for managed: both as they were when the order was claimed.
    """

    order_id: str
    attempt: int
    state: State
    batch_id: str
    sequence_number: int
    idempotency_key: str
    hold_reference: str
    site: str
    origin: str
    currency: str
    amount_minor: int
    business_date: str
    claimed_at: str
    expires_at: str
    handed_over_date: str
    provider_order_id: str
    provider_status: str
    next_read_at: str
    reads: int
    expired_hint: int
    row_version: int
    written_version: int
    event_seq: int
    event_hash: str
    event_date: str
    channel: str = "sftp"
    mit_mode: str = ""

    @classmethod
    def of(cls, row: Sequence[Any]) -> "Submission":
        """The submission that a ledger row stands for, which begins with these columns in this order."""
        order_id, attempt, state, *others = row[: len(cls._fields)]
        known: list[Any] = ["" if value is None else value for value in others]
        return cls(order_id, attempt, State(state), *known)


@dataclass(frozen=True, slots=True)
class Transmission:
    """The copy of one good charge, as it was claimed for a transmit file."""

    order_id: str
    batch_id: str
    sequence_number: int
    result: str
