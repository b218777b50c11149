"""What every change by hand asks for: a reason that may be kept, and a person's word."""

import io

import pytest

from jobs.by_hand import MOST_REASON, ask_for_word, checked_reason, this_person
from schemas.errors import UsageRefused


def test_a_reason_is_kept_as_it_was_said() -> None:
    """Only blanks around it go."""
    assert checked_reason("  support confirmed, ticket 4711 ") == "support confirmed, ticket 4711"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("", "needs its reason"),
        ("  \t ", "needs its reason"),
        ("x" * (MOST_REASON + 1), "at most"),
        ("two\nlines", "one line"),
        ("bell\x07", "one line"),
        ("two\u2029paragraphs", "one line"),
        ("the card 4111 1111 1111 1111 was charged", "card number"),
    ],
)
def test_a_reason_that_cannot_be_kept_is_refused(reason: str, words: str) -> None:
    """Nothing of a card number is repeated in the refusal."""
    with pytest.raises(UsageRefused, match=words) as refused:
        checked_reason(reason)
    assert "4111" not in str(refused.value)


def test_without_a_terminal_nobody_is_waited_for() -> None:
    """The effects are shown, and nothing is done without `--yes`."""
    shown = io.StringIO()
    with pytest.raises(UsageRefused, match="--yes"):
        ask_for_word(["order '1' is cancelled"], yes=False, stream=shown)
    assert shown.getvalue() == "order '1' is cancelled\n"


def test_yes_is_a_persons_word_in_a_script() -> None:
    """The effects are shown all the same."""
    shown = io.StringIO()
    ask_for_word(["order '1' is cancelled"], yes=True, stream=shown)
    assert shown.getvalue() == "order '1' is cancelled\n"


@pytest.mark.parametrize("word", ["", "y\n", "no\n", "YES\n"])
def test_only_the_whole_word_confirms(word: str) -> None:
    """Anything but the very word that is asked for does nothing."""
    with pytest.raises(UsageRefused, match="not confirmed"):
        ask_for_word([], yes=False, stream=io.StringIO(), read=lambda: word)
    ask_for_word([], yes=False, stream=io.StringIO(), read=lambda: "yes\n")


def test_a_person_is_known_by_user_and_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind sudo, who called it is named too; a name that cannot be shown is not."""
    monkeypatch.delenv("SUDO_USER", raising=False)
    plain = this_person()
    assert "@" in plain
    monkeypatch.setenv("SUDO_USER", "ada")
    assert this_person() == f"ada as {plain}"
    monkeypatch.setenv("SUDO_USER", "a\nb")
    assert this_person() == plain
