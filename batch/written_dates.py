"""What finance's files of each date were made from: files that would come out as they lie there need not be made again.

A note is left when the files of a date lie where they belong. It names the digest of all that was read for them, part by part,
and the SHA-256 of every file, and so it is true whenever it is there, whoever wrote it and whoever died or was overtaken in
between. Who reads the same again, and finds the same files, knows without making them what they would be. Nothing rests on a
note: one that is lost, cut off or changed costs one making of the files. It is sealed with a key that stands in the ledger
alone, so that who can write here and not there cannot have an edited file taken for the one that was made (I19).
"""

import contextlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from batch.books import Balance
from batch.disk import Disk
from batch.night_figures import NightFigures


@dataclass(frozen=True, slots=True)
class WrittenNote:
    """What was read for a date's files (a digest for each part), the SHA-256 of each file, and what the run was told of them.

    `rows` are those of each CSV file, `counts` the metrics: name, labels, value.
    """

    parts: dict[str, str]
    files: dict[str, str]
    rows: dict[str, int]
    head: str
    balances: dict[str, Balance]
    balanced: bool
    figures: NightFigures
    counts: list[tuple[str, str, int]]


@cache
def _form() -> TypeAdapter[WrittenNote]:
    return TypeAdapter(WrittenNote)


class WrittenDates:
    """A note for each business date. `program` tells versions apart of all that makes files from what is read.

    `program_now` tells it anew, by what lies on the disk at that moment; `key` seals the notes: a secret of the ledger's.
    """

    def __init__(self, root: Path, disk: Disk, program: str, key: bytes, program_now: Callable[[], str]) -> None:
        self.program = program
        self._program_now = program_now
        self._root = root
        self._disk = disk
        self._key = key

    def note_of(self, business_date: str) -> WrittenNote | None:
        """The note of a date; None where there is none that is whole."""
        try:
            content = self._disk.read(self._root / business_date) or b""
        except OSError:
            return None
        seal, _, text = content.partition(b"\n")
        if not hmac.compare_digest(seal, self._seal(text)):
            return None
        try:
            return _form().validate_json(text)
        except ValidationError:
            return None

    def note(self, business_date: str, note: WrittenNote) -> None:
        """Note what a date's files were made from, once they lie where they belong.

        Nothing is noted where another version was installed meanwhile: nobody knows which of the two has made them.
        """
        if self._program_now() != self.program:
            return
        path, draft = self._root / business_date, self._root / f".{business_date}.new"
        text = _form().dump_json(note)
        with contextlib.suppress(OSError):  # the files are there; without a note they are made once more
            self._disk.make_folder(self._root, 0o700)
            file = self._disk.create(draft, 0o600)
            file.write(self._seal(text) + b"\n" + text)
            file.close()
            self._disk.replace(draft, path)

    def _seal(self, text: bytes) -> bytes:
        return hmac.digest(self._key, text, "sha256").hex().encode()
