"""What the customer sees of an order, decided by its row alone. Pure."""

from typing import Literal

from jobs.sandbox.checkout.orders import Row

Stage = Literal["form", "busy", "widget", "success", "declined", "later", "other"]

ENDINGS = {"COMPLETED": "completed", "CANCELLED": "not_recovered"}
"""Final words of a read for a customer who is present, and the row's status then (CONTRACT 14)."""
_ASKS = ("CHALLENGE", "SUBMITTED")


def stage_of(row: Row) -> Stage:
    """`busy`: nobody knows yet, and nothing may be paid again. `later`: it is mitbatch's, or may become so."""
    status, is_ours = row["status"], row["retry_state"] == "in_flight"
    if status == "open":
        return "form"
    if status in ("paid", "completed"):
        return "success"
    if status == "not_recovered":
        return "declined"
    if status == "paying" or (is_ours and status == "declined"):
        return "busy"
    if is_ours and status == "pending":
        return "widget" if row["provider_status"] in _ASKS else "busy"
    return "later" if status in ("declined", "pending", "review") else "other"
