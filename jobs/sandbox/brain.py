"""The pretend provider's memory and decisions: it takes records, keeps orders, and tells how they stand."""

import threading
from datetime import datetime

from jobs.sandbox.cards import payment_of
from jobs.sandbox.courses import Event, Order, Standing, course_of, step_at
from jobs.sandbox.credentials import Account
from jobs.sandbox.decisions import evaluate_word, expiry_for, new_order, way_of
from jobs.sandbox.fates import CODES, Way
from jobs.sandbox.journal import Journal
from jobs.sandbox.moments import as_text
from jobs.sandbox.news import Listener, News
from jobs.sandbox.options import SandboxOptions
from jobs.sandbox.replays import KeyConflict, Replays
from jobs.sandbox.strict_text import Fields, digest_of
from jobs.sandbox.validation import Errors, Terms, evaluate_errors, expiry_of, text_at, transmit_errors
from jobs.sandbox.verdicts import Accepted, Kind, Origin, Refused, facts_of

__all__ = ["Accepted", "Brain", "Kind", "Origin", "Refused"]

_CONFLICT: Errors = {"IdempotencyKey": ["The key was used for another payload in the last 24 hours."]}


class Brain:
    """Take records, keep orders. One lock (`lock`) guards everything; callers that read and then act hold it too.

    `account` is the managed one, which is meant where none is named. `answers` are the first answers to
    idempotency keys of cancel and capture: HTTP status and body.
    """

    def __init__(self, account: Account, options: SandboxOptions, journal: Journal) -> None:
        self.lock = threading.RLock()
        self._account = account
        self.options = options
        self._journal = journal
        self.answers: Replays[tuple[int, bytes]] = Replays()
        self._taken: Replays[Accepted] = Replays()
        self._orders: dict[str, Order] = {}
        self._keys: dict[tuple[str, Kind, str], list[str]] = {}
        self._news = News()

    def watch(self, listener: Listener) -> None:
        """Call `listener(event, order)` for every event of every order from now on, in order, outside the lock.

        It is called in whichever thread noticed: the server's own, or the one that moved the clock.
        """
        with self.lock:
            self._news.watch(listener)

    def catch_up(self, now: datetime) -> None:
        """Notice every step that is due by now, and tell all that has happened. Not to be called with the lock held."""
        with self.lock:
            self._news.notice(self._orders, now)
        self._news.tell()

    def reset(self) -> None:
        """Forget every order."""
        with self.lock:
            self._orders.clear()
            self._keys.clear()
            self._taken.clear()
            self.answers.clear()
            self._news.forget()

    def evaluate(
        self,
        record: Fields,
        origin: Origin,
        now: datetime,
        default_expiry: datetime | None = None,
        account: Account | None = None,
    ) -> Accepted | Refused:
        """Start a rescue for one declined charge (CONTRACT 7), or say everything that is wrong with it."""
        account, in_file = account or self._account, origin.channel == "sftp"
        way = way_of(record, account, in_file=in_file)
        expiry = expiry_of(record, default_expiry)
        sites, options = frozenset(account.site_ids.values()), self.options
        terms = Terms(account.mid, sites, way, in_file, options.auth_capture, options.strict_amounts)
        errors = evaluate_errors(record, terms, expiry, now)
        if errors:
            return self._refuse("evaluate", record, origin, now, errors)
        with self.lock:
            self._news.notice(self._orders, now)
            return self._start(record, origin, now, expiry_for(way, expiry, now, options), (account, way))

    def _start(
        self, given: Fields, origin: Origin, now: datetime, expiry: datetime | None, setting: tuple[Account, Way]
    ) -> Accepted | Refused:
        account, way = setting
        record, payment = payment_of(self.options.seed, given)
        order_id, key = text_at(record, "OrderId"), text_at(record, "IdempotencyKey")
        earlier = self._keys.setdefault((account.mid, "evaluate", order_id), [])
        if earlier and (self.options.deduplicate == "order_id" or way == "sync"):
            first = self._orders[earlier[0]]
            word = evaluate_word(first, step_at(first, now))
            return self._repeat("evaluate", record, origin, now, Accepted(first.order_session_key, word))
        digest = digest_of(record)
        if self.options.deduplicate == "key_24h":
            try:
                again = self._taken.find(f"{account.mid} evaluate", key, digest, now)
            except KeyConflict:
                self._refuse("evaluate", record, origin, now, _CONFLICT)
                return Refused(_CONFLICT, is_conflict=True)
            if again is not None:
                return self._repeat("evaluate", record, origin, now, again)
        session_key = account.order_session_key(order_id, len(earlier) + 1)
        order = new_order(session_key, record, payment, (account, self.options, way), (now, expiry))
        self._orders[session_key] = order
        earlier.append(session_key)
        self._news.happened("accepted", order, now)
        self._news.expect(order, course_of(order))
        self._note_accepted("evaluate", record, origin, now, {"order_session_key": session_key}, expiry)
        verdict = Accepted(session_key, evaluate_word(order, step_at(order, now)))
        if self.options.deduplicate == "key_24h":
            self._taken.keep(f"{account.mid} evaluate", key, digest, now, verdict)
        return verdict

    def transmit(self, record: Fields, origin: Origin, now: datetime, account: Account | None = None) -> Accepted | Refused:
        """Take the copy of a charge (CONTRACT 5); no rescue starts."""
        account = account or self._account
        errors = transmit_errors(record, account.mid)
        if errors:
            return self._refuse("transmit", record, origin, now, errors)
        with self.lock:
            order_id = text_at(record, "OrderId")
            earlier = self._keys.setdefault((account.mid, "transmit", order_id), [])
            if earlier and self.options.deduplicate == "order_id":
                return self._repeat("transmit", record, origin, now, Accepted(earlier[0]))
            key = account.transmit_id(order_id, len(earlier) + 1)
            earlier.append(key)
            self._note_accepted("transmit", record, origin, now, {"order_session_key": None, "transmit_id": key}, None)
            return Accepted(key)

    def latest(self, mid: str, order_id: str) -> Order | None:
        """The order that was accepted last under the merchant's own id, or None."""
        with self.lock:
            keys = self._keys.get((mid, "evaluate", order_id))
            return self._orders[keys[-1]] if keys else None

    def change(self, order: Order, now: datetime, event: Event, **facts: object) -> None:
        """Keep an order as somebody's deed has left it, note it in the journal, and tell it."""
        with self.lock:
            self._news.notice(self._orders, now)
            self._orders[order.order_session_key] = order
            self._news.happened(event, order, now)
            self._journal.record(event, now, order_session_key=order.order_session_key, order_id=order.order_id, **facts)

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
        step = step_at(order, now)
        code = self.options.expired_code if step.name == "EXPIRED" else CODES.get(step.name)
        change = order.fate.amount_change if step.name == "Completed" else 0
        return Standing(step.name, code, order.amount + change, step.expired)

    def _note_accepted(
        self, kind: Kind, record: Fields, origin: Origin, now: datetime, named: Fields, expiry: datetime | None
    ) -> None:
        self._journal.record(
            "accepted",
            now,
            **facts_of(kind, record, origin),
            **named,
            expiry=as_text(expiry) if expiry else None,
            payload_sha256=digest_of(record),
        )

    def _repeat(self, kind: Kind, record: Fields, origin: Origin, now: datetime, first: Accepted) -> Accepted:
        self._journal.record("deduplicated", now, **facts_of(kind, record, origin), first=first.key)
        return first

    def _refuse(self, kind: Kind, record: Fields, origin: Origin, now: datetime, errors: Errors) -> Refused:
        self._journal.record("row_refused", now, **facts_of(kind, record, origin), errors=errors)
        return Refused(errors)
