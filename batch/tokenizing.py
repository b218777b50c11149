"""Turn cards into the provider's tokens, one at a time, and write each token to its order (CONTRACT 3).

No money moves here, so a lost answer only means asking again. Dying after the provider's answer and before the write:
the row is as it was, and the same line gets another token. Dying after the write: the row bears the token, and the
same line finds a token for the same last four digits there, which is what was wanted.

Invariants: a card number is in no sentence, no file and no column; a row that is held, or whose order is open in the
ledger, is left alone; a token is never overwritten unless that was asked for. An order that is claimed between the look
into the ledger and the write keeps the record that was claimed, with the token of that moment.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from batch.card_lines import Card, request_body
from batch.equipment import Clock
from batch.ledger import Ledger
from batch.ledger.past import past_of
from batch.row_statements import AFTER_RECOVERY, OURS
from batch.source import OrderSource
from batch.token_answers import read_card_token, refused_fields
from batch.token_writer import TokenWriter
from schemas.errors import AnswerUnreadable, ApiLoginRefused, ApiUnreachable
from schemas.order import OrderRow
from schemas.states import OPEN

PAUSES_SECONDS = (1.0, 5.0)
"""How long to wait before a call whose answer was lost is made again; after the last, the line is left for another time."""

_ASK_LATER = frozenset({408, 409, 425, 429})
_NEVER_OVERWRITTEN = frozenset(status.value for status in (*OURS, *AFTER_RECOVERY))


class LineOutcome(StrEnum):
    """What became of one line."""

    WRITTEN = "written"
    KEPT = "kept"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


class LineReason(StrEnum):
    """Why a line was not written; stable codes for `--json`."""

    NONE = ""
    MALFORMED = "malformed"
    NO_TEST_CARD = "no_test_card"
    UNKNOWN_ORDER = "unknown_order"
    HELD = "held"
    AT_PROVIDER = "at_provider"
    HAS_TOKEN = "has_token"  # noqa: S105 - a word, not a token
    CHANGED = "changed"
    ROW_REFUSED = "row_refused"
    PROVIDER_REFUSED = "provider_refused"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class LineResult:
    """What became of one line: its order id as far as it may be shown, the reason, and a sentence that repeats nothing."""

    order_id: str
    outcome: LineOutcome
    reason: LineReason = LineReason.NONE
    sentence: str = ""


class Posts(Protocol):
    """What tokenizing needs of the provider's API."""

    def post(self, path: str, content: bytes, *, query: dict[str, str]) -> tuple[int, bytes]:
        """Send JSON once, with the shared token; HTTP status and body come back."""
        ...


@dataclass(frozen=True, slots=True)
class TokenDesk:
    """What tokenizing works with. `query` are the two keys of the call (CONTRACT 3); `test_cards` the only cards that may
    be sent, None where any may; `replaces` allows a token to be overwritten; a dry run asks nobody and writes nothing.
    """

    ledger: Ledger
    source: OrderSource
    writer: TokenWriter
    api: Posts
    clock: Clock
    query: Mapping[str, str]
    test_cards: Collection[str] | None
    replaces: bool = False
    is_dry_run: bool = False


def tokenize(desk: TokenDesk, card: Card) -> LineResult:
    """Get a token for this card and write it to its order. What concerns this line alone is in the result.

    Raises ApiLoginRefused, OrdersUnreachable or LedgerBusy, which concern every line.
    """
    if desk.test_cards is not None and card.number not in desk.test_cards:
        words = "the card is none of the provider's test cards, and nothing else goes to its sandbox"
        return _refused(card, LineReason.NO_TEST_CARD, words)
    seen = _seen(desk, card)
    if isinstance(seen, LineResult) or desk.is_dry_run:
        return seen if isinstance(seen, LineResult) else LineResult(card.order_id, LineOutcome.WRITTEN)
    token = _token(desk, card)
    if isinstance(token, LineResult):
        return token
    if _is_open(desk, card.order_id):
        return _refused(card, LineReason.AT_PROVIDER, "the order was handed over meanwhile")
    write = desk.writer.write_token(card.order_id, token, card.last4, seen=seen)
    if write.refusal:
        words = f"the order system's database refused the row ({write.refusal})"
        return _refused(card, LineReason.ROW_REFUSED, words)
    if not write.has_moved:
        return _refused(card, LineReason.CHANGED, "the order's row changed meanwhile")
    return LineResult(card.order_id, LineOutcome.WRITTEN)


def _seen(desk: TokenDesk, card: Card) -> str | LineResult:
    """The token that the order's row has now (empty for none), or why the row is left alone."""
    row = desk.source.with_ids([card.order_id]).get(card.order_id)
    if row is None:
        return _refused(card, LineReason.UNKNOWN_ORDER, "the order system has no such order")
    if row.hold_reference or row.status in _NEVER_OVERWRITTEN:
        return _refused(card, LineReason.HELD, f"the order is held, or its status is ours ({row.status or 'none'})")
    if _is_open(desk, card.order_id):
        return _refused(card, LineReason.AT_PROVIDER, "the order is at the provider, or may be")
    return _replaceable(desk, card, row)


def _replaceable(desk: TokenDesk, card: Card, row: OrderRow) -> str | LineResult:
    token = row.cells["payment_token"]
    if not token.strip() or desk.replaces:
        return token
    if row.cells["card_last4"] == card.last4:
        return LineResult(card.order_id, LineOutcome.KEPT)
    return _refused(card, LineReason.HAS_TOKEN, "the order has a token of another card; --replace overwrites it")


def _is_open(desk: TokenDesk, order_id: str) -> bool:
    with desk.ledger.reading() as connection:
        past = past_of(connection, desk.ledger.mid, [order_id]).get(order_id)
    return past is not None and past.state in OPEN


def _token(desk: TokenDesk, card: Card) -> str | LineResult:
    """The provider's token for a card, asked for again while answers are lost."""
    for pause in (0.0, *PAUSES_SECONDS):
        if pause:
            desk.clock.sleep(pause)
        try:
            status, content = desk.api.post("tokenize", request_body(card), query=dict(desk.query))
            if status in _ASK_LATER:
                continue
            if status == 403:
                raise _not_let_in()
            if not 200 <= status < 300:
                return _refused(card, LineReason.PROVIDER_REFUSED, _refusal(status, content))
            return read_card_token(content, card.last4)
        except ApiLoginRefused:
            raise _not_let_in() from None
        except (ApiUnreachable, AnswerUnreadable):
            continue  # the request of that call, which has the card in it, is let go with the error
    words = "the provider gave no answer that can be read; the same line may be sent again"
    return LineResult(card.order_id, LineOutcome.UNANSWERED, LineReason.NO_ANSWER, words)


def _not_let_in() -> ApiLoginRefused:
    return ApiLoginRefused(
        "The provider's API refused our app key and secret, or our tokenization key.",
        next_step="Check the app key, the app secret and the tokenization key of this environment.",
    )


def _refusal(status: int, content: bytes) -> str:
    fields = ", ".join(refused_fields(content))
    return f"the provider refused the card (HTTP {status}{f', because of {fields}' if fields else ''})"


def _refused(card: Card, reason: LineReason, sentence: str) -> LineResult:
    return LineResult(card.order_id, LineOutcome.REFUSED, reason, sentence)
