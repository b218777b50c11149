"""The pretend provider's memory and decisions: it takes records, keeps orders, and tells how they stand."""

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from jobs.sandbox.credentials import Account
from jobs.sandbox.fates import CODES, Fate, fate_of, status_at
from jobs.sandbox.journal import Journal
from jobs.sandbox.moments import as_text
from jobs.sandbox.options import SandboxOptions
from jobs.sandbox.strict_text import Fields, digest_of
from jobs.sandbox.validation import Errors, at, evaluate_errors, expiry_of, text_at, transmit_errors

Kind = Literal["evaluate", "transmit"]


@dataclass(frozen=True)
class Origin:
    """Where a record came from: the channel, and for a batch row its file and sequence number."""

    channel: Literal["sftp", "api"]
    file: str | None = None
    sequence_number: str | None = None


@dataclass(frozen=True)
class Order:
    """An order as the provider holds it; amounts in minor units."""

    order_session_key: str
    order_id: str
    amount: int
    currency: str
    placed: datetime
    expiry: datetime
    fate: Fate
    record: Fields


@dataclass(frozen=True)
class Standing:
    """How an order stands at a moment: status name, its number (None where none is published), amount."""

    name: str
    code: int | None
    amount: int
    expired: bool


@dataclass(frozen=True)
class Accepted:
    """A record was taken; `key` is the order session key, or the transmit id."""

    key: str


@dataclass(frozen=True)
class Refused:
    """A record was not taken, with every reason."""

    errors: Errors


class Brain:
    """Take records, keep orders. One lock (`lock`) guards everything; callers that read and then act hold it too."""

    def __init__(self, account: Account, options: SandboxOptions, journal: Journal) -> None:
        self.lock = threading.RLock()
        self._account = account
        self._options = options
        self._journal = journal
        self._sites = frozenset(account.site_ids.values())
        self._orders: dict[str, Order] = {}
        self._keys: dict[tuple[Kind, str], list[str]] = {}

    def reset(self) -> None:
        """Forget every order."""
        with self.lock:
            self._orders.clear()
            self._keys.clear()

    def evaluate(
        self, record: Fields, origin: Origin, now: datetime, default_expiry: datetime | None = None
    ) -> Accepted | Refused:
        """Start a rescue for one declined charge (CONTRACT 7), or say everything that is wrong with it."""
        expiry = expiry_of(record, default_expiry)
        errors = evaluate_errors(record, (self._account.mid, self._sites), expiry, now)
        if errors or expiry is None:
            return self._refuse("evaluate", record, origin, now, errors)
        with self.lock:
            order_id = text_at(record, "OrderId")
            earlier = self._keys.setdefault(("evaluate", order_id), [])
            if earlier and self._options.deduplicate == "order_id":
                return self._repeat("evaluate", record, origin, now, earlier[0])
            order = self._order(record, self._account.order_session_key(order_id, len(earlier) + 1), expiry, now)
            self._orders[order.order_session_key] = order
            earlier.append(order.order_session_key)
            return self._accept("evaluate", record, origin, now, order.order_session_key, expiry)

    def transmit(self, record: Fields, origin: Origin, now: datetime) -> Accepted | Refused:
        """Take the copy of a charge (CONTRACT 5); no rescue starts."""
        errors = transmit_errors(record, self._account.mid)
        if errors:
            return self._refuse("transmit", record, origin, now, errors)
        with self.lock:
            order_id = text_at(record, "OrderId")
            earlier = self._keys.setdefault(("transmit", order_id), [])
            if earlier and self._options.deduplicate == "order_id":
                return self._repeat("transmit", record, origin, now, earlier[0])
            key = self._account.transmit_id(order_id, len(earlier) + 1)
            earlier.append(key)
            return self._accept("transmit", record, origin, now, key, None)

    def refuse_row(self, kind: Kind, record: Fields, origin: Origin, now: datetime, errors: Errors) -> Refused:
        """Refuse a record for a reason that lies outside it, such as its double in the same file."""
        return self._refuse(kind, record, origin, now, errors)

    def order(self, key: str) -> Order | None:
        """The order with this session key, or None."""
        with self.lock:
            return self._orders.get(key)

    def orders(self) -> list[Order]:
        """Every order, in the order of acceptance."""
        with self.lock:
            return list(self._orders.values())

    def standing(self, order: Order, now: datetime) -> Standing:
        """How the order stands at `now`."""
        name = status_at(order.fate, order.placed, order.expiry, now)
        code = self._options.expired_code if name == "EXPIRED" else CODES[name]
        change = order.fate.amount_change if name == "Completed" else 0
        expired = name == "EXPIRED" or (name == "Cancelled" and now >= order.expiry and not _ended_before(order))
        return Standing(name, code, order.amount + change, expired)

    def _order(self, record: Fields, key: str, expiry: datetime, now: datetime) -> Order:
        order_id = text_at(record, "OrderId")
        amount = at(record, "Transaction.Amount")
        return Order(
            order_session_key=key,
            order_id=order_id,
            amount=amount if isinstance(amount, int) else 0,
            currency=text_at(record, "Transaction.Currency"),
            placed=now,
            expiry=expiry,
            fate=fate_of(self._options.seed, order_id, text_at(record, "PaymentMethod.CardNumber")),
            record={name: value for name, value in record.items() if name != "paymentmethod"},
        )

    def _accept(self, kind: Kind, record: Fields, origin: Origin, now: datetime, key: str, expiry: datetime | None) -> Accepted:
        named = {"order_session_key": key} if kind == "evaluate" else {"order_session_key": None, "transmit_id": key}
        self._journal.record(
            "accepted",
            now,
            **_facts(kind, record, origin),
            **named,
            expiry=as_text(expiry) if expiry else None,
            payload_sha256=digest_of(record),
        )
        return Accepted(key)

    def _repeat(self, kind: Kind, record: Fields, origin: Origin, now: datetime, key: str) -> Accepted:
        self._journal.record("deduplicated", now, **_facts(kind, record, origin), first=key)
        return Accepted(key)

    def _refuse(self, kind: Kind, record: Fields, origin: Origin, now: datetime, errors: Errors) -> Refused:
        self._journal.record("row_refused", now, **_facts(kind, record, origin), errors=errors)
        return Refused(errors)


def _ended_before(order: Order) -> bool:
    return order.fate.ending == "cancelled" and order.placed + order.fate.after < order.expiry


def _facts(kind: Kind, record: Fields, origin: Origin) -> dict[str, object]:
    amount = at(record, "Transaction.Amount")
    return {
        "kind": kind,
        "channel": origin.channel,
        "order_id": text_at(record, "OrderId"),
        "file": origin.file,
        "sequence_number": origin.sequence_number,
        "amount": amount if isinstance(amount, int) else None,
        "currency": text_at(record, "Transaction.Currency") or None,
        "idempotency_key": text_at(record, "IdempotencyKey") or None,
    }
