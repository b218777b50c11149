"""The states that an order can be in on our side, what each means for the merchant, and the only ways between them."""

from enum import StrEnum


class State(StrEnum):
    """Where an order stands: exactly one at any time; STATE_TEXTS says what each means (the provider's words: CONTRACT 14)."""

    CLAIMED = "claimed"
    HELD = "held"
    WITHDRAWN = "withdrawn"
    SENDING = "sending"
    IN_DOUBT = "in_doubt"
    PENDING = "pending"
    CAPTURE_REQUIRED = "capture_required"
    COMPLETED = "completed"
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    REVIEW = "review"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    CHARGEBACK = "chargeback"


STATE_TEXTS: dict[State, str] = {
    State.CLAIMED: "chosen by this ledger; the hold may not be placed yet, so the hold decides about in-house retries",
    State.HELD: "the order system confirms our hold; nothing has been sent; in-house retries are blocked",
    State.WITHDRAWN: "the hold could not be placed, or was taken back before sending; in-house retries are free",
    State.SENDING: "the intent to send is recorded; bytes may be leaving; in-house retries are blocked",
    State.IN_DOUBT: "it may or may not have been sent; it stays held and is settled by asking, never by sending again",
    State.PENDING: "the provider has it and works on it until its expiry; in-house retries are blocked",
    State.CAPTURE_REQUIRED: "authorised at the provider, waits for capture or cancel; in-house retries are blocked",
    State.COMPLETED: "recovered: the provider says so for the same order and amount; nobody charges it again",
    State.DECLINED: "the provider gave up; in-house retries are released",
    State.EXPIRED: "not recovered by its expiry; in-house retries are released",
    State.CANCELLED: "the provider was told to stop, and did; in-house retries are released",
    State.REJECTED: "the provider refused the row or the file, no rescue started; in-house retries are released",
    State.REVIEW: "contradictory: a person decides; in-house retries are blocked",
    State.PARTIALLY_REFUNDED: "recovered, and a part was given back; nobody charges it again",
    State.REFUNDED: "recovered and given back; nobody charges it again",
    State.CHARGEBACK: "recovered and disputed by the cardholder; nobody charges it again",
}
"""What each state means for people, and whether in-house retries may take the order."""

OPEN = (
    State.CLAIMED,
    State.HELD,
    State.SENDING,
    State.IN_DOUBT,
    State.PENDING,
    State.CAPTURE_REQUIRED,
    State.REVIEW,
)
"""States of an order that is, or may be, at the provider (or is about to be): it stays inside the books' closing line."""

RELEASED = (State.WITHDRAWN, State.REJECTED, State.DECLINED, State.EXPIRED, State.CANCELLED)
"""States after which the merchant's own retry may take the order again."""

NEVER_AGAIN = (State.COMPLETED, State.PARTIALLY_REFUNDED, State.REFUNDED, State.CHARGEBACK)
"""States after which nobody charges the order again."""

CLAIMABLE_AGAIN = (State.WITHDRAWN, State.REJECTED)
"""The only states after which the same order id may be claimed once more: no rescue ever started for it."""

NOT_RECOVERED = (State.DECLINED, State.EXPIRED, State.CANCELLED)
"""The provider's final answers that brought no money."""

TERMINAL = RELEASED + NEVER_AGAIN

_FINAL_ANSWERS = (State.COMPLETED, *NOT_RECOVERED)

EDGES: dict[State, tuple[State, ...]] = {
    State.CLAIMED: (State.HELD, State.WITHDRAWN, State.REVIEW),
    State.HELD: (State.SENDING, State.WITHDRAWN, State.REVIEW),
    State.SENDING: (State.HELD, State.IN_DOUBT, State.PENDING, State.REJECTED, State.REVIEW, State.WITHDRAWN),
    State.IN_DOUBT: (State.SENDING, State.PENDING, State.REJECTED, State.REVIEW),
    State.PENDING: (State.CAPTURE_REQUIRED, *_FINAL_ANSWERS, State.REVIEW, State.REFUNDED, State.CHARGEBACK),
    State.CAPTURE_REQUIRED: (*_FINAL_ANSWERS, State.REVIEW, State.REFUNDED, State.CHARGEBACK),
    State.COMPLETED: (State.PARTIALLY_REFUNDED, State.REFUNDED, State.CHARGEBACK, State.REVIEW),
    State.DECLINED: (State.EXPIRED, State.REVIEW),
    State.EXPIRED: (State.REVIEW,),
    State.CANCELLED: (State.REVIEW,),
    State.REJECTED: (State.REVIEW,),
    State.WITHDRAWN: (State.REVIEW,),
    State.REVIEW: (State.PENDING, *_FINAL_ANSWERS, State.REJECTED, State.REFUNDED, State.CHARGEBACK),
    State.PARTIALLY_REFUNDED: (State.PARTIALLY_REFUNDED, State.REFUNDED, State.CHARGEBACK, State.REVIEW),
    State.REFUNDED: (State.CHARGEBACK, State.REVIEW),
    State.CHARGEBACK: (State.REVIEW,),
}
"""Every permitted move. Anything else is an error that names both states.

SENDING -> WITHDRAWN is for files whose part was never verified: their final name cannot have existed. SENDING -> HELD is
for a call of the API that certainly did nothing: it was not made, or was refused before anything was done. CLAIMED, HELD and
WITHDRAWN -> REVIEW are for orders that the provider turns out to have all the same. DECLINED -> EXPIRED is a better word
for the same end, heard later: both are released, and nothing moves in the books. PARTIALLY_REFUNDED to itself is a
further part given back.
"""


API_FORMAT = "api"
"""The format of a batch that never becomes a file: a group of orders or copies that are sent by calls, one each."""


COPY_TOO_OLD = "too_old"
"""What `result` says of a copy of a good charge that was left over until it was too late: it was not sent, and never is."""


DAY_END_MARK = "\x1f"
"""What stands between the cells of a copy's `day_end`: how it stood when its day was over."""


class BatchStep(StrEnum):
    """How far a batch file has got on its way to the provider (CONTRACT 6.4: written as .part, then renamed)."""

    CLAIMED = "claimed"
    SENDING = "sending"
    CALLING = "calling"  # a group without a file: its orders are sent one by one over the API, and some may have been
    PART_VERIFIED = "part_verified"  # the part is whole on the server; from here on a rename may be asked for
    IN_DOUBT = "in_doubt"
    DELIVERED = "delivered"  # the rename happened
    ACKNOWLEDGED = "acknowledged"  # the provider answered for this file
    REFUSED = "refused"  # the provider refused the whole file
    EMPTY = "empty"  # every order of it was withdrawn, or every copy too old, before anything was sent


BATCH_EDGES: dict[BatchStep, tuple[BatchStep, ...]] = {
    BatchStep.CLAIMED: (BatchStep.SENDING, BatchStep.CALLING, BatchStep.EMPTY),
    BatchStep.SENDING: (BatchStep.PART_VERIFIED, BatchStep.SENDING, BatchStep.EMPTY),
    BatchStep.CALLING: (BatchStep.CALLING, BatchStep.ACKNOWLEDGED),
    BatchStep.PART_VERIFIED: (
        BatchStep.DELIVERED,
        BatchStep.IN_DOUBT,
        BatchStep.PART_VERIFIED,
        BatchStep.ACKNOWLEDGED,
        BatchStep.REFUSED,
    ),
    BatchStep.IN_DOUBT: (
        BatchStep.DELIVERED,
        BatchStep.PART_VERIFIED,
        BatchStep.ACKNOWLEDGED,
        BatchStep.REFUSED,
    ),
    BatchStep.DELIVERED: (BatchStep.ACKNOWLEDGED, BatchStep.REFUSED),
    BatchStep.ACKNOWLEDGED: (),
    BatchStep.REFUSED: (BatchStep.ACKNOWLEDGED,),
    BatchStep.EMPTY: (),
}
"""Every permitted step of a batch file.

PART_VERIFIED -> PART_VERIFIED renews the part's content, which needs the part in hand: proof that no rename happened.
There is no way back to SENDING: a part that was verified once is never created again. CALLING -> CALLING records the
intent for the next orders of a group; ACKNOWLEDGED, that none is left to be called. REFUSED -> ACKNOWLEDGED is for a
file that the provider accepts after all.
"""

BATCH_EDGES_BY_HAND: dict[BatchStep, tuple[BatchStep, ...]] = {
    BatchStep.SENDING: (BatchStep.DELIVERED,),
    BatchStep.IN_DOUBT: (BatchStep.SENDING,),
    BatchStep.DELIVERED: (BatchStep.SENDING,),
    BatchStep.ACKNOWLEDGED: (BatchStep.CALLING,),
}
"""What only a person may do besides: SENDING -> DELIVERED is for a file that somebody uploaded by hand; the ways back to
SENDING are for a file that the provider's support confirms never came; ACKNOWLEDGED -> CALLING is for a group of which a
call in doubt is made once more. No run takes them by itself.
"""

UNSENT_STEPS = (BatchStep.CLAIMED, BatchStep.SENDING, BatchStep.CALLING, BatchStep.PART_VERIFIED, BatchStep.IN_DOUBT)
"""Steps at which a batch still has something to be done for its delivery."""
