"""Faults of the provider's file intake: refusals of files and rows."""

from dataclasses import dataclass, field

from jobs.sandbox.faults import Call, fault


@dataclass
class FileCall(Call):
    """A picked-up file; a fault adds reasons for which the whole file is refused."""

    reasons: list[str] = field(default_factory=list)


@dataclass
class RowCall(Call):
    """A row of a picked-up file; `position` counts from 1."""

    position: int = 0
    refused: bool = False


@fault("intake.file")
def refuse_file(call: FileCall) -> None:
    """The next file is refused as a whole: an acknowledgement with the result failed and no rows (F-19)."""
    call.reasons.append("the file is refused on purpose")


def _this_row(call: RowCall) -> bool:
    return call.position == (call.after or 1)


@fault("intake.row", wants=_this_row)
def refuse_row(call: RowCall) -> None:
    """The row number `after` (1 if not given) of the next file is refused; the others are taken (F-19)."""
    call.refused = True
