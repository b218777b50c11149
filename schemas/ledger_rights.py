"""What the ledger's login on PostgreSQL needs, table by table, and the statements that grant just that."""

from schemas.ledger_tables import metadata
from schemas.order import READ_COLUMNS, RETRY_COLUMN, WRITTEN_COLUMNS

UPDATED_TABLES = ("batch", "figure", "item", "lease", "operation", "remote_file", "run", "submission", "transmission", "webhook")
"""Tables of which a run changes rows; of all the others rows are only added."""

LOCK_COLUMNS = ("environment", "api_url", "host_key")
"""What may change of the table `identity`: the host key at the first SFTP run, all three by `mitbatch lock update`."""

ANSWER_COLUMNS = ("content",)
"""What may change of the table `evidence`: what was said is emptied after its time; its hash and all else stay."""

EMPTIED_TABLES = ("comparison_row", "decision", "listed_order", "settled_line", "webhook")
"""Tables of which a run removes rows: verdicts that a later run of the date replaces, webhooks that were applied, and what
a comparison laid down for its own time."""


def ledger_tables() -> tuple[str, ...]:
    """Every table of the ledger, by name."""
    return tuple(sorted(metadata.tables))


def ledger_grants(role: str) -> list[str]:
    """What the owner of the ledger's tables grants to its login; the owner makes and migrates them."""
    return [
        f"GRANT USAGE ON SCHEMA public TO {role};",
        f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO {role};",
        f"GRANT UPDATE ON {', '.join(UPDATED_TABLES)} TO {role};",
        f"GRANT UPDATE ({', '.join(LOCK_COLUMNS)}) ON identity TO {role};",
        f"GRANT UPDATE ({', '.join(ANSWER_COLUMNS)}) ON evidence TO {role};",
        f"GRANT DELETE ON {', '.join(EMPTIED_TABLES)} TO {role};",
    ]


def orders_grants(role: str, table: str = "orders") -> list[str]:
    """What the owner of the orders table grants to the login that reads it and writes our columns."""
    return [
        f"GRANT SELECT ON {table} TO {role};",
        f"GRANT UPDATE ({', '.join(WRITTEN_COLUMNS)}) ON {table} TO {role};",
    ]


def orders_columns() -> tuple[str, ...]:
    """The columns that must be readable, under our names; the optional ones where they are."""
    return (*READ_COLUMNS, *WRITTEN_COLUMNS, RETRY_COLUMN)
