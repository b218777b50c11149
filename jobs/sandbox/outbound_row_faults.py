"""Faults in what outbound files say. `where` limits one to acknowledgement or outcomes."""

import copy
from collections.abc import Callable

from jobs.sandbox.faults import fault
from jobs.sandbox.outbound_faults import Document, DocumentCall

_STRANGER = {"orderSessionKey": "00000000-0000-4000-8000-00000000dead", "orderId": "nobody-knows-me"}
_CONTRARY = {"COMPLETED": "DECLINED", "DECLINED": "COMPLETED", "EXPIRED": "COMPLETED"}


def _has_rows(call: DocumentCall) -> bool:
    return bool(call.rows())


def _tells(word: str) -> Callable[[DocumentCall], bool]:
    return lambda call: call.where == "outcomes" and any(row.get("status") == word for row in call.rows())


def _contrary(row: Document) -> Document:
    if row.get("result") == "Success":
        return {**row, "orderSessionKey": None, "status": None, "result": "Failed", "errors": []}
    if row.get("result") == "Failed":
        return {**row, "status": "SUBMITTED", "result": "Success", "errors": []}
    return {**row, "status": _CONTRARY.get(str(row.get("status")), "DECLINED")}  # another fault may have changed the row


def _with_words(call: DocumentCall, old: str, new: str) -> Document:
    rows = [{**row, "status": new} for row in call.rows() if row["status"] == old]
    return {**call.document, call.rows_name: rows}


@fault("outbound.document", wants=_has_rows)
def duplicate_rows(call: DocumentCall) -> None:
    """Every row stands in the file twice (F-03)."""
    call.set_rows([row for row in call.rows() for _ in range(2)])


@fault("outbound.document", wants=_has_rows)
def contradictory_rows(call: DocumentCall) -> None:
    """Every row is followed by one that says the contrary of the same order (F-04)."""
    call.set_rows([told for row in call.rows() for told in (row, _contrary(row))])


@fault("outbound.document", wants=_has_rows)
def unknown_orders(call: DocumentCall) -> None:
    """The file ends with a row about an order that nobody sent (F-05)."""
    last = call.rows()[-1]
    call.set_rows([*call.rows(), {**last, **_STRANGER, **({"sequenceNumber": "999999"} if "sequenceNumber" in last else {})}])


@fault("outbound.document", wants=_has_rows)
def missing_rows(call: DocumentCall) -> None:
    """Every second row is left out, the first one too if it is alone (F-06)."""
    call.set_rows(call.rows()[1::2])


@fault("outbound.document", wants=_tells("COMPLETED"))
def expired_after_approved(call: DocumentCall) -> None:
    """What an outcome file calls COMPLETED is called EXPIRED by another file ten seconds later (F-10)."""
    call.afterwards.append(_with_words(call, "COMPLETED", "EXPIRED"))


@fault("outbound.document", wants=_tells("EXPIRED"))
def approved_after_expired(call: DocumentCall) -> None:
    """What an outcome file calls EXPIRED is called COMPLETED by another file ten seconds later (F-11, F-12)."""
    call.afterwards.append(_with_words(call, "EXPIRED", "COMPLETED"))


@fault("outbound.document", wants=_has_rows)
def same_name_other_content(call: DocumentCall) -> None:
    """Ten seconds later the file is replaced by one that says the contrary under the same name (F-08)."""
    call.later.append({**copy.deepcopy(call.document), call.rows_name: [_contrary(row) for row in call.rows()]})


@fault("outbound.document")
def csv_file(call: DocumentCall) -> None:
    """The file is CSV with the same names for columns, and its name ends in .csv (F-15)."""
    call.as_csv = True


@fault("outbound.document")
def added_columns(call: DocumentCall) -> None:
    """The document and each row have properties that nobody has announced (F-15)."""
    call.set_rows([{"region": "eu-1", **row, "score": 7} for row in call.rows()])
    call.document = {"version": 2, **call.document}


@fault("outbound.document")
def renamed_columns(call: DocumentCall) -> None:
    """The properties that name the order and its result have other names (F-15)."""
    others = {"orderId": "merchantOrderId", "orderSessionKey": "sessionKey", "result": "outcome"}
    call.set_rows([{others.get(name, name): value for name, value in row.items()} for row in call.rows()])
    call.document = {others.get(name, name): value for name, value in call.document.items()}


@fault("outbound.document")
def reordered_columns(call: DocumentCall) -> None:
    """The properties of the document and of each row stand in another order (F-15)."""
    call.set_rows([dict(reversed(row.items())) for row in call.rows()])
    call.document = dict(reversed(call.document.items()))


@fault("outbound.document")
def no_rows(call: DocumentCall) -> None:
    """The file has its head and no rows: an empty list, or a lonely header row in CSV (F-16)."""
    call.set_rows([])


@fault("outbound.document")
def other_mid(call: DocumentCall) -> None:
    """The file is about another merchant account (F-20)."""
    call.document = {**call.document, "mid": "00000000-0000-4000-8000-0000000000ff"}
