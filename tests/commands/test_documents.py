"""The documents that ship with the program are printed by `mitbatch help`, whole or a section of them."""

import json
import re

import pytest

from jobs.cli import run
from jobs.documents import DOCUMENTS, sections
from tests.house.source import ROOT


@pytest.mark.parametrize("document", DOCUMENTS)
def test_all_of_it_is_printed(document: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every line of the file is printed but its title, each section under its own."""
    lines = (ROOT / "schemas" / f"{document.upper()}.md").read_text(encoding="utf-8").splitlines()
    wanted = [line.removeprefix("## ") for line in lines[1:] if line]

    assert run(["help", document]) == 0
    printed = [line for line in capsys.readouterr().out.splitlines() if line and not re.fullmatch(r"-{3,}", line)]
    assert printed == wanted
    assert len(sections(document)) > 3


@pytest.mark.parametrize(
    ("document", "word", "title"),
    [
        ("operation", "lock", "The lock"),
        ("operation", "RIGHTS", "Rights on PostgreSQL"),
        ("finance", "report", "The report"),
        ("integration", "shows", "What the row shows"),
        ("contract", "refund", "10. Refund: `POST /v1/orders/{id}/refund`"),
    ],
)
def test_one_section_is_printed(document: str, word: str, title: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A word of a title prints that section alone, and as an object by its title."""
    assert run(["help", document, word]) == 0
    assert capsys.readouterr().out.splitlines()[0] == title
    assert run(["help", document, word, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sections"] == {title: "\n".join(sections(document)[title])}


def test_a_word_of_several_sections_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    """Where a word could mean several sections, or none, the command ends with 2 and offers what there is."""
    assert run(["help", "integration", "hold"]) == 0
    assert run(["help", "operation", "what"]) == 2
    assert "The nearest are: stopping what is sent, what a person decides, what is kept how long." in capsys.readouterr().err
    assert run(["help", "finance", "xyzzy"]) == 2
    assert "mitbatch help finance prints all of it." in capsys.readouterr().err
