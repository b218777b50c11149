"""Whether a person has been told that the merchant changed a row, or of something else under the same kind of item."""

from batch.conclusions import CAME_TOO_LATE
from batch.ledger import Submission, Writing
from batch.ledger.items import is_open, stands_open
from batch.ledger.operations import operations_of
from batch.settling import BY_ITSELF
from schemas.operations import OperationKind
from schemas.reasons import ItemKind


def is_told(writing: Writing, submission: Submission) -> bool:
    """Whether a person has been told of this very change, and not of a cancel of a person's that came too late instead."""
    subject = f"order:{submission.order_id}"
    if not is_open(writing, ItemKind.DOUBLE_CHARGE, subject):
        return False
    if not stands_open(writing.connection, writing.mid, ItemKind.DOUBLE_CHARGE, subject, CAME_TOO_LATE):
        return True
    cancels = operations_of(writing.connection, writing.mid, submission.order_id, OperationKind.CANCEL)
    return all(cancel.asked_by == BY_ITSELF for cancel in cancels if cancel.attempt == submission.attempt)
