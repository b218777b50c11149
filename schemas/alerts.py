"""What must page somebody, once per cause (FAULTS 6): a stable code for each, and the items that are its causes.

A cause is an item: it opens once, the run that opens it tells of it and exits 10, and it closes when the cause is gone. What
is refused before anything is sent pages by its own code and exit 30 or 70: MB-SFTP-HOSTKEY, MB-LEDGER-IDENTITY,
MB-LEDGER-BEHIND, MB-AUDIT, and books that do not balance.
"""

from enum import StrEnum

from schemas.reasons import ItemKind


class AlertCode(StrEnum):
    """The codes; `mitbatch explain CODE` describes each."""

    IN_DOUBT = "MB-ALERT-IN-DOUBT"
    OVERDUE = "MB-ALERT-OVERDUE"
    LATE_COMPLETION = "MB-ALERT-LATE-COMPLETION"
    CONTRADICTION = "MB-ALERT-CONTRADICTION"
    UNUSUAL_NIGHT = "MB-ALERT-UNUSUAL-NIGHT"
    NO_RESPONSE = "MB-ALERT-NO-RESPONSE"
    RUN_MISSED = "MB-ALERT-RUN-MISSED"
    WITHHELD = "MB-ALERT-WITHHELD"
    HOUSE_CHARGE = "MB-ALERT-HOUSE-CHARGE"
    BOOKS_DIFFER = "MB-ALERT-BOOKS-DIFFER"


ALERT_TEXTS: dict[AlertCode, str] = {
    AlertCode.IN_DOUBT: "something is in doubt, or a file unanswered, for longer than outcomes.ingest_window_seconds",
    AlertCode.OVERDUE: "an order has no final answer although its expiry and outcomes.expiry_grace_seconds are over",
    AlertCode.LATE_COMPLETION: "the provider recovered an order after its release, or one that was paid for otherwise",
    AlertCode.CONTRADICTION: "two answers of the provider contradict each other, or name another amount than was handed over",
    AlertCode.UNUSUAL_NIGHT: "a night had no candidates although nights have many, or more than three times as many as usual",
    AlertCode.NO_RESPONSE: "the provider has sent no response file for 36 hours although it usually does and orders are pending",
    AlertCode.RUN_MISSED: "a night began more than an hour late, or nights before it were never run",
    AlertCode.WITHHELD: "a file lies half sent at the provider because something is, or was, switched off",
    AlertCode.HOUSE_CHARGE: "your own retry took an order that is held, or its row shows paid: the customer may be charged twice",
    AlertCode.BOOKS_DIFFER: "a comparison found that the books, or a settlement, say different things of an order",
}
"""One sentence for each code."""

_KINDS = {
    ItemKind.MISSING_ACKNOWLEDGEMENT: AlertCode.IN_DOUBT,
    ItemKind.ACTION_IN_DOUBT: AlertCode.IN_DOUBT,
    ItemKind.LATE_COMPLETION: AlertCode.LATE_COMPLETION,
    ItemKind.DOUBLE_CHARGE: AlertCode.LATE_COMPLETION,
    ItemKind.CONTRADICTION: AlertCode.CONTRADICTION,
    ItemKind.AMOUNT_DIFFERS: AlertCode.CONTRADICTION,
    ItemKind.UNUSUAL_NIGHT: AlertCode.UNUSUAL_NIGHT,
    ItemKind.NO_RESPONSE: AlertCode.NO_RESPONSE,
    ItemKind.RUN_MISSED: AlertCode.RUN_MISSED,
    ItemKind.SWITCHED_OFF: AlertCode.WITHHELD,
}

_OF_COMPARISONS = tuple(f"{book}{of}" for book in ("reconcile", "settlement") for of in ("", "-unknown", "-rest"))
"""What the subjects of items begin with that a comparison opened: the books were compared, and no answer contradicts another."""


def alert_of(kind: ItemKind, subject: str) -> AlertCode | None:
    """The code that an item pages with; none for one that may wait for its due date."""
    about, code = subject.partition(":")[0], _KINDS.get(kind)
    if code is not None and about in _OF_COMPARISONS:
        return AlertCode.BOOKS_DIFFER
    return {"overdue": AlertCode.OVERDUE, "charge": AlertCode.HOUSE_CHARGE}.get(about, code)
