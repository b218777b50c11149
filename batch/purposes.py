"""Items about requests that the provider refused: they close when what was wanted has come about in another way.

Asked about at the end of every run that hears of orders; one transaction closes them all. Dying before it leaves them
open, and the next run closes them.
"""

from sqlalchemy import Connection

from batch.action_rules import Wish, reached_in_another_way
from batch.equipment import Equipment
from batch.ledger import Run
from batch.ledger.items import close_items, ever_told, open_items
from batch.ledger.operations import operation_by_id, operations_of
from batch.ledger.reading import attempts_of
from schemas.operations import OperationStep
from schemas.reasons import ItemKind


def close_reached(equipment: Equipment, run: Run) -> None:
    """Close the items of refused cancels, captures and refunds whose purpose is reached by now; all others stay."""
    mid = equipment.ledger.mid
    with equipment.ledger.reading() as connection:
        items = [each for each in open_items(connection, mid) if each.kind is ItemKind.ACTION_REFUSED]
        told = ever_told(connection, mid, ItemKind.ACTION_REFUSED) if items else set()
        judged = [(each.subject, _how(connection, mid, each.subject, told)) for each in items]
    reached = [(subject, words) for subject, words in judged if words]
    if reached:
        with equipment.ledger.writing(run) as writing:
            for subject, words in reached:
                close_items(writing, ItemKind.ACTION_REFUSED, subject, words)


def _how(connection: Connection, mid: str, subject: str, told: set[str]) -> str:
    """How what the request was for has come about; empty while it has not. Refusals of which nobody was told do not count."""
    operation = operation_by_id(connection, mid, subject.removeprefix("operation:"))
    if operation is None:
        return ""
    order = attempts_of(connection, mid, operation.order_id)[operation.attempt - 1]
    requests = [
        Wish(each.operation_id, each.step, each.amount_minor)
        for each in operations_of(connection, mid, operation.order_id, operation.kind)
        if each.attempt == operation.attempt and (each.step is OperationStep.DONE or f"operation:{each.operation_id}" in told)
    ]
    return reached_in_another_way(operation.kind, operation.operation_id, requests, order.state)
