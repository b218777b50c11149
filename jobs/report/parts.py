"""What a section of the page is made of: a question, sentences, pictures, and the figures behind them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from batch.book_entries import Total
from schemas.money import people_text

Cell = str | Markup

NOTHING = Markup()
"""No picture."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A table. Columns of `texts` first ones are words and stand left, the others are numbers and stand right."""

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    texts: int = 1
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One picture with its heading and figures; `is_open` shows the figures without being asked."""

    heading: str = ""
    picture: Markup = NOTHING
    figures: Figures | None = None
    note: str = ""
    is_open: bool = False
    is_wide: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One of the sixteen: `definitions` are printed beside its figures, `lines` are sentences above them."""

    number: int
    anchor: str
    title: str
    question: str
    parts: Sequence[Part] = ()
    lines: Sequence[Cell] = ()
    definitions: Sequence[str] = ()
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the five figures at the top."""

    name: str
    values: Sequence[str]
    note: str = ""
    picture: Markup = NOTHING
    mood: str = ""


@dataclass(slots=True)
class Names:
    """Gives each picture an id of its own, in the order in which they are drawn."""

    last: int = field(default=0)

    def next(self) -> str:
        """The next id."""
        self.last += 1
        return f"p{self.last}"


def plain(amount_minor: int, currency: str) -> str:
    """An amount for a column that names the currency at its head: `21,874.10`."""
    return people_text(amount_minor, currency).partition(" ")[2]


def signed(amount_minor: int, currency: str) -> str:
    """The same with its sign in front, a plus too; nought has none."""
    return f"+{plain(amount_minor, currency)}" if amount_minor > 0 else plain(amount_minor, currency)


def percent(share: float) -> str:
    """A share for people, to a tenth of a percent."""
    return f"{share * 100:.1f} %"


def short_total(total: Total, currency: str) -> str:
    """Orders and amount as the end of a bar says them."""
    return f"{total.orders:,} · {plain(total.amount_minor, currency)}"


def span(seconds: int | None) -> str:
    """A length of time for people: `1h 04m`, `31m 44s`, `12s`."""
    if seconds is None:
        return ""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}h {minutes:02d}m"
    return f"{minutes}m {left:02d}s" if minutes else f"{left}s"


def size_text(size: int) -> str:
    """A size in bytes for people: `812 B`, `12.4 kB`, `3.1 MB`."""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:,.1f} kB" if size < 1_000_000 else f"{size / 1_000_000:,.1f} MB"
