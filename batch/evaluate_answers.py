"""What the answers to evaluates do to their orders: pending, rejected, held again, or in doubt; never ended (CONTRACT 7.5)."""

from collections import defaultdict
from collections.abc import Sequence

from batch.acknowledged_rows import first_read
from batch.api_line import Called
from batch.call_answers import Reply, Verdict, read_evaluate
from batch.conclusions import CHALLENGED
from batch.contradictions import contest_id, tell
from batch.early_news import apply_early_news
from batch.equipment import Equipment
from batch.ledger import Submission, Writing
from batch.ledger.moves import Move, move_orders
from batch.ledger.reading import bearers_of
from schemas.order import CIT_MODE
from schemas.profile import Meaning
from schemas.reasons import ItemKind
from schemas.states import State

_SAYS_NOTHING = (None, Meaning.CHALLENGE, Meaning.PROBLEM, Meaning.NOT_FOUND)
"""Meanings of a status word in the answer to an evaluate of which a person must hear; a CIT may be challenged."""


def apply_replies(writing: Writing, equipment: Equipment, answered: Sequence[tuple[Submission, Reply, str]]) -> None:
    """Move each order as its own answer demands: (order as it stands, answer, evidence id). All in this one transaction.

    Orders that share an id of the provider's are settled together, whatever else their answers say.
    """
    shared = _shared_ids(writing, answered)
    moves, learnt = [], []
    for order, reply, evidence_id in answered:
        if reply.provider_id and reply.provider_id in shared:
            continue
        move = _move_of(writing, equipment, order, reply, evidence_id)
        if move is not None:
            moves.append(move)
            learnt += [reply.provider_id] if reply.provider_id else []
    move_orders(writing, moves)
    for order, reply, evidence_id in answered:
        _tell(writing, equipment, order, reply, evidence_id)
    for provider_id, (order_ids, evidence_id) in sorted(shared.items()):
        contest_id(writing, equipment, provider_id, order_ids, evidence_id, "evaluate")
    apply_early_news(writing, equipment, [*learnt, *shared])


def _move_of(writing: Writing, equipment: Equipment, order: Submission, reply: Reply, evidence_id: str) -> Move | None:
    if order.state is not State.SENDING:  # it came under review meanwhile, by another order's answer
        detail = {"provider_order_id": reply.provider_id}
        knows = bool(order.provider_order_id) or not reply.provider_id
        words = "the provider's id is known now"
        return None if knows else Move(order, None, "evaluate", words, evidence_id, "learnt", detail, detail)
    if reply.verdict is Verdict.UNSEEN:
        return Move(order, State.HELD, "send", reply.words, evidence_id, shows=False)
    if reply.verdict is Verdict.DOUBTFUL:
        return Move(order, State.IN_DOUBT, "evaluate", reply.words, evidence_id, shows=False)
    if reply.verdict is Verdict.REFUSED:
        detail = {"provider_status": "FAILED", "error_code": "MB-ROW-REJECTED", "error_text": reply.words}
        changes = {"provider_status": "FAILED"}
        return Move(order, State.REJECTED, "evaluate", reply.words, evidence_id, detail=detail, changes=changes)
    changes = {"provider_order_id": reply.provider_id, "provider_status": reply.word.upper()[:64]}
    due = {"next_read_at": first_read(writing, equipment, order, reply.word)}
    return Move(
        order,
        State.PENDING,
        "evaluate",
        f"the provider has it: {reply.word}",
        evidence_id,
        detail={"provider_order_id": reply.provider_id, "provider_status": reply.word},
        changes={**changes, **due, "handed_over_date": writing.run.business_date},
    )


def _tell(writing: Writing, equipment: Equipment, order: Submission, reply: Reply, evidence_id: str) -> None:
    subject = f"order:{order.order_id}"
    if reply.verdict is Verdict.REFUSED and order.state is State.SENDING:
        tell(writing, equipment, ItemKind.ROW_REFUSED, subject, reply.words, evidence_id)
    if reply.verdict is Verdict.TAKEN and equipment.profile.meaning(reply.word) in _SAYS_NOTHING:
        if order.mit_mode == CIT_MODE and equipment.profile.meaning(reply.word) is Meaning.CHALLENGE:
            tell(writing, equipment, ItemKind.CHALLENGE, subject, CHALLENGED, evidence_id)
        else:
            words = f"it answered {reply.word!r} to the evaluate"
            tell(writing, equipment, ItemKind.UNKNOWN_STATUS, subject, words, evidence_id)


def reply_of(called: Called) -> Reply:
    """What one call proves, whether it was answered, failed, or was never made."""
    if called.not_made or called.not_sent:
        return Reply(Verdict.UNSEEN, called.problem or "the call was not made")
    if not called.http_status:
        return Reply(Verdict.DOUBTFUL, called.problem)
    return read_evaluate(called.http_status, called.content)


def _shared_ids(writing: Writing, answered: Sequence[tuple[Submission, Reply, str]]) -> dict[str, tuple[set[str], str]]:
    """Ids of the provider's that stand for several orders of ours: for which, and one piece of evidence."""
    bearers: dict[str, set[str]] = defaultdict(set)
    said: dict[str, str] = {}
    for order, reply, evidence_id in answered:
        if reply.provider_id:
            bearers[reply.provider_id].add(order.order_id)
            said[reply.provider_id] = evidence_id
    for provider_id, order_id in bearers_of(writing.connection, writing.mid, list(bearers)).items():
        bearers[provider_id].add(order_id)
    return {provider_id: (orders, said[provider_id]) for provider_id, orders in bearers.items() if len(orders) > 1}
