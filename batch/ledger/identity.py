"""What a ledger belongs to: fixed at first use, compared at every start, so that two environments never mix."""

from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from batch.ledger.transaction import Ledger
from batch.pace import utc_text
from schemas.errors import IdentityChanged, TransitionLost
from schemas.ledger_tables import identity


@dataclass(frozen=True, slots=True)
class Identity:
    """The four things that a ledger is tied to."""

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
        return known
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


def check_identity(ledger: Ledger, wanted: Identity) -> bytes | None:
    """The key of a ledger that is tied to this identity; None for one that is not tied to anything yet. Writes nothing."""
    with ledger.reading() as connection:
        return _checked(connection, wanted)


def _checked(connection: Connection, wanted: Identity) -> bytes | None:
    rows = connection.execute(select(identity)).all()
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
        for name in ("environment", "api_url", "host_key")
        if getattr(row, name) != getattr(wanted, name)
    ]
    if differences:
        raise IdentityChanged(
            f"The ledger is locked to other settings: {'; '.join(differences)}.",
            next_step="Use the settings that this ledger was made with, or another data_dir for another environment.",
        )
    return bytes.fromhex(row.scrub_key)
