"""Looks that several groups share: each does one thing through the pipeline and judges it on both sides."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from batch.tokenizing import LineOutcome
from jobs.certify.bench import Bench
from jobs.certify.marked_orders import charge, good_charge, test_card
from jobs.certify.sheet import Look, NotShown, Seen, Sheet

COMPLETED, IN_WORK, RETURNED = ("completed",), ("draft", "onhold", "processing"), ("returned",)
"""Names of the provider's for how an order stands (CONTRACT 9)."""

OneLook = Callable[[Bench, str], Seen]
CREDENTIALS = "Check the app key, the app secret and the tokenization key of this account; the portal shows them."


@dataclass(frozen=True, slots=True)
class Case:
    """The orders of one group: those that are handed over, and the good charge of which a copy is sent."""

    prefix: str
    orders: tuple[str, ...]
    copy: str
    card: str

    def item(self, word: str) -> str:
        """The id of the group's item of that name."""
        return f"{self.prefix}.{word}"


def new_case(bench: Bench, prefix: str, changed: Mapping[str, object] | None = None, *, card: str = "") -> Case:
    """Put the order of a group and a good charge into the table; they have no token yet."""
    number, order_id, copy = card or bench.test_cards[0], bench.new_id(), bench.new_id()
    row = charge(order_id, bench.clock.now(), number, {**_common(bench), **(changed or {})})
    bench.orders.add(row, good_charge(row, copy))
    return Case(prefix, (order_id,), copy, number)


def ready_order(bench: Bench, changed: Mapping[str, object] | None = None, *, card: str = "") -> str:
    """One more marked order, with a token for the card. Raises NotShown where none is given."""
    number, order_id = card or bench.test_cards[0], bench.new_id()
    bench.orders.add(charge(order_id, bench.clock.now(), number, {**_common(bench), **(changed or {})}))
    seen = tokens_are_given(bench, [order_id], number)
    if not seen.is_right:
        raise NotShown(seen)
    return order_id


def _common(bench: Bench) -> dict[str, object]:
    return {"site": bench.settings.sites[0].name, "currency": bench.settings.gate.currencies[0]}


def show_entry(bench: Bench, sheet: Sheet, case: Case) -> None:
    """Token, tokenize and transmit, with which every group begins."""
    sheet.show(case.item("token"), bench, (), lambda: token_is_valid(bench))
    sheet.show(case.item("tokenize"), bench, case.orders, lambda: tokens_are_given(bench, (*case.orders, case.copy), case.card))
    sheet.show(case.item("transmit"), bench, (case.copy,), lambda: copy_is_taken(bench, case.copy))


def token_is_valid(bench: Bench) -> Seen:
    """The provider gives a bearer token for our keys."""
    given = bench.with_workshop(lambda workshop: workshop.api.fresh_token())
    return Seen(bool(given), "The provider gave a bearer token for the app key and secret of this account.", CREDENTIALS)


def tokens_are_given(bench: Bench, orders: Sequence[str], card: str) -> Seen:
    """Tokenize answers with a token, and each row bears one for that very card."""
    for order_id in orders:
        result = bench.tokenize(test_card(order_id, card, bench.clock.now().year + 3))
        if result.outcome is not LineOutcome.WRITTEN:
            return Seen(is_right=False, sentence=f"Order {order_id} got no token: {result.sentence}.", change=CREDENTIALS)
        row = bench.orders.row(order_id)
        if not row["payment_token"] or row["card_last4"] != card[-4:]:
            sentence = f"The provider gave a token, and the row of {order_id} does not bear it."
            return Seen(is_right=False, sentence=sentence, change="Let orders.admin_url write payment_token and card_last4.")
    return Seen(is_right=True, sentence=f"Tokenize gave a token for the test card ending in {card[-4:]}, and the rows bear it.")


def copy_is_taken(bench: Bench, order_id: str) -> Seen:
    """The copy of a good charge is answered with success, and the ledger has the provider's id for it."""
    bench.run("transmit")
    bench.time.wait_for(lambda: bool(bench.copy_result(order_id)[0]) or _polled(bench))
    word, number = bench.copy_result(order_id)
    if word == "success":
        return Seen(is_right=True, sentence=f"The copy of {order_id} was answered with result: success, transmitId {number}.")
    said = f"with the result {word}" if word else f"with nothing within {bench.time.bound}"
    change = "Look at the answer beside it; channels.transmit and transmit_format say how copies are sent."
    return Seen(is_right=False, sentence=f"The copy of {order_id} was answered {said}.", change=change)


def _polled(bench: Bench) -> bool:
    bench.run("poll", everything=True)
    return False


def pending_is_shown(bench: Bench, order_id: str) -> Seen:
    """While the provider works on the order, its row says pending and is held."""
    row, read = bench.orders.row(order_id), bench.read_at_provider(order_id)
    word = read.status.lower() if read is not None else "nothing"
    right = row["status"] == "pending" and bool(row["hold_reference"]) and bool(row["hold_until"]) and word in IN_WORK
    sentence = f"The provider shows {order_id} as {word}; its row says {row['status']}, hold {row['hold_reference'] or 'none'}."
    return Seen(right, sentence, "Let nothing but the pipeline write status, hold_reference and hold_until of a held row.")


def retries_are_stopped(bench: Bench, order_id: str) -> Seen:
    """The merchant's own retry cannot take the order: its one statement changes no row."""
    taken = bench.orders.retry_takes(order_id)
    words = "took it" if taken else "took nothing"
    sentence = f"The retry job's statement tried to take {order_id} while the provider works on it, and {words}."
    return Seen(not taken, sentence, "Let the retry job take rows of the view retryable_orders alone: mitbatch holds view.")


def outcome_comes(bench: Bench, order_id: str) -> Seen:
    """The provider says completed within the bound, and the ledger has heard it."""

    def has_ended() -> bool:
        bench.run("poll", everything=True)
        claim = bench.submission(order_id)
        return claim is not None and claim.state == "completed"

    heard = bench.time.wait_for(has_ended)
    read, claim = bench.read_at_provider(order_id), bench.submission(order_id)
    word, state = (read.status.lower() if read else "nothing"), (claim.state if claim else "not claimed")
    if heard and word in COMPLETED:
        heard_by = bench.heard_by(order_id)
        return Seen(is_right=True, sentence=f"The provider shows {order_id} as {word}, and the ledger heard it {heard_by}.")
    sentence = f"Within {bench.time.bound} {order_id} was not heard as completed: the provider shows {word}, the ledger {state}."
    return Seen(
        is_right=False, sentence=sentence, change="Wait longer (certify.max_wait_seconds), or ask the provider to end it."
    )


def status_is_right(bench: Bench, order_id: str, status: str = "completed") -> Seen:
    """The row says how the order ended, with the provider's id, and nobody charges it again."""
    row, read = bench.orders.row(order_id), bench.read_at_provider(order_id)
    number = read.provider_order_id if read is not None else ""
    right = row["status"] == status and bool(number) and row["provider_order_id"] == number
    sentence = (
        f"The row of {order_id} says {row['status']}, provider_order_id {row['provider_order_id'] or 'none'};"
        f" the provider shows {read.status.lower() if read else 'nothing'} under {number or 'no id'}."
    )
    return Seen(right, sentence, "Let nothing but the pipeline write status and provider_order_id of an order that was sent.")


def call_is_answered(bench: Bench, order_id: str, wanted: str, change: str = "") -> Seen:
    """The evaluate call is answered with this very word, and the ledger has the provider's id for the order."""
    bench.run("nightly")
    words, claim = bench.words_from(order_id, "evaluate"), bench.submission(order_id)
    said = words[0].upper() if words else "nothing that can be read"
    number = claim.provider_order_id if claim is not None else ""
    sentence = f"Evaluate of {order_id} was answered with {said}, orderSessionKey {number or 'none'}."
    change = change or f"The provider should answer {wanted}: look at the answer, and ask it how the account is set up."
    return Seen(said == wanted and bool(number), sentence, change)


def order_id_is_set(bench: Bench, order_id: str) -> Seen:
    """The request bears our order id, and the provider finds the order by it."""
    asked = any(order_id in _order_ids(each.request) for each in bench.recording.exchanges if each.path.endswith("/evaluate"))
    found = bench.find_at_provider(order_id)
    shown = found.read.external_id if found.read is not None else ""
    sentence = f"The evaluate request {'bears' if asked else 'does not bear'} orderId {order_id}; the provider "
    sentence += f"shows it under {shown!r}." if shown else f"does not find it by that id ({found.problem or 'no such order'})."
    return Seen(
        asked and shown == order_id, sentence, "Let GET orders be allowed for this account, and ask why it does not show our id."
    )


def _order_ids(request: str) -> list[str]:
    return [str(value) for name, value in json.loads(request or "{}").items() if name.lower() == "orderid"]


def looked(bench: Bench, order_id: str, look: OneLook) -> Look:
    """The look at this one order."""
    return lambda: look(bench, order_id)
