"""Why an order was selected or not: the stable codes that finance sheets and scripts rely on, each with one sentence."""

from enum import StrEnum


class Reason(StrEnum):
    """The gate's verdict on one declined order. The value is the code in `declines.csv`."""

    SELECTED = "selected"
    ALREADY_ACTIVE = "already_active"
    ALREADY_SUBMITTED = "already_submitted"
    NOT_DECLINED = "not_declined"
    IN_HOUSE_RETRY = "in_house_retry"
    TOO_OLD = "too_old"
    MISSING_TOKEN = "missing_token"  # noqa: S105 - a reason code, not a secret
    INVALID_ROW = "invalid_row"
    SWITCHED_OFF = "switched_off"
    SITE_UNKNOWN = "site_unknown"
    SITE_DISABLED = "site_disabled"
    NETWORK_NEVER_RETRY = "network_never_retry"
    NETWORK_LIMIT = "network_limit"
    NETWORK_WAIT = "network_wait"
    CURRENCY_UNSUPPORTED = "currency_unsupported"
    AMOUNT_OUT_OF_RANGE = "amount_out_of_range"
    OPTED_OUT = "opted_out"
    PAN_FOUND = "pan_found"


REASON_TEXTS: dict[Reason, str] = {
    Reason.SELECTED: "may be handed over",
    Reason.ALREADY_ACTIVE: "it is at the provider, or about to be, although the row was set back to declined",
    Reason.ALREADY_SUBMITTED: "this order id was handed over before; a new billing cycle needs a new order id",
    Reason.NOT_DECLINED: "the gateway itself refused the charge; no bank declined it",
    Reason.IN_HOUSE_RETRY: "the merchant's own retry is charging it now",
    Reason.TOO_OLD: "the decline is older than gate.max_decline_age_hours",
    Reason.MISSING_TOKEN: "there is no payment token; tokenize the card at checkout",
    Reason.INVALID_ROW: "a field is missing or malformed",
    Reason.SWITCHED_OFF: "its kind of order is switched off",
    Reason.SITE_UNKNOWN: "its site is not among the settings' sites",
    Reason.SITE_DISABLED: "its site is disabled",
    Reason.NETWORK_NEVER_RETRY: "the card network forbids another attempt",
    Reason.NETWORK_LIMIT: "attempts in 30 days have reached the limit",
    Reason.NETWORK_WAIT: "the card network says to wait; it is not handed over while the wait lasts",
    Reason.CURRENCY_UNSUPPORTED: "its currency is not among gate.currencies",
    Reason.AMOUNT_OUT_OF_RANGE: "its amount is outside gate.min_amount_minor to gate.max_amount_minor",
    Reason.OPTED_OUT: "the customer opted out",
    Reason.PAN_FOUND: "a card number stands in a field where none may be; correct the source and look where it came from",
}
"""One sentence for each reason, for people; `reason_text` in `declines.csv` starts with it."""


class ItemKind(StrEnum):
    """What kind of thing needs a person. The value is `kind` in review lists."""

    CONTRADICTION = "contradiction"
    DOUBLE_CHARGE = "double_charge"
    UNKNOWN_STATUS = "unknown_status"
    LATE_COMPLETION = "late_completion"
    WRITE_BACK_CONFLICT = "write_back_conflict"
    MISSING_ACKNOWLEDGEMENT = "missing_acknowledgement"
    AMOUNT_DIFFERS = "amount_differs"
    PAN_FOUND = "pan_found"
    ROW_REFUSED = "row_refused"
    FILE_REFUSED = "file_refused"
    QUARANTINE = "quarantine"
    ACTION_IN_DOUBT = "action_in_doubt"
    ACTION_REFUSED = "action_refused"
    CAPTURE_DUE = "capture_due"
    CHALLENGE = "challenge"
    SWITCHED_OFF = "switched_off"
    UNUSUAL_NIGHT = "unusual_night"
    NO_RESPONSE = "no_response"
    RUN_MISSED = "run_missed"


ITEM_TEXTS: dict[ItemKind, str] = {
    ItemKind.CONTRADICTION: "the provider gave two final answers that disagree",
    ItemKind.DOUBLE_CHARGE: "the provider recovered an order that the merchant was paid for otherwise",
    ItemKind.UNKNOWN_STATUS: "the provider used a status that the profile does not know",
    ItemKind.LATE_COMPLETION: "the provider recovered an order after it had been released",
    ItemKind.WRITE_BACK_CONFLICT: "the merchant changed the row while we held it; nothing of theirs was overwritten",
    ItemKind.MISSING_ACKNOWLEDGEMENT: "a file was delivered and no acknowledgement of every row came within the window",
    ItemKind.AMOUNT_DIFFERS: "the provider recovered another amount than was handed over",
    ItemKind.PAN_FOUND: "a card number stood in the order system where none may be",
    ItemKind.ROW_REFUSED: "the provider refused a row; no rescue started",
    ItemKind.FILE_REFUSED: "the provider refused a whole file",
    ItemKind.QUARANTINE: "a file or row of the provider could not be matched or read, and was set aside",
    ItemKind.ACTION_IN_DOUBT: "a cancel, capture or refund got no clear answer, and no read has told yet what became of it",
    ItemKind.ACTION_REFUSED: "the provider refused a cancel, capture or refund, or it had no effect",
    ItemKind.CAPTURE_DUE: "an authorised order waits for a capture or cancel, and the provider voids it soon",
    ItemKind.CHALLENGE: "the customer's bank asks for a confirmation (CHALLENGE); the order is held until it ends",
    ItemKind.SWITCHED_OFF: "a file lies half sent at the provider, and goes on once what was switched off is on again",
    ItemKind.UNUSUAL_NIGHT: "a night had far fewer or far more candidates than usual; look at the source of the declines",
    ItemKind.NO_RESPONSE: "no response file of the provider has come for 36 hours although orders are pending",
    ItemKind.RUN_MISSED: "a night was missed, and is caught up",
}
"""One sentence for each kind of item."""

ABOUT_ORDERS = ("overdue", "hint", "reconcile", "settlement", "charge")
"""What the subjects of items begin with that are about one order, besides `order`; its id follows after a colon."""
