"""Marks of what left, kept outside the ledger: they tell a ledger that is older than what was sent.

A file is marked after its verified part was committed, and before its rename is asked for. So each marked file stands in
a true ledger as verified at least; a ledger that knows less of it was restored from a copy, or is another one. Going
on with such a ledger would send again what has left (I2, I12). Of a group of calls each set of orders is marked, after its
intent was committed and before its first call, with the number and the hash of the event of the group that is this intent:
in a ledger from which another has parted, the event of that number may be another one.
"""

from contextlib import suppress
from pathlib import Path

from batch.disk import Disk
from schemas.errors import FileNotWritten

_CALLS = "calls_"


class Departures:
    """The folder of marks: one small file per batch, named by its kind and id. Its name alone is what counts."""

    def __init__(self, root: Path, disk: Disk) -> None:
        self._root = root
        self._disk = disk

    def mark(self, kind: str, batch_id: str, file_name: str) -> None:
        """Note that this batch may leave from now on; the mark survives a power cut. Raises FileNotWritten."""
        self._mark(f"{kind}_{batch_id}", file_name)

    def mark_calls(self, batch_id: str, intent: tuple[int, str], group: str, *, after: tuple[int, str]) -> None:
        """Note that the calls of this intent, an event by its number and hash, may leave from now on. Raises FileNotWritten.

        The mark of the one before it goes.
        """
        self._mark(f"{_CALLS}{batch_id}_{intent[0]}_{intent[1]}", group)
        with suppress(OSError):  # two marks say no less than one
            self._disk.remove(self._root / f"{_CALLS}{batch_id}_{after[0]}_{after[1]}")

    def marked(self) -> set[str]:
        """The ids of all files that may have left."""
        return {name.rpartition("_")[2] for name in self._disk.names(self._root) if not name.startswith(_CALLS)}

    def marked_calls(self) -> set[tuple[str, int, str]]:
        """The intents of which calls may have left, each by its group's id and its event's number and hash.

        The hash is empty where a mark was left before hashes were noted.
        """
        found = set()
        for name in self._disk.names(self._root):
            batch_id, _, intent = name.removeprefix(_CALLS).partition("_")
            number, _, event_hash = intent.partition("_")
            if name.startswith(_CALLS) and number.isdigit():
                found.add((batch_id, int(number), event_hash))
        return found

    def _mark(self, name: str, what: str) -> None:
        try:
            if self._disk.read(self._root / name) is None:
                self._disk.make_folder(self._root, 0o700)
                file = self._disk.create(self._root / name, 0o600)
                try:
                    file.write(f"{what}\n".encode())
                    file.close()
                finally:
                    file.abandon()
            self._disk.sync_folder(self._root)
        except OSError as error:
            reason = error.strerror or error
            raise FileNotWritten(f"The mark that {what} leaves could not be written ({reason}).") from error

    def unmark(self, kind: str, batch_id: str) -> None:
        """Forget the mark of a file of which a person knows that it never came, before the ledger sends it again.

        Dying in between leaves a file without its mark, which only means that an older ledger is not told by it.
        """
        try:
            self._disk.remove(self._root / f"{kind}_{batch_id}")
            self._disk.sync_folder(self._root)
        except OSError as error:
            raise FileNotWritten(f"The mark of batch {batch_id} could not be removed ({error.strerror or error}).") from error
