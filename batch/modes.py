"""Managed and sync mode are never mixed: a changed setting is refused while orders of the other mode are open (CONTRACT 7.6).

What was claimed for one mode has that mode's body, and its answers mean what they mean there. Each order keeps its own mode,
so that reading goes on in any case; only nothing more is handed over.
"""

from batch.equipment import Equipment
from batch.ledger.reading import open_in_modes
from schemas.errors import ModeChanged
from schemas.order import CIT_MODE
from schemas.settings import Settings

CIT_DAYS = 7
"""So many days after its claim an open CIT counts as overdue: no capture window is longer (CONTRACT 11)."""


def refuse_changed_mode(equipment: Equipment) -> None:
    """Raise ModeChanged when orders are open that were claimed in another mode than the one that is set."""
    wanted = equipment.settings.provider.mit_mode
    with equipment.ledger.reading() as connection:
        found = open_in_modes(connection, equipment.ledger.mid)
    others = {mode: count for mode, count in found.items() if mode != wanted}
    for mode, count in others.items():
        one = count == 1
        raise ModeChanged(
            f"{count:,} {'order' if one else 'orders'} claimed in {mode} mode {'is' if one else 'are'} not settled, and"
            f" provider.mit_mode is {wanted} now.",
            next_step=f'Set provider.mit_mode = "{mode}" again, and let mitbatch nightly and mitbatch poll settle'
            f" {'it' if one else 'them'} before you change it.",
        )


def mode_and_days(settings: Settings, *, is_cit: bool) -> tuple[str, int]:
    """What a submission's `mit_mode` says, empty for managed, and after how many days its order should have ended."""
    if is_cit:
        return CIT_MODE, CIT_DAYS
    if settings.provider.mit_mode == "sync":
        return "sync", settings.provider.sync_period_days
    return "", settings.provider.expiry_days
