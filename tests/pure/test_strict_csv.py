"""CSV from outside is read exactly or refused with a sentence; it never crashes, stalls or swells."""

import csv
import io
from contextlib import suppress
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.strict_csv import Table, parse
from schemas.errors import AnswerUnreadable, ExitCode

MEGABYTE = 1_000_000
CELLS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
LINES = st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5)


def read(text: str | bytes, max_bytes: int = MEGABYTE) -> Table:
    """The text parsed."""
    return parse(text.encode() if isinstance(text, str) else text, max_bytes=max_bytes)


@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.booleans())
def test_what_was_written_is_read(lines: list[tuple[str, str, str]], end: str, quotes_all: bool, has_mark: bool) -> None:
    """Whatever another writer of RFC 4180 wrote comes back cell by cell, with or without byte order mark."""
    text = io.StringIO(newline="")
    is_quoted = quotes_all or end != "\r\n"  # that writer quotes a line end only where it is its own
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL if is_quoted else csv.QUOTE_MINIMAL)
    writer.writerows([("a", "B", "c"), *lines])
    table = read(("\ufeff" if has_mark else "") + text.getvalue())

    assert table.columns == ("a", "b", "c")
    assert [tuple((row or {}).get(name, "") for name in "abc") for row in table.rows] == lines
    assert table.has_last_end


@pytest.mark.parametrize(
    "text", ["a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\n3,4\r\n", "a,b\n\n1,2\n\r\n3,4", "\ufeff" + 'a,"b"\n"1",2\n3,"4"\n']
)
def test_line_ends_quotes_and_empty_lines_do_not_matter(text: str) -> None:
    """Lines end as they like, the last one perhaps not at all, cells are quoted or not: the rows are the same (F-14)."""
    table = read(text)

    assert table.rows == ({"a": "1", "b": "2"}, {"a": "3", "b": "4"})
    assert table.has_last_end is not text.endswith("4")


def test_cells_are_text() -> None:
    """A formula, a long number, leading zeros, blanks and a quoted line break stay what they are."""
    table = read('id,x\n000471,"=HYPERLINK(""http://a"")"\n 1E10 ,"a\r\nb"\n')

    assert table.rows == ({"id": "000471", "x": '=HYPERLINK("http://a")'}, {"id": " 1E10 ", "x": "a\r\nb"})


def test_a_row_that_does_not_fit_says_nothing() -> None:
    """Too few or too many cells set one row aside; its neighbours are as good as before."""
    assert read("a,b\n1,2\n3\n4,5,6\n7,8\n,\n").rows == ({"a": "1", "b": "2"}, None, None, {"a": "7", "b": "8"}, {})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no header"),
        (b"\n\r\n", "no header"),
        (b"\xef\xbb\xbf", "no header"),
        (b"a,a\n1,2\n", "stands twice"),
        (b"a,A\n1,2\n", "stands twice"),
        (b"a,\n1,2\n", "is empty"),
        ("a,b\n1,2\n".encode("utf-16"), "not UTF-8 at byte 0"),
        ("a,b\n1,Zürich\n".encode("cp1252"), "not UTF-8 at byte 7"),
        (b"a,b\n1,2\n" + bytes(512), "NUL"),
        (b'a,b\n1,"2\n3,4\n', "quote that is not doubled or not closed in line 2"),
        (b'a,b\n1,2"\n', "quote"),
        (b'a,b\n"1"x,2\n', "quote"),
        (b'a,b\n"1""\n', "quote"),
        (b",".join(b"%d" % n for n in range(257)) + b"\n", "257 columns"),
        (b"a" + b"\n" * 500_001, "500,000 cells"),
        (b"a" * (MEGABYTE + 1), "at most 1,000,000"),
    ],
)
def test_what_is_not_strict_is_refused(content: bytes, words: str) -> None:
    """Another encoding, a NUL, a lone quote, a doubled column or too much of anything: one sentence, nothing guessed (F-13)."""
    with pytest.raises(AnswerUnreadable, match=words) as refusal:
        read(content)

    assert refusal.value.exit_code is ExitCode.NEEDS_PERSON


@pytest.mark.parametrize("unit", [b'"', b'""', b'"a",', b'"\n', b"\r", b",", b'a"'])
def test_hostile_megabytes_take_no_more_than_their_length(unit: bytes) -> None:
    """No pattern of quotes, commas and line ends makes the reader go back and forth: four times as much is no tenfold work."""
    short, long = (b"a,b\n" + unit * (length // len(unit)) for length in (MEGABYTE // 8, MEGABYTE // 2))
    turns = [(_work(short), _work(long)) for _ in range(3)]

    assert min(took for _, took in turns) < 10 * min(took for took, _ in turns)


def _work(content: bytes) -> float:
    """Seconds of the processor that it takes to read this, or to refuse it."""
    began = process_time()
    with suppress(AnswerUnreadable):
        read(content)
    return process_time() - began
