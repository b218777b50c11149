"""Bugs in what is noted about finance's files, so that they are left alone although they should be made (I5, I19)."""

from tests.world.planted.bug import Fails, Planted, quiet

_LIES = "tests/audit/test_written_dates.py::test_what_does_not_lie_as_noted_is_made"

NOTED = (
    Planted(
        "news-that-no-file-shows",
        "a date's files are left alone whatever was read for them since they were made",
        "batch/bookkeeping.py",
        "            return all(seen.parts().items() <= note.parts.items() for _ in reads) and seen.parts() == note.parts\n",
        "            return note.parts is not None and reads is not None\n",
        "I5",
        quiet(),
        hunted=True,
    ),
    Planted(
        "edited-file-taken-as-made",
        "that a file of its name lies there is enough for it to count as the one that was made",
        "batch/audit.py",
        "all(self._disk.sha256_of(self.path / name) == files[name] for name in files)",
        "all(self._disk.sha256_of(self.path / name) for name in files)",
        "I19",
        Fails(_LIES),
    ),
    Planted(
        "note-sealed-without-the-secret",
        "whoever can write the folder can have an edited file noted as the one that was made",
        "batch/written_dates.py",
        'hmac.digest(self._key, text, "sha256")',
        'hmac.digest(self._key[:0], text, "sha256")',
        "I19",
        Fails(_LIES),
    ),
)
"""Each lets a file stand that is not what its date's events make of it."""
