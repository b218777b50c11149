"""What people ask of the provider for one order (cancel, capture, refund), and how far such a request can have got."""

from enum import StrEnum


class OperationKind(StrEnum):
    """What is asked for (CONTRACT 9, 10, 11)."""

    CANCEL = "cancel"
    CAPTURE = "capture"
    REFUND = "refund"


class OperationStep(StrEnum):
    """How far a request has got. It is asked for once; without a clear answer it is settled by reading, never by asking again."""

    CLAIMED = "claimed"  # written down; nothing has left
    SENDING = "sending"  # the intent is recorded; the request may be leaving
    IN_DOUBT = "in_doubt"  # no clear answer came: it may or may not have happened
    DONE = "done"  # the provider did it
    REFUSED = "refused"  # the provider did not do it


UNSETTLED = (OperationStep.CLAIMED, OperationStep.SENDING, OperationStep.IN_DOUBT)
"""Steps at which nobody can say yet whether it happened."""

MAY_HAVE_HAPPENED = (OperationStep.SENDING, OperationStep.IN_DOUBT, OperationStep.DONE)
"""Steps at which it happened, or may have: money of such a refund counts as gone, a cancelled order as cancelled by us."""

OPERATION_EDGES: dict[OperationStep, tuple[OperationStep, ...]] = {
    OperationStep.CLAIMED: (OperationStep.SENDING, OperationStep.REFUSED),
    OperationStep.SENDING: (OperationStep.DONE, OperationStep.REFUSED, OperationStep.IN_DOUBT),
    OperationStep.IN_DOUBT: (OperationStep.DONE, OperationStep.REFUSED),
    OperationStep.DONE: (),
    OperationStep.REFUSED: (),
}
"""Every permitted step; there is no way back to a step from which it would be sent."""
