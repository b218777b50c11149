"""What a person may decide about something that waits for one. The value is the word of the command, and stays in the ledger."""

from enum import StrEnum


class Resolution(StrEnum):
    """A decision by hand, named after what the person knows; RESOLUTION_TEXTS says what follows from each."""

    NOTED = "noted"
    PROVIDER_IS_RIGHT = "provider-is-right"
    OTHER_AMOUNT_ACCEPTED = "other-amount-accepted"
    NO_RESCUE = "support-confirmed-no-rescue"
    UPLOADED_BY_HAND = "uploaded-by-hand"
    NEVER_ARRIVED = "support-confirmed-never-arrived"
    NOT_TAKEN = "support-confirmed-not-taken"
    REPEAT_CALL = "repeat-call"
    HAPPENED = "support-confirmed-it-happened"
    NOT_HAPPENED = "support-confirmed-it-did-not"


RESOLUTION_TEXTS: dict[Resolution, str] = {
    Resolution.NOTED: "somebody has looked; the item closes, and nothing changes but what waited for that look alone",
    Resolution.PROVIDER_IS_RIGHT: "the order ends, or goes on, as the provider says when it is asked now",
    Resolution.OTHER_AMOUNT_ACCEPTED: "the order is completed with the amount that the provider says when it is asked now",
    Resolution.NO_RESCUE: "the provider's support confirms that no rescue of the order runs or ever will; its hold is released",
    Resolution.UPLOADED_BY_HAND: "somebody has uploaded the very file by hand; it counts as delivered and is not sent again",
    Resolution.NEVER_ARRIVED: "the provider's support confirms that the file never came; the next nightly sends the same file",
    Resolution.NOT_TAKEN: "the provider's support confirms that the file was not and will not be taken; its orders are released",
    Resolution.REPEAT_CALL: "the very call is made once more, with its own key and bytes, where the provider shows nothing of it",
    Resolution.HAPPENED: "the provider's support confirms that it did what was asked for; a refund counts as given back",
    Resolution.NOT_HAPPENED: "the provider's support confirms that it did not and will not do it; it may be asked for again",
}
"""One sentence for each decision, for people; `mitbatch explain` prints it."""

OF_ORDERS = (Resolution.PROVIDER_IS_RIGHT, Resolution.OTHER_AMOUNT_ACCEPTED, Resolution.NO_RESCUE)
"""Decisions about one order."""

OF_FILES = (Resolution.UPLOADED_BY_HAND, Resolution.NEVER_ARRIVED, Resolution.NOT_TAKEN)
"""Decisions about one batch file and its orders."""

OF_CALLS = (Resolution.REPEAT_CALL,)
"""Decisions about one order whose call is in doubt, or about the copies in doubt of one group."""

OF_REQUESTS = (Resolution.HAPPENED, Resolution.NOT_HAPPENED)
"""Decisions about one cancel, capture or refund of which no read can tell whether it happened."""
