"""Asking for many orders at once: the provider's listing of what it still works on, so that the cost follows what changed.

Only a single read ends an order. What a listing is good for is the contrary: an order that it shows as still being worked
on, just as the ledger has it, has been asked about, and is not due again before its pace says so. Everything else that is
due is read singly, in the same run:

* Presence postpones, absence never does. An order that has ended, one that a page left out because rows shifted under
  it, one that the listing calls by another status, amount or order id, is simply not shown as expected, and is read.
  Pages that repeat, skip, cannot be read or never end cost reads and change nothing else.
* An order whose expiry has come, or that a hint has made due (a file's row, a webhook), is read singly whatever is shown.
* What a listing could postpone by showing an order that has ended as being worked on ends at the order's expiry at the
  latest: from then on only reads count, until one ends it (I13).

A listing costs one call for a page of orders that the provider works on, and stops after twice as many pages as our own
orders would fill. Each page is one transaction that only notes when its orders are due again: a run that dies in between
has asked about fewer orders, and the next one goes on with those that are still due.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from batch.applying import next_read
from batch.conclusions import meaning_of, meaning_of_word
from batch.equipment import Equipment
from batch.ledger import Run, Submission
from batch.ledger.hints import is_hinted
from batch.ledger.moves import note_asked
from batch.ledger.reading import Due, bearing, count_due
from batch.pace import from_utc_text, utc_text
from batch.provider_reads import ListedOrders
from batch.responses import OrderRead
from schemas.profile import Meaning
from schemas.states import State

STILL_WORKED_ON = (Meaning.PENDING, Meaning.ONHOLD)

EARLIER = timedelta(days=1)
"""A listing begins so long before the oldest claim: the provider's clock and the date that it filters on are its own."""

_SPARE_PAGES = 10
_STRANGE_PAGES = 3
"""So many pages in a row without any order of ours, or the same page again, and the listing is given up."""


def ask_by_listing(equipment: Equipment, run: Run) -> int:
    """Where many orders are due, let the listing say which of them are as they were. Returns how many pages were asked for.

    Those are not due any more afterwards; the rest is for single reads. Raises ApiLoginRefused; a listing that cannot be
    had otherwise leaves everything to single reads.
    """
    with equipment.ledger.reading() as connection:
        due = count_due(connection, equipment.ledger.mid, now=utc_text(equipment.clock.now()))
    if not is_worth_a_listing(due, equipment.settings.outcomes.listing_from, equipment.profile.orders.max_page_size):
        return 0
    equipment.progress.stage("listing")
    codes = [code for code, meaning in equipment.profile.status_codes.items() if meaning in STILL_WORKED_ON]
    placed_from = from_utc_text(due.oldest_claim) - EARLIER
    number, asked, strange, most = equipment.profile.orders.first_page, 0, 0, 0
    before: Sequence[str] = ()
    while strange < _STRANGE_PAGES:
        page, calls = _page(equipment, codes, utc_text(placed_from), number)
        asked += calls
        if page.problem and not page.is_unreadable:
            return asked
        shown = [order.provider_order_id for order in page.orders]
        most = most or 2 * -(-due.at_work // max(1, len(shown))) + _SPARE_PAGES
        is_ours = _note(equipment, run, page.orders)
        strange = 0 if is_ours and shown != before else strange + 1
        number, before = number + 1, shown
        equipment.progress.advance(len(shown))
        if not page.has_next or asked >= most:
            return asked
    return asked


def is_worth_a_listing(due: Due, listing_from: int, page_size: int) -> bool:
    """Whether so many orders are due that listing all that the provider works on is cheaper than reading them."""
    return due.orders >= listing_from and 2 * -(-due.at_work // page_size) <= due.orders


def _page(equipment: Equipment, codes: Sequence[int], placed_from: str, number: int) -> tuple[ListedOrders, int]:
    """One page and how many calls it took; asked for once more when it does not come or cannot be read."""
    page = equipment.api.list_orders(codes, placed_from, number)
    if not page.problem:
        return page, 1
    return equipment.api.list_orders(codes, placed_from, number), 2


def _note(equipment: Equipment, run: Run, orders: Sequence[OrderRead]) -> bool:
    """Note which orders of a page are as they were, in one transaction. Returns whether any of the page is ours."""
    counts = Counter(order.provider_order_id for order in orders)
    once = {order.provider_order_id: order for order in orders if counts[order.provider_order_id] == 1}
    with equipment.ledger.writing(run) as writing:
        ours = bearing(writing.connection, writing.mid, list(once))
        same = [
            submission
            for submission in ours
            if "" < submission.next_read_at <= writing.now < submission.expires_at
            and is_as_it_was(equipment, submission, once[submission.provider_order_id])
        ]
        note_asked(writing, [(submission, next_read(writing, equipment, submission)) for submission in same])
    return bool(ours)


def is_as_it_was(equipment: Equipment, submission: Submission, shown: OrderRead) -> bool:
    """Whether a listing shows an order as the ledger has it: the same order and amount, still worked on, no hint against it."""
    meaning = meaning_of(shown, equipment.profile)
    return (
        submission.state is State.PENDING
        and not is_hinted(submission)
        and shown.external_id in {"", submission.order_id}
        and shown.amount_minor in {None, submission.amount_minor}
        and shown.currency in {"", submission.currency}
        and meaning in STILL_WORKED_ON
        and meaning is meaning_of_word(submission.provider_status, equipment.profile)
    )
