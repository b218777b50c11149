"""The groups of decline codes: known names, whole ranges, and a gateway's own refusal told apart from a bank's."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import schemas

TABLES: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(schemas.__file__).parent / "decline_codes.toml").read_text(encoding="utf-8")
)
GROUPS = {
    "do_not_honor",
    "unspecified",
    "insufficient_funds",
    "limit",
    "expired_card",
    "bad_account",
    "lost_stolen",
    "fraud",
    "call_issuer",
    "issuer_away",
    "stop_recurring",
    "update_data",
    "retry_later",
    "cvv",
    "gateway_rejection",
}
RANGE = re.compile(r"(\d+)-(\d+)")


def _codes(table: dict[str, Any], group: str) -> set[str]:
    return {code for code, name in table.items() if name == group}


def test_sources_are_those_of_the_orders_table() -> None:
    """There is one table for the networks and one for each gateway."""
    assert set(TABLES) == {"iso", "stripe", "braintree", "nmi", "authorize_net"}


@pytest.mark.parametrize("source", sorted(TABLES))
def test_every_code_has_a_known_group(source: str) -> None:
    """Each code belongs to a group that the comments explain."""
    assert set(TABLES[source].values()) <= GROUPS


def test_every_group_is_used() -> None:
    """No group is a name without a code."""
    assert {group for table in TABLES.values() for group in table.values()} == GROUPS


@pytest.mark.parametrize("source", sorted(TABLES))
def test_ranges_are_whole_and_hold_no_other_code(source: str) -> None:
    """A range runs upwards between numbers of equal length, and no code stands in two groups."""
    spans = {code: [int(end) for end in match.groups()] for code in TABLES[source] if (match := RANGE.fullmatch(code))}
    for code, (first, last) in spans.items():
        assert first < last
        assert len(str(first)) == len(str(last))
        inside = [other for other in TABLES[source] if other.isdigit() and first <= int(other) <= last]
        assert (code, inside) == (code, [])


def test_a_gateways_own_refusal_is_no_decline() -> None:
    """What a gateway refused without asking the bank is told apart, at every gateway and never by a network code."""
    assert {source: _codes(table, "gateway_rejection") for source, table in TABLES.items()} == {
        "iso": set(),
        "stripe": {"blocked", "not_sent_to_network"},
        "braintree": {"gateway_rejected"},
        "nmi": {"300-399"},
        "authorize_net": {"27", "45", "65", "250", "251", "254"},
    }


@pytest.mark.parametrize(
    ("group", "codes"),
    [
        ("insufficient_funds", {"iso": "51", "stripe": "insufficient_funds", "braintree": "2001", "nmi": "202"}),
        ("do_not_honor", {"iso": "05", "stripe": "do_not_honor", "braintree": "2000", "nmi": "201"}),
        ("expired_card", {"iso": "54", "stripe": "expired_card", "braintree": "2004", "nmi": "223", "authorize_net": "8"}),
        ("lost_stolen", {"iso": "41", "stripe": "lost_card", "braintree": "2012", "nmi": "251", "authorize_net": "4"}),
        ("cvv", {"iso": "N7", "stripe": "incorrect_cvc", "braintree": "2010", "nmi": "225", "authorize_net": "44"}),
        ("issuer_away", {"iso": "91", "stripe": "issuer_not_available", "nmi": "421", "authorize_net": "19-26"}),
        ("stop_recurring", {"iso": "R1", "stripe": "stop_payment_order", "nmi": "261"}),
    ],
)
def test_the_same_cause_has_the_same_group_everywhere(group: str, codes: dict[str, str]) -> None:
    """One cause reads as one group, whichever gateway reported it."""
    assert {source: TABLES[source].get(code) for source, code in codes.items()} == dict.fromkeys(codes, group)


def test_an_unspecific_decline_is_not_do_not_honor() -> None:
    """Stripe's generic decline and NMI's 200 say only that somebody declined."""
    assert (TABLES["stripe"]["generic_decline"], TABLES["nmi"]["200"]) == ("unspecified", "unspecified")
