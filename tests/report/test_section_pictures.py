"""Every section of the page has the pictures and tables that answer its question, for each currency that it has."""

import re

import pytest

from tests.report.conftest import Drawn

PICTURES: dict[str, tuple[str, ...]] = {
    "needs": (),
    "balance": ("How the open amount in CUR moved",),
    "money": ("Money of the month to date in CUR",),
    "tonight": ("From candidate to accepted in CUR",),
    "why-not": ("Why orders were not sent, CUR",),
    "cohorts": ("Share of amount recovered by days since hand-over, CUR",),
    "pending": ("Open orders, CUR: days since hand-over", "Open orders, CUR: days to expiry"),
    "declines": (
        "Recovery rate (count), CUR by decline group, final",
        "Amount handed over, CUR by decline group",
        "Recovery rate (count), CUR by decline code, final",
        "Amount handed over, CUR by decline code",
    ),
    "kinds": (
        "Recovery rate (count), CUR by site, final",
        "Recovery rate (count), CUR by card brand, final",
        "Recovery rate (count), CUR by origin, final",
        "Recovery rate (count), CUR by channel, final",
    ),
    "time": ("Share of orders recovered by day, CUR",),
    "kept": ("Refunds and chargebacks in CUR, by month of hand-over", "Refunds and chargebacks in CUR, by month of booking"),
    "network": ("Attempts avoided by rule",),
    "reconciliation": ("Orders that differ, the last 30 dates",),
    "operation": ("The last 30 nights by exit code", "Calls of the API that failed, the 30 dates before"),
    "files": (),
}
"""What each section draws, by its anchor; `CUR` stands for every currency."""
LEAST_TABLES = {"needs": 1, "network": 2, "reconciliation": 1, "operation": 3, "files": 2}
"""Tables of sections whose pictures are not one for each currency; every other picture has its own."""
CURRENCY = r"\b(?:USD|EUR|JPY)\b"
NOT_EVERY_NIGHT = {"why-not"}
"""Drawn of those currencies alone of which an order stayed behind that night."""


def sections(page: bytes) -> dict[str, str]:
    """The page's sections by their anchors; the verdict stands before the first."""
    parts = re.split(r'<section id="', page.decode())[1:]
    return {part.partition('"')[0]: part.partition("</section>")[0] for part in parts}


def titles(section: str) -> list[tuple[str, str]]:
    """The title of each picture, with the currency that it is in."""
    found = re.findall(r'<svg role="img"[^>]*><title[^>]*>([^<]*)', section)
    return [(re.sub(CURRENCY, "CUR", title), "".join(re.findall(CURRENCY, title))) for title in found]


def test_every_section_is_listed(drawn: Drawn) -> None:
    """In the order of the page."""
    assert list(sections(drawn.page)) == list(PICTURES)


@pytest.mark.parametrize("anchor", PICTURES)
def test_each_section_has_its_own_pictures(drawn: Drawn, anchor: str) -> None:
    """One of each kind for every currency; a section without one of its own fails, however many others have."""
    found = titles(sections(drawn.page)[anchor])
    assert {title for title, _ in found} == set(PICTURES[anchor])
    for title in PICTURES[anchor]:
        currencies = sorted(currency for each, currency in found if each == title)
        expected = [["EUR", "JPY", "USD"]] if "CUR" in title else [[""]]
        assert currencies in expected or (anchor in NOT_EVERY_NIGHT and set(currencies) <= {"EUR", "JPY", "USD"})


@pytest.mark.parametrize("anchor", PICTURES)
def test_each_section_has_its_tables(drawn: Drawn, anchor: str) -> None:
    """The figures of each picture, and the tables that a section has in place of one."""
    section = sections(drawn.page)[anchor]
    kinds = len(PICTURES[anchor]) if anchor != "declines" else 2  # there two pictures stand over one table
    assert section.count("<table") >= LEAST_TABLES.get(anchor, kinds * (1 if anchor in NOT_EVERY_NIGHT else 3))
    assert section.count("<summary>Show figures</summary>") <= section.count("<table")
