"""What a comparison has found so far: figures that grow with sites, currencies and states, never with orders. Pure."""

from dataclasses import dataclass, field

from batch.book_entries import Total
from schemas.matches import Book, Match

MOST_NAMED = 10
"""So many differences are named on the terminal; the file has all."""

_NOTHING = Total()


@dataclass(frozen=True, slots=True)
class Named:
    """One order that differs, as people are told of it."""

    order_id: str
    match: Match
    explanation: str


@dataclass(slots=True)
class Compared:
    """The figures of one comparison; amounts are minor units.

    `since` (UTC text): orders claimed from then on are compared, and every open one. `is_list_had`: the provider's list was
    had, `is_list_whole`: to its end. `totals` are by book, site, currency and state; `matches` by match and currency.
    `handed_over`, `acknowledged` and `answered` count orders, `files` the files and groups of calls that they left in.
    """

    since: str
    is_list_had: bool = False
    is_list_whole: bool = False
    has_settlement: bool = False
    orders: int = 0
    rows: int = 0
    equal: int = 0
    listed: int = 0
    asked_singly: int = 0
    house_charges: int = 0
    items: int = 0
    untold: int = 0
    handed_over: int = 0
    acknowledged: int = 0
    answered: int = 0
    strangers: int = 0
    new_strangers: int = 0
    settled_lines: int = 0
    odd_lines: int = 0
    files: set[str] = field(default_factory=set)
    totals: dict[tuple[Book, str, str, str], Total] = field(default_factory=dict)
    matches: dict[tuple[Match, str], Total] = field(default_factory=dict)
    named: list[Named] = field(default_factory=list)

    @property
    def differing(self) -> int:
        """How many rows differ."""
        return sum(total.orders for total in self.matches.values())

    def count(self, book: Book, site: str, currency: str, state: str, amount_minor: int | None) -> None:
        """Count an order as one book has it."""
        key = (book, site, currency, state)
        self.totals[key] = self.totals.get(key, _NOTHING) + Total(1, amount_minor or 0)

    def note(self, match: Match, order_id: str, currency: str, amount_minor: int | None, explanation: str) -> None:
        """Count a row, and keep the first few that differ."""
        self.rows += 1
        if match is Match.EQUAL:
            return
        self.matches[match, currency] = self.matches.get((match, currency), _NOTHING) + Total(1, amount_minor or 0)
        if len(self.named) < MOST_NAMED:
            self.named.append(Named(order_id, match, explanation))
