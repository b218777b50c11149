"""Looking after the rows that we hold: what the merchant changed meanwhile, and holds that the ledger knows nothing of.

Every nightly and poll begins with it. A row that looks free although the provider may be charging is held again in the
same step; what else the merchant did is left as it is and told, and the order is stopped at the provider. A hold of ours
that should have been lifted is lifted, so that no order is blocked for ever by nobody (I1, I13).
"""

from batch.applying import raise_item
from batch.build import idempotency_key
from batch.cancelling import cancel_changed
from batch.equipment import Equipment
from batch.ledger import Run, Submission
from batch.ledger.holds import claims_with_references, held_references, states_by_reference
from batch.ledger.items import open_item
from batch.ledger.moves import Move, move_orders
from batch.ledger.reading import attempts_of
from batch.order_rows import is_storable
from batch.pace import utc_text
from batch.results import row_result
from batch.row_statements import AFTER_RECOVERY, OURS
from batch.told_changes import is_told
from batch.writeback import Refusals
from schemas.reasons import ITEM_TEXTS, ItemKind
from schemas.states import RELEASED, State

PAGE = 1000
PREFIX = "mitbatch:"


def look_at_holds(equipment: Equipment, run: Run) -> None:
    """Compare every order that the ledger holds with its row, and every row that bears a hold of ours with the ledger."""
    after, changed = "", list[tuple[Submission, str]]()
    while True:
        with equipment.ledger.reading() as connection:
            held = held_references(connection, equipment.ledger.mid, after=after, limit=PAGE)
        if not held:
            break
        changed += _compare(equipment, run, held)
        if len(held) < PAGE:
            break
        after = held[-1][0]
    for page in equipment.source.held_rows(PREFIX, PAGE):
        _lift_strays(equipment, run, [row for row in page if is_storable(row[0])])
    cancel_changed(equipment, run, changed)


def _compare(equipment: Equipment, run: Run, held: list[tuple[str, str]]) -> list[tuple[Submission, str]]:
    """Hold again what looks free, tell of every change, and return the orders to which the merchant gave another status."""
    rows = equipment.source.written([order_id for order_id, _ in held])
    differing = [reference for order_id, reference in held if not _is_as_left(reference, rows.get(order_id))]
    if not differing:
        return []
    with equipment.ledger.reading() as connection:
        changed = claims_with_references(connection, equipment.ledger.mid, differing)
    now = utc_text(equipment.clock.now())
    with equipment.ledger.writing(run):
        pass  # still our turn: a runner that was paused must not hold what another has released since
    for submission in changed:
        equipment.writer.hold_again(row_result(equipment, submission), now=now)
    rows = equipment.source.written([submission.order_id for submission in changed])
    with equipment.ledger.writing(run) as writing:
        for submission in changed:
            row = rows.get(submission.order_id)
            again = row is not None and row["hold_reference"] == submission.hold_reference and row["status"] in OURS
            what = f"its status is {row['status']!r}" if row is not None else "the row is gone"
            if not again and is_told(writing, submission):
                continue
            did = "it looked free and is held again" if again else what
            words = f"{ITEM_TEXTS[ItemKind.WRITE_BACK_CONFLICT]}: {did}; the ledger says {submission.state}"
            raise_item(writing, equipment, ItemKind.WRITE_BACK_CONFLICT, submission, words)
    shown = [(submission, rows[submission.order_id]["status"]) for submission in changed if submission.order_id in rows]
    return [(submission, status) for submission, status in shown if status not in (*OURS, *AFTER_RECOVERY)]


def _is_as_left(reference: str, row: dict[str, str] | None) -> bool:
    return row is not None and row["hold_reference"] == reference and row["status"] in OURS


def _lift(equipment: Equipment, run: Run, due: list[Submission]) -> Refusals:
    """Show in each row how its order ended, which lifts the hold. Returns what the order system refused."""
    now = utc_text(equipment.clock.now())
    with equipment.ledger.writing(run):
        pass  # still our turn
    withdrawn = [(each.order_id, each.hold_reference) for each in due if each.state is State.WITHDRAWN]
    ended = [row_result(equipment, each) for each in due if each.state is not State.WITHDRAWN]
    return equipment.writer.lift_holds(withdrawn, now=now) | equipment.writer.write_results(ended, now=now)


def is_of_this_merchant(mid: str, order_id: str, reference: str) -> bool:
    """Whether this merchant account would give such a reference: another account may hold rows of the same table."""
    return any(reference == PREFIX + idempotency_key(mid, order_id, attempt) for attempt in range(1, 10))


def _lift_strays(equipment: Equipment, run: Run, rows: list[tuple[str, str]]) -> None:
    references, mid = [reference for _, reference in rows], equipment.ledger.mid
    with equipment.ledger.reading() as connection:
        known = states_by_reference(connection, mid, references)
        released = claims_with_references(connection, mid, [each for each in references if known.get(each) in RELEASED])
    keeps = equipment.settings.writeback.on_not_recovered == "keep"
    ended = [each for each in released if each.row_version == each.written_version]
    due = [each for each in ended if not (keeps and each.state.value != "withdrawn")]
    unknown = [
        order_id for order_id, reference in rows if reference not in known and is_of_this_merchant(mid, order_id, reference)
    ]
    if not due and not unknown:
        return
    refused = _lift(equipment, run, due)
    with equipment.ledger.writing(run) as writing:
        for stray in due:
            if stray.order_id in refused:
                words = f"its hold should be lifted, and the order system refuses it ({refused[stray.order_id]})"
                raise_item(writing, equipment, ItemKind.WRITE_BACK_CONFLICT, stray, words)
            elif attempts_of(writing.connection, writing.mid, stray.order_id)[-1].attempt == stray.attempt:
                reason = "its row still bore our hold, which was lifted"
                move_orders(writing, [Move(stray, None, "hold", reason, kind="stray_hold", shows=False)])
        for order_id in unknown:
            words = "its row bears a hold of ours that this ledger knows nothing of; find out which ledger placed it"
            days = equipment.settings.review.due_business_days
            open_item(writing, ItemKind.CONTRADICTION, f"order:{order_id}", words, due_business_days=days)
