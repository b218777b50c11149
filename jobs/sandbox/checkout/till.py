"""The flow of one order through the checkout: placed, paid, evaluated, and settled by a read."""

import secrets
from collections import defaultdict, deque
from dataclasses import dataclass, field

from jobs.sandbox.checkout.cards import Card, Form
from jobs.sandbox.checkout.gateway import charge
from jobs.sandbox.checkout.orders import Orders, Row
from jobs.sandbox.checkout.provider import Provider
from jobs.sandbox.checkout.records import evaluate_record
from jobs.sandbox.checkout.shop import AMOUNT_MINOR, CURRENCY, CUSTOMER, Shop
from jobs.sandbox.checkout.stages import ENDINGS
from jobs.sandbox.fates import WIDGET_KEY
from jobs.sandbox.moments import Clock, as_text

Steps = deque[tuple[str, str]]
"""What happened to an order, for the merchant who watches: the call, and what came of it."""


@dataclass
class Till:
    """The shop at work. `steps` are for the page only, and lost when the program ends; what counts is on the row."""

    shop: Shop
    orders: Orders
    provider: Provider
    clock: Clock
    steps: dict[str, Steps] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=20)))

    def place(self, *, advanced: bool, customer_ip: str) -> str:
        """A new order; its id is set before anything else happens. The advanced flow has the widget's key from the start."""
        now = self.clock.now()
        order_id = f"shop-{now:%Y%m%d}-{secrets.token_hex(4)}"
        cells = {
            "order_id": order_id,
            "site": self.shop.site,
            "origin": "website",
            "customer_id": "c-1",
            **CUSTOMER,
            "amount_minor": AMOUNT_MINOR,
            "currency": CURRENCY,
            "customer_ip": customer_ip,
            "sense_key": f"{WIDGET_KEY}{secrets.token_hex(8)}" if advanced else None,
            "updated_at": as_text(now),
        }
        self.orders.place(cells)
        self._note(order_id, "Order id", order_id)
        return order_id

    def pay(self, order_id: str, form: Form) -> None:
        """Charge the card and, if it is declined, ask for a rescue; a second call for the same order does nothing."""
        card = form.card
        if card is None or not self.orders.begin(order_id):
            return
        token = self.provider.tokenize(card)
        self._note(order_id, "POST /tokenize", f"token that ends in {token[-4:]}" if token else "no token")
        answer = charge(card, order_id, approves=form.bank_approves)
        self._note(order_id, "The shop's own gateway", f"{answer.cells['response_code']} {answer.cells['response_description']}")
        cells = {**answer.cells, **_card_cells(card, form), "payment_token": token or None, "charged_at": self._now()}
        self.orders.charged(order_id, "paid" if answer.approved else "declined", cells)
        if not answer.approved:
            self._evaluate(order_id, has_token=bool(token))

    def settle(self, order_id: str) -> Row | None:
        """Ask how an order stands that is ours and not ended; the row afterwards. A webhook ends nothing, a read does."""
        row = self.orders.find(order_id)
        if row is None or row["retry_state"] != "in_flight" or row["status"] not in ("declined", "pending"):
            return row
        key = str(row["provider_order_id"] or "") or self.provider.look_for(order_id)
        if not key:
            return row
        if not row["provider_order_id"] and self.orders.found(order_id, key):
            self._note(order_id, "GET /orders, by our id", "found")
        word = self.provider.status_of(key, order_id)
        if word in ENDINGS and self.orders.ended(order_id, ENDINGS[word], word):
            self._note(order_id, "GET /orders/{id}", word)
        return self.orders.find(order_id)

    def pay_otherwise(self, order_id: str, customer_ip: str) -> str | None:
        """A new order for the same basket, once the first can no longer be paid; None while it may be."""
        row = self.settle(order_id)
        if row is None or not (row["status"] == "not_recovered" or self.orders.given_up(order_id)):
            return None
        return self.place(advanced=bool(row["sense_key"]), customer_ip=customer_ip)

    def _evaluate(self, order_id: str, *, has_token: bool) -> None:
        row = self.orders.find(order_id)
        if row is None or not has_token:
            self.orders.left_to_mitbatch(order_id)
            return
        said = self.provider.evaluate(evaluate_record(self.shop, row))
        self._note(order_id, "POST /evaluate", said.happened)
        if said.proof == "taken":
            self.orders.handed_over(order_id, said.key, said.word)
            self.settle(order_id)
        elif said.proof == "refused":
            self.orders.ended(order_id, "not_recovered", "FAILED")
        elif said.proof == "nothing_sent":
            self.orders.left_to_mitbatch(order_id)

    def _note(self, order_id: str, call: str, came: str) -> None:
        self.steps[order_id].append((call, came))

    def _now(self) -> str:
        return as_text(self.clock.now())


def _card_cells(card: Card, form: Form) -> dict[str, object]:
    """What the row keeps of the card: how it begins and ends, never its number."""
    return {
        "first_name": card.first_name,
        "last_name": card.last_name,
        "email": form.kept["email"],
        "phone": form.kept["phone"] or None,
        "holder_name": f"{card.first_name} {card.last_name}",
        "card_brand": "VISA",
        "card_bin": card.number[:6],
        "card_last4": card.number[-4:],
        "card_country": "US",
        "exp_month": card.month,
        "exp_year": card.year,
    }
