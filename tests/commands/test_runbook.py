"""The runbook says something about everything that can wake somebody, and names nothing that does not exist."""

import json
import re

import pytest

from batch.fitting import fitting
from jobs.cli import run
from jobs.documents import sections
from jobs.word_pages import word_page
from schemas.errors import ExitCode
from schemas.reasons import ItemKind
from schemas.resolutions import Resolution
from schemas.settings import Settings
from tests.house.command_tree import command_paths

ALL = "\n".join("\n".join(lines) for lines in sections("runbook").values())


def test_every_exit_code_and_every_kind_of_item_has_its_section() -> None:
    """Whatever a night can end with, and whatever can wait for a person, has a section that says more than its title."""
    found = sections("runbook")
    wanted = [f"Exit {int(code)}" for code in ExitCode] + [f"Item `{kind}`" for kind in ItemKind]

    assert [title for title in wanted if len(" ".join(found.get(title, []))) < 60] == []
    assert len(found) == len(set(found))


def test_an_items_section_names_decisions_that_fit() -> None:
    """Each decision that a section names is one that fits that kind of item, and each that fits is named."""
    for kind in ItemKind:
        text = "\n".join(sections("runbook")[f"Item `{kind}`"])
        named = {word for word in Resolution if re.search(rf"[` ]{re.escape(word)}`", text)}
        fits = {fit for subject in ("order:1", "batch:1", "operation:1") for fit in fitting(kind, subject, {})}
        fits |= set(fitting(kind, "calls:1", {"calls:1": "transmit"}))

        assert named <= fits | {Resolution.NOTED}, kind
        assert fits - {Resolution.NOTED} <= named, kind


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        (ItemKind.DOUBLE_CHARGE, "charge"),
        (ItemKind.CONTRADICTION, "reconcile"),
        (ItemKind.CONTRADICTION, "settlement"),
        (ItemKind.AMOUNT_DIFFERS, "reconcile"),
        (ItemKind.AMOUNT_DIFFERS, "settlement"),
    ],
)
def test_what_a_comparison_opens_has_its_own_decision(kind: ItemKind, about: str) -> None:
    """The part of a section about items of a comparison names the only decision that these take."""
    _, named, part = "\n".join(sections("runbook")[f"Item `{kind}`"]).partition(f"`{about}:ORDER`")

    assert named
    assert fitting(kind, f"{about}:1", {}) == (Resolution.NOTED,)
    assert {word for word in Resolution if f"`{word}`" in part} == {Resolution.NOTED}


def test_every_command_that_it_names_exists() -> None:
    """Whatever stands in backticks and begins with mitbatch is a command of the program, with its group."""
    named = re.findall(r"`mitbatch ([a-z-]+(?: [a-z-]+)?)[^`]*`", ALL)
    paths = set(command_paths())

    assert len(named) > 15
    assert [words for words in named if words not in paths and words.partition(" ")[0] not in paths] == []


def test_every_code_word_and_key_that_it_names_exists() -> None:
    """Error codes, words that `explain` is asked for and settings keys are those of the program."""
    codes = set(re.findall(r"MB-[A-Z-]+", ALL))
    words = set(re.findall(r"mitbatch explain ([a-z_]+)`", ALL))
    keys = {key for key in re.findall(r"`([a-z_]+\.[a-z_]+)`", ALL) if key.partition(".")[0] in Settings.model_fields}

    assert len(codes) > 5
    assert [code for code in codes | words if word_page(code) is None] == []
    assert keys
    for section, _, name in (key.partition(".") for key in keys):
        kind = Settings.model_fields[section].annotation
        assert name in getattr(kind, "model_fields", {name: None}), f"{section}.{name}"


@pytest.mark.parametrize(
    ("word", "title"),
    [
        ("20", "Exit 20"),
        ("pan_found", "Item `pan_found`"),
        ("the ledger is lost", "The ledger is lost"),
        ("WRONG", "A wrong file went out"),
    ],
)
def test_one_section_can_be_asked_for(word: str, title: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By exit code, kind of item, title, or a word of it: that section, and none beside it."""
    assert run(["help", "runbook", word]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == title
    assert lines[2:] == sections("runbook")[title]

    assert run(["help", "runbook", word, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sections"] == {title: "\n".join(sections("runbook")[title])}


def test_without_a_word_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Every title is printed, in the order in which it was written."""
    assert run(["help", "runbook"]) == 0
    lines = capsys.readouterr().out.splitlines()
    titles = [title for title in sections("runbook") if title]

    assert [line for line in lines if line in titles] == titles


@pytest.mark.parametrize("word", ["99", "pan_fuond", "exit"])
def test_an_unknown_section_is_refused(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not there, or could be several, ends with 2 and a hint."""
    assert run(["help", "runbook", word]) == 2
    assert "The document runbook has no section" in capsys.readouterr().err
