"""The dated network rules: each is complete, sourced, and says what acquirers publish."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import schemas

RULES: list[dict[str, Any]] = tomllib.loads((Path(schemas.__file__).parent / "network_rules.toml").read_text(encoding="utf-8"))[
    "rule"
]
REQUIRED = {"id", "brand", "region", "kind", "effective_from", "source", "note"}
OPTIONAL = {"codes", "advice", "attempts_30d", "attempts_24h", "wait_seconds", "never_days", "effective_to"}
FIGURES = {"never": {"never_days"}, "limit": {"attempts_30d", "attempts_24h"}, "wait": {"wait_seconds"}}
EVERY_RULE = pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["id"]))


def _in_force(day: date) -> Iterator[dict[str, Any]]:
    return (rule for rule in RULES if rule["effective_from"] <= day <= rule.get("effective_to", date.max))


def test_ids_are_unique() -> None:
    """An id names one rule, because orders are explained by it."""
    assert [name for name, count in Counter(rule["id"] for rule in RULES).items() if count > 1] == []


@EVERY_RULE
def test_rule_has_known_keys_only(rule: dict[str, Any]) -> None:
    """A rule has every key that it needs, and none that nobody reads."""
    assert REQUIRED <= rule.keys() <= REQUIRED | OPTIONAL


@EVERY_RULE
def test_figure_belongs_to_kind(rule: dict[str, Any]) -> None:
    """A rule carries a positive whole figure of its own kind, and no other; only "never" may do without."""
    figures = rule.keys() & set().union(*FIGURES.values())
    assert figures <= FIGURES[rule["kind"]]
    assert len(figures) == (1 if rule["kind"] != "never" else len(figures))
    assert all(type(rule[name]) is int and rule[name] > 0 for name in figures)


@EVERY_RULE
def test_rule_names_what_it_is_about(rule: dict[str, Any]) -> None:
    """A limit is about every decline; "never" and "wait" name network codes or advice codes, never both."""
    named = [name for name in ("codes", "advice") if rule.get(name)]
    assert len(named) == (0 if rule["kind"] == "limit" else 1)
    assert all(isinstance(code, str) and len(code) == 2 for name in named for code in rule[name])


@EVERY_RULE
def test_dates_are_days_in_order(rule: dict[str, Any]) -> None:
    """A rule begins on a calendar day, and ends no earlier than it begins."""
    assert type(rule["effective_from"]) is date
    assert rule["effective_from"] <= rule.get("effective_to", date.max)


@EVERY_RULE
def test_source_is_a_web_page(rule: dict[str, Any]) -> None:
    """Whoever asks why an order was held back can open the source."""
    parts = urlsplit(rule["source"])
    assert (parts.scheme, bool(parts.hostname), rule["source"] == rule["source"].strip()) == ("https", True, True)


def test_visa_category_1_is_the_published_list() -> None:
    """Visa's codes that are never tried again are exactly those that acquirers list."""
    codes = {code for rule in RULES if rule["brand"] == "visa" for code in rule.get("codes", [])}
    assert codes == {"04", "07", "12", "14", "15", "41", "43", "46", "57", "R0", "R1", "R3"}


def test_mastercard_advice_is_the_published_list() -> None:
    """Mastercard's advice 03 and 21 forbid another attempt for 30 days, and 24 to 30 say how long to wait."""
    rules = [rule for rule in RULES if rule["brand"] == "mastercard" and "advice" in rule]
    never = {rule["advice"][0]: rule["never_days"] for rule in rules if rule["kind"] == "never"}
    waits = {rule["advice"][0]: timedelta(seconds=rule["wait_seconds"]) for rule in rules if rule["kind"] == "wait"}
    assert never == {"03": 30, "21": 30}
    assert waits == {
        "24": timedelta(hours=1),
        "25": timedelta(hours=24),
        "26": timedelta(days=2),
        "27": timedelta(days=4),
        "28": timedelta(days=6),
        "29": timedelta(days=8),
        "30": timedelta(days=10),
    }


@pytest.mark.parametrize(("day", "in_force"), [(date(2026, 10, 24), False), (date(2026, 10, 25), True), (date(2027, 1, 1), True)])
def test_visa_57_is_never_from_its_date(day: date, in_force: bool) -> None:
    """Visa 57 forbids another attempt from 25 October 2026, and not a day before."""
    assert any(rule.get("codes") == ["57"] for rule in _in_force(day)) is in_force


@pytest.mark.parametrize(
    ("day", "figures"),
    [(date(2021, 4, 1), {15}), (date(2025, 5, 18), {15}), (date(2025, 5, 19), {15, 20}), (date(2026, 11, 22), {15, 20})],
)
def test_visa_limit_keeps_the_stricter_figure(day: date, figures: set[int]) -> None:
    """Since 19 May 2025 Visa's limit is 20 in some sources and 15 in others, and both stand, so that 15 wins."""
    assert {rule["attempts_30d"] for rule in _in_force(day) if rule["id"].startswith("visa-limit")} == figures


def test_mastercard_limits() -> None:
    """Mastercard allows 35 attempts in 30 days and 10 in 24 hours."""
    limits = [rule for rule in RULES if rule["brand"] == "mastercard" and rule["kind"] == "limit"]
    assert {name: rule[name] for rule in limits for name in FIGURES["limit"] & rule.keys()} == {
        "attempts_30d": 35,
        "attempts_24h": 10,
    }


def test_other_brands_have_no_rule() -> None:
    """No figures are published for other brands, so none are made up."""
    assert {(rule["brand"], rule["region"]) for rule in RULES} == {("visa", "*"), ("mastercard", "*")}
