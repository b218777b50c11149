"""The same words in JSON and in CSV end in the same states, rows and items, in every order of arrival (F-15, I8)."""

import pytest

from tests.confluence.in_csv import in_csv, whatever_the_format
from tests.confluence.runs import explore_kit
from tests.confluence.test_confluence import kit_named


@pytest.mark.parametrize(
    "name",
    [
        "rows-contradict",
        "other-ids",
        "file-refused-and-partly-accepted",
        "file-refused-yet-worked-on",
        "rows-and-file-refused-and-accepted",
        "news-by-key-only",
        "same-size-correction",
    ],
)
def test_csv_ends_as_json_does(name: str) -> None:
    """Every order of arrival of a kit in CSV ends where the kit in JSON does, and so does the replay of what was stored."""
    kit = kit_named(name)

    told, in_sheets = explore_kit(kit), explore_kit(in_csv(kit))

    assert in_sheets.sentences() == []
    assert whatever_the_format(in_sheets.ends) == whatever_the_format(told.ends)


def test_a_cut_row_is_set_aside_and_moves_nobody() -> None:
    """The half of a CSV that lies there for a minute is taken for what it says; its cut row is told, and names no order."""
    verdict = explore_kit(in_csv(kit_named("half-written")))
    told = {item for end in verdict.ends for item in end.items}

    assert verdict.sentences() == []
    assert told == {("quarantine", "batch:00000000000a")}
