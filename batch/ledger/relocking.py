"""Changing what a ledger is locked to, by a person's word: a compare-and-set on the lock, in one transaction with its event."""

from dataclasses import asdict, dataclass

from sqlalchemy import bindparam, func, select, update

from batch.ledger.identity import Identity
from batch.ledger.own_chain import note_of_ledger
from batch.ledger.transaction import Ledger, Writing
from schemas.errors import DecisionRefused, IdentityChanged
from schemas.ledger_tables import batch, identity, submission, transmission
from schemas.states import OPEN, BatchStep

_CHANGEABLE = ("environment", "api_url", "host_key")
_AS_IT_WAS = [identity.c[name] == bindparam(f"w_{name}") for name in ("mid", *_CHANGEABLE)]
_CHANGE = update(identity).where(*_AS_IT_WAS).values({name: bindparam(f"v_{name}") for name in _CHANGEABLE})
_CLAIMED = [select(table.c.order_id).where(table.c.mid == bindparam("mid")).limit(1) for table in (submission, transmission)]
_OPEN_ORDERS = (
    select(func.count())
    .select_from(submission)
    .where(submission.c.mid == bindparam("mid"), submission.c.state.in_([state.value for state in OPEN]))
)
_OPEN_FILES = (
    select(func.count())
    .select_from(batch)
    .where(batch.c.mid == bindparam("mid"), batch.c.step.in_([BatchStep.PART_VERIFIED.value, BatchStep.IN_DOUBT.value]))
)


def differences(known: Identity, wanted: Identity) -> list[str]:
    """The names of what would change, in a fixed order; a host key that no settings name now stays as it is."""
    names = ("mid", *_CHANGEABLE)
    return [
        name
        for name in names
        if getattr(known, name) != getattr(wanted, name) and not (name == "host_key" and not wanted.host_key)
    ]


@dataclass(frozen=True, slots=True)
class OpenNow:
    """What is still under way in a ledger: open orders, and files of which a part was verified or that are in doubt."""

    orders: int
    files: int


def check_change(ledger: Ledger, known: Identity, wanted: Identity) -> OpenNow:
    """Whether this ledger may be locked to that instead; what is open in it.

    It stays one merchant's for ever, and one environment's once it has claimed an order: what is out there would be asked
    for where nobody knows of it. Raises DecisionRefused.
    """
    with ledger.reading() as connection:
        has_claimed = any(connection.execute(query, {"mid": ledger.mid}).first() is not None for query in _CLAIMED)
        orders: int = connection.execute(_OPEN_ORDERS, {"mid": ledger.mid}).scalar_one()
        files: int = connection.execute(_OPEN_FILES, {"mid": ledger.mid}).scalar_one()
    _refuse(known, wanted, has_claimed=has_claimed)
    return OpenNow(orders, files)


def _refuse(known: Identity, wanted: Identity, *, has_claimed: bool) -> None:
    elsewhere = "Name another data_dir and another ledger.url in the settings; the first nightly makes and locks it."
    if known.mid != wanted.mid:
        raise DecisionRefused(f"The ledger is merchant {known.mid}'s, and stays so.", next_step=elsewhere)
    if known.environment != wanted.environment and has_claimed:
        raise DecisionRefused(
            f"The ledger has orders of the {known.environment} environment; it cannot become one of {wanted.environment}.",
            next_step=elsewhere,
        )


def relock(writing: Writing, known: Identity, wanted: Identity, *, reason: str, person: str) -> None:
    """Lock the ledger to other settings, if it is still locked as it was when the person looked.

    Raises IdentityChanged when it is not, DecisionRefused when an order was claimed meanwhile; then nothing is written.
    """
    about = {"mid": writing.mid}
    has_claimed = any(writing.connection.execute(query, about).first() is not None for query in _CLAIMED)
    _refuse(known, wanted, has_claimed=has_claimed)
    new = {name: getattr(wanted, name) or getattr(known, name) for name in _CHANGEABLE}
    before = {f"w_{name}": getattr(known, name) for name in ("mid", *_CHANGEABLE)}
    if writing.connection.execute(_CHANGE, {**before, **{f"v_{name}": value for name, value in new.items()}}).rowcount != 1:
        raise IdentityChanged("The lock was changed while you looked at it.", next_step="Look again: mitbatch lock show")
    detail = {"by": person, "was": asdict(known), "is": {"mid": known.mid, **new}}
    note_of_ledger(writing, kind="lock", source="operator", reason=reason, detail=detail)
