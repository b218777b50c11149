"""The networks' rules are dated data: the strictest in force wins, and a malformed list is refused by the key's name."""

from datetime import date

import pytest

from schemas.errors import ConfigurationError
from schemas.network_rules import NetworkRules, brand_name, parse_network_rules, plain_code
from tests.pure.samples import network_rules, packaged

RULE = """
[[rule]]
id = "{id}"
brand = "visa"
region = "*"
kind = "{kind}"
effective_from = 2021-01-01
source = "https://example.com/"
note = "A note."
{more}
"""
TODAY = date(2026, 11, 23)


def rule(name: str = "a", kind: str = "limit", more: str = "attempts_30d = 5") -> str:
    """The TOML of one rule."""
    return RULE.format(id=name, kind=kind, more=more)


@pytest.mark.parametrize("code", ["04", "07", "12", "14", "15", "41", "43", "46", "57", "R0", "R1", "R3"])
def test_visa_category_1_is_never(code: str) -> None:
    """Each code of category 1 forbids another attempt, says since when and who says so."""
    found = network_rules().never("visa", code, "", TODAY)

    assert found is not None
    assert (found.id, found.figure) == (f"visa-category1-{code.lower()}", 0)
    assert found.source.startswith("https://")
    assert found.note


@pytest.mark.parametrize("code", ["", " ", "0", "00", "05", "51", "54", "55", "61", "65", "91", "N7", "4B", "104"])
def test_other_visa_codes_are_not_forbidden(code: str) -> None:
    """Categories 2 to 4, and codes that nobody knows, may be tried again within the limits."""
    assert network_rules().never("visa", code, "", TODAY) is None


def test_57_has_its_day() -> None:
    """57 counts from 25 October 2026."""
    assert network_rules().never("visa", "57", "", date(2026, 10, 24)) is None
    assert network_rules().never("visa", "57", "", date(2026, 10, 25)) is not None


@pytest.mark.parametrize(
    ("day", "figure"), [(date(2021, 3, 31), None), (date(2021, 4, 1), 15), (date(2025, 5, 18), 15), (date(2025, 5, 19), 15)]
)
def test_the_stricter_of_two_figures_holds(day: date, figure: int | None) -> None:
    """Where sources say 15 and 20, 15 holds; before the first day nothing does."""
    found = network_rules().limit("visa", day)

    assert (found and found.figure) == figure


def test_the_last_day_counts() -> None:
    """A rule holds on its last day and not on the next."""
    rules = parse_network_rules(rule("old", more="attempts_30d = 5\neffective_to = 2026-11-22"))

    assert rules.limit("visa", date(2026, 11, 22)) is not None
    assert rules.limit("visa", date(2026, 11, 23)) is None


def test_the_longest_wait_and_the_longest_ban_win() -> None:
    """Of rules that hold at once, the one that keeps an order longer is given."""
    waits = [rule("w1", "wait", 'advice = ["24"]\nwait_seconds = 60'), rule("w2", "wait", 'advice = ["24"]\nwait_seconds = 90')]
    bans = [rule("n1", "never", 'codes = ["41"]\nnever_days = 30'), rule("n2", "never", 'codes = ["41"]')]
    for texts in ([*waits, *bans], [*reversed(waits), *reversed(bans)]):
        rules = parse_network_rules("".join(texts))
        wait, ban = rules.wait("visa", "24", TODAY), rules.never("visa", "41", "", TODAY)
        assert wait is not None
        assert ban is not None
        assert (wait.id, wait.figure, ban.id) == ("w2", 90, "n2")


@pytest.mark.parametrize(
    ("advice", "hours"), [("24", 1), ("25", 24), ("26", 48), ("27", 96), ("28", 144), ("29", 192), ("30", 240)]
)
def test_mastercard_says_how_long_to_wait(advice: str, hours: int) -> None:
    """Each timed advice has its wait; Visa has none."""
    found = network_rules().wait("mastercard", advice, TODAY)

    assert found is not None
    assert found.figure == hours * 3600
    assert network_rules().wait("visa", advice, TODAY) is None


def test_a_limit_by_the_day_is_no_limit_by_the_month() -> None:
    """Mastercard's 10 in 24 hours informs only; 35 in 30 days is what holds."""
    found = network_rules().limit("mastercard", TODAY)

    assert found is not None
    assert (found.id, found.figure) == ("mastercard-limit-30d", 35)


@pytest.mark.parametrize(
    ("brand", "name"),
    [
        ("VISA", "visa"),
        ("Visa Electron", "visa"),
        ("MasterCard", "mastercard"),
        ("Master Card", "mastercard"),
        ("master-card", "mastercard"),
        ("MC", "mastercard"),
        ("American Express", "amex"),
        ("AMEX", "amex"),
        ("Discover", "discover"),
        ("", ""),
    ],
)
def test_brands_are_known_in_every_spelling(brand: str, name: str) -> None:
    """The order system may spell a brand as it likes."""
    assert brand_name(brand) == name


@pytest.mark.parametrize(("code", "plain"), [("05", "5"), ("5", "5"), ("0", "0"), (" r0 ", "R0"), ("", ""), ("٥", "٥")])
def test_codes_are_compared_plainly(code: str, plain: str) -> None:
    """Case, blanks and leading zeros do not tell codes apart."""
    assert plain_code(code) == plain


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rule = 5", "rule"),
        ("", "rule"),
        ("[[rule]", "not TOML"),
        (rule(more=""), "rule.0: .*attempts_30d"),
        (rule(more="attempts_30d = 0"), "rule.0.attempts_30d"),
        (rule(more='attempts_30d = "5"'), "rule.0.attempts_30d"),
        (rule(more="attempts_30d = 5.0"), "rule.0.attempts_30d"),
        (rule(more="attempts_30d = 5\nattemts_24h = 2"), "rule.0.attemts_24h"),
        (rule(kind="sometimes"), "rule.0.kind"),
        (rule(kind="never", more=""), "needs codes or advice"),
        (rule(kind="never", more='codes = ["4!"]'), r"rule.0.codes.0"),
        (rule(kind="never", more='codes = ["04"]\nnever_days = 6'), "rule.0.never_days"),
        (rule(kind="wait", more="wait_seconds = 5"), "needs wait_seconds and advice"),
        (rule(more="attempts_30d = 5\neffective_to = 2020-01-01"), "effective_to lies before"),
        (rule().replace('region = "*"', 'region = "BR"'), "rule.0.region"),
        (rule().replace("2021-01-01", '"soon"'), "rule.0.effective_from"),
        (rule() + rule(), "id a stands twice"),
    ],
)
def test_a_malformed_list_names_its_key(text: str, words: str) -> None:
    """Whoever edits the list is told where it is wrong."""
    with pytest.raises(ConfigurationError, match=words):
        parse_network_rules(text)


def test_rules_are_frozen() -> None:
    """Nobody changes a rule on the way."""
    rules = parse_network_rules(rule())
    with pytest.raises(AttributeError):
        rules.rule = ()  # type: ignore[misc]
    with pytest.raises(AttributeError):
        rules.rule[0].note = ""  # type: ignore[misc]


def test_the_packaged_list_is_read_whole() -> None:
    """Every rule of the packaged file is there."""
    assert isinstance(network_rules(), NetworkRules)
    assert len(network_rules().rule) == packaged("network_rules.toml").count("[[rule]]")
