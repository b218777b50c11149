"""How we speak with PostgreSQL: durable, never waiting for ever, and whatever the server's own defaults are."""

from typing import Any

CONNECT_SECONDS = 10
LOCK_SECONDS = 30
STATEMENT_SECONDS = 300
IDLE_SECONDS = 120
"""A run that is paused inside a step must not keep its rows locked: the server ends its session after this time."""

CONNECT_ARGUMENTS: dict[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""What makes a line that says nothing any more an error within a minute or so."""

ISOLATION = "READ COMMITTED"
"""A writer waits for the lease's row first and must see what was committed meanwhile; a hold is judged again on the row as
it is after the wait. Where one picture is needed, the ledger asks for REPEATABLE READ itself."""

_DEADLINES = {
    "lock_timeout": LOCK_SECONDS,
    "statement_timeout": STATEMENT_SECONDS,
    "idle_in_transaction_session_timeout": IDLE_SECONDS,
}


def prepare_session(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    """Set what every session of ours needs. A commit that is reported must have reached the disk, as SQLite's does."""
    with connection.cursor() as cursor:
        for name, seconds in _DEADLINES.items():
            cursor.execute("SELECT set_config(%s, %s, false)", (name, f"{seconds}s"))
        cursor.execute("SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'")
    connection.commit()
