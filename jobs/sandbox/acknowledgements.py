"""The acknowledgement of a batch file, in the words of CONTRACT 6.4. Pure."""

import json

from jobs.sandbox.brain import Accepted, Kind, Refused


def error_tuple(message: str, code: str = "") -> dict[str, object]:
    """One error of the common envelope: message, two codes, a flag (CONTRACT 4)."""
    return {"item1": message, "item2": code, "item3": "", "item4": False}


def failed_file(name: str, kind: Kind, mid: str, reasons: list[str]) -> dict[str, object]:
    """The answer to a file that was refused as a whole: it has no `responses`."""
    errors = [error_tuple(reason) for reason in reasons]
    return {"file": name, "kind": kind, "mid": mid, "result": "failed", "errors": errors}


def file_answer(name: str, kind: Kind, mid: str, rows: list[dict[str, object]]) -> dict[str, object]:
    """The answer to a file that was taken, with one response for each row."""
    return {"file": name, "kind": kind, "mid": mid, "result": "success", "errors": [], "responses": rows}


def row_answer(kind: Kind, sequence_number: str, order_id: str, verdict: Accepted | Refused) -> dict[str, object]:
    """The response for one row; a refused one bears no key."""
    row: dict[str, object] = {"sequenceNumber": sequence_number, "orderId": order_id}
    if isinstance(verdict, Refused):
        errors = [error_tuple(text, path) for path, texts in sorted(verdict.errors.items()) for text in texts]
        return {**row, "status": None, "result": "Failed", "errors": errors}
    if kind == "transmit":
        return {**row, "transmitId": verdict.key, "status": None, "result": "Success", "errors": []}
    return {**row, "orderSessionKey": verdict.key, "status": "SUBMITTED", "result": "Success", "errors": []}


def to_bytes(document: dict[str, object]) -> bytes:
    """An outbound file's text in UTF-8."""
    return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8")
