"""`mitbatch explain`: the story of one order, or what a word of this program means."""

import difflib
import inspect
from collections.abc import Iterator
from typing import Any

import schemas.errors as error_tree
from batch.ledger.order_story import story_of
from batch.ledger.reading import nearest_order_ids
from batch.pace import utc_text
from jobs.assembly import open_books
from jobs.clock import SystemClock
from jobs.holds import check_order_id
from jobs.order_page import object_of, page_of
from jobs.output import Options, answer, say
from jobs.settings_file import load_settings
from schemas.errors import ExitCode, MitbatchError, UsageRefused
from schemas.reasons import ITEM_TEXTS, REASON_TEXTS
from schemas.resolutions import RESOLUTION_TEXTS
from schemas.states import STATE_TEXTS


def show_explanation(options: Options, what: str) -> int:
    """Print the page of a reason, state, item kind or error code; everything else is taken for an order id."""
    page = word_page(what)
    if page is None:
        return _explain_order(options, what)
    say(options, [f"{what}: {page}"])
    answer(options, {**_head(""), "word": what, "page": page})
    return int(ExitCode.CLEAN)


def word_page(word: str) -> str | None:
    """What a stable word means; None when it is none of ours."""
    pages: dict[str, str] = {
        **{reason.value: text for reason, text in REASON_TEXTS.items()},
        **{kind.value: text for kind, text in ITEM_TEXTS.items()},
        **{state.value: text for state, text in STATE_TEXTS.items()},
        **{resolution.value: text for resolution, text in RESOLUTION_TEXTS.items()},
        **{kind.code: inspect.cleandoc(kind.__doc__ or "") + f"\nExit code {int(kind.exit_code)}." for kind in error_kinds()},
        "MB-ROW-REJECTED": "The provider refused a row; no rescue started for that order, and its hold was released. "
        "Mend the row in the order system and set its status back to declined: it goes out again with the next nightly.",
    }
    return pages.get(word)


def error_kinds() -> Iterator[type[MitbatchError]]:
    """Every class of the error tree that has a code of its own."""
    for _, kind in inspect.getmembers(error_tree, inspect.isclass):
        if issubclass(kind, MitbatchError) and kind is not MitbatchError and "code" in vars(kind):
            yield kind


def _explain_order(options: Options, order_id: str) -> int:
    check_order_id(order_id)
    settings = load_settings(options.config)
    with open_books(settings, clock=SystemClock()) as (ledger, source, _):
        row = source.written([order_id]).get(order_id)
        with ledger.reading() as connection:
            story = story_of(connection, ledger.mid, order_id)
            near = nearest_order_ids(connection, ledger.mid, order_id) if not (story.is_known or row) else []
    if not (story.is_known or row):
        hint = (
            f"The nearest ids are: {', '.join(map(repr, difflib.get_close_matches(order_id, near, n=3) or near[:3]))}."
            if near
            else ""
        )
        raise UsageRefused(f"Order {order_id!r} is neither in the ledger nor in the order system.", next_step=hint)
    say(options, page_of(story, row))
    answer(options, {**_head(settings.environment), **object_of(story, row)})
    return int(ExitCode.CLEAN)


def _head(environment: str) -> dict[str, Any]:
    return {
        "schema": "mitbatch.explain/1",
        "type": "result",
        "command": "explain",
        "run_id": "",
        "generated_at": utc_text(SystemClock().now()),
        "environment": environment,
    }
