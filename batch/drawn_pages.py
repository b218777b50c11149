"""Which page was drawn from what: a page that would come out as it is already there need not be drawn again.

The page is a function of its figures and of the program that draws it. Most figures are read in any case and enter the
digest of its inputs as they are; two cost as much as the drawing, and are read only for a page that is drawn:

* orders' lives: functions of the event chains up to the date, whose heads the manifest has; of columns of the claim that
  never change; and of the verdicts on the candidates of the date and of those before it;
* attempts that a network's rule held back: functions of the same verdicts.

A verdict is written by nightly runs and reruns alone (`LAST_CHOOSER` names the last of them up to the date, and its page is
always drawn), and stands in `declines.csv` of its date, which is sealed by that date's manifest, and so by every later one.
What else the manifest seals, such as the summary, the marks of the CSV files and their hashes, needs no second look.

The note says which digest gave which page, and is written after the page. So it is true whenever it is there, whoever wrote it
and whoever died or was overtaken in between: it names the page by its SHA-256, and a page that is another by now, or gone, is
drawn. A note that is lost costs one drawing.
"""

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from batch.disk import Disk
from batch.report_figures import ReportFigures

SEALED = frozenset({"day", "heads", "tally", "lives", "avoided", "files"})
"""Figures that the manifest, the last chooser, or what is named beside them, stand for."""


def page_inputs(figures: ReportFigures, manifest: bytes, chooser: str, program: str) -> str:
    """The digest of everything that the page of these figures is drawn from, whether or not the sealed ones were read."""
    shown = [(each.name, getattr(figures, each.name)) for each in fields(figures) if each.name not in SEALED]
    facts = (program, chooser, sorted(figures.tally.placed.items()), shown)
    return hashlib.sha256(repr(facts).encode("utf-8", "backslashreplace") + b"\n" + manifest).hexdigest()


class DrawnPages:
    """A note for each business date: the digest of the inputs, and the SHA-256 of the page that was drawn from them.

    `program` tells versions of what draws pages apart: pages of another one are drawn anew. `program_now` tells it anew, by
    what lies on the disk at that moment.
    """

    def __init__(self, root: Path, disk: Disk, program: str, program_now: Callable[[], str]) -> None:
        self.program = program
        self._program_now = program_now
        self._root = root
        self._disk = disk

    def current(self, business_date: str, inputs: str, page: Path) -> str:
        """The SHA-256 of the page that lies there, if it was drawn from these inputs; else empty."""
        noted = (self._disk.read(self._root / business_date) or b"").decode("ascii", "replace").split()
        is_current = len(noted) == 2 and noted[0] == inputs and noted[1] == self._disk.sha256_of(page)
        return noted[1] if is_current else ""

    def note(self, business_date: str, inputs: str, page: bytes) -> None:
        """Note what a page was drawn from, once it lies where it belongs; nothing if another version was installed meanwhile."""
        if self._program_now() != self.program:
            return
        path, draft = self._root / business_date, self._root / f".{business_date}.new"
        with contextlib.suppress(OSError):  # the files that are sealed are there; without a note the page is drawn once more
            self._disk.make_folder(self._root, 0o700)
            file = self._disk.create(draft, 0o600)
            file.write(f"{inputs} {hashlib.sha256(page).hexdigest()}\n".encode())
            file.close()
            self._disk.replace(draft, path)
