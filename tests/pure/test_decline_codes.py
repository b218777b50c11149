"""Decline codes get our own names by their source, and a malformed list is refused by the key's name."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.decline_codes import GROUPS, parse_decline_codes
from schemas.errors import ConfigurationError
from tests.pure.samples import decline_codes, packaged


@pytest.mark.parametrize(
    ("source", "code", "group"),
    [
        ("iso", "05", "do_not_honor"),
        ("iso", "5", "do_not_honor"),
        ("ISO", "r1", "stop_recurring"),
        ("stripe", "Insufficient_Funds", "insufficient_funds"),
        ("Stripe", "blocked", "gateway_rejection"),
        ("Braintree", "2046", ""),
        ("braintree", "2000", "do_not_honor"),
        ("NMI", "299", ""),
        ("NMI", "300", "gateway_rejection"),
        ("NMI", "399", "gateway_rejection"),
        ("NMI", "400", ""),
        ("Authorize.Net", "19", "issuer_away"),
        ("authorize net", "26", "issuer_away"),
        ("authorize_net", "27", "gateway_rejection"),
        ("nobody", "05", ""),
        ("", "05", ""),
        ("nmi", "", ""),
        ("nmi", "３００", ""),
        ("nmi", "9" * 5000, ""),
    ],
)
def test_a_code_has_its_group(source: str, code: str, group: str) -> None:
    """Sources and codes are known in any case, ranges with both ends; what no table has is empty."""
    assert decline_codes().group(source, code) == group


@pytest.mark.parametrize(
    ("source", "code", "network_code", "group"),
    [
        ("nmi", "202", "41", "insufficient_funds"),
        ("nmi", "200", "41", "lost_stolen"),
        ("nmi", "200", "ZZ", "unspecified"),
        ("nobody", "1", "51", "insufficient_funds"),
        ("nobody", "1", "", ""),
        ("nmi", "310", "51", "gateway_rejection"),
    ],
)
def test_the_networks_code_helps_where_the_source_says_nothing(source: str, code: str, network_code: str, group: str) -> None:
    """A definite word of the source counts; an indefinite one gives way to the network's own code."""
    assert decline_codes().group_of(source, code, network_code) == group


def test_every_packaged_code_is_found_again() -> None:
    """Each line of the packaged file gives its group, and each group is used."""
    tables = tomllib.loads(packaged("decline_codes.toml"))
    for source, codes in tables.items():
        for code, group in codes.items():
            for end in code.split("-"):
                assert decline_codes().group(source, end) == group
    assert {group for codes in tables.values() for group in codes.values()} == GROUPS


@given(st.text(), st.text())
def test_any_text_has_a_group_or_none(source: str, code: str) -> None:
    """Nothing that a row may hold makes the look-up fail."""
    assert decline_codes().group(source, code) in GROUPS | {""}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nmi = 5", "nmi"),
        ("[nmi]\n200 = 5", "nmi.200"),
        ('[nmi]\n200 = "declined"', "nmi.200: declined is not a group"),
        ('[nmi]\n"399-300" = "fraud"', "nmi.399-300: the range runs backwards"),
        ('[iso]\n"05" = "fraud"\n5 = "limit"', "iso.5: the code stands twice"),
        ("[nmi", "not TOML"),
    ],
)
def test_a_malformed_list_names_its_key(text: str, words: str) -> None:
    """Whoever edits the list is told where it is wrong."""
    with pytest.raises(ConfigurationError, match=words):
        parse_decline_codes(text)


def test_an_exact_code_goes_before_a_range() -> None:
    """A line of its own is an exception from the range around it."""
    codes = parse_decline_codes('[a]\n"1-9" = "fraud"\n5 = "limit"')

    assert [codes.group("a", str(code)) for code in (4, 5, 6)] == ["fraud", "limit", "fraud"]
