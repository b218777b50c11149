"""What the page shows: orders, files, webhooks, faults and the clock, in words and figures for people. It changes nothing."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from jobs.sandbox.control_api import Controls
from jobs.sandbox.fault_ids import with_ids

PAGE_SIZE = 50
_SHOWN = 40
_TONES = {"Completed": "good", "Capturerequired": "wait", "Draft": "wait", "Processing": "wait", "Onhold": "wait"}
_TOLD = ("order_id", "file", "path", "name", "webhook", "first", "why", "errors")

Row = dict[str, object]


def view_of(controls: Controls, query: dict[str, str]) -> dict[str, object]:
    """Everything that the template needs; `query` has the page number and the text that orders are looked for with."""
    now = controls.clock.now()
    orders = controls.orders()[::-1]
    text = query.get("q", "")[:200]
    found = [row for row in orders if text in str(row["order_id"]) or text == row["order_session_key"]]
    pages = max(1, -(-len(found) // PAGE_SIZE))
    number = min(_count(query.get("page", "1")), pages)
    start = (number - 1) * PAGE_SIZE
    faults = [with_ids(row) for row in controls.faults.listing()]
    return {
        "now": _moment(now),
        "total": len(orders),
        "counts": [(name, count, tone(name)) for name, count in sorted(Counter(str(row["status"]) for row in orders).items())],
        "q": text,
        "page": number,
        "pages": pages,
        "found": len(found),
        "orders": [_order(row) for row in found[start : start + PAGE_SIZE]],
        "inbound": _files(controls.folders.inbound),
        "outbound": _files(controls.folders.outbound),
        "url": controls.webhooks.url,
        "deliveries": [_delivery(row) for row in controls.webhooks.deliveries()[::-1][:_SHOWN]],
        "active": [row for row in faults if row["left"] or row["fired"]],
        "areas": [
            (area, [row for row in faults if row["area"] == area]) for area in sorted({str(row["area"]) for row in faults})
        ],
        "journal": [_event(row) for row in controls.journal.latest(_SHOWN)[::-1]],
        "problem": "",
    }


def tone(status: str) -> str:
    """How a status is coloured; the word says the same."""
    return _TONES.get(status, "bad")


def money(amount: object, currency: object) -> str:
    """Minor units as people write them: 2599 of USD is 25.99 USD."""
    cents = amount if isinstance(amount, int) else 0
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100:,}.{abs(cents) % 100:02d} {currency}"


def _count(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%a %d %b %Y, %H:%M:%S UTC")


def _short(text: object) -> str:
    return str(text or "").replace("T", " ").removesuffix("Z")


def _order(row: Row) -> Row:
    shown = {"amount": money(row["amount"], row["currency"]), "placed": _short(row["placed"]), "expiry": _short(row["expiry"])}
    return {**row, **shown, "tone": tone(str(row["status"]))}


def _delivery(row: Row) -> Row:
    status = row["http_status"]
    well = isinstance(status, int) and 200 <= status < 300
    kind = "replayed" if row["replayed"] else "again" if row["resent"] else "first"
    return {**row, "at": _short(row["at"]), "answer": status or row["error"], "tone": "good" if well else "bad", "kind": kind}


def _event(row: Row) -> Row:
    about = ", ".join(f"{row[name]}" for name in _TOLD if row.get(name))
    status = row.get("http_status")
    words = str(row["event"]).replace("_", " ")
    return {"n": row["n"], "at": _short(row["at"]), "words": words, "about": f"{about} {status or ''}".strip()[:300]}


def _files(folder: Path) -> list[Row]:
    """The newest files of a folder; one that vanishes meanwhile is left out."""
    return list(islice(_entries(sorted(folder.iterdir(), key=_age)), _SHOWN))


def _age(path: Path) -> float:
    try:
        return -path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def _entries(paths: list[Path]) -> Iterator[Row]:
    for path in paths:
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue  # taken away since the folder was listed
        name = path.name.encode("utf-8", "replace").decode("utf-8")
        kind = "link" if path.is_symlink() else "folder" if path.is_dir() else "file"
        yield {"name": name, "size": f"{found.st_size:,}", "kind": kind}
