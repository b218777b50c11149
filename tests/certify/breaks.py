"""What is broken so that exactly one item of the checklist fails, for each item that a run shows."""

from tests.certify.merchant import Broken, Spoil, fault, row

LOGIN = fault("token_refused", times=1)
NO_TOKEN = fault("malformed_json", "tokenize")
NO_COPY = fault("server_error_before", "transmit")
REFUSED = fault("order_invalid", "evaluate")
NOT_FOUND = fault("bad_gateway", "orders")
NO_END = fault("unknown_status", "order", times=9999)
OTHER_ID = row("provider_order_id = 'another'")

BREAKS: dict[str, Broken] = {
    **{f"{group}.token": LOGIN for group in ("cit.standard", "cit.advanced", "mit.api", "mit.sftp")},
    **{f"{group}.tokenize": NO_TOKEN for group in ("cit.standard", "cit.advanced", "mit.api", "mit.sftp")},
    **{f"{group}.transmit": NO_COPY for group in ("cit.standard", "cit.advanced", "mit.api")},
    **{f"{group}.evaluate": REFUSED for group in ("cit.standard", "cit.advanced", "mit.api")},
    **{f"{group}.order_id": NOT_FOUND for group in ("cit.standard", "cit.advanced", "mit.api")},
    **{f"{group}.our_status": OTHER_ID for group in ("cit.standard", "cit.advanced", "mit.api", "mit.sftp")},
    "cit.advanced.outcome": NO_END,
    "mit.api.success_shown": row("status = 'pending'"),
    "mit.sftp.transmit": fault("refuse_file"),
    "mit.sftp.evaluate": fault("refuse_row"),
    "mit.sftp.pending_shown": row("status = 'declined'", "status = 'pending'"),
    "mit.sftp.rebills_stopped": row(
        "sense_key = hold_reference, hold_reference = NULL, status = 'declined'",
        "hold_reference = sense_key, sense_key = NULL, status = 'pending', retry_state = NULL",
    ),
    "mit.sftp.outcome": NO_END,
    "refund.answer": fault("forbidden", "refund"),
    "refund.our_status": row("refunded_minor = 1", "refunded_minor = 1999"),
    "refund.reconciliation": row("amount_minor = 2000", "amount_minor = 1999"),
    "refund.shown_at_provider": fault("not_found", "order"),
}
"""What is broken while an item is shown, where that can be done from outside."""

BY_THEMSELVES = {f"feature.{word}" for word in ("reconciliation", "retries_stopped", "channels_switched", "sites", "call_center")}
"""Items that are broken by what is written, or by the settings."""


def group_of(item: str) -> str:
    """The group that is run for an item."""
    return item.partition(".")[0] if item.startswith(("refund", "feature")) else item.rpartition(".")[0]


def spoil_of(item: str) -> Spoil:
    """What somebody else writes in place of what a feature would write."""

    def shown_as(order_status: str, other: str, **more: object) -> Spoil:
        def spoil(_statement: str, values: dict[str, object]) -> None:
            if values.get("v_status") == order_status:
                values.update({"v_status": other, **more})

        return spoil

    def never_off(_statement: str, values: dict[str, object]) -> None:
        if values.get("kind") == "switch":
            values["to_state"] = "on"

    return {
        "feature.reconciliation": shown_as("pending", "review"),
        "feature.retries_stopped": shown_as("pending", "declined", v_reference=None),
        "feature.channels_switched": never_off,
    }[item]
