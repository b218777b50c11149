"""A few thousand hostile inputs for every reader, and every input that ever failed."""

from datetime import date

import pytest

from tests.fuzz import answers, command_lines, csv_answers, stored_rows
from tests.fuzz.campaign import CORPUS, SHARES, content_of, corpus, tally, target_of
from tests.fuzz.dice import Dice, shows_card
from tests.fuzz.targets import Judged, Target, judged

SIZE = 5000
KEPT = list(corpus())


def test_hostile_inputs_are_read_or_refused() -> None:
    """Of five thousand inputs none escapes, stalls, leaks a card number or is read as something else; a third is understood."""
    found = tally(1, 0, SIZE)

    assert found.failures == {}
    assert sum(found.inputs.values()) == SIZE
    assert set(found.inputs) == {target.name for target, _ in SHARES}
    assert sum(found.deep.values()) * 3 >= SIZE


@pytest.mark.parametrize("number", range(len(KEPT)), ids=[name for name, _, _ in KEPT])
def test_what_once_failed_is_mended(number: int) -> None:
    """An input that was once misread is judged well now."""
    _, target, content = KEPT[number]

    assert judged(target, content).complaints == []


def test_every_kept_input_is_read() -> None:
    """Nothing lies in the corpus that no reader is given."""
    assert [name for name, _, _ in KEPT] == sorted(path.name for path in CORPUS.iterdir())


def test_the_same_number_is_the_same_input() -> None:
    """An input can be made again from its seed and number."""
    assert [content_of(7, number) for number in range(200)] == [content_of(7, number) for number in range(200)]
    assert content_of(7, 3) != content_of(8, 3)
    assert {target_of(number).name for number in range(1000)} == {target.name for target, _ in SHARES}


def test_an_escape_and_a_stall_are_complaints() -> None:
    """A reader that raises what is not its own, or never ends, is found."""

    def endless(_content: bytes) -> Judged:
        while True:
            pass

    def broken(content: bytes) -> Judged:
        return Judged([str(content[99])], is_deep=False)

    assert judged(Target("endless", lambda _: b"", endless), b"").complaints == ["it takes longer than 1 s"]
    assert judged(Target("broken", lambda _: b"", broken), b"").complaints == ["IndexError escapes"]


@pytest.mark.parametrize(
    ("text", "is_seen"),
    [
        ("a 4111 1111-1111\u00a01111.", True),
        ("٤١١١١١١١١١١١١١١١", True),
        ("4111\u20281111\x011111   1111", True),
        ("94111111111111111", False),
        ("4111111111111112", False),
    ],
)
def test_a_planted_card_number_is_seen(text: str, is_seen: bool) -> None:
    """Whatever blanks or dashes stand between its digits, a planted number is recognised, and others are not."""
    assert shows_card(text) is is_seen


def _first_complaints(target: Target, count: int = 400) -> set[str]:
    return {words for number in range(count) for words in judged(target, target.make(Dice(3, number, target.name))).complaints}


def test_a_reader_that_is_broken_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Doubled names, float money, unreadable cells read as text, and any date in any spelling are each complained of."""
    with monkeypatch.context() as broken:
        broken.setattr("batch.strict_json._object_without_repetition", dict)
        assert _first_complaints(answers.ORDER) != set()
    with monkeypatch.context() as broken:
        broken.setattr("batch.strict_json._decimal_number", float)
        assert _first_complaints(answers.ORDER) != set()
    with monkeypatch.context() as broken:
        broken.setattr("batch.strict_csv._row", lambda columns, line: dict(zip(columns, line, strict=False)))
        assert "it is read as something else than it says" in _first_complaints(csv_answers.OUTCOMES_CSV)
    with monkeypatch.context() as broken:
        broken.setattr("batch.source.text_of", lambda value: "" if value is None else str(value))
        assert "a value that no text can stand for is read as one" in _first_complaints(stored_rows.STORED)
    with monkeypatch.context() as broken:
        broken.setattr(command_lines, "checked_date", lambda day, *_: date.fromisoformat(day).isoformat())
        assert _first_complaints(command_lines.DATE) >= {"a date is taken that is not written as asked", "ValueError escapes"}
