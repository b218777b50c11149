"""What a fault can change about an outbound file: its document, its text, and how it appears in the folder."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from jobs.sandbox.faults import Call

Where = Literal["acknowledgement", "outcomes"]
Document = dict[str, object]


@dataclass
class DocumentCall(Call):
    """A document before it becomes text. `later` are further documents for the same name, `afterwards` for another one.

    `as_csv` writes CSV in place of JSON.
    """

    document: Document = field(default_factory=dict)
    later: list[Document] = field(default_factory=list)
    afterwards: list[Document] = field(default_factory=list)
    as_csv: bool = False

    @property
    def rows_name(self) -> str:
        """The property that holds the rows."""
        return "responses" if self.where == "acknowledgement" else "outcomes"

    def rows(self) -> list[Document]:
        """The rows; empty for a file that was refused as a whole."""
        found = self.document.get(self.rows_name)
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    def set_rows(self, rows: list[Document]) -> None:
        """Replace the rows of a document that has some."""
        if self.rows_name in self.document:
            self.document[self.rows_name] = rows


@dataclass
class TextCall(Call):
    """The text of an outbound file in bytes."""

    content: bytes = b""
    as_csv: bool = False


@dataclass(frozen=True)
class Post:
    """One appearance in the outbound folder, `after` the file was due. A size above the content's makes a sparse file."""

    name: str
    content: bytes = b""
    after: timedelta = timedelta(0)
    shape: Literal["file", "folder", "link"] = "file"
    size: int = 0


@dataclass
class PostCall(Call):
    """How a file appears: one post at once, if no fault says otherwise."""

    posts: list[Post] = field(default_factory=list)
