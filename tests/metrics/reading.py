"""Metrics as a program reads them."""

from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families

from tests.night.house import House

Labels = tuple[tuple[str, str], ...]
Shown = dict[tuple[str, Labels], float]
"""Samples by name and labels, without `mid`."""


def read(text: str) -> Shown:
    """Every sample of a text."""
    return {
        (sample.name, tuple(sorted((name, value) for name, value in sample.labels.items() if name != "mid"))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def textfile(house: House) -> str:
    """The file that a run has left."""
    return (house.folder / "var" / "metrics" / "mitbatch.prom").read_text(encoding="utf-8")


def shown(house: House) -> Shown:
    """What the last run has left."""
    return read(textfile(house))


def value(found: Shown, name: str, **labels: str) -> float:
    """One sample."""
    return found[f"mitbatch_{name}", tuple(sorted(labels.items()))]


def total(found: Shown, name: str, **labels: str) -> float:
    """All samples of a name that have these labels, added up."""
    wanted: Iterable[tuple[str, str]] = labels.items()
    return sum(number for (of, have), number in found.items() if of == f"mitbatch_{name}" and set(wanted) <= set(have))
