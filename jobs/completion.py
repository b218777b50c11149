"""What the shell offers when a word is half typed. It only looks, and offers nothing where something is amiss."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from schemas.settings import Settings


def words(incomplete: str) -> list[tuple[str, str]]:
    """Order states, reasons, kinds of items, decisions, rules and error codes, each with the beginning of its page."""
    from jobs.word_pages import word_pages

    return [(word, page.partition("\n")[0]) for word, page in word_pages().items() if word.startswith(incomplete)]


def decisions(incomplete: str) -> list[tuple[str, str]]:
    """What may be decided about an item."""
    from schemas.resolutions import RESOLUTION_TEXTS

    return [(str(word), text) for word, text in RESOLUTION_TEXTS.items() if word.startswith(incomplete)]


def groups(incomplete: str) -> list[str]:
    """The groups that the doctor looks at."""
    from jobs.doctor.finding import Group

    return [group.value for group in Group if group.startswith(incomplete)]


def sections(document: str) -> Callable[[str], list[tuple[str, str]]]:
    """What a document's sections are asked for by, in one word each, with their titles."""

    def offered(incomplete: str) -> list[tuple[str, str]]:
        from jobs.documents import section_words

        return [(word, title) for word, title in section_words(document).items() if word.startswith(incomplete.lower())]

    return offered


def settings_keys(incomplete: str) -> list[tuple[str, str]]:
    """Every key of the settings, with what it is for."""
    from schemas.settings_texts import SETTING_TEXTS

    return [(key, text) for key, text in SETTING_TEXTS.items() if key.startswith(incomplete)]


def open_items(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The ids of what waits for a person."""
    from batch.ledger.items import open_items as open_items_of
    from jobs.assembly import open_ledger_alone
    from jobs.clock import SystemClock
    from schemas.errors import MitbatchError

    try:
        settings = _settings(context)
        with open_ledger_alone(settings, clock=SystemClock()) as ledger, ledger.reading() as connection:
            found = open_items_of(connection, ledger.mid)
    except MitbatchError:
        return []
    return [(each.item_id, f"{each.kind.value} {each.subject}") for each in found if each.item_id.startswith(incomplete)]


def switches(context: typer.Context, incomplete: str) -> list[str]:
    """What can be switched: the kinds of orders, and each site of the settings."""
    from batch.switching import SENDING, switch_names
    from schemas.errors import MitbatchError

    try:
        names = switch_names(_settings(context))
    except MitbatchError:
        return []
    return [name for name in names if name.startswith(incomplete) and name != SENDING]


def _settings(context: typer.Context) -> "Settings":
    import os

    from jobs.settings_file import load_settings

    config = context.find_root().params.get("config") or os.environ.get("MITBATCH_CONFIG") or "mitbatch.toml"
    return load_settings(Path(config))
