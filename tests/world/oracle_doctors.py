"""Evidence with one thing changed, for each judge: what it is called, how it is changed, and who must complain of it.

Where one change breaks more than one promise, all of them are named: a changed event also breaks its seal (I19).
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from batch.pace import utc_text
from tests.webhooks.signing import payload, signed
from tests.world.merchant import Charge
from tests.world.oracle_doors import disguises
from tests.world.oracle_evidence import Evidence, Row
from tests.world.receiver import HOST, Delivered
from tests.world.turning import Turned
from tests.world.witness import Send

Doctor = Callable[[Evidence], None]


@dataclass(frozen=True)
class Doctored:
    """One change of honest evidence, and the ids of all invariants that must complain."""

    what: str
    ids: str
    doctor: Doctor


def one(seen: Evidence, state: str) -> str:
    """An order that stands there in the ledger."""
    return next(order_id for order_id, row in seen.latest.items() if row["state"] == state)


def _charge(after: timedelta, journal_end: int, *, state: str = "completed") -> Doctor:
    def doctor(seen: Evidence) -> None:
        order_id = one(seen, state)
        at = seen.steps[order_id][0][0] + after
        seen.charges = [*seen.charges, Charge(order_id, at, at, journal_end)]

    return doctor


def _unread(seen: Evidence) -> None:
    payload = next(send.content for send in seen.sends if send.kind == "rename")
    order_id = one(seen, "expired")
    at = seen.steps[order_id][-1][0] + timedelta(days=1)
    seen.charges = [*seen.charges, Charge(order_id, at, at, 10**6, (payload,))]


def _journal(event: str, /, **changed: object) -> Doctor:
    def doctor(seen: Evidence) -> None:
        row = next(row for row in seen.journal if row["event"] == event)
        seen.journal.append({**row, "n": len(seen.journal) + 1, **changed})

    return doctor


def _journal_row(event: str, /, **changed: object) -> Doctor:
    return lambda seen: next(row for row in seen.journal if row["event"] == event).update(changed)


def _row(state: str, /, **changed: object) -> Doctor:
    return lambda seen: seen.rows[one(seen, state)].update(changed)


def _provider(state: str, /, **changed: object) -> Doctor:
    return lambda seen: seen.provider[one(seen, state)].update(changed)


def _claim(state: str, /, **changed: object) -> Doctor:
    return lambda seen: seen.latest[one(seen, state)].update(changed)


def _event(to_state: str, /, **changed: object) -> Doctor:
    return lambda seen: next(row for row in seen.events if row["to_state"] == to_state and row["kind"] == "transition").update(
        changed
    )


def _piece(to_state: str, change: Callable[[bytes], bytes]) -> Doctor:
    """Change the words that an order came to a state by."""

    def doctor(seen: Evidence) -> None:
        cited = next(row["evidence_id"] for row in seen.events if row["to_state"] == to_state and row["evidence_id"])
        piece = next(row for row in seen.pieces if row["evidence_id"] == cited)
        piece["content"] = change(piece["content"])

    return doctor


def _later(seen: Evidence) -> None:
    order_id = one(seen, "completed")
    seen.steps[order_id] = [(at + timedelta(days=30) if name == "Completed" else at, name) for at, name in seen.steps[order_id]]


def _table(name: str, old: str, new: str) -> Doctor:
    """Replace a text in one of finance's files, where it stands first."""

    def doctor(seen: Evidence) -> None:
        path = next(path for path in sorted(seen.files) if path.stem == name and old.encode() in seen.files[path])
        seen.files[path] = seen.files[path].replace(old.encode(), new.encode(), 1)

    return doctor


def _lost_line(name: str) -> Doctor:
    def doctor(seen: Evidence) -> None:
        path = next(path for path in sorted(seen.files) if path.stem == name)
        lines = seen.files[path].splitlines(keepends=True)
        seen.files[path] = b"".join([lines[0], *lines[2:]])

    return doctor


def _more_items(days: int) -> Doctor:
    """Open one more item so many days after the last one."""

    def doctor(seen: Evidence) -> None:
        last = seen.items[-1]
        day = (datetime.fromisoformat(last["opened_date"]) + timedelta(days=days)).date().isoformat()
        seen.items.append({**last, "item_id": "0" * 12, "closed_at": None, "opened_date": day})

    return doctor


def _last_review(change: Callable[[list[bytes]], list[bytes]]) -> Doctor:
    """Change the lines of the last review.csv."""

    def doctor(seen: Evidence) -> None:
        path = max(path for path in seen.files if path.name == "review.csv")
        seen.files[path] = b"".join(change(seen.files[path].splitlines(keepends=True)))

    return doctor


def _sends(change: Callable[[Send], Send], *, kinds: tuple[str, ...] = ("write", "rename")) -> Doctor:
    def doctor(seen: Evidence) -> None:
        seen.sends = [change(send) if send.kind in kinds else send for send in seen.sends]

    return doctor


def _left(**changed: Any) -> Callable[[Send], Send]:  # noqa: ANN401 - fields of Left
    return lambda send: replace(send, left=replace(send.left, **changed)) if send.left else send


def _left_claimed(send: Send) -> Send:
    assert send.left is not None
    orders = {order_id: {**row, "state": "claimed"} for order_id, row in send.left.orders.items()}
    return replace(send, left=replace(send.left, orders=orders))


def _more_sends(*more: Callable[[Send], Send]) -> Doctor:
    def doctor(seen: Evidence) -> None:
        last = next(send for send in reversed(seen.sends) if send.kind == "rename")
        seen.sends = [*seen.sends, *(change(last) for change in more)]

    return doctor


def _payload(change: Callable[[Row], None]) -> Callable[[Send], Send]:
    def changed(send: Send) -> Send:
        document = json.loads(send.content)
        change(document)
        return replace(send, content=json.dumps(document).encode())

    return changed


def _mark(number: int, /, **changed: Any) -> Doctor:  # noqa: ANN401 - fields of RunMark
    def doctor(seen: Evidence) -> None:
        seen.marks[number] = replace(seen.marks[number], **changed)

    return doctor


def _ended(number: int, **changed: Any) -> Doctor:  # noqa: ANN401 - fields of Ended
    def doctor(seen: Evidence) -> None:
        job, ended = seen.runs[number]
        seen.runs[number] = (job, replace(ended, **changed))
        row = next((row for row in seen.ledger_runs if ended.report and row["run_id"] == ended.report.run_id), {})
        row["exit_code"] = changed.get("code", ended.code)

    return doctor


def _report(number: int, **changed: Any) -> Doctor:  # noqa: ANN401 - fields of RunReport
    def doctor(seen: Evidence) -> None:
        job, ended = seen.runs[number]
        assert ended.report is not None
        seen.runs[number] = (job, replace(ended, report=replace(ended.report, **changed)))

    return doctor


def _webhook(
    *, answer: int = 200, nonce: str = "", rows: int = 1, verdict: str = "applied", is_test: bool = False, environment: str = ""
) -> Doctor:
    """A right webhook came before the last run, was answered so, and is kept so often, under its own nonce or another."""

    def doctor(seen: Evidence) -> None:
        at = seen.marks[0].times[0].replace(microsecond=0)
        told = signed(payload(IsTestMode=is_test), nonce="n-1", date=at, host=HOST, key=seen.subscriber_key)
        seen.delivered.append(Delivered(at, told.headers, told.body, answer))
        row = {"nonce": nonce or "n-1", "content": told.body, "verdict": verdict, "received_at": utc_text(at)}
        seen.webhooks.extend([row] * rows)
        seen.identity = (environment or seen.identity[0], *seen.identity[1:])

    return doctor


def _more_recovered(seen: Evidence) -> None:
    report = seen.runs[-1][1].report
    assert report is not None
    (currency, total), *_ = next(r for _, e in seen.runs if e.report and (r := e.report.figures.recovered)).items()
    figures = replace(report.figures, recovered={currency: replace(total, amount_minor=10**9)})
    _report(-1, figures=figures)(seen)


def _older_ledger(seen: Evidence) -> None:
    seen.restored = True
    _more_sends(lambda last: replace(last, name="another", left=None))(seen)


def _silent(seen: Evidence) -> None:
    row = {**seen.submissions[0], "order_id": "0815", "state": "pending", "expires_at": "2026-11-24T00:00:00Z"}
    _mark(-1, underway=(row,))(seen)


def _riddle(seen: Evidence) -> None:
    import hashlib

    content = b'{"id": "x", "status": 9, "statusName": "DREAMING"}'
    content_hash = hashlib.sha256(content).hexdigest()
    piece_id = hashlib.sha256(f"poll\n{content_hash}".encode()).hexdigest()[:32]
    more = {"evidence_id": piece_id, "content": content, "content_hash": content_hash, "subject": "order:0815", "source": "poll"}
    seen.pieces.append({**seen.pieces[0], **more})


def _free(seen: Evidence) -> None:
    _row("declined", status="not_recovered", hold_reference=None)(seen)
    _provider("declined", status="Onhold")(seen)


def _two_copies(seen: Evidence) -> None:
    for _ in range(2):
        _journal("accepted", kind="transmit")(seen)


def _not_there(seen: Evidence) -> None:
    seen.provider.pop(one(seen, "declined"))


def _no_manifest(seen: Evidence) -> None:
    seen.files.pop(min(path for path in seen.files if path.name == "manifest.json"))


def _drop_event(seen: Evidence) -> None:
    chain = seen.chains[f"order:{one(seen, 'completed')}"]
    seen.events = [row for row in seen.events if row != chain[-1]]
    del seen.__dict__["chains"]


def _item(seen: Evidence) -> None:
    ended = {"closed_at": "x", "closed_date": "x"}
    seen.items.append({**seen.items[0], "item_id": "x", "explanation": f"call {seen.personal[3]}", **ended})


def _second_claim(seen: Evidence) -> None:
    seen.submissions.append({**seen.latest[one(seen, "completed")], "attempt": 2})
    del seen.__dict__["latest"]


def _stop(seen: Evidence) -> None:
    seen.stops = [(seen.marks[0].process, seen.marks[0].points[0])]


def _says(form: bytes) -> Doctor:
    def doctor(seen: Evidence) -> None:
        seen.texts["run 0"] = f"problem: {form.decode('latin-1')}"

    return doctor


def _earlier(seen: Evidence) -> None:
    by_id = {row["evidence_id"]: row for row in seen.pieces}
    cited = next(row for row in seen.events if row["to_state"] == "completed" and row["evidence_id"])
    moment = datetime.fromisoformat(cited["at"]) + timedelta(hours=1)
    by_id[cited["evidence_id"]]["received_at"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")


_WORD = b'"COMPLETED"'


def _never_refused(seen: Evidence) -> None:
    """The provider neither refused the row nor said so where a run could read it."""
    _journal_row("row_refused", event="answered")(seen)
    seen.heard = []


CASES = (
    Doctored("charged in-house while the provider worked on it", "I1", _charge(timedelta(minutes=10), 10**6)),
    Doctored("charged in-house after the provider had recovered it", "I1", _charge(timedelta(days=5), 10**6)),
    Doctored("charged in-house before it was sent", "I1", _charge(timedelta(0), 0)),
    Doctored("charged in-house while a file with it lay unread", "I1", _unread),
    Doctored("accepted twice", "I2", _journal("accepted")),
    Doctored("given twice, and the provider noticed it", "I2", _journal("accepted", event="deduplicated", channel="api")),
    Doctored("given with another payload", "I2", _journal("accepted", payload_sha256="00")),
    Doctored("a copy of a charge given twice", "I2", _two_copies),
    Doctored("a file that arrived twice", "I2", _journal("file_received")),
    Doctored("a row that calls a declined order completed", "I3 I5", _row("declined", status="completed")),
    Doctored("completed here, and worked on there", "I3", _provider("completed", status="Processing")),
    Doctored("completed here for another amount than there", "I3 I5", _provider("completed", amount=1)),
    Doctored("completed here in another currency than there", "I3 I5", _provider("completed", currency="CAD")),
    Doctored("called completed before the provider called it so", "I3", _later),
    Doctored("a recovery in finance's files that never was", "I3 I5 I17 I19", _table("outcomes", '"declined"', '"completed"')),
    Doctored("a report of more money than the provider has", "I3", _more_recovered),
    Doctored(
        "completed by the word of a test",
        "I3 I7",
        _piece("completed", lambda said: said.replace(b"{", b'{"isTestMode":true,', 1)),
    ),
    Doctored("sent while a power cut would leave it claimed", "I4", _sends(_left_claimed)),
    Doctored("sent while a power cut would leave it unknown", "I4", _sends(_left(orders={}))),
    Doctored("sent while a power cut would leave its row free", "I4", _sends(_left(holds={}))),
    Doctored(
        "sent while a power cut would leave its file claimed", "I4", _sends(_left(batch={"step": "claimed"}), kinds=("write",))
    ),
    Doctored(
        "renamed while a power cut would leave it unverified", "I4", _sends(_left(batch={"step": "sending"}), kinds=("rename",))
    ),
    Doctored(
        "a decline that nobody looked at", "I5", lambda seen: seen.given.update({"0815": {"amount_minor": 1, "currency": "USD"}})
    ),
    Doctored(
        "an order of the provider's that we do not know",
        "I5",
        lambda seen: seen.provider.update({"0815": {"status": "Cancelled"}}),
    ),
    Doctored("an order that the provider does not have", "I5", _not_there),
    Doctored("two standing claims of one order", "I5", _second_claim),
    Doctored("a row that shows another end", "I5", _row("expired", status="pending")),
    Doctored("a summary that does not close", "I5 I19", _table("summary", '"held","claimed",1,4', '"held","claimed",1,5')),
    Doctored("a claim that finance is not told of", "I5 I19", _lost_line("submissions")),
    Doctored("an end that finance is not told of", "I5 I19", _lost_line("outcomes")),
    Doctored("an item that finance is not told of", "I5", _more_items(0)),
    Doctored("an item whose row finance lost", "I5 I19", _last_review(lambda lines: lines[:1])),
    Doctored("an item that finance is told of and nobody opened", "I5", lambda seen: seen.items.clear()),
    Doctored(
        "an item that finance gets no reason of",
        "I5 I17 I19",
        _last_review(lambda lines: [re.sub(rb'"the provider refused[^"]*","not_recovered"', b'"",""', line) for line in lines]),
    ),
    Doctored("an item of a day after the last files", "I5", _more_items(9)),
    Doctored("a way that is not permitted", "I6 I19", _event("completed", from_state="held")),
    Doctored("a state that its events do not lead to", "I6 I7", _claim("declined", state="cancelled")),
    Doctored("an order's end without evidence", "I7 I19", _event("declined", evidence_id=None)),
    Doctored("evidence that is not there", "I7", lambda seen: seen.pieces.clear()),
    Doctored("evidence that was changed", "I7", _piece("declined", lambda said: said.replace(b'"firstName"', b'"first_name"'))),
    Doctored("evidence that came after the change", "I7", _earlier),
    Doctored(
        "an end whose answer says another thing",
        "I7 I16",
        _piece("declined", lambda said: said.replace(b'"status": 2', b'"status": 7').replace(b"Cancelled", b"Completed")),
    ),
    Doctored("a write by a run whose token was stale", "I11", lambda seen: seen.events[-1].update(fencing_token=0)),
    Doctored("a send by a run that had lost the lease", "I11", _sends(_left(lease_pid=7))),
    Doctored(
        "a part made anew after its rename", "I12", _more_sends(lambda last: replace(last, kind="open", creates=True, left=None))
    ),
    Doctored(
        "a file repeated with a row less",
        "I12",
        _more_sends(_payload(lambda document: document["transactionRequests"].pop())),
    ),
    Doctored(
        "a file repeated with another expiry",
        "I12",
        _more_sends(_payload(lambda document: document["configuration"].update(expiryDateUtc="2027-01-01T00:00:00Z"))),
    ),
    Doctored("half a part that gets its name", "I12", _more_sends(lambda last: replace(last, content=last.content[:99]))),
    Doctored("an order that leaves in a second file", "I12", _more_sends(lambda last: replace(last, name="another", left=None))),
    Doctored("a night that goes on with an older ledger", "I2 I12", _older_ledger),
    Doctored("a row that does not show its end, and nobody told", "I13", _claim("declined", written_version=0)),
    Doctored("an open order, and nobody told", "I5 I6 I13", _claim("completed", state="in_doubt")),
    Doctored("silence past an expiry", "I13", _silent),
    Doctored("a free row of an order that is being worked on", "I14", _free),
    Doctored(
        "handed over although it never may be", "I14", lambda seen: seen.traits.update({one(seen, "declined"): "opted out"})
    ),
    Doctored("called rejected, and never refused", "I14", _never_refused),
    Doctored("refused, and called declined", "I14", _journal_row("accepted", event="row_refused")),
    Doctored(
        "completed by a word that says nothing", "I7 I16", _piece("completed", lambda said: said.replace(_WORD, b'"RECOVERED"'))
    ),
    Doctored("a word that says nothing, and nobody told", "I16", _riddle),
    Doctored(
        "an amount that is no integer",
        "I17",
        _sends(_payload(lambda d: d["transactionRequests"][0]["transaction"].update(amount=1.0)), kinds=("write",)),
    ),
    Doctored(
        "an order id without its zeros",
        "I4 I17",
        _sends(_payload(lambda d: d["transactionRequests"][0].update(orderId="1")), kinds=("write",)),
    ),
    Doctored("an amount that differs in the journal", "I17", _journal_row("accepted", amount=1)),
    Doctored("a cell that its row_check does not know", "I17 I19", _table("holds", '"never"', '"free"')),
    Doctored("a customer's phone in an item", "I5 I18", _item),
    Doctored("a changed reason", "I19", _event("completed", reason="because")),
    Doctored("a lost event", "I19", _drop_event),
    Doctored("a changed file", "I19", _table("README", "Audit", "audit")),
    Doctored(
        "a manifest that does not name the one before",
        "I19",
        _no_manifest,
    ),
    Doctored("an internal error", "I20", _ended(0, code=70)),
    Doctored("a code that nobody knows", "I20", _ended(0, code=1)),
    Doctored("clean with a new item", "I20", _ended(0, code=0)),
    Doctored("in doubt without a doubt", "I20", _ended(0, code=11)),
    Doctored("nothing sent, with a file that arrived", "I20", _ended(0, code=20)),
    Doctored("interrupted by nobody", "I20", _ended(0, code=130)),
    Doctored(
        "an order in doubt, and clean",
        "I20",
        _mark(1, underway=({"order_id": "0815", "state": "in_doubt", "expires_at": "2027-01-01T00:00:00Z", "batch_id": "x"},)),
    ),
    Doctored("a row that waits to be written, and clean", "I20", _mark(1, unwritten=("0815",))),
    Doctored(
        "a file that waits to be sent, and clean",
        "I20",
        _mark(1, job="nightly", batches=({"file_name": "f", "step": "sending"},)),
    ),
    Doctored("a report that counts other orders", "I20", _report(0, states={})),
    Doctored("a report that counts other items", "I20", _report(0, new_items=7)),
    Doctored("a code that the ledger does not keep", "I20", lambda seen: seen.ledger_runs[0].update(exit_code=0)),
    Doctored("a ledger of another environment", "I21", lambda seen: seen.identities[0].update(environment="production")),
    Doctored("a login at another host", "I21", lambda seen: seen.breaches.append("I21: a login was sent")),
    Doctored(
        "moved by a file for another account", "I7 I21", _piece("pending", lambda said: said.replace(b'"mid": "', b'"mid": "9'))
    ),
    Doctored("evidence from a door that is not there", "I7 I23", lambda seen: seen.pieces[0].update(source="pigeon")),
    Doctored("ended by a file alone", "I7 I19 I23", _event("completed", source="file")),
    Doctored("a webhook that nobody signed", "I23", _webhook(answer=401, nonce="another")),
    Doctored("a right webhook that is refused", "I23", _webhook(answer=401)),
    Doctored("a webhook that is answered for and not kept", "I23", _webhook(rows=0)),
    Doctored("a webhook that is kept twice", "I23", _webhook(rows=2)),
    Doctored("a webhook that no run applies", "I23", _webhook(verdict="stored")),
    Doctored("a test webhook that counts in production", "I21", _webhook(is_test=True, environment="production")),
    Doctored("pending by a webhook", "I19 I23", _event("pending", source="webhook")),
    Doctored("a file outside the folder", "I24", lambda seen: seen.files.update({seen.root.parent / "x": b""})),
    Doctored("a file that climbs", "I24", lambda seen: seen.files.update({seen.root / "audit" / ".." / ".." / "x": b""})),
    Doctored("a write where only answers lie", "I24", lambda seen: seen.touched.append(("write", "/outbound/x.json"))),
    Doctored(
        "a hostile name that was asked for", "I24", lambda seen: seen.touched.append(("read", "/outbound/../../etc/passwd"))
    ),
    Doctored("somebody else's file removed", "I24", lambda seen: seen.touched.append(("remove", "/inbound/theirs.json"))),
    Doctored("sent after a request to stop", "I25", _stop),
    Doctored("sent although it is paused", "I25", lambda seen: seen.turned.append(Turned("sending", False, 0, "", 0))),
    Doctored("sent although it is switched off", "I25", _mark(0, switched_off=("recurring",))),
    Doctored("sent although its site is switched off", "I25", _mark(0, switched_off=("site:acme-us",))),
    *(
        Doctored(f"a secret in disguise {number}", "I18", _says(form))
        for number, form in enumerate(disguises("a/secret+that is long"), start=1)
    ),
)
"""At least one change for each judge."""
