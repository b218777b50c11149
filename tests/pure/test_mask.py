"""S3: of a card nobody is shown more than its first six and its last four digits, wherever it stands (PCI 3.4.1)."""

import ast
import random

import pytest

from batch.card_numbers import SHOWN, has_card_number, mask, passes_luhn
from tests.house.source import Module, modules, planted
from tests.pure.samples import good_row, judged

PANS = 100_000
STARTS = {"4": 16, "51": 16, "2221": 16, "34": 15, "37": 15, "6011": 16, "36": 14, "3528": 16, "62": 19, "506099": 16}


def card_numbers() -> list[str]:
    """So many card numbers of every brand with their right check digit."""
    dice, found = random.Random(3), list[str]()  # noqa: S311 - digits of a test
    while len(found) < PANS:
        start, length = dice.choice(list(STARTS.items()))
        body = start + "".join(dice.choices("0123456789", k=length - len(start) - 1))
        found.append(next(body + digit for digit in "0123456789" if passes_luhn(body + digit)))
    return found


def test_at_most_six_and_four_digits_are_shown() -> None:
    """However much of a hundred thousand card numbers stands in the two columns, at most ten of its digits come out."""
    dice = random.Random(4)  # noqa: S311 - places of a test
    for number in card_numbers():
        cut = dice.randrange(len(number) + 1)
        shown = mask({"card_bin": number[: cut or 6], "card_last4": number[cut:], "customer_id": "c-1"})
        assert len(shown["card_bin"]) <= 6
        assert len(shown["card_last4"]) <= 4
        assert not has_card_number(shown["card_bin"] + shown["card_last4"])
        assert shown["customer_id"] == "c-1"


@pytest.mark.parametrize(("bin_cell", "last_cell"), [("411111111111", "1111"), ("4", "111111111111111"), ("41111111", "1111")])
def test_a_refused_row_does_not_show_a_number_in_two_pieces(bin_cell: str, last_cell: str) -> None:
    """The columns beside each other, as finance's file has them, never make a whole number."""
    verdict = judged(good_row(card_bin=bin_cell, card_last4=last_cell))
    assert verdict is not None
    cells = verdict.cells

    assert (cells["card_bin"], cells["card_last4"]) == (bin_cell[:6], last_cell[-4:])


MAY_NAME = {
    "batch/card_numbers.py": "the mask",
    "batch/order_rows.py": "reads the order row",
    "batch/build.py": "what is sent: the first six, the last four",
    "batch/gate.py": "chooses the columns of declines.csv, and masks them",
    "batch/token_writer.py": "writes the order row",
    "batch/tokenizing.py": "compares with the order row",
    "schemas/order.py": "names the columns",
    "jobs/doctor/database_checks.py": "names the columns of a right",
    "jobs/certify/marked_orders.py": "makes rows with the provider's published test cards",
    "jobs/certify/looks.py": "compares a marked row with its test card",
}


def naming(found: list[Module]) -> set[str]:
    """Modules that name a column which describes a card, as a key, a name or an attribute."""
    places = set()
    for module in found:
        for node in ast.walk(module.tree):
            word = node.value if isinstance(node, ast.Constant) else getattr(node, "attr", getattr(node, "id", ""))
            if word in SHOWN:
                places.add(module.place)
    return places


def test_nobody_else_shows_a_card() -> None:
    """Only modules on the list name those columns: reports, pages, messages and logs cannot show what they never ask for."""
    ours = [module for module in modules("batch", "jobs", "schemas") if ".sandbox" not in module.name]

    assert naming(ours) == set(MAY_NAME)
    assert naming([planted("say(row['card_last4'])")]) == {"batch/planted.py"}
    assert naming([planted("say(order.card_bin)")]) == {"batch/planted.py"}
