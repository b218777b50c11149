"""The kits: every status, every pair of final answers that disagree, and the troubles F-03 to F-12 of the outbound files."""

from dataclasses import replace

from tests.confluence.bench import BATCH_IDS
from tests.confluence.kit import File, Kit, Message, Said, Shape, Webhook
from tests.confluence.provider import order_answer
from tests.confluence.wording import (
    accepted,
    acknowledged,
    beginning,
    file_refused,
    key,
    news,
    refused,
    says,
    webhook,
)

STATUSES: tuple[tuple[int | None, str, str], ...] = (
    (0, "DRAFT", "pending"),
    (1, "ONHOLD", "pending"),
    (2, "CANCELLED", "declined"),
    (3, "PROBLEM", "pending"),
    (4, "PROCESSING", "pending"),
    (5, "CAPTUREREQUIRED", "capture_required"),
    (6, "RETURNED", "refunded"),
    (7, "COMPLETED", "completed"),
    (2, "EXPIRED", "expired"),
    (2, "", "declined"),
    (7, "", "completed"),
    (None, "CHARGEBACK", "chargeback"),
    (8, "", "pending"),
    (99, "MARS", "pending"),
    (7, "CANCELLED", "pending"),
    (None, "NOTFOUND", "pending"),
)
"""Code, word, and the state that they lead to; the last four lead nowhere (I16)."""

_ROW = acknowledged("accepted", *accepted("a"), orders="a")
_AGAIN = acknowledged("accepted again", *accepted("a"), orders="a", note="second copy")
_HINT = news("hint", 1, ("a", "PROCESSING"))
_LATER = news("later hint", 2, ("a", "PROCESSING"), by="ours")


def one_status(code: int | None, word: str, ends: str) -> Kit:
    """An order that the provider gives this status, with a repeated answer to its file, two hints, and a neighbour."""
    messages: tuple[Message, ...] = (_ROW, _AGAIN, _HINT, _LATER, says("a", code, word), says("b", 7, "COMPLETED"))
    shape = Shape(files=(("a",), ("b",)))
    return Kit(f"status-{code}-{word or 'no-word'}", ("F-03", "F-09"), messages, shape, ends=(("a", ends), ("b", "completed")))


def _pair(name: str, first: Said, second: Said, ends: str, *faults: str) -> Kit:
    """Two final answers about one order from two copies of the provider's database, in either order."""
    other = news("hint", 1, ("a", "PROCESSING"), by="ours")
    messages = (_ROW, _AGAIN, other, first, second)
    return Kit(f"copies-{name}", ("N-18", *faults), messages, copies=True, ends=(("a", ends),))


_COMPLETED = says("a", 7, "COMPLETED")
_OTHER = says("a", 7, "COMPLETED", amount=1998)
_EURO = says("a", 7, "COMPLETED", currencyCode="EUR")
_CANCELLED = says("a", 2, "CANCELLED")
_DECLINED = says("a", None, "DECLINED")
_EXPIRED = says("a", 2, "EXPIRED")
_RETURNED = says("a", 6, "RETURNED")
_CHARGEBACK = says("a", None, "CHARGEBACK")
_PROCESSING = says("a", 4, "PROCESSING")
_CAPTURE = says("a", 5, "CAPTUREREQUIRED")
_UNKNOWN = says("a", 99, "MARS")

PAIRS = (
    _pair("completed-cancelled", _COMPLETED, _CANCELLED, "review", "F-10"),
    _pair("completed-expired", _COMPLETED, _EXPIRED, "review", "F-10", "F-11"),
    _pair("completed-declined", _COMPLETED, _DECLINED, "review"),
    _pair("completed-other-amount", _COMPLETED, _OTHER, "review", "D-20"),
    _pair("completed-other-currency", _COMPLETED, _EURO, "review", "D-07"),
    _pair("other-amount-cancelled", _OTHER, _CANCELLED, "review", "D-20"),
    _pair("completed-returned", _COMPLETED, _RETURNED, "refunded", "D-19"),
    _pair("completed-chargeback", _COMPLETED, _CHARGEBACK, "chargeback", "D-19"),
    _pair("returned-chargeback", _RETURNED, _CHARGEBACK, "chargeback", "D-19"),
    _pair("returned-cancelled", _RETURNED, _CANCELLED, "review", "D-19"),
    _pair("chargeback-cancelled", _CHARGEBACK, _CANCELLED, "review", "D-19"),
    _pair("chargeback-expired", _CHARGEBACK, _EXPIRED, "review", "D-19"),
    _pair("expired-cancelled", _EXPIRED, _CANCELLED, "expired"),
    _pair("expired-declined", _EXPIRED, _DECLINED, ""),
    _pair("completed-processing", _COMPLETED, _PROCESSING, "completed"),
    _pair("expired-processing", _EXPIRED, _PROCESSING, "expired"),
    _pair("completed-capture", _COMPLETED, _CAPTURE, "completed"),
    _pair("cancelled-capture", _CANCELLED, _CAPTURE, "declined"),
    _pair("processing-capture", _PROCESSING, _CAPTURE, "capture_required"),
    _pair("completed-unknown", _COMPLETED, _UNKNOWN, "completed", "H-13"),
    _pair("processing-unknown", _PROCESSING, _UNKNOWN, "pending", "H-13"),
)


def _life(name: str, *lives: Said, ends: str, faults: tuple[str, ...], more: tuple[Message, ...] = (), **kit: object) -> Kit:
    """The provider's answers about one order one after the other, with the files that may come at any time."""
    shape = kit.get("shape", Shape())
    assert isinstance(shape, Shape)
    return Kit(f"life-{name}", faults, (_ROW, *lives, *more), shape, ends=(("a", ends),))


_SAYS_EXPIRED = news("news: expired", 3, ("a", "EXPIRED"), by="ours")
_SAYS_COMPLETED = news("news: completed", 4, ("a", "COMPLETED"))
_SAYS_DECLINED = news("news: declined", 5, ("a", "DECLINED"))

LIVES = (
    _life("completed", _PROCESSING, _COMPLETED, ends="completed", faults=("F-07",), more=(_HINT, _SAYS_DECLINED, _AGAIN)),
    _life(
        "expired-then-completed", _EXPIRED, _COMPLETED, ends="review", faults=("F-11",), more=(_SAYS_COMPLETED, _LATER, _AGAIN)
    ),
    _life(
        "completed-then-expired", _COMPLETED, _EXPIRED, ends="review", faults=("F-10",), more=(_SAYS_COMPLETED, _LATER, _AGAIN)
    ),
    _life(
        "news-expired-read-completed", _COMPLETED, ends="completed", faults=("F-10",), more=(_SAYS_EXPIRED, _HINT, _LATER, _AGAIN)
    ),
    _life(
        "news-expired-read-cancelled", _CANCELLED, ends="expired", faults=("F-10",), more=(_SAYS_EXPIRED, _HINT, _LATER, _AGAIN)
    ),
    _life(
        "news-both-read-processing",
        _PROCESSING,
        ends="pending",
        faults=("F-10", "F-11"),
        more=(_SAYS_EXPIRED, _SAYS_COMPLETED, _AGAIN, _LATER),
    ),
    _life(
        "eager-merchant",
        _EXPIRED,
        _COMPLETED,
        ends="review",
        faults=("F-12",),
        more=(_SAYS_COMPLETED, _LATER, _AGAIN),
        shape=Shape(eager=True),
    ),
    _life(
        "unknown-then-completed", _UNKNOWN, _COMPLETED, ends="completed", faults=("H-13",), more=(_HINT, _SAYS_DECLINED, _AGAIN)
    ),
    _life(
        "problem-then-cancelled",
        says("a", 3, "PROBLEM"),
        _CANCELLED,
        ends="declined",
        faults=("F-07",),
        more=(_HINT, _LATER, _AGAIN),
    ),
    _life("capture-then-completed", _CAPTURE, _COMPLETED, ends="completed", faults=("F-07",), more=(_HINT, _LATER, _AGAIN)),
    _life(
        "completed-then-returned", _COMPLETED, _RETURNED, _CHARGEBACK, ends="chargeback", faults=("D-19",), more=(_HINT, _LATER)
    ),
    _life("other-amount", _OTHER, ends="review", faults=("D-20",), more=(_HINT, _LATER, _AGAIN, _SAYS_COMPLETED)),
    _life("other-currency", _EURO, ends="review", faults=("D-07",), more=(_HINT, _LATER, _AGAIN, _SAYS_COMPLETED)),
)

_WRONG = Said("a answers as z", "a", key("a"), order_answer(key("a"), "z", 7, "COMPLETED"), is_listed=False)
_HTML = Said("a answers with a page", "a", key("a"), b"<html>gateway</html>", is_listed=False)
_THREE = Shape(files=(("a", "b", "c"),))
_LATE = Shape(files=(("a", "b", "c"),), minutes=120)
_TWO_FILES = Shape(files=(("a", "b"), ("c",)))
_ALL = acknowledged("all accepted", *accepted("a", "b", "c"))
_A_ONLY = acknowledged("only a accepted", *accepted("a"))
_SECOND_HALF = acknowledged("b and c accepted", *accepted("b", "c"))
_C_REFUSED = acknowledged("c refused", *accepted("a", "b"), *refused("c"))
_TWICE = acknowledged("each row twice", *accepted("a", "b", "c"), *accepted("a", "b", "c"))
_BOTH_WAYS = acknowledged("a both ways", *accepted("a"), *refused("a"), *accepted("b", "c"))
_STRANGER = acknowledged("with a stranger", *accepted("a", "b", "c"), ("q", True, key("q")), numbered=False)
_REFUSED = acknowledged("all rows refused", *refused("a", "b", "c"))
_OTHER_KEYS = acknowledged("other ids", *accepted("a", "b", "c", number=1))
_SHARED = acknowledged("one id for two", ("a", True, key("a")), ("b", True, key("a")), *accepted("c"))
_NEWS = news("news of all", 1, ("a", "COMPLETED"), ("b", "DECLINED"), ("c", "EXPIRED"))
_NEWS_AGAIN = news("news again", 2, ("a", "COMPLETED"), ("b", "DECLINED"), ("c", "EXPIRED"))
_SAYS_C_EXPIRED = news("c expired", 4, ("c", "EXPIRED"), by="ours")
_B_CANCELLED, _C_EXPIRED = says("b", 2, "CANCELLED"), says("c", 2, "EXPIRED")

FILES = (
    Kit(
        "rows-twice",
        ("F-03",),
        (_TWICE, _ALL, _NEWS, _COMPLETED, _B_CANCELLED, _C_EXPIRED),
        _THREE,
        ends=(("a", "completed"), ("b", "declined"), ("c", "expired")),
    ),
    Kit(
        "rows-contradict", ("F-04",), (_BOTH_WAYS, _NEWS, _B_CANCELLED, _C_EXPIRED, _NEWS_AGAIN), _THREE, ends=(("a", "review"),)
    ),
    Kit(
        "rows-of-strangers",
        ("F-05",),
        (_STRANGER, news("news of a stranger", 6, ("q", "COMPLETED")), _COMPLETED, _B_CANCELLED, _C_EXPIRED, _NEWS_AGAIN),
        _THREE,
        ends=(("a", "completed"), ("b", "declined"), ("c", "expired")),
    ),
    Kit(
        "rows-missing",
        ("F-06",),
        (_A_ONLY, _COMPLETED, _NEWS, says("b", 4, "PROCESSING"), says("b", 7, "COMPLETED")),
        _THREE,
        ends=(("a", "completed"), ("b", "completed"), ("c", "sending")),
    ),
    Kit(
        "rows-missing-late",
        ("F-06",),
        (_A_ONLY, _COMPLETED, says("b", 7, "COMPLETED"), _NEWS_AGAIN, _NEWS, _SECOND_HALF),
        _LATE,
        ends=(("a", "completed"), ("b", "completed"), ("c", "pending")),
    ),
    Kit(
        "acknowledged-in-parts",
        ("F-06", "F-08"),
        (_A_ONLY, _SECOND_HALF, _COMPLETED, _B_CANCELLED, _NEWS, _ALL),
        _THREE,
        ends=(("a", "completed"), ("b", "declined"), ("c", "pending")),
    ),
    Kit(
        "news-out-of-order",
        ("F-07",),
        (
            _ALL,
            news("day 3", 3, ("a", "COMPLETED")),
            news("day 1", 1, ("a", "PROCESSING")),
            news("day 2", 2, ("b", "DECLINED")),
            _PROCESSING,
            _COMPLETED,
        ),
        _THREE,
        ends=(("a", "completed"), ("b", "pending"), ("c", "pending")),
    ),
    Kit(
        "same-news-two-names",
        ("F-08",),
        (_ALL, _NEWS, replace(_NEWS, label="same news, other name", name=_NEWS_AGAIN.name), _COMPLETED, _B_CANCELLED, _C_EXPIRED),
        _THREE,
        ends=(("a", "completed"), ("b", "declined"), ("c", "expired")),
    ),
    Kit(
        "one-name-two-news",
        ("F-08",),
        (
            _ALL,
            news("news of a", 1, ("a", "EXPIRED"), by="ours"),
            news("news of b", 1, ("b", "EXPIRED"), by="ours"),
            _CANCELLED,
            _B_CANCELLED,
            _NEWS_AGAIN,
        ),
        _THREE,
        ends=(("a", "expired"), ("b", "expired"), ("c", "pending")),
    ),
    Kit(
        "refused-row-corrected",
        ("F-08",),
        (_ALL, _C_REFUSED, _COMPLETED, _B_CANCELLED, _NEWS),
        _THREE,
        ends=(("a", "completed"), ("b", "declined"), ("c", "review")),
    ),
    Kit(
        "same-size-correction",
        ("F-08",),
        (acknowledged("b refused", *accepted("a", "c"), *refused("b")), _C_REFUSED, _COMPLETED, _NEWS),
        _THREE,
        ends=(("a", "completed"), ("b", "review"), ("c", "review")),
    ),
    Kit(
        "same-size-correction-unseen",
        ("F-08",),
        (acknowledged("b refused", *accepted("a", "c"), *refused("b")), _C_REFUSED, _COMPLETED, _NEWS),
        Shape(files=(("a", "b", "c"),), tells_times=False),
    ),
    Kit(
        "other-ids",
        ("F-08",),
        (_ALL, _OTHER_KEYS, _NEWS, _NEWS_AGAIN),
        _THREE,
        ends=(("a", "review"), ("b", "review"), ("c", "review")),
    ),
    Kit(
        "one-id-for-two",
        ("F-04",),
        (_SHARED, _NEWS_AGAIN, says("c", 7, "COMPLETED"), news("hint for c", 3, ("c", "COMPLETED"))),
        _THREE,
        ends=(("a", "review"), ("b", "review"), ("c", "completed")),
    ),
    Kit(
        "all-refused",
        ("F-19",),
        (_REFUSED, acknowledged("refused again", *refused("a", "b", "c"), note="copy"), _NEWS),
        _THREE,
        ends=(("a", "rejected"), ("b", "rejected"), ("c", "rejected")),
    ),
    Kit(
        "refused-yet-worked-on",
        ("F-04", "F-19"),
        (_REFUSED, _COMPLETED, says("b", 4, "PROCESSING"), _NEWS),
        _THREE,
        ends=(("a", "review"), ("b", "review"), ("c", "rejected")),
    ),
    Kit(
        "file-refused",
        ("F-19",),
        (file_refused("file refused"), file_refused("file refused again", words="still bad"), _NEWS),
        _THREE,
        ends=(("a", "rejected"), ("b", "rejected"), ("c", "rejected")),
    ),
    Kit(
        "file-refused-and-accepted",
        ("F-19", "F-08"),
        (file_refused("file refused"), _ALL, _NEWS),
        _THREE,
        ends=(("a", "review"), ("b", "review"), ("c", "review")),
    ),
    Kit(
        "file-refused-and-partly-accepted",
        ("F-19", "F-08"),
        (file_refused("file refused"), _A_ONLY, _NEWS_AGAIN),
        _THREE,
        ends=(("a", "review"), ("b", "review"), ("c", "review")),
    ),
    Kit(
        "file-refused-yet-worked-on",
        ("F-19", "F-04"),
        (file_refused("file refused"), says("b", 4, "PROCESSING"), news("hint for b", 3, ("b", "PROCESSING"), by="ours")),
        _THREE,
        ends=(("a", "review"), ("b", "review"), ("c", "review")),
    ),
    Kit(
        "rows-and-file-refused-and-accepted",
        ("F-19", "F-08"),
        (file_refused("file refused"), _C_REFUSED, _ALL, _NEWS),
        _THREE,
        ends=(("a", "review"), ("b", "review"), ("c", "review")),
    ),
    Kit(
        "file-refused-after-completion",
        ("F-19", "F-08"),
        (_ALL, file_refused("file refused"), _COMPLETED, _NEWS),
        _THREE,
        ends=(("a", "review"), ("b", "review"), ("c", "review")),
    ),
    Kit(
        "cancelled-then-called-expired",
        ("F-10",),
        (_ALL, _B_CANCELLED, news("b expired", 5, ("b", "EXPIRED"), by="key"), says("c", 2), _SAYS_C_EXPIRED),
        _THREE,
        ends=(("a", "pending"), ("b", "expired"), ("c", "expired")),
    ),
    Kit(
        "news-before-the-acknowledgement",
        ("F-09",),
        (_ALL, _NEWS, news("news by ours", 4, ("c", "EXPIRED"), by="ours"), _COMPLETED, _B_CANCELLED, says("c", 2, "CANCELLED")),
        _THREE,
        ends=(("a", "completed"), ("b", "declined"), ("c", "expired")),
    ),
    Kit(
        "news-by-key-only",
        ("F-09",),
        (_ALL, news("news by key", 4, ("c", "EXPIRED"), by="key"), says("c", 2, "CANCELLED"), _COMPLETED),
        _THREE,
        ends=(("a", "completed"), ("b", "pending"), ("c", "expired")),
    ),
    Kit(
        "before-sent-is-known",
        ("F-09",),
        (_ALL, _NEWS_AGAIN, _COMPLETED, _B_CANCELLED, _C_EXPIRED, _NEWS),
        Shape(files=(("a", "b", "c"),), step="in_doubt"),
        ends=((BATCH_IDS[0], "acknowledged"), ("a", "completed"), ("b", "declined"), ("c", "expired")),
    ),
    Kit(
        "before-delivered-is-written",
        ("F-09",),
        (_ALL, _NEWS_AGAIN, _COMPLETED, _B_CANCELLED, _C_EXPIRED, _NEWS),
        Shape(files=(("a", "b", "c"),), step="part_verified"),
        ends=((BATCH_IDS[0], "acknowledged"), ("a", "completed"), ("b", "declined"), ("c", "expired")),
    ),
    Kit(
        "late-in-doubt",
        ("F-09",),
        (_ALL, _COMPLETED, _B_CANCELLED, _C_EXPIRED, _NEWS_AGAIN, _TWICE),
        _LATE,
        ends=((BATCH_IDS[0], "acknowledged"), ("a", "completed"), ("b", "declined"), ("c", "expired")),
    ),
    Kit(
        "no-listing",
        ("F-09",),
        (
            _ALL,
            _NEWS,
            _COMPLETED,
            _B_CANCELLED,
            _C_EXPIRED,
            acknowledged("all accepted again", *accepted("a", "b", "c"), note="copy"),
        ),
        _THREE,
        listed=False,
        ends=(("a", "completed"), ("b", "declined"), ("c", "expired")),
    ),
    Kit(
        "half-written",
        ("F-01", "F-02"),
        (beginning(_ALL, "beginning"), beginning(_ALL, "longer beginning", 150), _ALL, _COMPLETED, _NEWS),
        _THREE,
        ends=(("a", "completed"), ("b", "pending"), ("c", "pending")),
    ),
    Kit(
        "another-merchant",
        ("F-20",),
        (_ALL, news("news for another", 7, ("a", "EXPIRED"), mid="00000000-0000-4000-8000-000000000009"), _CANCELLED, _NEWS),
        _THREE,
        ends=(("a", "declined"), ("b", "pending"), ("c", "pending")),
    ),
    Kit(
        "answer-of-another",
        ("H-14",),
        (_ALL, _WRONG, _COMPLETED, _NEWS),
        _THREE,
        listed=False,
        ends=(("a", "completed"), ("b", "pending"), ("c", "pending")),
    ),
    Kit(
        "answer-is-a-page",
        ("H-10",),
        (_ALL, _HTML, _COMPLETED, _NEWS),
        _THREE,
        listed=False,
        ends=(("a", "completed"), ("b", "pending"), ("c", "pending")),
    ),
    Kit(
        "two-files",
        ("F-07",),
        (
            acknowledged("first file", *accepted("a", "b"), orders="ab"),
            acknowledged("second file", *accepted("c"), orders="c", file=1),
            _NEWS,
            _COMPLETED,
            _B_CANCELLED,
            _C_EXPIRED,
        ),
        _TWO_FILES,
        ends=(("a", "completed"), ("b", "declined"), ("c", "expired")),
    ),
    Kit(
        "second-file-refused",
        ("F-19",),
        (
            acknowledged("first file", *accepted("a"), *refused("b"), orders="ab"),
            file_refused("second file refused", file=1),
            _COMPLETED,
            news("hint for a", 3, ("a", "COMPLETED")),
            news("hint for b", 4, ("b", "DECLINED")),
        ),
        _TWO_FILES,
        ends=(("a", "completed"), ("b", "rejected"), ("c", "rejected")),
    ),
    Kit(
        "one-id-in-two-files",
        ("F-04",),
        (
            acknowledged("first file", *accepted("a", "b"), orders="ab"),
            acknowledged("second file, id of a", ("c", True, key("a")), orders="c", file=1),
            news("hint for a", 3, ("a", "COMPLETED"), by="ours"),
            _COMPLETED,
        ),
        _TWO_FILES,
        ends=(("a", "review"), ("b", "pending"), ("c", "review")),
    ),
    Kit(
        "late-acceptance-of-a-first-claim",
        ("F-08",),
        (
            acknowledged("first file after all", *accepted("a", number=1), orders="a"),
            acknowledged("second file", *accepted("a"), orders="a", file=1),
            _COMPLETED,
            _LATER,
        ),
        Shape(claimed_again=True),
        ends=(("a", "review"),),
    ),
)

_TOLD_COMPLETED = webhook("told: completed", "order.completed", "a")
_TOLD_EXPIRED = webhook("told: expired", "order.expired", "a")

TOLD = (
    Kit(
        "webhook-completed",
        ("W-03", "W-04"),
        (_ROW, _TOLD_COMPLETED, _PROCESSING, _COMPLETED, _SAYS_DECLINED, replace(_TOLD_COMPLETED, label="told once more")),
        ends=(("a", "completed"),),
    ),
    Kit(
        "webhooks-disagree",
        ("W-05",),
        (_ROW, _TOLD_COMPLETED, _TOLD_EXPIRED, _SAYS_COMPLETED, _CANCELLED, _HINT),
        ends=(("a", "expired"),),
    ),
    Kit(
        "webhook-expired-read-completed",
        ("W-05",),
        (_ROW, _TOLD_EXPIRED, _SAYS_EXPIRED, _COMPLETED, _AGAIN),
        ends=(("a", "completed"),),
    ),
    Kit(
        "webhook-by-key-only",
        ("W-04",),
        (_ALL, webhook("c told: expired", "order.expired", "c", by="key"), says("c", 2, "CANCELLED"), _COMPLETED, _NEWS_AGAIN),
        _THREE,
        listed=False,
        ends=(("a", "completed"), ("b", "pending"), ("c", "expired")),
    ),
    Kit(
        "webhook-in-doubt",
        ("W-04",),
        (_ALL, webhook("told by ours", "order.completed", "a", by="ours"), _COMPLETED, _B_CANCELLED, _TOLD_COMPLETED),
        replace(_THREE, step="in_doubt"),
        ends=((BATCH_IDS[0], "acknowledged"), ("a", "completed"), ("b", "declined"), ("c", "pending")),
    ),
    Kit(
        "webhooks-after-the-end",
        ("W-05",),
        (
            _ROW,
            _COMPLETED,
            _RETURNED,
            webhook("told: refunded", "order.refunded", "a"),
            webhook("told: chargeback", "payment.chargeback.received", "a", by="key"),
            _TOLD_COMPLETED,
        ),
        ends=(("a", "refunded"),),
    ),
    Kit(
        "ids-that-do-not-fit",
        ("W-05", "W-08"),
        (
            _ROW,
            _CANCELLED,
            webhook("told of two", "order.expired", "a", OrderId=key("q")),
            news("news of two", 6, ("a", "EXPIRED"), keys=7),
            _TOLD_COMPLETED,
        ),
        ends=(("a", "declined"),),
    ),
    Kit(
        "webhooks-of-no-use",
        ("W-07", "W-08"),
        (
            _ROW,
            _COMPLETED,
            webhook("told of a stranger", "order.completed", "q"),
            webhook("told of two", "order.completed", "a", OrderId=key("q")),
            webhook("told of nobody knows what", "order.teleported", "a"),
            Webhook("no webhook", b"[]"),
        ),
        ends=(("a", "completed"),),
    ),
)

_EIGHT_ACKS: tuple[File, ...] = (_ALL, _TWICE)
EIGHTS = (
    Kit(
        "eight-plain",
        ("F-03", "F-07"),
        (*_EIGHT_ACKS, _NEWS, _NEWS_AGAIN, _PROCESSING, _COMPLETED, _B_CANCELLED, _C_EXPIRED),
        _THREE,
        ends=(("a", "completed"), ("b", "declined"), ("c", "expired")),
    ),
    Kit(
        "eight-two-files",
        ("F-07", "F-09"),
        (
            acknowledged("first file", *accepted("a", "b"), orders="ab"),
            acknowledged("second file", *accepted("c"), orders="c", file=1),
            acknowledged("second file again", *accepted("c"), orders="c", file=1, note="copy"),
            _NEWS,
            _NEWS_AGAIN,
            _COMPLETED,
            _B_CANCELLED,
            _C_EXPIRED,
        ),
        _TWO_FILES,
        ends=(("a", "completed"), ("b", "declined"), ("c", "expired")),
    ),
    Kit(
        "eight-late",
        ("F-06", "F-09"),
        (_A_ONLY, _SECOND_HALF, _ALL, _NEWS, _NEWS_AGAIN, _COMPLETED, _B_CANCELLED, _C_EXPIRED),
        _LATE,
        ends=(("a", "completed"), ("b", "declined"), ("c", "expired")),
    ),
    Kit(
        "eight-in-doubt",
        ("F-09",),
        (_ALL, _TWICE, _NEWS, _NEWS_AGAIN, _PROCESSING, _RETURNED, _B_CANCELLED, _C_EXPIRED),
        replace(_THREE, step="in_doubt"),
        ends=(("a", "refunded"), ("b", "declined"), ("c", "expired")),
    ),
)

KITS = (*(one_status(*status) for status in STATUSES), *PAIRS, *LIVES, *FILES, *TOLD)
"""Every kit of at most six messages."""
