"""Every metric by name, with its kind, labels and definition: what `/metrics` shows, and what alerts and pictures may use."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["gauge", "counter", "histogram"]

DAY_SECONDS = 86_400
RECOVERY_BUCKETS = (3_600, 21_600, *(days * DAY_SECONDS for days in (1, 2, 3, 5, 7, 10, 14, 21)))
"""Upper bounds of the time from hand-over to completion, in seconds."""

FILE_BUCKETS = (1, 5, 15, 60, 300, 900, 3_600, 14_400)
"""Upper bounds of how long a file takes to be sent, or to be answered, in seconds."""

CALL_BUCKETS_MS = (50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000)
"""Upper bounds of how long a call of the API takes, in milliseconds."""

BASE_LABEL = "mid"
"""Stands on every metric: the first eight characters of the merchant id."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `name` has no `_total`: counters get it when they are shown. `mid` stands on each besides `labels`."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str

    @property
    def shown_as(self) -> str:
        """The name as Prometheus stores it; a histogram has three that begin with it."""
        return f"{self.name}_total" if self.kind == "counter" else self.name


_MONEY = " in minor units; currencies are never added"
_ROWS: tuple[tuple[str, Kind, str, str], ...] = (
    ("build_info", "gauge", "version environment profile", "always 1: which program talks to which environment"),
    ("run_last_start_timestamp_seconds", "gauge", "job", "when the last run of a job began"),
    ("run_last_completion_timestamp_seconds", "gauge", "job", "when the last run of a job that ended had ended"),
    ("run_last_success_timestamp_seconds", "gauge", "job", "when the last run of a job that ended with exit 0 had ended"),
    ("run_last_duration_seconds", "gauge", "job", "how long the last run of a job that ended took"),
    ("run_last_exit_code", "gauge", "job", "the exit code of the last run of a job that ended"),
    ("runs", "counter", "job exit_code", "runs by exit code; cut_off are those that a later run found without an end"),
    ("business_date_timestamp_seconds", "gauge", "", "the last business date that a nightly closed, at 00:00 UTC"),
    ("orders", "gauge", "site currency state", "orders now in each state that is not an end"),
    ("orders_minor_units", "gauge", "site currency state", "the amounts of mitbatch_orders" + _MONEY),
    (
        "pending_orders",
        "gauge",
        "site age",
        "pending orders by whole business days since their hand-over; overdue is past expiry and grace",
    ),
    ("oldest_order_age_seconds", "gauge", "state", "since when the oldest order that is in this state now is claimed"),
    ("next_expiry_timestamp_seconds", "gauge", "", "the earliest expiry among pending orders"),
    ("candidates", "counter", "site origin", "declined orders that the gate judged, once for each business date"),
    ("skipped", "counter", "site reason", "candidates that were not sent, by reason (mitbatch explain REASON)"),
    ("handed_over", "counter", "site currency channel", "orders that the provider accepted"),
    ("handed_over_minor_units", "counter", "site currency channel", "their amounts" + _MONEY),
    (
        "rejected",
        "counter",
        "site kind",
        "orders that the provider refused: by themselves (row), or with their whole file (file)",
    ),
    ("outcomes", "counter", "site currency state source", "ends of rescues as they were learnt, by whose word"),
    ("outcomes_minor_units", "counter", "site currency state source", "the amounts of these orders" + _MONEY),
    (
        "recovered_minor_units",
        "counter",
        "site currency",
        "what the provider recovered; one that is disputed later stays" + _MONEY,
    ),
    ("refunded_minor_units", "counter", "site currency", "what was given back of it" + _MONEY),
    ("chargeback_minor_units", "counter", "site currency", "what cardholders disputed of it" + _MONEY),
    ("time_to_recovery_seconds", "histogram", "site", "from hand-over to completion"),
    ("files", "counter", "kind result", "files by what became of them: delivered (read, for the provider's), failed, in_doubt"),
    ("file_upload_duration_seconds", "histogram", "kind", "from the intent to send a file to its delivery"),
    ("acknowledgement_delay_seconds", "histogram", "kind", "from a file's delivery to the provider's answer"),
    ("unacknowledged_files", "gauge", "kind", "delivered files without an answer"),
    ("unacknowledged_oldest_age_seconds", "gauge", "kind", "since when the oldest of them is delivered"),
    ("api_requests", "counter", "operation code", "calls of the provider's API by class of HTTP status, or timeout"),
    ("api_request_duration_seconds", "histogram", "operation", "how long they took to be answered"),
    (
        "webhooks",
        "counter",
        "event result",
        "webhooks that came: accepted, unknown (an event that is not ours), replayed, stale, bad_signature",
    ),
    ("write_back_pending_orders", "gauge", "site", "orders whose row does not yet show what the ledger says"),
    ("write_back_conflicts", "counter", "site", "rows that the merchant changed while we held them"),
    ("review_open_orders", "gauge", "kind", "items that need a person"),
    ("review_oldest_age_seconds", "gauge", "kind", "since when the oldest of them is open"),
    ("reconciliation_differences", "gauge", "match currency", "orders that differed in the last comparison, by how"),
    ("reconciliation_differences_minor_units", "gauge", "match currency", "by how much together, without sign" + _MONEY),
    ("balance_ok", "gauge", "currency", "1 when the equation of the last summary.csv closes"),
    (
        "audit_chain_ok",
        "gauge",
        "",
        "1 when the last `mitbatch audit verify` found all as it was written; absent before the first",
    ),
    (
        "house_charge_during_hold",
        "counter",
        "site",
        "orders with a case double_charge: charged in-house while held, or recovered as well; must stay 0",
    ),
    ("transmissions", "counter", "site result", "copies of good charges by the provider's answer"),
    ("transmissions_late", "counter", "site", "copies that left more than 24 hours after their charge"),
    (
        "switch_enabled",
        "gauge",
        "switch site",
        "1 while a kind of order, a site, or sending as a whole is on",
    ),
)

METRICS: dict[str, Metric] = {
    f"mitbatch_{name}": Metric(f"mitbatch_{name}", kind, tuple(labels.split()), words) for name, kind, labels, words in _ROWS
}
"""By name."""
