"""The ledger's tables. Every key leads with the merchant id; times are UTC text with Z; amounts are integer minor units."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from schemas.action_tables import early_news, mention, operation, webhook
from schemas.comparison_tables import comparison, comparison_row, listed_order, settled_line
from schemas.figure_tables import STANDING, STANDING_COLUMNS, figure
from schemas.ledger_base import among, metadata, partial_index

__all__ = [
    "among",
    "batch",
    "comparison",
    "comparison_row",
    "decision",
    "early_news",
    "event",
    "evidence",
    "figure",
    "identity",
    "item",
    "lease",
    "listed_order",
    "mention",
    "metadata",
    "operation",
    "remote_file",
    "run",
    "settled_line",
    "submission",
    "transmission",
    "webhook",
]

_NOT_CLAIMABLE_AGAIN = text("state NOT IN ('withdrawn', 'rejected')")

identity = Table(
    "identity",
    metadata,
    Column("mid", String(36), primary_key=True),
    Column("ledger_id", String(36), nullable=False),
    Column("environment", String(16), nullable=False),
    Column("api_url", Text, nullable=False),
    Column("host_key", Text, nullable=False),
    Column("scrub_key", String(64), nullable=False),
    Column("locked_at", String(20), nullable=False),
)
"""What this ledger belongs to, fixed at first use; `scrub_key` keys the hash that stands for ids with a card number."""

lease = Table(
    "lease",
    metadata,
    Column("mid", String(36), primary_key=True),
    Column("token", BigInteger, nullable=False),
    Column("run_id", String(36)),
    Column("job", String(16)),
    Column("host", Text),
    Column("pid", Integer),
    Column("pid_started", String(32)),
    Column("expires_at", String(20)),
    Column("wanted_by", String(36)),
)
"""Who may write now. The token grows with every taking, and every transaction that changes state checks it."""

run = Table(
    "run",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("run_id", String(36), nullable=False),
    Column("job", String(16), nullable=False),
    Column("business_date", String(10), nullable=False),
    Column("fencing_token", BigInteger, nullable=False),
    Column("started_at", String(20), nullable=False),
    Column("finished_at", String(20)),
    Column("exit_code", Integer),
    PrimaryKeyConstraint("mid", "run_id"),
)
"""Every run of a job, with the code that it ended with; no code means that it was cut off.

A code without `finished_at` means that finance's files of its date are still to be written; a later run does it.
"""

batch = Table(
    "batch",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("batch_id", String(12), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("business_date", String(10), nullable=False),
    Column("file_name", String(128), nullable=False),
    Column("format", String(8), nullable=False),
    Column("expires_at", String(20), nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("step", String(16), nullable=False),
    Column("rows_digest", String(64)),
    Column("part_sha256", String(64)),
    Column("token_minted_at", String(20)),
    Column("delivered_at", String(20)),
    Column("delivered_date", String(10)),
    Column("acknowledged_at", String(20)),
    Column("run_id", String(36), nullable=False),
    Column("event_seq", Integer, nullable=False),
    Column("event_hash", String(64), nullable=False),
    Column("event_date", String(10), nullable=False),
    PrimaryKeyConstraint("mid", "batch_id"),
    UniqueConstraint("mid", "file_name", name="one_name_per_batch"),
)
"""One file on its way to the provider. `expires_at` is empty for transmit. The digest is over the rows without the token."""

submission = Table(
    "submission",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("order_id", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("batch_id", String(12), nullable=False),
    Column("sequence_number", Integer, nullable=False),
    Column("idempotency_key", String(36), nullable=False),
    Column("hold_reference", String(64), nullable=False),
    Column("channel", String(8), nullable=False),
    Column("site", Text, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("business_date", String(10), nullable=False),
    Column("claimed_at", String(20), nullable=False),
    Column("expires_at", String(20), nullable=False),
    Column("handed_over_date", String(10)),
    Column("provider_order_id", String(128)),
    Column("provider_status", String(64)),
    Column("next_read_at", String(20)),
    Column("reads", Integer, nullable=False, server_default="0"),
    Column("expired_hint", Integer, nullable=False, server_default="0"),
    Column("written_version", Integer, nullable=False, server_default="0"),
    Column("row_version", Integer, nullable=False, server_default="0"),
    Column("record_json", Text, nullable=False),
    Column("event_seq", Integer, nullable=False),
    Column("event_hash", String(64), nullable=False),
    Column("event_date", String(10), nullable=False),
    Column("mit_mode", String(8)),
    PrimaryKeyConstraint("mid", "order_id", "attempt"),
    ForeignKeyConstraint(["mid", "batch_id"], ["batch.mid", "batch.batch_id"]),
)
"""One order's claim. `row_version` grows with what the order row should show, `written_version` follows when it does.

`record_json` is the wire record as it was claimed (CONTRACT 7), without the token: files are rendered from it whatever the
order system or the settings say later. Long after the order's end only id, amount and currency are left. `mit_mode` is sync
or cit for an order that was handed over so; empty is managed.
"""

partial_index(
    "one_rescue_per_order",
    submission.c.mid,
    submission.c.order_id,
    unique=True,
    where=_NOT_CLAIMABLE_AGAIN,
)
Index("submission_by_state", submission.c.mid, submission.c.state, submission.c.next_read_at)
Index("submission_by_total", submission.c.mid, submission.c.state, submission.c.currency, submission.c.amount_minor)
Index("submission_by_batch", submission.c.mid, submission.c.batch_id, submission.c.sequence_number)
Index("submission_by_key", submission.c.mid, submission.c.idempotency_key)
Index("submission_by_date", submission.c.mid, submission.c.business_date)
Index("one_order_per_provider_order", submission.c.mid, submission.c.provider_order_id, unique=True)
partial_index(
    "submission_to_write_back",
    submission.c.mid,
    submission.c.order_id,
    where=text("written_version <> row_version"),
)

_COUNTED = [submission.c[name] for name in STANDING_COLUMNS]
partial_index("submission_standing", *_COUNTED, where=STANDING)

transmission = Table(
    "transmission",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("order_id", Text, nullable=False),
    Column("batch_id", String(12), nullable=False),
    Column("sequence_number", Integer, nullable=False),
    Column("site", Text, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("charged_at", String(20), nullable=False),
    Column("business_date", String(10), nullable=False),
    Column("result", String(16)),
    Column("transmit_id", String(128)),
    Column("error_text", Text),
    Column("record_json", Text, nullable=False),
    Column("day_end", Text),
    PrimaryKeyConstraint("mid", "order_id"),
    ForeignKeyConstraint(["mid", "batch_id"], ["batch.mid", "batch.batch_id"]),
)
"""The copy of one good charge, once ever: the key is the order id. How far it has got is its batch's step.

`day_end` is what stood in the row when the day ended that claimed it, written by its first change after that day: number,
result, the provider's id and words, joined by U+001F. Finance's file of that day shows it for ever.
"""

Index("transmission_by_batch", transmission.c.mid, transmission.c.batch_id, transmission.c.sequence_number)
Index("transmission_by_date", transmission.c.mid, transmission.c.business_date)

event = Table(
    "event",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("subject", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", String(20), nullable=False),
    Column("business_date", String(10), nullable=False),
    Column("run_id", String(36), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("from_state", String(20)),
    Column("to_state", String(20)),
    Column("source", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence_id", String(32)),
    Column("detail", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    PrimaryKeyConstraint("mid", "subject", "seq"),
)
"""What happened, for ever: a hash chain per subject (`order:<id>`, `batch:<id>`, `ledger`). Rows are never changed."""

Index("event_by_date", event.c.mid, event.c.business_date, event.c.kind)
partial_index("event_by_evidence", event.c.mid, event.c.evidence_id, where=text("evidence_id IS NOT NULL"))

evidence = Table(
    "evidence",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("evidence_id", String(32), nullable=False),
    Column("source", String(16), nullable=False),
    Column("subject", Text, nullable=False),
    Column("received_at", String(20), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("mid", "evidence_id"),
    UniqueConstraint("mid", "source", "content_hash", name="evidence_once"),
)
"""What the provider said, raw, stored once before it is applied.

Long after all that it is about has ended `content` is emptied (`retention.answer_days`); its hash stays for ever.
"""

IS_KEPT = text("length(content) > 0")
partial_index("evidence_kept", evidence.c.mid, evidence.c.received_at, evidence.c.evidence_id, where=IS_KEPT)

remote_file = Table(
    "remote_file",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("name", String(255), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("evidence_id", String(32)),
    Column("size", BigInteger, nullable=False),
    Column("seen_at", String(20), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("modified", BigInteger),
    Column("read_at", String(20)),
    PrimaryKeyConstraint("mid", "name", "content_hash"),
)
"""Files of the outbound folder that were read, known by name and content; `verdict` is applied, set_aside or unstable.

`seen_at` is when this content was first read there, `read_at` when last, and `modified` the time that the listing showed
then (seconds since 1970 by the server's clock, nothing where it shows none).
"""

decision = Table(
    "decision",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("business_date", String(10), nullable=False),
    Column("order_id", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("currency", String(16), nullable=False),
    Column("amount_minor", BigInteger),
    Column("decision", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("reason_text", Text, nullable=False),
    Column("rule_id", Text, nullable=False),
    Column("batch_id", String(12), nullable=False),
    Column("run_id", String(36), nullable=False),
    Column("decided_at", String(20), nullable=False),
    Column("cells_json", Text, nullable=False),
    PrimaryKeyConstraint("mid", "business_date", "order_id"),
)
"""The gate's verdict per date and order; the last one wins. `cells_json` holds the audit's columns, nothing personal."""

Index("decision_by_order", decision.c.mid, decision.c.order_id)

item = Table(
    "item",
    metadata,
    Column("mid", String(36), nullable=False),
    Column("item_id", String(32), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("subject", Text, nullable=False),
    Column("opened_at", String(20), nullable=False),
    Column("opened_run", String(36), nullable=False),
    Column("opened_date", String(10), nullable=False),
    Column("due_date", String(10), nullable=False),
    Column("explanation", Text, nullable=False),
    Column("evidence_id", String(32)),
    Column("closed_at", String(20)),
    Column("resolution", Text),
    Column("closed_by", Text),
    Column("resolution_reason", Text),
    Column("closed_date", String(10)),
    PrimaryKeyConstraint("mid", "item_id"),
)
"""Something that needs a person, with the date by which. `closed_by` is empty for what closed by itself.

`closed_date` is the business date that its end is booked on, never before `opened_date`; items that ended in an older
version have none, and their time counts.
"""

_OPEN_ITEM = text("closed_at IS NULL")
partial_index(
    "one_open_item",
    item.c.mid,
    item.c.kind,
    item.c.subject,
    unique=True,
    where=_OPEN_ITEM,
)
