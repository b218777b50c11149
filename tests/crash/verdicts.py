"""What must be true at the end of every case, told from the outside: the provider's journal and the merchant's charges."""

from collections import defaultdict
from dataclasses import dataclass, field

from tests.crash.merchant import IN_FLIGHT, PAID, REFUSED, SENDABLE, SKIPPED
from tests.crash.picture import Picture, Row

_STILL = {"Draft", "Processing", "Onhold", "Capturerequired"}
OLD_TOKEN = "the embedded token is missing, unknown or over at pick-up"
"""The sandbox's words for a file whose token is not good."""

_OVER = {"Cancelled": "declined", "EXPIRED": "expired"}


@dataclass(frozen=True)
class Charge:
    """One charge by the merchant's own retry: the order, the provider's word on it then (empty: unknown), the journal's end."""

    order_id: str
    provider_said: str
    journal_end: int


@dataclass
class Court:
    """Collects the violations of one case."""

    picture: Picture
    charges: list[Charge]
    violations: list[str] = field(default_factory=list)

    def need(self, true: object, words: str) -> None:
        """Say that something must hold."""
        if not true:
            self.violations.append(words)


def judge_night(picture: Picture, charges: list[Charge]) -> list[str]:
    """Everything that a night, crashed or not, owes to the orders that it may have sent. No point leaves an order in doubt.

    A rename that was asked for is proven or disproven by the part; a stale part is rewritten only under a proof, and from
    that proof on the file counts as never renamed.
    """
    court = Court(picture, charges)
    before = charged_first(picture, charges)
    _never_charged_beside(court)
    _sent_once(court, set(SENDABLE) - before)
    for order_id in sorted(before):
        _withdrawn(court, order_id)
    for order_id in sorted(set(SENDABLE) - before):
        _agrees(court, order_id)
    _left_alone(court)
    wanted = [] if _id_of(REFUSED) in before else [("row_refused", f"order:{_id_of(REFUSED)}")]
    _books(court, wanted, steps={"acknowledged", "empty"})
    return court.violations


def judge_calls(picture: Picture, charges: list[Charge]) -> list[str]:
    """Everything that a night by calls owes to its orders: each is taken once at most, and agrees on all sides if it was.

    A call that was intended and of which the provider shows nothing stays in doubt: held, told of, and never made again.
    """
    court = Court(picture, charges)
    before = charged_first(picture, charges)
    _never_charged_beside(court)
    accepted, refused = picture.count("accepted", "evaluate"), picture.count("row_refused", "evaluate")
    court.need(
        max([0, *accepted.values(), *refused.values()]) <= 1, f"I2: the provider was called for {dict(accepted)}, {refused}"
    )
    court.need(not picture.count("file_received"), "an order left in a file")
    latest = {row["order_id"]: row for row in sorted(picture.submissions, key=lambda row: row["attempt"])}
    doubted = {order_id for order_id, row in latest.items() if row["state"] == "in_doubt"}
    for order_id in sorted(SENDABLE):
        if order_id in before:
            _withdrawn(court, order_id)
        elif order_id in doubted:
            court.need(order_id not in accepted, f"I13: {order_id} is in doubt although the provider shows it")
            row = picture.orders[order_id]
            held = (row["status"], row["hold_reference"]) == ("pending", latest[order_id]["hold_reference"])
            court.need(held, f"I1: {order_id} is in doubt, its row {row['status']} under {row['hold_reference']}")
        else:
            court.need(order_id in {*accepted, *refused}, f"I13: the provider was never called for {order_id}")
            _agrees(court, order_id)
    _left_alone(court)
    groups = sorted({str(latest[order_id]["batch_id"]) for order_id in doubted})
    items = [("missing_acknowledgement", f"batch:{each}") for each in groups]
    is_told = _id_of(REFUSED) in refused and _id_of(REFUSED) not in doubted
    items += [("row_refused", f"order:{_id_of(REFUSED)}")] if is_told else []
    _books(court, items, steps={"acknowledged", "calling", "empty"})
    return court.violations


def was_refused_for_its_token(picture: Picture) -> bool:
    """Whether the night's one file was refused as a whole, once, because of the token in it and for nothing else."""
    refusals = [row for row in picture.journal if row["event"] == "file_refused"]
    return [row["errors"] for row in refusals] == [[OLD_TOKEN]] and refusals[0]["kind"] == "evaluate"


def judge_refused_night(picture: Picture, charges: list[Charge]) -> list[str]:
    """What a night owes whose file was refused for its token: the provider has nothing, every order is given back, once.

    That end is left to a run that stood still until its token was over, after its last look at the time (batch/delivery.py).
    """
    court = Court(picture, charges)
    _never_charged_beside(court)
    accepted, rows = picture.count("accepted", "evaluate"), picture.count("row_refused", "evaluate")
    court.need(not accepted and not rows, f"I2: of a refused file the provider took {dict(accepted)} and {dict(rows)}")
    _files_came_once(court)
    for order_id in sorted(SENDABLE):
        _agrees(court, order_id)
    _left_alone(court)
    refused = [row["batch_id"] for row in picture.batches if row["step"] == "refused"]
    court.need(len(refused) == 1, f"batches stand at {[row['step'] for row in picture.batches]}")
    _books(court, [("file_refused", f"batch:{each}") for each in refused], steps={"acknowledged", "empty", "refused"})
    return court.violations


def judge_copies(picture: Picture, charges: list[Charge]) -> list[str]:
    """Everything that a transmit owes to the paid orders, and that it touched no order row."""
    court = Court(picture, charges)
    copies = picture.count("accepted", "transmit")
    court.need(copies == dict.fromkeys(PAID, 1), f"the provider has the copies {dict(copies)}")
    court.need(not picture.count("accepted", "evaluate"), "a rescue was started")
    results = {row["order_id"]: row["result"] for row in picture.transmissions}
    court.need(results == dict.fromkeys(PAID, "success"), f"the ledger says of the copies {results}")
    for order_id, row in picture.orders.items():
        court.need(row["hold_reference"] is None, f"{order_id} is held")
    _books(court, [], steps={"acknowledged"})
    return court.violations


def judge_release(picture: Picture) -> list[str]:
    """After the retry engine has run over everything: what the provider gave back was free, so nothing is left to take."""
    kept = sorted(key for key in SENDABLE if picture.orders[key]["status"] in {"declined", "not_recovered"})
    return [f"the merchant's own retry may not take {kept}, which the provider gave back"] if kept else []


def _id_of(fate: str) -> str:
    return next(order_id for order_id, token in SENDABLE.items() if token == fate)


def charged_first(picture: Picture, charges: list[Charge]) -> set[str]:
    """Orders of the night that the merchant charged itself, and that the provider has never heard of."""
    known = _first_news(picture)
    return {charge.order_id for charge in charges if charge.order_id in SENDABLE and charge.order_id not in known}


def _first_news(picture: Picture) -> dict[str, int]:
    """The number of the first line in the provider's journal that accepts or refuses each order."""
    first: dict[str, int] = {}
    for row in picture.journal:
        if row["event"] in {"accepted", "row_refused"}:
            first.setdefault(row["order_id"], row["n"])
    return first


def _never_charged_beside(court: Court) -> None:
    """I1, from the merchant's charge log: no charge of an order that is at the provider, or comes there later."""
    known = _first_news(court.picture)
    for charge in court.charges:
        if charge.order_id in known and known[charge.order_id] > charge.journal_end:
            court.violations.append(f"I1: {charge.order_id} was sent after the merchant charged it")
        elif charge.provider_said and charge.provider_said not in _OVER:
            court.violations.append(f"I1: {charge.order_id} was charged while the provider said {charge.provider_said}")


def _sent_once(court: Court, expected: set[str]) -> None:
    accepted, refused = court.picture.count("accepted", "evaluate"), court.picture.count("row_refused", "evaluate")
    refusable = {_id_of(REFUSED)}
    court.need(accepted == dict.fromkeys(expected - refusable, 1), f"I2: the provider accepted {dict(accepted)}")
    court.need(refused == dict.fromkeys(expected & refusable, 1), f"I2: the provider refused {dict(refused)}")
    court.need(not court.picture.count("file_refused"), "the provider refused a whole file")
    _files_came_once(court)


def _files_came_once(court: Court) -> None:
    files = court.picture.count("file_received")
    court.need(all(n == 1 for n in files.values()), f"I2: files came more than once: {dict(files)}")
    court.need(not court.picture.inbound, f"files were left at the provider: {court.picture.inbound}")


def _withdrawn(court: Court, order_id: str) -> None:
    states = {row["state"] for row in court.picture.submissions if row["order_id"] == order_id}
    court.need(states <= {"withdrawn"}, f"{order_id} was charged in-house first, and the ledger says {states}")
    row = court.picture.orders[order_id]
    is_theirs = (row["status"], row["hold_reference"]) == ("paid", None)
    court.need(is_theirs, f"the merchant's row of {order_id} was overwritten: {row}")


def _agrees(court: Court, order_id: str) -> None:
    """Provider, ledger and order row say the same of an order that was sent."""
    known = court.picture.provider.get(order_id)
    rows = [row for row in court.picture.submissions if row["order_id"] == order_id]
    if not rows:
        court.violations.append(f"I5: {order_id} is not in the ledger")
        return
    latest = max(rows, key=lambda row: row["attempt"])
    court.need(len(rows) == 1, f"{order_id} was claimed {len(rows)} times")
    status = str(known["status"]) if known else "refused"
    state = {"Completed": "completed", "refused": "rejected", **dict.fromkeys(_STILL, "pending"), **_OVER}[status]
    court.need(latest["state"] == state, f"I3/I5: the provider says {status} of {order_id}, the ledger {latest['state']}")
    court.need(latest["written_version"] == latest["row_version"], f"{order_id} is not written back")
    key = str(known["order_session_key"]) if known else None
    court.need(latest["provider_order_id"] == key, f"I17: the ledger has another provider id for {order_id}")
    _row_agrees(court, order_id, state, key, latest)


def _row_agrees(court: Court, order_id: str, state: str, key: str | None, latest: Row) -> None:
    row = court.picture.orders[order_id]
    court.need(row["provider_order_id"] == key, f"the row of {order_id} has the provider id {row['provider_order_id']}")
    court.need(row["retry_state"] is None, f"the row of {order_id} is in flight")
    if state in {"pending", "completed"}:
        held = (row["status"], row["hold_reference"]) == (state, latest["hold_reference"])
        court.need(held, f"I1/I3: {order_id} is {state}, its row {row['status']} under {row['hold_reference']}")
        return
    charged = any(charge.order_id == order_id for charge in court.charges)
    court.need(row["status"] == ("paid" if charged else "not_recovered"), f"{order_id} is {state}, its row {row['status']}")
    court.need(row["hold_reference"] is None, f"{order_id} is {state} and its hold stands")


def _left_alone(court: Court) -> None:
    """Orders that no night sends: the merchant's own, and those with a reason."""
    for order_id in (IN_FLIGHT, SKIPPED, *PAID):
        row = court.picture.orders[order_id]
        court.need(row["hold_reference"] is None and row["provider_order_id"] is None, f"{order_id} was touched: {row}")
    states = {row["order_id"] for row in court.picture.submissions}
    court.need(not states - set(SENDABLE), f"these were claimed: {states - set(SENDABLE)}")


def _books(court: Court, items: list[tuple[str, str]], *, steps: set[str]) -> None:
    picture = court.picture
    found = sorted((row["kind"], row["subject"]) for row in picture.items)
    court.need(found == sorted(items), f"I20: the open items are {found}")
    court.need({row["step"] for row in picture.batches} <= steps, f"batches stand at {[row['step'] for row in picture.batches]}")
    court.need(picture.lease["run_id"] is None, "the lease was not given back")
    court.need(not picture.left_over, f"files were left over: {picture.left_over}")
    court.need(not picture.broken_seals, f"finance's files are not what the manifest says: {picture.broken_seals}")
    _chains(court)
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for name, rows in picture.audit.items():
        for row in rows if name.endswith("/summary.csv") else []:
            if row["section"] == "held":
                total = sums[name, row["site"], row["currency"]]
                total[0] += int(row["sign"]) * int(row["orders"])
                total[1] += int(row["sign"]) * int(row["amount_minor"])
    court.need(all(total == [0, 0] for total in sums.values()), f"I5: the books do not close: {dict(sums)}")


def _chains(court: Court) -> None:
    heads: dict[str, tuple[int, str]] = {}
    for row in sorted(court.picture.events, key=lambda row: (row["subject"], row["seq"])):
        seq, last = heads.get(row["subject"], (0, "0" * 64))
        court.need((row["seq"], row["previous_hash"]) == (seq + 1, last), f"I19: the chain of {row['subject']} is broken")
        heads[row["subject"]] = (row["seq"], row["hash"])
