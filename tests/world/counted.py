"""What really struck, by the ids of the catalogue: a deed that never came to its point counts for nothing."""

from collections import Counter
from typing import TYPE_CHECKING

from jobs.sandbox.fault_ids import with_ids
from jobs.sandbox.faults import CATALOGUE
from tests.world.traits import TRAITS

if TYPE_CHECKING:
    from tests.world.story import Story

MERCHANT_IDS: dict[str, tuple[str, ...]] = {
    "paid": ("D-03",),
    "cancelled": ("D-04",),
    "amount": ("D-18",),
    "currency": ("D-07", "D-18"),
    "gone": ("D-18",),
    "retry": (),
    "set back": ("D-01", "D-02"),
    "set back held": ("D-01",),
    "hold taken": (),
}
"""The ids of what the merchant does to a row by hand."""

SANDBOX_IDS: dict[str, tuple[str, ...]] = {
    name: tuple(with_ids({"name": name, "point": known.point, "what": known.sentence})["ids"])  # type: ignore[arg-type]
    for name, known in CATALOGUE.items()
}
"""By name of a sandbox's fault: the ids that stand in its sentence."""


def provider_ids(story: "Story") -> Counter[str]:
    """How often each id struck by a fault of the provider's."""
    found: Counter[str] = Counter()
    for name, ids in SANDBOX_IDS.items():
        for each in ids:
            found[each] += story.world.provider.faults.fired(name)
    return Counter({each: count for each, count in found.items() if count})


def kill_ids(story: "Story") -> tuple[str, ...]:
    """The ids of a death at this point: the stage that the run was in, and P-10 when it was recovering from another."""
    recovering = any(ended.killed for _, ended in story.world.runs)
    return (stage_of(story), "P-10") if recovering else (stage_of(story),)


def stage_of(story: "Story") -> str:
    """P-01 select, -02 claim and hold, -03 render, -04 intent, -05 upload, -06 rename, -07 mark sent, -08 apply, -09 write."""
    labels = story.labels_of_run()
    _, _, what = labels[-1].partition(" ")
    if what.startswith("commit ledger"):
        return _ledger_stage(story, labels)
    if what.startswith("commit orders"):
        return "P-02" if "claimed" in _states(story) else "P-09"
    if what.startswith("SFTP"):
        return _line_stage(what, labels)
    if what.startswith("HTTP token"):
        return "P-08" if _has_listed(labels) else "P-03"
    if what.startswith("HTTP"):
        return "P-08"
    return "P-03" if what.endswith(("evaluate", "transmit", "folder export")) or not _has_ended_work(labels) else "P-09"


def _line_stage(what: str, labels: list[str]) -> str:
    if "rename" in what:
        return "P-06"
    if "dir" in what or "read" in what or _has_listed(labels):
        return "P-08"
    return "P-05"


def _has_listed(labels: list[str]) -> bool:
    """Whether the last thing between upload and answers was the looking into the outbound folder."""
    for label in reversed(labels):
        if "SFTP opendir" in label:
            return True
        if "evaluate" in label or "transmit" in label:
            return False
    return False


def _has_ended_work(labels: list[str]) -> bool:
    return _has_listed(labels) or any(".csv.new" in label for label in labels[-2:])


def _ledger_stage(story: "Story", labels: list[str]) -> str:
    if labels.count("before commit ledger") < 2:
        return "P-01"  # the lease
    if any("SFTP rename" in label for label in labels[-4:]):
        return "P-07"
    if _has_listed(labels):
        return "P-08"
    states = _states(story)
    if "SFTP" in "".join(labels[-6:]):
        return "P-05"
    if "claimed" in states:
        return "P-02"
    if "held" in states:
        return "P-04"
    if "sending" in states:
        return "P-03"
    return "P-02"


def _states(story: "Story") -> set[str]:
    ledger = story.world.ground.reader(story.world.ground.ledger_path)
    return {row[0] for row in ledger.execute("SELECT DISTINCT state FROM submission")}


def race_ids(story: "Story") -> Counter[str]:
    """D-05: a cancel was asked for, and the order completed all the same."""
    words = {row["order_id"]: row["status"] for row in story.world.provider.orders()}
    ledger = story.world.ground.reader(story.world.ground.ledger_path)
    asked = [row[0] for row in ledger.execute("SELECT DISTINCT order_id FROM operation WHERE kind = 'cancel'")]
    raced = sum(words.get(order_id) in ("Completed", "Returned") for order_id in asked)
    return Counter({"D-05": raced}) if raced else Counter()


def trait_ids(story: "Story") -> Counter[str]:
    """The ids of odd rows that the gate has really judged: each has a decision or a claim in the ledger."""
    ledger = story.world.ground.reader(story.world.ground.ledger_path)
    judged = {row[0] for row in ledger.execute("SELECT order_id FROM decision UNION SELECT order_id FROM submission")}
    scrubbed = any(order_id.startswith("pan:") for order_id in judged)
    found: Counter[str] = Counter()
    for order_id, name in story.traits.items():
        if order_id in judged or (scrubbed and name.startswith("card number")):
            found.update(TRAITS[name].ids)
    return found
