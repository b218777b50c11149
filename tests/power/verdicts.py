"""What must be true of a disk after a power cut before anything runs on it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from jobs.databases import open_ledger
from schemas.errors import MitbatchError
from tests.power.story import Cut, Story, put_files

_NOT_YET = {"claimed", "held", "withdrawn"}
_STILL = {"sending", "in_doubt", "pending", "capture_required", "completed", "review"}


def judge_image(story: Story, cut: Cut, folder: Path) -> list[str]:
    """Violations of one image, which is put into the folder."""
    put_files(folder, cut.image)
    left = story.received(cut.chapter, cut.chapter.moments(cut.at)[1]).orders()
    found = _opens(folder / "orders.db", "the order system") + _whole_files(story, cut)
    ledger = folder / "var" / "ledger.db"
    if "var/ledger.db" not in cut.image:
        return found + ([f"I4: the ledger is gone, and bytes of {sorted(left)} had left"] if left else [])
    found += _opens(ledger, "the ledger")
    if found:
        return found
    if _has(ledger, "alembic_version"):
        try:
            open_ledger(f"sqlite:///{ledger}").dispose()
        except MitbatchError as problem:
            return [f"the product cannot open the ledger: {problem}"]
    return found + _claims(folder, left, story.name) + _chains(ledger)


def _opens(path: Path, what: str) -> list[str]:
    try:
        with closing(sqlite3.connect(path)) as connection:
            answer = connection.execute("PRAGMA integrity_check").fetchall()
    except sqlite3.DatabaseError as error:
        return [f"{what} cannot be read: {error}"]
    return [] if answer == [("ok",)] else [f"{what} is damaged: {answer}"]


def _claims(folder: Path, left: set[str], story: str) -> list[str]:
    """I4: whatever had left is recorded as leaving, and its row is held in the order system."""
    if not left:
        return []
    if not _has(folder / "var" / "ledger.db", "submission"):
        return [f"I4: the ledger is empty, and bytes of {sorted(left)} had left"]
    if story == "copies":
        query = "SELECT t.order_id, b.step FROM transmission t JOIN batch b ON b.batch_id = t.batch_id"
    else:
        query = "SELECT order_id, state FROM submission"
    states = {row[0]: row[1] for row in _rows(folder / "var" / "ledger.db", query)}
    found = [
        f"I4: bytes of {order_id} had left, and the ledger says {states.get(order_id, 'nothing')}"
        for order_id in sorted(left)
        if states.get(order_id, "claimed") in _NOT_YET
    ]
    rows = dict(_rows(folder / "orders.db", "SELECT order_id, hold_reference FROM orders"))
    return found + [
        f"I1: {order_id} is {states[order_id]} in the ledger, and its row bears no hold"
        for order_id in sorted(left)
        if story == "rescues" and states.get(order_id) in _STILL and not rows[order_id]
    ]


def _chains(ledger: Path) -> list[str]:
    if not _has(ledger, "event"):
        return []
    heads: dict[str, tuple[int, str]] = {}
    found = []
    for subject, number, previous, digest in _rows(ledger, "SELECT subject, seq, previous_hash, hash FROM event ORDER BY 1, 2"):
        count, last = heads.get(subject, (0, "0" * 64))
        if (number, previous) != (count + 1, last):
            found.append(f"I19: the chain of {subject} is broken")
        heads[subject] = (number, digest)
    return found


def _whole_files(story: Story, cut: Cut) -> list[str]:
    """A file that gets its name when it is whole has it only then: under its name stands a whole version, or nothing."""
    found = []
    for path, content in cut.image.items():
        known = {version for chapter in story.chapters for version in [chapter.before.get(path)] if version is not None}
        versions = cut.versions.get(path, set()) | known
        if path.startswith(("var/audit/", "var/export/")) and not path.endswith((".new", ".tmp")) and content not in versions:
            found.append(f"{path} stands under its name and is not whole ({len(content)} bytes)")
    return found


def _has(path: Path, table: str) -> bool:
    return bool(_rows(path, f"SELECT name FROM sqlite_master WHERE name = '{table}'"))


def _rows(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()
