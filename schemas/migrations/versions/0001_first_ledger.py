"""The first ledger: every table, and the rule that events and evidence are only ever added."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

APPEND_ONLY = ("event", "evidence")


def upgrade() -> None:
    """Make all tables and indexes, and the triggers that refuse changes to what happened."""
    op.create_table(
        "batch",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("batch_id", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("business_date", sa.String(length=10), nullable=False),
        sa.Column("file_name", sa.String(length=128), nullable=False),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("expires_at", sa.String(length=20), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("rows_digest", sa.String(length=64), nullable=True),
        sa.Column("part_sha256", sa.String(length=64), nullable=True),
        sa.Column("token_minted_at", sa.String(length=20), nullable=True),
        sa.Column("delivered_at", sa.String(length=20), nullable=True),
        sa.Column("delivered_date", sa.String(length=10), nullable=True),
        sa.Column("acknowledged_at", sa.String(length=20), nullable=True),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("event_hash", sa.String(length=64), nullable=False),
        sa.Column("event_date", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("mid", "batch_id"),
        sa.UniqueConstraint("mid", "file_name", name="one_name_per_batch"),
    )
    op.create_table(
        "decision",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("business_date", sa.String(length=10), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=16), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("reason_text", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.String(length=12), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("decided_at", sa.String(length=20), nullable=False),
        sa.Column("cells_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("mid", "business_date", "order_id"),
    )
    op.create_index("decision_by_order", "decision", ["mid", "order_id"], unique=False)
    op.create_table(
        "event",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=20), nullable=False),
        sa.Column("business_date", sa.String(length=10), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("from_state", sa.String(length=20), nullable=True),
        sa.Column("to_state", sa.String(length=20), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence_id", sa.String(length=32), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("mid", "subject", "seq"),
    )
    op.create_index("event_by_date", "event", ["mid", "business_date", "kind"], unique=False)
    op.create_table(
        "evidence",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("evidence_id", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("received_at", sa.String(length=20), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("mid", "evidence_id"),
        sa.UniqueConstraint("mid", "source", "content_hash", name="evidence_once"),
    )
    op.create_table(
        "identity",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("ledger_id", sa.String(length=36), nullable=False),
        sa.Column("environment", sa.String(length=16), nullable=False),
        sa.Column("api_url", sa.Text(), nullable=False),
        sa.Column("host_key", sa.Text(), nullable=False),
        sa.Column("scrub_key", sa.String(length=64), nullable=False),
        sa.Column("locked_at", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("mid"),
    )
    op.create_table(
        "item",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("item_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.String(length=20), nullable=False),
        sa.Column("opened_run", sa.String(length=36), nullable=False),
        sa.Column("opened_date", sa.String(length=10), nullable=False),
        sa.Column("due_date", sa.String(length=10), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("evidence_id", sa.String(length=32), nullable=True),
        sa.Column("closed_at", sa.String(length=20), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("mid", "item_id"),
    )
    op.create_index(
        "one_open_item",
        "item",
        ["mid", "kind", "subject"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "lease",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=True),
        sa.Column("job", sa.String(length=16), nullable=True),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("pid_started", sa.String(length=32), nullable=True),
        sa.Column("expires_at", sa.String(length=20), nullable=True),
        sa.Column("wanted_by", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("mid"),
    )
    op.create_table(
        "remote_file",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("evidence_id", sa.String(length=32), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.String(length=20), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("mid", "name", "content_hash"),
    )
    op.create_table(
        "run",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("job", sa.String(length=16), nullable=False),
        sa.Column("business_date", sa.String(length=10), nullable=False),
        sa.Column("fencing_token", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.String(length=20), nullable=False),
        sa.Column("finished_at", sa.String(length=20), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("mid", "run_id"),
    )
    op.create_table(
        "submission",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("batch_id", sa.String(length=12), nullable=False),
        sa.Column("sequence_number", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=36), nullable=False),
        sa.Column("hold_reference", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.String(length=10), nullable=False),
        sa.Column("claimed_at", sa.String(length=20), nullable=False),
        sa.Column("expires_at", sa.String(length=20), nullable=False),
        sa.Column("handed_over_date", sa.String(length=10), nullable=True),
        sa.Column("provider_order_id", sa.String(length=128), nullable=True),
        sa.Column("provider_status", sa.String(length=64), nullable=True),
        sa.Column("next_read_at", sa.String(length=20), nullable=True),
        sa.Column("reads", sa.Integer(), server_default="0", nullable=False),
        sa.Column("expired_hint", sa.Integer(), server_default="0", nullable=False),
        sa.Column("written_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("row_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("record_json", sa.Text(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("event_hash", sa.String(length=64), nullable=False),
        sa.Column("event_date", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["mid", "batch_id"],
            ["batch.mid", "batch.batch_id"],
        ),
        sa.PrimaryKeyConstraint("mid", "order_id", "attempt"),
    )
    op.create_index(
        "one_rescue_per_order",
        "submission",
        ["mid", "order_id"],
        unique=True,
        sqlite_where=sa.text("state NOT IN ('withdrawn', 'rejected')"),
        postgresql_where=sa.text("state NOT IN ('withdrawn', 'rejected')"),
    )
    op.create_index("submission_by_batch", "submission", ["mid", "batch_id", "sequence_number"], unique=False)
    op.create_index("submission_by_date", "submission", ["mid", "business_date"], unique=False)
    op.create_index("submission_by_key", "submission", ["mid", "idempotency_key"], unique=False)
    op.create_index("one_order_per_provider_order", "submission", ["mid", "provider_order_id"], unique=True)
    op.create_index("submission_by_state", "submission", ["mid", "state", "next_read_at"], unique=False)
    op.create_index(
        "submission_to_write_back",
        "submission",
        ["mid", "order_id"],
        unique=False,
        sqlite_where=sa.text("written_version <> row_version"),
        postgresql_where=sa.text("written_version <> row_version"),
    )
    op.create_table(
        "transmission",
        sa.Column("mid", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.String(length=12), nullable=False),
        sa.Column("sequence_number", sa.Integer(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("charged_at", sa.String(length=20), nullable=False),
        sa.Column("business_date", sa.String(length=10), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=True),
        sa.Column("transmit_id", sa.String(length=128), nullable=True),
        sa.Column("error_text", sa.Text(), nullable=True),
        sa.Column("record_json", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mid", "batch_id"],
            ["batch.mid", "batch.batch_id"],
        ),
        sa.PrimaryKeyConstraint("mid", "order_id"),
    )
    op.create_index("transmission_by_batch", "transmission", ["mid", "batch_id", "sequence_number"], unique=False)
    op.create_index("transmission_by_date", "transmission", ["mid", "business_date"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        _append_only_sqlite()
    else:
        _append_only_postgresql()


def _append_only_sqlite() -> None:
    for table in APPEND_ONLY:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _append_only_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
