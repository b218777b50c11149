"""Many random edits, each looked for by `audit verify` and then taken back."""

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from schemas.settings import Settings
from tests.long.campaign import Campaign, on_all_cores
from tests.tampering.books import AUDIT, LEDGER, Books, make_books
from tests.tampering.edits import edit_a_file, edit_the_ledger

SHARE = 250


@dataclass(frozen=True)
class Share:
    """The edits that one worker makes, by number, on its own copy of the books."""

    settings: Settings
    folder: Path
    numbers: Sequence[int]
    seed: int


@dataclass
class Tally:
    """What one worker counted, and the edits that nobody noticed."""

    figures: Counter[str]
    unnoticed: list[str]


def campaign(size: int, seed: int) -> Campaign:
    """So many edits, half of them of files and half of the ledger."""
    began, figures, unnoticed = time.monotonic(), Counter[str](), list[str]()
    with tempfile.TemporaryDirectory() as folder:
        books = make_books(Path(folder) / "merchant")
        books.engine.dispose()
        shares = [
            Share(books.settings, books.audit.parent, range(first, min(first + SHARE, size)), seed)
            for first in range(0, size, SHARE)
        ]
        for tally in on_all_cores(look_for, shares):
            figures += tally.figures
            unnoticed += tally.unnoticed
    return Campaign(
        "I19", "edits behind the program's back", dict(sorted(figures.items())), tuple(unnoticed), time.monotonic() - began
    )


def look_for(share: Share) -> Tally:
    """Make each edit, look for it, and take it back."""
    tally = Tally(Counter(), [])
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(share.folder / LEDGER, Path(folder) / LEDGER)
        shutil.copytree(share.folder / AUDIT, Path(folder) / AUDIT)
        books = Books(share.settings, Path(folder) / LEDGER, Path(folder) / AUDIT)
        for number in share.numbers:
            edited, noticed = one_edit(books, chance_of(share.seed, number), of_ledger=number % 2 == 0)
            if not edited:
                continue
            tally.figures.update({"edits": 1, f"edits: {'ledger' if number % 2 == 0 else 'files'}": 1})
            if not noticed:
                tally.unnoticed.append(f"edit {number} of seed {share.seed} was not noticed: {edited}")
        books.engine.dispose()
    return tally


def chance_of(seed: int, number: int) -> Random:
    """What decides about one edit."""
    return Random(f"{seed} {number}")  # noqa: S311 - repeatable, and no secret


def one_edit(books: Books, chance: Random, *, of_ledger: bool) -> tuple[str, list[str]]:
    """Make one edit and look for it. Returns what was edited (again, until something really was), and what was noticed."""
    edited, noticed = "", list[str]()
    while not edited:
        edited, noticed = _of_ledger(books, chance) if of_ledger else _of_files(books, chance)
    return edited, noticed


def _of_ledger(books: Books, chance: Random) -> tuple[str, list[str]]:
    with books.engine.connect() as connection, connection.begin() as transaction:
        edited = edit_the_ledger(connection, chance)
        found = books.verification(connection).verify().tampering if edited else []
        transaction.rollback()
    return edited, [each.sentence for each in found]


def _of_files(books: Books, chance: Random) -> tuple[str, list[str]]:
    edits = edit_a_file(books, chance)
    if not edits:
        return "", []
    days = sorted(edit.path.parent.name for edit in edits)
    found = books.verification().verify(days[0], days[-1]).tampering
    for edit in edits:
        edit.undo()
    return edits[0].words, [each.sentence for each in found]
