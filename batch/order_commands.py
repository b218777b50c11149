"""Command lines about one order, for a person to copy: each is taken as it stands, whatever the order is called. Pure."""

import shlex

from schemas.money import decimal_text

POLL = "mitbatch poll"
"""The command that settles what has only not been asked, or not been written, yet."""

COMPARE = "mitbatch reconcile"
"""The command that sees that the books agree again."""

REVIEW_LIST = "mitbatch review list"
"""The command that shows what waits for a person, and the decisions that fit."""


def explain_command(order_id: str) -> str:
    """The command that shows what every book says of an order."""
    return f"mitbatch explain {_named(order_id)}"


def cancel_command(order_id: str, reason: str) -> str:
    """The command that stops an order at the provider."""
    return f'mitbatch cancel --reason "{reason}" {_named(order_id)}'


def give_back_command(order_id: str, amount_minor: int, currency: str, reason: str) -> str:
    """The command that gives so much of an order back."""
    return f'mitbatch refund --amount {decimal_text(amount_minor, currency)} --reason "{reason}" {_named(order_id)}'


def _named(order_id: str) -> str:
    """An order id as an argument; one that looks like an option stands behind the end of the options."""
    quoted = shlex.quote(order_id)
    return f"-- {quoted}" if order_id.startswith("-") else quoted
