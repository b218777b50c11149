"""A disk that forgets what is written on it and keeps its SHA-256: files are made again for comparison, and stored nowhere."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path


class DigestDisk:
    """`Disk` in memory. Of CSV files only the digest is kept, however large they are; what is small is kept whole."""

    def __init__(self) -> None:
        self._digests: dict[Path, str] = {}
        self._texts: dict[Path, bytes] = {}

    def know(self, path: Path, sha256: str) -> None:
        """Let a file be there, of which only its SHA-256 is known."""
        self._digests[path] = sha256

    def make_folder(self, path: Path, mode: int) -> None:
        """Folders need no making here."""

    def names(self, path: Path) -> Sequence[str]:
        """The names of files and folders in a folder, sorted."""
        return sorted({known.relative_to(path).parts[0] for known in self._digests if path in known.parents})

    def read(self, path: Path) -> bytes | None:
        """What was written, unless it was a CSV file."""
        return self._texts.get(path)

    def sha256_of(self, path: Path) -> str | None:
        """The SHA-256 of what was written there, in hex."""
        return self._digests.get(path)

    def create(self, path: Path, mode: int) -> "_DigestedFile":
        """Begin a file."""
        return _DigestedFile(lambda digest, text: self._keep(path, digest, text), keeps_text=".csv" not in path.suffixes)

    def replace(self, old: Path, new: Path) -> None:
        """Give a file another name, over a file that has it."""
        self._digests[new] = self._digests.pop(old)
        self._texts.pop(new, None)
        if old in self._texts:
            self._texts[new] = self._texts.pop(old)

    def remove(self, path: Path) -> None:
        """Forget a file."""
        self._digests.pop(path, None)
        self._texts.pop(path, None)

    def sync_folder(self, path: Path) -> None:
        """Nothing here survives anything."""

    def _keep(self, path: Path, digest: str, text: bytes | None) -> None:
        self._digests[path] = digest
        if text is not None:
            self._texts[path] = text


class _DigestedFile:
    def __init__(self, keep: Callable[[str, bytes | None], None], *, keeps_text: bool) -> None:
        self._keep = keep
        self._digest = hashlib.sha256()
        self._text: list[bytes] | None = [] if keeps_text else None
        self._is_open = True

    def write(self, content: bytes) -> None:
        """Add to its end."""
        self._digest.update(content)
        if self._text is not None:
            self._text.append(content)

    def close(self) -> None:
        """Its digest is known now; closing again does nothing."""
        if self._is_open:
            self._is_open = False
            self._keep(self._digest.hexdigest(), b"".join(self._text) if self._text is not None else None)

    def abandon(self) -> None:
        """It is not wanted any more."""
        self._is_open = False
