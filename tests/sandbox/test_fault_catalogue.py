"""The catalogue of faults as a whole: every id of classes N, H, W and F has one, and every one is fired by a test."""

from pathlib import Path

import pytest

import jobs.sandbox.server  # noqa: F401 - brings every fault into the catalogue
from jobs.sandbox.fault_ids import with_ids
from jobs.sandbox.faults import CATALOGUE

_SIZES = {"N": 18, "H": 20, "W": 8, "F": 20}
_WANTED = [f"{letter}-{number:02d}" for letter, size in _SIZES.items() for number in range(1, size + 1)]


def _ids() -> set[str]:
    found: set[str] = set()
    for known in CATALOGUE.values():
        ids = with_ids({"what": known.sentence, "point": known.point})["ids"]
        assert isinstance(ids, list)
        found.update(ids)
    return found


@pytest.mark.parametrize("wanted", _WANTED)
def test_every_id_has_a_fault(wanted: str) -> None:
    """Each fault of the four classes can be switched on by at least one name."""
    assert wanted in _ids()


def test_every_fault_is_switched_on_by_a_test() -> None:
    """No fault is offered that nobody has seen at work."""
    here = Path(__file__)
    texts = "".join(path.read_text(encoding="utf-8") for path in here.parent.parent.rglob("*.py") if path != here)

    assert [name for name in CATALOGUE if f'"{name}"' not in texts] == []
