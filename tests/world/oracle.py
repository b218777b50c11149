"""The oracle: each invariant in a function of its own, judged from the outside records.

It reads the provider's journal, the merchant's charge log, the order rows, finance's files and the exit codes; the
ledger only to compare it with them. Every function returns sentences that begin with the invariant's id.
"""

import csv
import io
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from schemas.states import EDGES, State
from tests.world.story import Story

WORKING = {"Draft", "Processing", "Onhold", "Capturerequired", "Problem"}
Row = dict[str, Any]


class Evidence:
    """Everything that is judged, read once."""

    def __init__(self, story: Story) -> None:
        world = story.world
        self.story, self.world = story, world
        self.journal: list[Row] = world.provider.journal()
        self.provider = {str(row["order_id"]): row for row in world.provider.orders()}
        self.rows = world.merchant.rows()
        with closing(sqlite3.connect(world.ground.ledger_path)) as connection:
            connection.row_factory = sqlite3.Row
            self.submissions = [dict(row) for row in connection.execute("SELECT * FROM submission ORDER BY order_id, attempt")]
            self.events = [dict(row) for row in connection.execute("SELECT * FROM event ORDER BY subject, seq")]
            written = "SELECT event.subject, run.fencing_token FROM event JOIN run USING (mid, run_id) ORDER BY event.rowid"
            self.written = [dict(row) for row in connection.execute(written)]
            self.items = [dict(row) for row in connection.execute("SELECT * FROM item WHERE closed_at IS NULL")]
        self.accepted = [row for row in self.journal if row["event"] == "accepted" and row["kind"] == "evaluate"]
        self.latest = {row["order_id"]: row for row in self.submissions}

    def provider_at(self, order_id: str, journal_end: int) -> bool:
        """Whether the provider had accepted the order by that line of its journal."""
        return any(row["order_id"] == order_id and int(str(row["n"])) <= journal_end for row in self.accepted)


def i1_hold(seen: Evidence) -> Iterator[str]:
    """No in-house charge of an order that is at the provider, or goes there afterwards."""
    from jobs.sandbox.courses import course_of

    orders = {order.order_id: order for order in seen.world.provider._brain.orders()}
    for charge in seen.world.merchant.charges:
        if charge.order_id in seen.story.changed:
            continue
        if not seen.provider_at(charge.order_id, charge.journal_end):
            if charge.order_id in orders:
                yield f"I1: {charge.order_id} was sent after the merchant charged it"
            continue
        name = course_of(orders[charge.order_id])[0].name
        for step in course_of(orders[charge.order_id]):
            if step.at <= charge.at:
                name = step.name
        if name in WORKING or name == "Completed":
            yield f"I1: {charge.order_id} was charged in-house at {charge.at} while the provider said {name}"


def i2_send_once(seen: Evidence) -> Iterator[str]:
    """The provider accepts each order at most once."""
    for order_id, count in Counter(str(row["order_id"]) for row in seen.accepted).items():
        if count > 1:
            yield f"I2: the provider accepted {order_id} {count} times"


def i3_no_false_completion(seen: Evidence) -> Iterator[str]:
    """What shows as completed is completed at the provider, for the same amount."""
    shown = {key for key, row in seen.rows.items() if row["status"] == "completed"}
    shown |= {row["order_id"] for row in seen.submissions if row["state"] == "completed"}
    for order_id in sorted(shown):
        known = seen.provider.get(order_id)
        amount = seen.latest[order_id]["amount_minor"] if order_id in seen.latest else None
        if known is None or known["status"] != "Completed" or known["amount"] != amount:
            yield f"I3: {order_id} shows as completed, the provider says {known}"


def i5_conservation(seen: Evidence) -> Iterator[str]:
    """Nothing that the provider has is unknown here, and finance's books close."""
    for order_id in seen.provider:
        if order_id not in seen.latest:
            yield f"I5: the provider has {order_id}, the ledger does not know it"
    for path, content in sorted(seen.world.disk.there.items()):
        if path.name != "summary.csv":
            continue
        sums: dict[tuple[str, str], int] = defaultdict(int)
        for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"))):
            if row["section"] == "held":
                sums[row["site"], row["currency"]] += int(row["sign"]) * int(row["amount_minor"])
        if any(sums.values()):
            yield f"I5: the books of {path.parent.name} do not close: {dict(sums)}"


def i5_nobody_forgotten(seen: Evidence) -> Iterator[str]:
    """Each decline that the merchant left alone was chosen in some night; a story in which nothing happens proves nothing."""
    for order_id in seen.world.order_ids:
        if order_id not in seen.latest and order_id not in seen.story.changed:
            yield f"I5: {order_id} was never chosen"


def i5_rows_agree(seen: Evidence) -> Iterator[str]:
    """An order row that the merchant left alone shows what the ledger says, once the ledger calls it written."""
    shown = {"declined": "not_recovered", "expired": "not_recovered", "rejected": "not_recovered", "in_doubt": "pending"}
    for order_id, row in seen.latest.items():
        if order_id in seen.story.changed or order_id not in seen.rows or row["written_version"] != row["row_version"]:
            continue
        status = seen.rows[order_id]["status"]
        charged = any(charge.order_id == order_id for charge in seen.world.merchant.charges)
        is_shown = row["state"] in {"pending", "completed", "review", *shown}
        differs = is_shown and status != shown.get(row["state"], row["state"])
        if differs and not (charged and status == "paid"):
            yield f"I5: {order_id} is {row['state']} in the ledger and written, its row says {status}"


def i6_edges(seen: Evidence) -> Iterator[str]:
    """Only permitted moves."""
    state: dict[str, str] = {}
    for row in seen.events:
        if row["to_state"] and row["from_state"] and row["to_state"] != row["from_state"]:
            if row["kind"] == "transition" and State(row["to_state"]) not in EDGES[State(row["from_state"])]:
                yield f"I6: {row['subject']} went from {row['from_state']} to {row['to_state']}"
            state[row["subject"]] = row["to_state"]


def i13_liveness(seen: Evidence) -> Iterator[str]:
    """After the quiet nights each order has ended, or somebody was told."""
    told = {item["subject"].partition(":")[2] for item in seen.items}
    open_states = {"claimed", "held", "sending", "in_doubt", "pending", "capture_required"}
    for order_id, row in seen.latest.items():
        if row["state"] in open_states and order_id not in told and row["batch_id"] not in told:
            yield f"I13: {order_id} is {row['state']} at the end, and nobody was told"
        elif row["state"] not in open_states and row["written_version"] != row["row_version"] and order_id not in told:
            yield f"I13: {order_id} is {row['state']}, its row does not show it, and nobody was told"


def i11_one_writer(seen: Evidence) -> Iterator[str]:
    """No run writes an event after a run with a later fencing token has written one."""
    latest = 0
    for row in seen.written:
        if row["fencing_token"] < latest:
            yield f"I11: {row['subject']} was written by the run with token {row['fencing_token']} after one with {latest}"
        latest = max(latest, row["fencing_token"])


def i14_releases(seen: Evidence) -> Iterator[str]:
    """What the provider still works on, or recovered, is never free in the order system."""
    for order_id, known in seen.provider.items():
        row = seen.rows.get(order_id)
        if row is None or order_id in seen.story.changed:
            continue
        free = row["status"] in {"declined", "not_recovered"} and row["hold_reference"] is None
        if free and known["status"] in {*WORKING, "Completed"}:
            yield f"I14: {order_id} is free in the order system while the provider says {known['status']}"


def i18_no_leak(seen: Evidence) -> Iterator[str]:
    """No secret and no token stands in any file, nor in the ledger."""
    provider = seen.world.provider
    secrets = [provider.app_key.encode(), provider.app_secret.encode(), b"eyJhbGciOi"]
    places = {str(path): content for path, content in seen.world.disk.there.items()}
    places["ledger"] = seen.world.ground.ledger_path.read_bytes()
    for place, content in places.items():
        yield from (f"I18: a secret stands in {place}" for secret in secrets if secret in content)


def i20_honest_codes(seen: Evidence) -> Iterator[str]:
    """Exit 0 means clean; an internal error never happens."""
    for job, ended in seen.world.runs:
        if ended.code == 70:
            problems = [str(problem) for problem in ended.report.findings.problems] if ended.report else [ended.refusal]
            yield f"I20: {job} ended with 70: {problems}"
        if ended.code == 0 and ended.report is not None:
            doubted = ended.report.states.get("in_doubt", {})
            if doubted or ended.report.new_items:
                yield f"I20: {job} ended with 0 while {doubted} are in doubt and {ended.report.new_items} items are new"


def i19_chain(seen: Evidence) -> Iterator[str]:
    """Each subject's events follow one another without a gap."""
    heads: dict[str, tuple[int, str]] = {}
    for row in seen.events:
        seq, last = heads.get(row["subject"], (0, "0" * 64))
        if (row["seq"], row["previous_hash"]) != (seq + 1, last):
            yield f"I19: the chain of {row['subject']} is broken at {row['seq']}"
        heads[row["subject"]] = (row["seq"], row["hash"])


INVARIANTS: tuple[Callable[[Evidence], Iterator[str]], ...] = (
    i1_hold,
    i2_send_once,
    i3_no_false_completion,
    i5_conservation,
    i5_nobody_forgotten,
    i5_rows_agree,
    i6_edges,
    i11_one_writer,
    i13_liveness,
    i14_releases,
    i18_no_leak,
    i19_chain,
    i20_honest_codes,
)


def judge(story: Story) -> list[str]:
    """Every violation of every invariant that can be seen at the end of a story."""
    seen = Evidence(story)
    return [words for invariant in INVARIANTS for words in invariant(seen)]
