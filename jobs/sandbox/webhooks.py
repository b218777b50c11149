"""The provider's webhooks: told in the background, signed, told again when nobody answers well, all by the sandbox's clock."""

import threading
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from jobs.sandbox.courses import Event, Order
from jobs.sandbox.faults import Faults
from jobs.sandbox.journal import Journal
from jobs.sandbox.moments import Clock, as_text
from jobs.sandbox.webhook_agenda import Agenda, Due
from jobs.sandbox.webhook_delivery import endpoint_of, post
from jobs.sandbox.webhook_events import EVENTS, Notice, notice_of, payload_of, to_body
from jobs.sandbox.webhook_faults import WebhookCall
from jobs.sandbox.webhook_signature import signed_headers, subscriber_key

RETRIES = tuple(timedelta(minutes=minutes) for minutes in (1, 10, 60, 360, 1440))
"""How long after each failure it is tried again; nothing is published (CONTRACT 18)."""

CONTENT_TYPE = "text/plain; charset=utf-8"
Carry = Callable[[dict[str, str], bytes], tuple[int | None, str]]
"""Brings one delivery's headers and body there; the HTTP status, or None and why there is none."""

_REMEMBERED = 200
_AT_ONCE = 8


class Webhooks:
    """Tell one address on loopback what happens to orders. Nobody waits for its answer but `settle`."""

    def __init__(self, seed: int, clock: Clock, journal: Journal, faults: Faults) -> None:
        self.key = subscriber_key(seed)
        self._clock, self._journal, self._faults = clock, journal, faults
        self._agenda = Agenda(clock, self._tell)
        self._lock = threading.Lock()
        self._told: deque[dict[str, object]] = deque(maxlen=_REMEMBERED)
        self._carry: Carry | None = None
        self._new_nonce: Callable[[], str] = lambda: uuid.uuid4().hex

    @property
    def url(self) -> str | None:
        """The registered address, or None."""
        return self._agenda.endpoint.url if self._agenda.endpoint else None

    def register(self, url: str) -> None:
        """Tell this address from now on, and no other. Raises `ValueError` if it is not on loopback."""
        self._agenda.register(endpoint_of(url))

    def register_inline(self, url: str, carry: "Carry", new_nonce: Callable[[], str]) -> None:
        """Tell this address without a network and without a thread: in `catch_up`, one after the other, by `carry`."""
        self._carry, self._new_nonce = carry, new_nonce
        self._agenda.register(endpoint_of(url), inline=True)

    def forget(self) -> None:
        """Forget the address, what is due, and what was told."""
        self._agenda.forget()
        with self._lock:
            self._told.clear()

    def stop(self) -> None:
        """End the background thread; what is due stays untold."""
        self._agenda.stop()

    def catch_up(self) -> None:
        """Let everything be sent that is due by now."""
        self._agenda.catch_up()

    def settle(self, seconds: float = 10) -> bool:
        """Wait until everything that is due by now has been sent and answered; False if that takes too long."""
        return self._agenda.settle(seconds)

    def heard(self, event: Event, order: Order) -> None:
        """Listen to the brain: line up the webhook for this event."""
        if event == "accepted":
            call = WebhookCall(where="accepted")
            self._faults.strike_now("webhook.accepted", call)
            for name in call.then:
                self._agenda.line_up(Notice(name, order.order_id, order.order_session_key, order.changed or order.placed))
            return
        notice = notice_of(event, order)
        if notice is not None:
            self._agenda.line_up(notice)

    def send(self, event: str, order: Order | None = None, about: dict[str, object] | None = None) -> None:
        """Send one event on request. Raises `ValueError` for one that is not published."""
        if event not in EVENTS:
            message = f"there is no event {event[:80]!r}; there are {', '.join(EVENTS)}"
            raise ValueError(message)
        order_id, key = (order.order_id, order.order_session_key) if order else (None, None)
        self._agenda.line_up(Notice(event, order_id, key, self._clock.now(), about))

    def deliveries(self) -> list[dict[str, object]]:
        """The last deliveries with their answers, oldest first."""
        with self._lock:
            return [dict(row) for row in self._told]

    def _tell(self, due: Due) -> None:
        if due.ready is not None:
            self._deliver(due, WebhookCall(headers=due.ready[0]), due.ready[1])
            return
        payload = payload_of(due.notice, is_resent=due.resent)
        call = WebhookCall(where=due.notice.event, payload=payload, host=due.endpoint.authority)
        if not due.held:
            self._faults.strike_now("webhook.payload", call)
            for name in call.then:
                self._agenda.follow(due, timedelta(0), notice=replace(due.notice, event=name), held=True)
        if call.late > timedelta(0):
            self._agenda.follow(due, call.late, held=True)
            return
        body = self._signed(call)
        self._faults.strike_now("webhook.signed", call)
        self._deliver(due, call, to_body(call.payload) if call.payload_changed else body)

    def _signed(self, call: WebhookCall) -> bytes:
        self._faults.strike_now("webhook.signing", call)
        body = to_body(call.payload)
        key = subscriber_key(-1) if call.wrong_key else self.key
        signed = signed_headers(key, body, call.host, self._clock.now() - call.stale, self._new_nonce())
        call.headers = {"Content-Type": CONTENT_TYPE, **signed}
        return body

    def _deliver(self, due: Due, call: WebhookCall, body: bytes) -> None:
        if self._carry is not None:
            answers = [self._carry(call.headers, body) for _ in range(call.copies)]
        else:
            with ThreadPoolExecutor(min(call.copies, _AT_ONCE)) as pool:
                copies = [pool.submit(post, due.endpoint, call.headers, body, slow=call.slow) for _ in range(call.copies)]
            answers = [copy.result() for copy in copies]
        for status, why in answers:
            self._write_down(due, call, status, why)
        if due.ready is not None:
            return
        if call.replay_after is not None:
            self._agenda.follow(due, call.replay_after, ready=(call.headers, body))
        well = any(status is not None and 200 <= status < 300 for status, _ in answers)
        if call.resend or (not well and due.attempt <= len(RETRIES)):
            wait = RETRIES[0] if well else RETRIES[due.attempt - 1]
            self._agenda.follow(due, wait, attempt=due.attempt + 1, resent=True, held=True)

    def _write_down(self, due: Due, call: WebhookCall, status: int | None, why: str) -> None:
        if self._agenda.endpoint is not due.endpoint:
            return
        now = self._clock.now()
        row: dict[str, object] = {
            "webhook": due.notice.event,
            "order_id": due.notice.order_id,
            "order_session_key": due.notice.order_session_key,
            "nonce": call.headers.get("x-fc-nonce"),
            "attempt": due.attempt,
            "resent": due.resent,
            "replayed": due.ready is not None,
            "http_status": status,
            "error": why or None,
        }
        self._journal.record("webhook_delivered", now, **row)
        with self._lock:
            self._told.append({"at": as_text(now), **row})
