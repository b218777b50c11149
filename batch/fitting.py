"""The decisions that an item mostly comes to, by what kind of thing it is and what it is about."""

from collections.abc import Mapping

from schemas.reasons import ItemKind
from schemas.resolutions import Resolution

_FITTING: dict[ItemKind, tuple[Resolution, ...]] = {
    ItemKind.CONTRADICTION: (Resolution.PROVIDER_IS_RIGHT, Resolution.NO_RESCUE),
    ItemKind.DOUBLE_CHARGE: (Resolution.PROVIDER_IS_RIGHT,),
    ItemKind.LATE_COMPLETION: (Resolution.PROVIDER_IS_RIGHT,),
    ItemKind.AMOUNT_DIFFERS: (Resolution.OTHER_AMOUNT_ACCEPTED, Resolution.PROVIDER_IS_RIGHT),
    ItemKind.MISSING_ACKNOWLEDGEMENT: (Resolution.UPLOADED_BY_HAND, Resolution.NEVER_ARRIVED, Resolution.NOT_TAKEN),
    ItemKind.ACTION_IN_DOUBT: (Resolution.HAPPENED, Resolution.NOT_HAPPENED),
}
"""The decisions that an item of a kind mostly comes to; every other kind is noted once its cause is looked after."""


def fitting(kind: ItemKind, subject: str, calls: Mapping[str, str]) -> tuple[Resolution, ...]:
    """The decisions that an item mostly comes to; `calls` are the subjects of groups of calls, which are no files: their kind."""
    if subject in calls:
        is_doubt_of_copies = calls[subject] == "transmit" and kind is ItemKind.MISSING_ACKNOWLEDGEMENT
        return (Resolution.REPEAT_CALL, Resolution.NOTED) if is_doubt_of_copies else (Resolution.NOTED,)
    is_decided = subject.startswith(("order:", "batch:", "operation:"))
    return _FITTING.get(kind, (Resolution.NOTED,)) if is_decided else (Resolution.NOTED,)
