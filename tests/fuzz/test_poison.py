"""Hundreds of hostile files in the outbound folder: the orders end as if none had been there (I15, I16, I24)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox
from tests.fuzz import answers
from tests.fuzz.dice import Dice
from tests.night.house import CANCELLED, COMPLETED, ONHOLD, START, House, order

POISON = 300


@contextmanager
def _house(folder: Path) -> Iterator[House]:
    clock = MovableClock(START)
    folder.mkdir()
    with Sandbox(folder / "provider", clock=clock) as sandbox:
        yield House(folder, sandbox, clock)


def _poison(house: House) -> None:
    for number in range(POISON):
        target = answers.ACKNOWLEDGEMENT if number % 2 else answers.OUTCOMES
        name = f"evaluate_{number:04}_response.json" if number % 2 else f"outcomes_{number:04}.json"
        house.put_outbound(name, target.make(Dice(11, number, target.name)))
    with (house.sandbox.outbound / "outcomes_huge.json").open("wb") as file:
        file.truncate(2 << 30)


def _nights(house: House, *, poisoned: bool) -> tuple[object, ...]:
    """Two days with some orders; what the merchant has at the end.

    That outcome files came and then came no more is told, whoever's they were: without poison there are none here at all.
    """
    tokens = (COMPLETED, CANCELLED, ONHOLD)
    house.add(*(order(f"a{number}", payment_token=tokens[number % 3]) for number in range(9)))
    if poisoned:
        _poison(house)
    house.run()
    for hours in (1, 12, 24):
        house.pass_time(hours=hours)
        house.run("poll")
    rows = [{name: cell for name, cell in house.row(f"a{n}").items() if name != "hold_reference"} for n in range(9)]
    others = [item for item in house.items() if item[0] not in ("quarantine", "no_response")]
    return house.states(), rows, others, sorted(house.accepted().items())


def test_poison_changes_nothing_but_quarantine(tmp_path: Path) -> None:
    """With hostile files beside the real ones, orders, rows and items are as without, and nothing else is written."""
    with _house(tmp_path / "clean") as house:
        expected = _nights(house, poisoned=False)
        assert "quarantine" not in {kind for kind, _ in house.items()}
    with _house(tmp_path / "poisoned") as house:
        found = _nights(house, poisoned=True)
        quarantined = [item for item in house.items() if item[0] == "quarantine"]
        inside = {path.name for path in house.folder.iterdir()}

    assert found == expected
    assert len(quarantined) > POISON // 4
    assert inside == {"orders.db", "mitbatch.toml", "var", "provider"}
    assert {path.name for path in tmp_path.iterdir()} == {"clean", "poisoned"}
