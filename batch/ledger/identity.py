"""What a ledger belongs to: fixed at first use, compared at every start, so that two environments never mix."""

from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from batch.ledger.transaction import Ledger
from batch.pace import utc_text
from schemas.errors import IdentityChanged, TransitionLost
from schemas.ledger_tables import identity

_ALL = select(identity)
_FREE = (identity.c.mid == bindparam("w_mid"), identity.c.host_key == "")
_NO_HOST_KEY = select(identity.c.mid).where(*_FREE)
_TIE_HOST_KEY = update(identity).where(*_FREE).values(host_key=bindparam("v_host_key"))


@dataclass(frozen=True, slots=True)
class Identity:
    """The four things that a ledger is tied to. `host_key` is empty while no SFTP server was ever set."""

    environment: str
    api_url: str
    mid: str
    host_key: str


def lock_identity(ledger: Ledger, wanted: Identity, *, ledger_id: str, scrub_key: str) -> bytes:
    """Tie a new ledger to this identity, or check that it is tied to it. Returns the key for hashing ids out of sight.

    Raises IdentityChanged, naming every difference, before anything else can happen.
    """
    known = check_identity(ledger, wanted)
    if known is not None:
        return _with_host_key(ledger, wanted, known)
    with suppress(TransitionLost), ledger.unguarded() as connection:  # another first run may tie it at the same moment
        connection.execute(
            insert(identity).values(
                mid=wanted.mid,
                ledger_id=ledger_id,
                environment=wanted.environment,
                api_url=wanted.api_url,
                host_key=wanted.host_key,
                scrub_key=scrub_key,
                locked_at=utc_text(ledger.now()),
            )
        )
    tied = check_identity(ledger, wanted)
    assert tied is not None  # noqa: S101 - it was tied by now, here or by that other run
    return tied


def _with_host_key(ledger: Ledger, wanted: Identity, known: bytes) -> bytes:
    """Tie a ledger that has met no SFTP server yet to the one that is named now; of two at once, the second is compared."""
    with ledger.reading() as connection:
        is_free = bool(wanted.host_key) and connection.execute(_NO_HOST_KEY, {"w_mid": wanted.mid}).first() is not None
    if not is_free:
        return known
    with ledger.unguarded() as connection:
        connection.execute(_TIE_HOST_KEY, {"w_mid": wanted.mid, "v_host_key": wanted.host_key})
    return check_identity(ledger, wanted) or known


def locked_identity(ledger: Ledger) -> tuple[Identity, str] | None:
    """What the ledger is locked to, and since when (UTC text); None for one that is not locked yet."""
    with ledger.reading() as connection:
        row = connection.execute(_ALL).first()
    return None if row is None else (Identity(row.environment, row.api_url, row.mid, row.host_key), row.locked_at)


def check_identity(ledger: Ledger, wanted: Identity) -> bytes | None:
    """The key of a ledger that is tied to this identity; None for one that is not tied to anything yet. Writes nothing."""
    with ledger.reading() as connection:
        return _checked(connection, wanted)


def check_account(ledger: Ledger, wanted: Identity) -> None:
    """Raise IdentityChanged for a ledger of another environment, API or merchant; for who has nothing to do with SFTP."""
    with ledger.reading() as connection:
        _checked(connection, wanted, names=("environment", "api_url"))


def is_tied(ledger: Ledger) -> bool:
    """Whether a run has tied this ledger to its merchant already."""
    with ledger.reading() as connection:
        return connection.execute(_ALL.where(identity.c.mid == ledger.mid)).first() is not None


def _checked(
    connection: Connection, wanted: Identity, names: tuple[str, ...] = ("environment", "api_url", "host_key")
) -> bytes | None:
    rows = connection.execute(_ALL).all()
    if not rows:
        return None
    row = next((row for row in rows if row.mid == wanted.mid), None)
    if row is None:
        raise IdentityChanged(
            f"The ledger belongs to merchant {rows[0].mid}, the settings name {wanted.mid}.",
            next_step="Use another data_dir and ledger for another merchant account.",
        )
    differences = [
        f"{name} was {getattr(row, name)}, is now {getattr(wanted, name)}"
        for name in names
        if getattr(row, name) != getattr(wanted, name)
        and not (name == "host_key" and "" in (row.host_key, wanted.host_key))  # one of them has met no SFTP server
    ]
    if differences:
        raise IdentityChanged(
            f"The ledger is locked to other settings: {'; '.join(differences)}.",
            next_step="Use the settings that this ledger was made with, or another data_dir for another environment; "
            'where the change is meant: mitbatch lock show, then mitbatch lock update --reason "...".',
        )
    return bytes.fromhex(row.scrub_key)
