"""The rules once more, in other words than the code's: from where each state may be entered, and what each answer means.

Written from the contract (CONTRACT 6.4, 9, 14) and the promises alone. Nothing here is computed by the code under test.
"""

from dataclasses import dataclass

WORKED_ON = ("pending", "capture_required")
UNANSWERED = ("sending", "in_doubt")
NEVER_SENT = ("claimed", "held", "withdrawn")
ENDED_WITHOUT_MONEY = ("declined", "expired", "cancelled")
ENDED_WITH_MONEY = ("completed", "partially_refunded", "refunded", "chargeback")
STATES = (*NEVER_SENT, *UNANSWERED, *WORKED_ON, *ENDED_WITH_MONEY, *ENDED_WITHOUT_MONEY, "rejected", "review")
FINAL = (*WORKED_ON, "review")

ENTERED_FROM: dict[str, tuple[str, ...]] = {
    "claimed": (),
    "held": ("claimed", "sending"),
    "withdrawn": ("claimed", "held", "sending"),
    "sending": ("held", "in_doubt"),
    "in_doubt": ("sending",),
    "pending": (*UNANSWERED, "review"),
    "capture_required": ("pending",),
    "rejected": (*UNANSWERED, "review"),
    "completed": FINAL,
    "declined": FINAL,
    "expired": (*FINAL, "declined"),
    "cancelled": FINAL,
    "partially_refunded": ("completed", "partially_refunded"),
    "refunded": (*FINAL, "completed", "partially_refunded"),
    "chargeback": (*FINAL, "completed", "partially_refunded", "refunded"),
    "review": tuple(state for state in STATES if state != "review"),
}
"""Into each state: from where. An end is left for review only, for what follows a completion, or for its better name."""

STEPS = ("claimed", "sending", "calling", "part_verified", "in_doubt", "delivered", "acknowledged", "refused", "empty")
MAYBE_RENAMED = ("part_verified", "in_doubt")
STEP_ENTERED_FROM: dict[str, tuple[str, ...]] = {
    "claimed": (),
    "sending": ("claimed", "sending"),
    "calling": ("claimed", "calling"),
    "part_verified": ("sending", *MAYBE_RENAMED),
    "in_doubt": ("part_verified",),
    "delivered": MAYBE_RENAMED,
    "acknowledged": (*MAYBE_RENAMED, "calling", "delivered", "refused"),
    "refused": (*MAYBE_RENAMED, "delivered"),
    "empty": ("claimed", "sending"),
}
"""Into each step of a file: from where. What was verified once is never again a file that nobody can have seen."""

WORDS: dict[str, str] = {
    "submitted": "working",
    "draft": "working",
    "processing": "working",
    "onhold": "on hold",
    "capturerequired": "authorised",
    "approved": "money",
    "order approved": "money",
    "completed": "money",
    "order completed": "money",
    "declined": "no money: declined",
    "cancelled": "no money: ended",
    "expired": "no money: expired",
    "returned": "money back",
    "chargeback": "disputed",
}
"""Every published word that says something about an order; all others say nothing (CHALLENGE, Problem, NOTFOUND as well)."""

NUMBERS: dict[int, str] = {
    0: "working",
    1: "on hold",
    2: "no money: ended",
    4: "working",
    5: "authorised",
    6: "money back",
    7: "money",
}
"""Every published number that says something; 3 (Problem), and what is not here, says nothing."""

SILENT_WORDS = ("challenge", "problem", "notfound", "success", "failed", "recovered", "paid", "ok", "UNREADABLE", "completed2")
NUMBERS_SEEN: tuple[int | None, ...] = (None, *range(9), -1, 70, 10**9 - 1)


def said(word: str, number: int | None) -> str | None:
    """What a word and a number together say; None: nothing that may be acted upon. They must not contradict each other."""
    by_number = NUMBERS.get(number) if number is not None else None
    if not word:
        return by_number
    by_word = WORDS.get(word.lower())
    if number is None or by_word == by_number:
        return by_word
    return by_word if (word.lower(), number) == ("expired", 2) else None


@dataclass(frozen=True)
class Case:
    """One order as we know it, and one answer. `amount` and `currency`: absent, same or other; ids: absent, ours or other."""

    state: str
    word: str
    number: int | None
    amount: str = "same"
    currency: str = "same"
    order_id: str = "ours"
    provider_id: str = "ours"
    is_past_expiry: bool = False
    was_called_expired: bool = False


@dataclass(frozen=True)
class Outcome:
    """Where the order stands afterwards, and the kind of item that opens, empty for none."""

    state: str
    item: str = ""


def outcome(case: Case) -> Outcome:
    """What must follow from one answer."""
    if case.order_id == "other" or case.provider_id == "other":
        return Outcome(case.state, "quarantine")
    says = said(case.word, case.number)
    if says is None:
        return Outcome(case.state, "unknown_status")
    if case.state == "review":
        return Outcome("review")
    if case.state in NEVER_SENT:
        return Outcome("review", "contradiction")
    if says == "money":
        return _money(case)
    if says in ("money back", "disputed"):
        return _after_money(case.state, "refunded" if says == "money back" else "chargeback")
    if says.startswith("no money"):
        return _no_money(case, says)
    return _goes_on(case.state, says)


def _money(case: Case) -> Outcome:
    agrees = case.amount != "other" and case.currency != "other"
    if not agrees and case.state != "partially_refunded":  # what was given back may be missing from the amount
        return Outcome("review", "amount_differs")
    if case.state in ENDED_WITH_MONEY:
        return Outcome(case.state)
    if case.state in (*ENDED_WITHOUT_MONEY, "rejected"):
        return Outcome("review", "late_completion")
    return Outcome("completed")


def _after_money(state: str, end: str) -> Outcome:
    if state in (*ENDED_WITHOUT_MONEY, "rejected"):
        return Outcome("review", "late_completion")
    return Outcome(state if state in (end, "chargeback") else end)


def _no_money(case: Case, says: str) -> Outcome:
    if case.state in ENDED_WITH_MONEY:
        return Outcome("review", "contradiction")
    if case.state in (*ENDED_WITHOUT_MONEY, "rejected"):
        called = says == "no money: expired" or (says == "no money: ended" and case.was_called_expired)
        return Outcome("expired" if called and case.state == "declined" else case.state)
    counts_as_expired = says == "no money: expired" or (
        says == "no money: ended" and (case.is_past_expiry or case.was_called_expired)
    )
    return Outcome("expired" if counts_as_expired else "declined")


def _goes_on(state: str, says: str) -> Outcome:
    if state == "rejected":
        return Outcome("review", "contradiction")
    if says == "authorised" and state in (*UNANSWERED, "pending"):
        return Outcome("capture_required")
    return Outcome("pending" if state in UNANSWERED else state)
