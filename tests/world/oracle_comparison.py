"""What a comparison must find (I5): books that are made to differ after a story has ended, each told by the next comparison.

The provider loses an order, the merchant changes a row, the provider has an order that nobody handed over, and the merchant's own
retry takes a held one. Which orders are chosen the seed decides; what must be said of them is told by the rows, by the provider's
own orders and by the ledger's states, never by the product's comparison.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from tests.world.dice import dice
from tests.world.oracle_evidence import OPEN
from tests.world.story import Story
from tests.world.world import Ended

COMPARED_EVERY = 8
"""One of so many seeds is judged so."""

STRANGER = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"
_RELEASED = ("withdrawn", "rejected", "declined", "expired", "cancelled")
_TRUE_ENDS = (0, 10, 11)

Row = dict[str, Any]


@dataclass(frozen=True)
class Doctored:
    """What was made to differ: by order, the word that a comparison must have for it; and orders that are charged in-house."""

    matches: dict[str, str]
    charged: frozenset[str]


def i5_comparison_names_each(story: Story) -> list[str]:
    """Every difference that is made stands in the next comparison, and no comparison moves an order."""
    if story.world.settings.outcomes.ask != "orders" or story.spoilt:
        return []
    made = _made_to_differ(story)
    before = story.world.states()
    ended = story.world.run("reconcile")
    return list(_missed(story, made, before, ended))


def _missed(story: Story, made: Doctored, before: dict[str, str], ended: Ended) -> Iterator[str]:
    if story.world.states() != before:
        yield f"I5: the comparison moved {before} to {story.world.states()}"
    found = _last_comparison(story)
    if found is None or not found["is_whole"] or ended.code not in _TRUE_ENDS:
        return
    rows = _rows(story, "SELECT order_id, match, explanation FROM comparison_row WHERE comparison_id = ?", found["comparison_id"])
    told = {row["order_id"]: row["match"] for row in rows}
    for order_id, match in made.matches.items():
        if told.get(order_id) != match:
            yield f"I5: {order_id} was made {match}, the comparison says {told.get(order_id, 'nothing')} of it"
    seen = {row["subject"].partition(":")[2] for row in _rows(story, "SELECT subject FROM event WHERE kind = 'house_charge'")}
    for order_id in sorted(made.charged - seen):
        yield f"I5: {order_id} is held and charged in-house, and the comparison did not see it"
    if (made.matches or made.charged) and ended.code == 0 and _untold(story, made):
        yield f"I5: the comparison ended with 0 although nobody was told of {_untold(story, made)}"


def _untold(story: Story, made: Doctored) -> list[str]:
    """Orders made to differ about which no item was ever opened; of all that are unknown there is one."""
    subjects = [str(item["subject"]) for item in story.items()]
    named = {subject.partition(":")[2] for subject in subjects}
    strange = any(subject.startswith("reconcile-unknown") for subject in subjects)
    return [each for each in made.matches if each not in named and not (each == "stranger" and strange)]


def _made_to_differ(story: Story) -> Doctored:
    """Let the seed choose an order for each kind of difference, where one is fit for it; no order is chosen twice."""
    world, chance = story.world, dice(story.schedule.seed, "made to differ")
    latest = {row["order_id"]: row for row in _rows(story, "SELECT * FROM submission ORDER BY attempt")}
    rows = world.merchant.rows()
    brain = world.provider._brain
    theirs = {order.order_session_key: order for order in brain.orders()}
    free = sorted(latest)
    chance.shuffle(free)
    matches: dict[str, str] = {}
    charged = set[str]()
    for order_id in free:
        claim, row = latest[order_id], rows.get(order_id)
        known = theirs.get(claim["provider_order_id"])
        is_held = row is not None and row["hold_reference"] == claim["hold_reference"]
        is_as_given = order_id not in story.changed  # a row that differs already has its own word
        is_ours = claim["state"] not in (*_RELEASED, "claimed") and is_held and is_as_given
        may_be_lost = known is not None and claim["state"] in ("pending", "completed") and is_as_given
        if "stranger" not in matches and known is not None:
            brain._orders[STRANGER] = replace(known, order_session_key=STRANGER, order_id="stranger")
            matches["stranger"] = "missing_in_ledger"
        elif "missing_at_provider" not in matches.values() and may_be_lost:
            del brain._orders[claim["provider_order_id"]]
            matches[order_id] = "missing_at_provider"
        elif "amount_differs" not in matches.values() and is_ours and known is not None:
            _change(story, "UPDATE orders SET amount_minor = amount_minor + 7 WHERE order_id = ?", order_id)
            matches[order_id] = "amount_differs"
        elif not charged and is_ours and claim["state"] in OPEN:
            _change(story, "UPDATE orders SET retry_state = 'in_flight' WHERE order_id = ?", order_id)
            charged.add(order_id)
    return Doctored(matches, frozenset(charged))


def _change(story: Story, statement: str, order_id: str) -> None:
    with closing(sqlite3.connect(story.world.ground.orders_path, timeout=0)) as connection, connection:
        connection.execute(statement, (order_id,))


def _last_comparison(story: Story) -> Row | None:
    found = _rows(story, "SELECT * FROM comparison ORDER BY rowid DESC LIMIT 1")
    return found[0] if found else None


def _rows(story: Story, query: str, *values: object) -> list[Row]:
    with closing(sqlite3.connect(story.world.ground.ledger_path, timeout=0)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query, values)]
