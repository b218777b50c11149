"""What the provider decides about one record that it takes, and the words in which it says how an order stands. Pure."""

from datetime import datetime, timedelta

from jobs.sandbox.cards import Payment
from jobs.sandbox.courses import Order, Step
from jobs.sandbox.credentials import Account
from jobs.sandbox.fates import WIDGET_KEY, Fate, Way, authorized, cit_fate_of, fate_of, shown_in_widget, sync_fate_of
from jobs.sandbox.options import SandboxOptions
from jobs.sandbox.strict_text import Fields
from jobs.sandbox.validation import at, is_authorization, text_at

_SHOWN = ("correlationid", "billinginformation", "shippinginformation", "payer")


def way_of(record: Fields, account: Account, *, in_file: bool) -> Way:
    """Who retries this record: what is no MIT is a CIT, a MIT follows its account, and files are always managed."""
    if in_file:
        return "managed"
    return account.mode if at(record, "IsMIT") is True else "cit"


def expiry_for(way: Way, expiry: datetime | None, now: datetime, options: SandboxOptions) -> datetime | None:
    """When work on the order ends: as sent, after the agreed period of a sync account, or never for a CIT (CONTRACT 7.6)."""
    if way == "managed":
        return expiry
    return now + timedelta(days=options.sync_period_days) if way == "sync" else None


def new_order(
    key: str,
    record: Fields,
    payment: Payment,
    setting: tuple[Account, SandboxOptions, Way],
    times: tuple[datetime, datetime | None],
) -> Order:
    """The order that a record starts; `times` are its acceptance and its expiry."""
    account, options, way = setting
    placed, expiry = times
    amount = at(record, "Transaction.Amount")
    return Order(
        order_session_key=key,
        order_id=text_at(record, "OrderId"),
        amount=amount if isinstance(amount, int) else 0,
        currency=text_at(record, "Transaction.Currency"),
        placed=placed,
        expiry=expiry,
        fate=_fate(record, payment, options.seed, way),
        record={name: record[name] for name in _SHOWN if name in record},
        mid=account.mid,
        way=way,
        capture_window=timedelta(seconds=options.capture_window_seconds),
    )


def _fate(record: Fields, payment: Payment, seed: int, way: Way) -> Fate:
    order_id = text_at(record, "OrderId")
    if way == "managed":
        fate = fate_of(seed, order_id, payment.token, payment.card)
    elif way == "sync":
        fate = sync_fate_of(seed, order_id, payment.token, payment.card)
    else:
        fate = cit_fate_of(seed, order_id, (payment.token, payment.card, payment.has_cvv), text_at(record, "Payer.Phone"))
        fate = shown_in_widget(fate) if text_at(record, "SenseKey").startswith(WIDGET_KEY) else fate
    return authorized(fate) if is_authorization(record) else fate


def evaluate_word(order: Order, step: Step) -> str:
    """The status in an answer to evaluate (CONTRACT 7.5 and 7.6)."""
    if step.name in ("Completed", "Returned", "Chargeback"):
        return "APPROVED"
    if step.name == "Capturerequired":
        return "CAPTUREREQUIRED"
    if step.name != "Cancelled" and not step.expired and order.way != "sync":
        return "SUBMITTED" if order.way == "managed" or order.fate.in_widget else "CHALLENGE"
    return "DECLINED"


def outcome_status(step: Step) -> str:
    """The status in an answer to outcome (CONTRACT 8)."""
    if step.expired:
        return "EXPIRED"
    if step.name == "Cancelled":
        return "CANCELLED" if step.by_merchant else "DECLINED"
    if step.name in ("Completed", "Returned", "Chargeback"):
        return "APPROVED"
    return "SUBMITTED" if step.name == "Draft" else "PROCESSING"
