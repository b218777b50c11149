"""What the provider said may be emptied when its time is over; it still cannot be changed, and its row cannot go."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_SAME = ("rowid", "mid", "evidence_id", "source", "subject", "received_at", "content_hash")


def upgrade() -> None:
    """Let evidence be emptied, or filled with what was there, and nothing else; add the indexes by which it is found."""
    is_kept, is_named = sa.text("length(content) > 0"), sa.text("evidence_id IS NOT NULL")
    evidence, event = ["mid", "received_at", "evidence_id"], ["mid", "evidence_id"]
    op.create_index("evidence_kept", "evidence", evidence, sqlite_where=is_kept, postgresql_where=is_kept)
    op.create_index("event_by_evidence", "event", event, sqlite_where=is_named, postgresql_where=is_named)
    op.create_index("early_news_by_evidence", "early_news", ["mid", "evidence_id", "provider_order_id"])
    op.drop_index("mention_by_evidence", "mention")  # SQLite takes it only where it has all that is asked for
    op.create_index("mention_by_evidence", "mention", ["mid", "evidence_id", "order_id"])
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        _postgresql()


def _sqlite() -> None:
    """SQLite has no SHA-256: whether what is put back is what was there is for whoever verifies the books to say."""
    same = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in _SAME)
    op.execute("DROP TRIGGER evidence_no_update")
    op.execute(
        f"CREATE TRIGGER evidence_no_update BEFORE UPDATE ON evidence WHEN NOT ({same} "
        "AND (NEW.content IS X'' OR OLD.content IS X'')) "
        "BEGIN SELECT RAISE(ABORT, 'evidence is append-only'); END"
    )


def _postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change_of_evidence() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'UPDATE' AND (octet_length(NEW.content) = 0 OR (octet_length(OLD.content) = 0 "
        "AND encode(sha256(NEW.content), 'hex') = OLD.content_hash)) THEN "
        "OLD.content = NEW.content; "
        "IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF; "
        "END IF; "
        "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute("DROP TRIGGER evidence_no_change ON evidence")
    op.execute(
        "CREATE TRIGGER evidence_no_change BEFORE UPDATE OR DELETE ON evidence "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_evidence()"
    )
