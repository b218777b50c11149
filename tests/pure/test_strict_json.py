"""JSON from outside is read exactly or refused with a sentence; it never crashes, stalls or swells."""

import json
import tracemalloc
from decimal import Decimal
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.strict_json import parse
from schemas.errors import AnswerUnreadable, ExitCode

MEGABYTE = 1_000_000
TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**60), 10**60) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def read(text: str | bytes, max_bytes: int = MEGABYTE) -> object:
    """The text parsed."""
    return parse(text.encode() if isinstance(text, str) else text, max_bytes=max_bytes)


@given(VALUES, st.booleans())
def test_what_was_written_is_read(value: object, ascii_only: bool) -> None:
    """Objects, lists, texts of any script and whole numbers come back as they were, escaped or not."""
    assert read(json.dumps(value, ensure_ascii=ascii_only)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("12.50", "12.50"), ("1e2", "1E+2"), ("-0.1", "-0.1"), ("12345678901234567.89", "12345678901234567.89")],
)
def test_a_fraction_is_exact(text: str, value: str) -> None:
    """A number with a fraction or an exponent becomes a Decimal with the same digits."""
    number = read(text)

    assert isinstance(number, Decimal)
    assert str(number) == value


def test_a_whole_number_is_an_int() -> None:
    """Amounts are ints, never floats."""
    assert repr(read('{"amount": 1999}')) == "{'amount': 1999}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("   ", "not JSON"),
        ("<html>captive</html>", "not JSON"),
        ("{'a': 1}", "not JSON"),
        ('{"a": 1,}', "not JSON"),
        ('{"a": 1} {"b": 2}', "not JSON"),
        ('{"a": "cut', "not JSON"),
        ('{"a": "raw\nbreak"}', "not JSON"),
        ('"raw \x00 nul"', "not JSON"),
        ("01", "not JSON"),
        ("+1", "not JSON"),
        ("0x10", "not JSON"),
        ("NaN", "NaN or Infinity"),
        ("[Infinity]", "NaN or Infinity"),
        ('{"a": -Infinity}', "NaN or Infinity"),
        ('{"status": 7, "status": 2}', "stands twice"),
        ('{"a": {"b": 1, "\\u0062": 2}}', "stands twice"),
        ('{"": 1, "": 1}', "stands twice"),
        ("\ufeff{}", "byte order mark"),
        ("9" * 65, "65 characters"),
        ("9" * 1_000_000, "more than|characters"),
        ("0." + "1" * 100, "characters"),
        ("1e999999999", "exponent"),
        ("[1e-999999999]", "exponent"),
        ('"\\ud800"', "surrogate"),
        ('["\\uDFFF x"]', "surrogate"),
        ('{"\\ud83d": 1}', "surrogate"),
        ('{"a": ["\\u0000"]}', "NUL"),
    ],
)
def test_what_is_not_strict_json_is_refused(text: str, words: str) -> None:
    """Each has its own sentence."""
    with pytest.raises(AnswerUnreadable, match=words):
        read(text, 2 * MEGABYTE)


@pytest.mark.parametrize("content", [b'"\xe9"', '{"a": 1}'.encode("utf-16"), b"\xff\xfe", b'"\xed\xa0\x80"', b'"\xc0\x80"'])
def test_only_utf_8_is_read(content: bytes) -> None:
    """Other encodings are refused, never guessed."""
    with pytest.raises(AnswerUnreadable, match="UTF-8"):
        read(content)


def test_an_escaped_pair_is_one_character() -> None:
    """Two escapes that belong together are an ordinary text, and so is an escaped backslash before a u."""
    assert read('["\\ud83e\\udd8a", "\\\\ud800"]') == ["🦊", "\\ud800"]


def test_the_size_is_bounded_before_anything_is_read() -> None:
    """One byte too many is refused, whatever it is."""
    assert read('"1234"', 6) == "1234"
    with pytest.raises(AnswerUnreadable, match="7 bytes"):
        read('"12345"', 6)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_the_depth_is_bounded(opening: str, closing: str) -> None:
    """64 levels are read, the 65th is refused."""
    read(opening * 64 + "1" + closing * 64)
    with pytest.raises(AnswerUnreadable, match="more than 64 deep"):
        read(opening * 65 + "1" + closing * 65)


def test_width_is_no_depth() -> None:
    """Many lists side by side nest only one level."""
    assert read(json.dumps([[]] * 1000)) == [[]] * 1000


def test_brackets_in_texts_are_no_depth() -> None:
    """A text full of brackets and quotes nests nothing."""
    text = '[{"' * 1000

    assert read(json.dumps([text, text])) == [text, text]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        "]" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '"' + '\\"' * 400_000,
        '"\\' * 300_000,
        "[" + "9" * 500_000 + "]",
        '"' + "\\u0000" * 100_000 + '"',
        "[" + "[]," * 200_000,
    ],
)
def test_hostile_bytes_cost_little(text: str) -> None:
    """A megabyte made to exhaust a parser is refused within seconds of the processor and a few times its size."""
    tracemalloc.start()
    started = process_time()
    with pytest.raises(AnswerUnreadable):
        read(text)
    elapsed, (_, peak) = process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert elapsed < 5
    assert peak < 64 * MEGABYTE


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:\\u0d8eE+-.1tfnN \n', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Nothing but AnswerUnreadable is ever raised, and what is read can be written again as UTF-8."""
    try:
        value = parse(content, max_bytes=1000)
    except AnswerUnreadable:
        return
    assert json.dumps(value, ensure_ascii=False, default=str).encode()


def test_a_refusal_repeats_nothing_of_the_content() -> None:
    """An answer may hold secrets; the sentence holds none, and somebody must look."""
    with pytest.raises(AnswerUnreadable) as caught:
        read('{"accessToken": "secret-word", }')

    assert "secret-word" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.exit_code is ExitCode.NEEDS_PERSON
