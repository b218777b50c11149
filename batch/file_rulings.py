"""What follows from a person's decision about a file or an item, and which are refused. Pure: both sides are handed in.

A file is sent again only when no order of it is known at the provider and it lies nowhere there (I2); until somebody
decides, a file without an answer stays as it is (I12).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from batch.conclusions import Facts
from schemas.errors import DecisionRefused
from schemas.reasons import ItemKind
from schemas.resolutions import Resolution
from schemas.states import BatchStep, State

WAITING = (State.SENDING, State.IN_DOUBT)
_ABOUT_REVIEW = (ItemKind.CONTRADICTION, ItemKind.DOUBLE_CHARGE, ItemKind.LATE_COMPLETION, ItemKind.AMOUNT_DIFFERS)
_WAITS_FOR_ANSWER = (BatchStep.IN_DOUBT, BatchStep.DELIVERED)
_MAY_BE_UPLOADED = (BatchStep.SENDING, BatchStep.PART_VERIFIED, BatchStep.IN_DOUBT)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a batch file: how far it got, how many of its orders wait, and which orders of it the provider has.

    `released` are orders of it that count as refused: they must not leave any more. `lies_there` is the name under which
    it still lies in the provider's inbound folder, empty where it does not. `stays`: the provider has an order of it that it
    may have by an earlier claim, so that no run renames the file, and nobody knows by that whether it came.
    """

    file_name: str
    kind: str
    step: BatchStep
    waiting: int
    known: Sequence[str] = ()
    released: Sequence[str] = ()
    lies_there: str = ""
    stays: bool = False


@dataclass(frozen=True, slots=True)
class FileRuling:
    """Where a file goes by a decision, where its orders without an answer go, and the sentence that says so."""

    step: BatchStep
    orders_to: State
    sentence: str


def rule_on_item(kind: ItemKind, order: Facts | None, file: FileFacts | None) -> None:
    """Whether an item may close without any change. Raises DecisionRefused where something waits for a decision."""
    if order is not None and order.state is State.REVIEW and kind in _ABOUT_REVIEW:
        raise DecisionRefused(
            f"Order {order.order_id!r} is under review and stays so until somebody decides; noting it is not enough.",
            next_step=f"Look at both sides: mitbatch explain {order.order_id}",
        )
    if file is not None and file.step in _WAITS_FOR_ANSWER and kind is ItemKind.MISSING_ACKNOWLEDGEMENT:
        raise DecisionRefused(
            f"{file.file_name} still has no answer; noting it is not enough.",
            next_step="Ask the provider's support whether it came, and decide by what they say.",
        )


def rule_on_file(resolution: Resolution, file: FileFacts) -> FileRuling:
    """Where a file and its orders go. Raises DecisionRefused."""
    by_hand = resolution is Resolution.UPLOADED_BY_HAND
    if file.step not in (_MAY_BE_UPLOADED if by_hand else _WAITS_FOR_ANSWER):
        raise DecisionRefused(f"{file.file_name} is {file.step}; {resolution} does not fit that.")
    if by_hand:
        sentence = f"{file.file_name} counts as delivered; its orders wait for the acknowledgement."
        return FileRuling(BatchStep.DELIVERED, State.SENDING, sentence)
    if file.known:
        named = ", ".join(map(repr, file.known[:3]))
        raise DecisionRefused(
            f"{file.file_name} did come: the provider knows {named} of it.",
            next_step="Let mitbatch poll settle its orders; the hold stays until then.",
        )
    if file.released and resolution is Resolution.NEVER_ARRIVED:
        raise DecisionRefused(
            f"Order {file.released[0]!r} of {file.file_name} was released; the file is not sent again with it.",
            next_step=f"Decide --as {Resolution.NOT_TAKEN}: its other orders are released as well, and may be handed over anew.",
        )
    if file.lies_there:
        lies_on = file.lies_there == file.file_name or file.stays or file.released
        raise DecisionRefused(
            f"{file.lies_there} lies in the provider's inbound folder now; it may still be taken.",
            next_step="Ask the provider's support to remove it first." if lies_on else "The next nightly looks at it.",
        )
    rows = f"{file.waiting:,} {'order' if file.waiting == 1 else 'orders'}"
    rows = rows if file.kind == "evaluate" else "copies of good charges"
    if resolution is Resolution.NEVER_ARRIVED:
        return FileRuling(BatchStep.SENDING, State.SENDING, f"{file.file_name} ({rows}) is sent again by the next run.")
    ending = "are released" if file.kind == "evaluate" else "count as refused"
    return FileRuling(BatchStep.REFUSED, State.REJECTED, f"{file.file_name} counts as refused: its {rows} {ending}.")
