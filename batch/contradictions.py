"""What follows where the provider's words contradict each other: review, in whatever order they came (I6, I8).

Nothing here releases, completes or sends: an order that two words disagree about is held, and a person decides.
"""

from collections.abc import Iterable

from batch.equipment import Equipment
from batch.ledger import Batch, Submission, Writing
from batch.ledger.batches import batch_by_id
from batch.ledger.items import close_items, is_open, open_item
from batch.ledger.moves import Move, move_orders
from batch.ledger.reading import attempts_of, submissions_of_batch, superseded_in
from schemas.reasons import ITEM_TEXTS, ItemKind
from schemas.states import EDGES, BatchStep, State

ONE_ID_FOR_TWO = "the provider gave its id to another order as well"


def tell(writing: Writing, equipment: Equipment, kind: ItemKind, subject: str, words: str, evidence_id: str) -> None:
    """Open an item about what the provider says."""
    days = equipment.settings.review.due_business_days
    open_item(writing, kind, subject, f"{ITEM_TEXTS[kind]}: {words}", due_business_days=days, evidence_id=evidence_id)


def tell_of_order(writing: Writing, equipment: Equipment, order: Submission, words: str, evidence_id: str) -> None:
    """Open an item about an order under review, unless one stands open about the whole of its file."""
    if not is_open(writing, ItemKind.CONTRADICTION, f"batch:{order.batch_id}"):
        tell(writing, equipment, ItemKind.CONTRADICTION, f"order:{order.order_id}", words, evidence_id)


def no_longer_refused(writing: Writing, order: Submission) -> None:
    """Close what stands open about the refusal of an order that is under review now."""
    close_items(writing, ItemKind.ROW_REFUSED, f"order:{order.order_id}", "other words of the provider's contradict the refusal")


def late_acceptance(writing: Writing, equipment: Equipment, latest: Submission, evidence_id: str) -> None:
    """An earlier claim of this order is accepted after it was taken for refused, and the order was claimed again since."""
    words = "an earlier claim of it was accepted late: the provider may have it twice"
    if State.REVIEW in EDGES[latest.state]:
        move_orders(writing, [Move(latest, State.REVIEW, "acknowledgement", words, evidence_id)])
        no_longer_refused(writing, latest)
    tell_of_order(writing, equipment, latest, words, evidence_id)


def accept_after_refusal(writing: Writing, equipment: Equipment, batch: Batch, evidence_id: str) -> None:
    """The provider accepts a file that it had refused: its released orders are held again where that still goes."""
    words = f"{batch.file_name} is accepted although the provider refused it before"
    if batch.kind == "evaluate":
        for latest in superseded_in(writing.connection, writing.mid, batch.batch_id).values():
            late_acceptance(writing, equipment, latest, evidence_id)
    review_whole_file(writing, equipment, batch, words, evidence_id)


def doubt_refusal(writing: Writing, equipment: Equipment, order: Submission, evidence_id: str) -> None:
    """The provider has an order that it had refused: what was told of the refusal is void, and if it was a refusal of the
    whole file, the file's other orders may be there as well.
    """
    no_longer_refused(writing, order)
    batch = batch_by_id(writing.connection, writing.mid, order.batch_id)
    if batch is not None and batch.step is BatchStep.REFUSED:
        words = f"{batch.file_name} was refused, yet the provider has orders of it"
        review_whole_file(writing, equipment, batch, words, evidence_id)


def review_whole_file(writing: Writing, equipment: Equipment, batch: Batch, words: str, evidence_id: str) -> None:
    """A file that was refused and accepted, or refused and yet worked on: nobody knows what became of any of its orders.

    All of them come under review, those as well that have ended since; one that was claimed again is judged by its
    later claim.
    """
    subject = f"batch:{batch.batch_id}"
    tell(writing, equipment, ItemKind.CONTRADICTION, subject, words, evidence_id)
    close_items(writing, ItemKind.FILE_REFUSED, subject, "other words of the provider's contradict the refusal")
    if batch.kind != "evaluate":
        return
    superseded = superseded_in(writing.connection, writing.mid, batch.batch_id)
    orders = submissions_of_batch(writing.connection, writing.mid, batch.batch_id)
    concerned = [each for each in orders if each.state is not State.WITHDRAWN and each.order_id not in superseded]
    due = [each for each in concerned if each.state is not State.REVIEW]
    move_orders(writing, [Move(each, State.REVIEW, "acknowledgement", words, evidence_id) for each in due])
    for each in concerned:
        no_longer_refused(writing, each)
        close_items(writing, ItemKind.CONTRADICTION, f"order:{each.order_id}", "it is told of the whole file now")


def contest_id(
    writing: Writing, equipment: Equipment, provider_id: str, order_ids: Iterable[str], evidence_id: str, source: str
) -> None:
    """One id of the provider's stands for several orders of ours: whose it is, nobody can say; all come under review.

    So that the end does not depend on who was named first, the least of the order ids bears it from now on; what is read
    by that id moves no order that is under review.
    """
    latest = {each: attempts_of(writing.connection, writing.mid, each)[-1] for each in sorted(set(order_ids))}
    bearer = min(latest)
    moves = []
    for order_id, order in latest.items():
        loses = order.provider_order_id == provider_id and order_id != bearer
        wins = not order.provider_order_id and order_id == bearer
        changes = {"provider_order_id": "" if loses else provider_id} if loses or wins else {}
        reviewed = order.state is State.REVIEW
        if not reviewed or changes:
            to = None if reviewed else State.REVIEW
            kind = "learnt" if reviewed else "transition"
            moves.append(Move(order, to, source, ONE_ID_FOR_TWO, evidence_id, kind, dict(changes), changes))
    for move in sorted(moves, key=lambda move: move.submission.order_id, reverse=True):  # it is taken before it is given
        move_orders(writing, [move])
    for order in latest.values():
        no_longer_refused(writing, order)
        tell_of_order(writing, equipment, order, ONE_ID_FOR_TWO, evidence_id)
