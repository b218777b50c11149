"""What goes into the outbound folder: written as JSON or CSV, spoilt where a fault says so, put there whole (CONTRACT 6.4)."""

import copy
import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import jobs.sandbox.outbound_row_faults
import jobs.sandbox.outbound_text_faults  # noqa: F401 - its faults are known by name alone
from jobs.sandbox.acknowledgements import to_bytes
from jobs.sandbox.faults import Faults
from jobs.sandbox.outbound_faults import Document, DocumentCall, Post, PostCall, TextCall, Where
from jobs.sandbox.outbound_file_faults import SOON, other_name

_LISTS = ("responses", "outcomes")


@dataclass(frozen=True)
class Outbound:
    """The outbound folder. `spool` holds what is still being written, `plan` lets something happen at a later moment.

    `as_csv` writes every document as CSV.
    """

    folder: Path
    spool: Path
    faults: Faults
    plan: Callable[[datetime, Callable[[datetime], None]], None]
    as_csv: bool = False

    def send(self, where: Where, name: str, document: Document, now: datetime, told: Callable[[str, datetime], None]) -> None:
        """Put a document there under this name; `told` hears the name and moment once the last of it is there."""
        call = DocumentCall(where=where, document=copy.deepcopy(document), as_csv=self.as_csv)
        self.faults.strike_now("outbound.document", call)
        if call.as_csv:
            name = f"{name.rpartition('.')[0]}.csv"
        posts = self._posts(where, name, call.document, call)
        posts += [Post(name, _rendered(later, call), SOON) for later in call.later]
        posts += [Post(other_name(name), _rendered(later, call), SOON) for later in call.afterwards]
        for n, post in enumerate(posts, start=1):
            self._at(now, post, told if n == len(posts) else None)

    def _posts(self, where: Where, name: str, document: Document, call: DocumentCall) -> list[Post]:
        text = TextCall(where=where, content=_rendered(document, call), as_csv=call.as_csv)
        self.faults.strike_now("outbound.text", text)
        posted = PostCall(where=where, posts=[Post(name, text.content)])
        self.faults.strike_now("outbound.file", posted)
        return posted.posts

    def _at(self, now: datetime, post: Post, told: Callable[[str, datetime], None] | None) -> None:
        def act(due: datetime) -> None:
            self._put(post)
            if told is not None:
                told(post.name, due)

        if post.after > timedelta(0):
            self.plan(now + post.after, act)
        else:
            act(now)

    def _put(self, post: Post) -> None:
        final = self.folder / post.name
        if final.is_dir():
            final.rmdir()  # what appears later under this name takes its place
        if post.shape == "folder":
            final.unlink(missing_ok=True)
            final.mkdir()
            return
        aside = self.spool / f"{post.name}.tmp"
        aside.write_bytes(post.content)
        if post.size > len(post.content):
            with aside.open("r+b") as file:
                file.truncate(post.size)
        if post.shape == "link":
            final.unlink(missing_ok=True)
            final.symlink_to(aside)
        else:
            aside.replace(final)


def _rendered(document: Document, call: DocumentCall) -> bytes:
    return to_csv(document) if call.as_csv else to_bytes(document)


def to_csv(document: Document) -> bytes:
    """The document as CSV: its own properties in every row, then the row's; nested names joined by a dot (CONTRACT 6.4)."""
    lists = [name for name in _LISTS if name in document]
    rows = document[lists[0]] if lists else [{}]
    head = {name: value for name, value in document.items() if name not in lists}
    if lists:
        head = {name: value for name, value in head.items() if name not in ("result", "errors")}
    lines = [dict(_cells({**head, **row})) for row in rows] if isinstance(rows, list) else []
    columns = list(dict.fromkeys(name for line in lines or [dict(_cells(head))] for name in line))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue().encode("utf-8")


def _cells(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _cells(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _cells(inner, f"{path}.{position}")
    elif isinstance(value, bool):
        yield path, "true" if value else "false"
    else:
        yield path, "" if value is None else str(value)
