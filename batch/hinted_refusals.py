"""News of an order that was refused or withdrawn here, where nobody can look it up at the provider (`outcomes.ask`).

The news keeps the order from being claimed again, because the provider may have it (I1, I2). With `ask = "orders"` a search
tells; by the older call, or by files alone, an order without an id of the provider's cannot be searched for (CONTRACT 8). So
a person is told, and whether it may go again is theirs to say: noting the item takes the news for answered.

More news since is another item: whoever looked before it came has not seen what it is about.
"""

from batch.equipment import Equipment
from batch.ledger import Run, Submission, Writing
from batch.ledger.hints import hints_so_far
from batch.ledger.items import MORE_NEWS, Item, close_items, open_item, open_items
from batch.ledger.moves import note_asked
from batch.ledger.reading import hinted_without_id
from batch.pace import utc_text
from schemas.reasons import ITEM_TEXTS, ItemKind
from schemas.states import CLAIMABLE_AGAIN

HINT = "hint"
"""What such an item is about: `hint:ORDER`."""


def tell_of_hinted_refusals(equipment: Equipment, run: Run) -> None:
    """Open an item for every refused or withdrawn order of which there is news that nothing can answer; close what is over.

    One transaction; dying before it leaves the news where it is, for the next run.
    """
    ledger, ask = equipment.ledger, equipment.settings.outcomes.ask
    with ledger.reading() as connection:
        standing = [item for item in open_items(connection, ledger.mid) if item.subject.startswith(f"{HINT}:")]
        now = utc_text(equipment.clock.now())
        hinted = hinted_without_id(connection, ledger.mid, now=now) if ask != "orders" else []
    waiting = {f"{HINT}:{each.order_id}": _words(each, ask) for each in hinted if each.state in CLAIMABLE_AGAIN}
    over = [item for item in standing if waiting.get(item.subject) != item.explanation]
    fresh = waiting.keys() - {item.subject for item in standing if item not in over}
    if not over and not fresh:
        return
    with ledger.writing(run) as writing:
        for item in over:
            how = MORE_NEWS if item.subject in waiting else "it is answered in another way"
            close_items(writing, item.kind, item.subject, how)
        for subject in sorted(fresh):
            days = equipment.settings.review.due_business_days
            open_item(writing, ItemKind.QUARANTINE, subject, waiting[subject], due_business_days=days)


def _words(order: Submission, ask: str) -> str:
    count = hints_so_far(order)
    times = "once" if count == 1 else f"{count:,} times"
    return (
        f"{ITEM_TEXTS[ItemKind.QUARANTINE]}: the provider's news named it {times} although it is {order.state} here, and with"
        f' outcomes.ask = "{ask}" nobody can look; it is not claimed again. Look for it in the provider\'s portal: where it is'
        " not there, note this item; where it is, have it stopped first"
    )


def take_for_answered(writing: Writing, items: tuple[Item, ...], order: Submission | None) -> None:
    """A person has noted such an item: its news keeps the order from nothing any more. News that came since does.

    An order that has gone on since is read at its own pace, and that stays.
    """
    if order is None or order.state not in CLAIMABLE_AGAIN or order.provider_order_id:
        return
    if any(item.subject == f"{HINT}:{order.order_id}" for item in items):
        note_asked(writing, [(order, "")])
