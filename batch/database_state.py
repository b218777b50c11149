"""What a database's refusal speaks of, the server or the statement; and how a transaction says that it will write."""

WILL_WRITE = "mitbatch_will_write"
"""A note in a connection's `info`: its next transaction may write.

SQLite is told so when it begins: it is then the only writing one, and nothing that it reads is old when it writes."""

_OF_THE_SERVER = ("08", "25", "40", "53", "55", "57", "58")
"""Classes of SQLSTATE: connection, transaction (a read-only standby, a session that idled too long), deadlock, resources,
locks and other states, the operator (a shutdown, a deadline), the system under it."""


def is_away(sqlstate: str | None, *, is_lost: bool, is_operational: bool) -> bool:
    """Whether the database cannot be used now, so that the same may be tried again later.

    `is_lost` says that the connection is gone, `is_operational` how the driver classes the error; that decides where it
    gives no SQLSTATE: no connection came about, or it is SQLite.
    """
    return is_lost or (is_operational if sqlstate is None else sqlstate.startswith(_OF_THE_SERVER))
