"""`mitbatch explain`: the story of one order, or what a word of this program means."""

import difflib
from typing import Any

from batch.ledger.order_story import story_of
from batch.ledger.reading import nearest_order_ids
from batch.pace import utc_text
from jobs.assembly import open_books
from jobs.clock import SystemClock
from jobs.holds import check_order_id
from jobs.order_page import object_of, page_of
from jobs.output import Options, answer, say
from jobs.settings_file import load_settings
from jobs.word_pages import nearest, word_page, word_pages
from schemas.errors import ExitCode, UsageRefused


def show_explanation(options: Options, what: str) -> int:
    """Print the page of a reason, state, item kind or error code; everything else is taken for an order id."""
    page = word_page(what)
    if page is None:
        return _explain_order(options, what)
    say(options, f"{what}: {page}".split("\n"))
    answer(options, {**_head(""), "word": what, "page": page})
    return int(ExitCode.CLEAN)


def _explain_order(options: Options, order_id: str) -> int:
    check_order_id(order_id)
    meant = nearest(order_id, word_pages())
    if meant and not options.config.is_file():
        raise UsageRefused(f"{order_id!r} is no word of this program, and without settings no order is known.", next_step=meant)
    settings = load_settings(options.config)
    with open_books(settings, clock=SystemClock()) as (ledger, source, _):
        row = source.written([order_id]).get(order_id)
        with ledger.reading() as connection:
            story = story_of(connection, ledger.mid, order_id)
            near = nearest_order_ids(connection, ledger.mid, order_id) if not (story.is_known or row) else []
    if not (story.is_known or row):
        ids = ", ".join(map(repr, difflib.get_close_matches(order_id, near, n=3) or near[:3]))
        hints = [meant, f"The nearest ids are: {ids}." if ids else ""]
        raise UsageRefused(
            f"Order {order_id!r} is neither in the ledger nor in the order system.",
            next_step=" ".join(hint for hint in hints if hint) or "See: mitbatch status",
        )
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
