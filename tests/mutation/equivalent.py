"""Mutants that change nothing that anybody could notice, each with its reason; they are made, and not judged."""

EQUIVALENT: dict[tuple[str, str], str] = {
    (
        "batch/early_news.py",
        "500 -> 501",
    ): "so many pieces of evidence are looked up in one statement: what is found does not hang on it",
    (
        "batch/applying.py",
        "moved.mit_mode == CIT_MODE and moved.state is not State.PENDING -> (moved.state is not State.PENDING)",
    ): "only an order of a customer who was present ever has an item about a challenge: for others there is none to close",
    (
        "batch/applying.py",
        "conclusion.item is not ItemKind.AMOUNT_DIFFERS or submission.state not in NEVER_AGAIN"
        " -> (conclusion.item is not ItemKind.AMOUNT_DIFFERS)",
    ): "an amount that a person accepted completes the order in the same step: only such an order has one to be compared",
    (
        "batch/left_over_copies.py",
        'batch.kind != "transmit" or batch.step not in (BatchStep.CLAIMED, BatchStep.SENDING, BatchStep.CALLING)'
        " -> (batch.step not in (BatchStep.CLAIMED, BatchStep.SENDING, BatchStep.CALLING))",
    ): "a file of orders has no copies: none of them is found too old",
    (
        "batch/ledger/calls.py",
        '(transmission.c.mid == bindparam("mid"), transmission.c.batch_id == bindparam("batch_id"))'
        " -> (transmission.c.batch_id == bindparam('batch_id'),)",
    ): "a ledger is one merchant's: whoever opens it for another is refused",
}
"""By file and change (`was -> now`): why nothing comes of it."""
