"""What must page somebody: each once per cause, by an item that says so, with a code that `explain` knows."""

from datetime import timedelta

import pytest

from batch.paging import unusual
from jobs.alert_lines import alert_lines
from jobs.report_lines import people_lines
from jobs.word_pages import word_page
from schemas.alerts import ALERT_TEXTS, AlertCode, alert_of
from schemas.reasons import ItemKind
from tests.night.conftest import MakeHouse
from tests.night.house import ONHOLD, House, order


@pytest.mark.parametrize(
    ("count", "before", "words"),
    [
        (0, [100] * 6, ""),
        (0, [100] * 7, "no candidates"),
        (0, [19] * 9, ""),
        (1, [100] * 9, ""),
        (300, [100] * 9, ""),
        (301, [100] * 9, "301 candidates"),
        (10_000, [0, 0, 0, 0, 5, 9, 100], ""),
    ],
)
def test_when_a_night_is_unusual(count: int, before: list[int], words: str) -> None:
    """None where there are usually many, or more than three times the median; never before a week is known."""
    found = unusual(count, before)
    assert words in found
    assert bool(found) is bool(words)


def test_a_night_without_candidates_pages_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The night after a week with many exits 10 and says why; again the same date says nothing new; a usual night closes it."""
    monkeypatch.setattr("batch.paging.MANY", 2)
    for number in range(7):
        house.add(*(order(f"{number}-{each}", charged_at=_now(house)) for each in range(3)))
        house.run()
        house.pass_time(days=1)
    report = house.run()
    assert report.code == 10
    assert [kind for kind, _ in house.items()] == ["unusual_night"]
    assert any("MB-ALERT-UNUSUAL-NIGHT" in line for line in people_lines(report, house.settings))
    report = house.run()
    assert report.code == 0
    assert alert_lines(report.items, report.run_id) == []
    house.pass_time(days=1)
    house.add(*(order(f"8-{each}", charged_at=_now(house)) for each in range(3)))
    house.run()
    assert house.items() == []


def _now(house: House) -> str:
    return (house.clock.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_every_alert_has_its_page_and_a_cause() -> None:
    """`explain CODE` describes each, and each is what some item pages with."""
    assert [code for code in AlertCode if not word_page(code)] == []
    subjects = ("x", "overdue:x", "charge:x", "reconcile:x")
    assert {alert_of(kind, subject) for kind in ItemKind for subject in subjects} - {None} == set(ALERT_TEXTS)
    assert alert_of(ItemKind.UNKNOWN_STATUS, "overdue:1") is AlertCode.OVERDUE
    assert alert_of(ItemKind.UNKNOWN_STATUS, "order:1") is None


@pytest.mark.parametrize(
    ("subject", "kind", "code"),
    [
        ("charge:1", ItemKind.DOUBLE_CHARGE, AlertCode.HOUSE_CHARGE),
        ("order:1", ItemKind.DOUBLE_CHARGE, AlertCode.LATE_COMPLETION),
        ("order:1", ItemKind.CONTRADICTION, AlertCode.CONTRADICTION),
        ("reconcile:1", ItemKind.CONTRADICTION, AlertCode.BOOKS_DIFFER),
        ("reconcile:1", ItemKind.AMOUNT_DIFFERS, AlertCode.BOOKS_DIFFER),
        ("reconcile-unknown:orders", ItemKind.CONTRADICTION, AlertCode.BOOKS_DIFFER),
        ("reconcile-rest:items", ItemKind.CONTRADICTION, AlertCode.BOOKS_DIFFER),
        ("settlement:1", ItemKind.AMOUNT_DIFFERS, AlertCode.BOOKS_DIFFER),
        ("settlement-unknown:orders", ItemKind.CONTRADICTION, AlertCode.BOOKS_DIFFER),
        ("settlement-lines:unread", ItemKind.QUARANTINE, None),
    ],
)
def test_what_a_comparison_finds_is_no_answer_of_the_provider(subject: str, kind: ItemKind, code: AlertCode | None) -> None:
    """A charge in-house, and books that differ, page under codes of their own: the provider has said nothing odd."""
    assert alert_of(kind, subject) is code


def test_silence_pages_once_where_files_came_before(make_house: MakeHouse) -> None:
    """36 hours without a file, although outcome files came before and an order is pending; the next file closes it."""
    house = make_house(outcome_files=True)
    house.add(order(payment_token=ONHOLD))
    house.run()
    house.pass_time(hours=40)
    assert house.run("poll").code == 0
    house.add(order("b", charged_at=_now(house)))
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    assert house.ledger("SELECT count(*) AS n FROM evidence WHERE source = 'file'") != [{"n": 0}]
    house.pass_time(hours=37)
    assert house.run("poll").code == 10
    assert [kind for kind, _ in house.items()] == ["no_response"]
    house.pass_time(hours=1)
    assert house.run("poll").code == 0
    house.add(order("c", charged_at=_now(house)))
    house.run()
    assert house.items() == []
