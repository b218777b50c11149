"""How an order's books compare, in the words of `reconciliation.csv`. All of it is public."""

from enum import StrEnum


class Match(StrEnum):
    """What a comparison says of one order. The value is the cell in `reconciliation.csv`; the gravest comes first."""

    MISSING_IN_LEDGER = "missing_in_ledger"
    MISSING_AT_PROVIDER = "missing_at_provider"
    MISSING_IN_ORDERS = "missing_in_orders"
    AMOUNT_DIFFERS = "amount_differs"
    STATE_DIFFERS = "state_differs"
    FILE_DIFFERS = "file_differs"
    EQUAL = "equal"


MATCH_TEXTS: dict[Match, str] = {
    Match.MISSING_IN_LEDGER: "the provider or the order system has an order that the ledger does not know",
    Match.MISSING_AT_PROVIDER: "the provider accepted an order and does not show it",
    Match.MISSING_IN_ORDERS: "the order system has no row of an order that was handed over",
    Match.AMOUNT_DIFFERS: "two books have different amounts, currencies or refunds of an order",
    Match.STATE_DIFFERS: "two books disagree about how an order stands",
    Match.FILE_DIFFERS: "the file that was sent, or the provider's settlement, has something else of an order",
    Match.EQUAL: "all books agree",
}
"""One sentence for each."""


class Book(StrEnum):
    """One of the books that are compared."""

    LEDGER = "ledger"
    ORDERS = "orders"
    PROVIDER = "provider"
    SETTLEMENT = "settlement"


class SettledKind(StrEnum):
    """What a line of the provider's settlement is about."""

    CAPTURE = "capture"
    RETURN = "return"
    CHARGEBACK = "chargeback"
