"""What a batch file says, as the provider reads it."""

import csv
import io
import json
import re
from typing import Any

Row = dict[str, Any]


def payload_of(content: bytes) -> list[Row]:
    """The records of an evaluate file, as the provider reads them; empty where the bytes are no whole file."""
    try:
        document = json.loads(content)
    except ValueError:
        text = content.decode("utf-8", "replace")
        header, _, _ = text.partition("\n")
        whole = "expiryDateUtc" in header and text.endswith("\n")
        return [_nested(row) for row in csv.DictReader(io.StringIO(text, newline=""))] if whole else []
    records = document.get("transactionRequests") if isinstance(document, dict) else None
    return records if isinstance(records, list) else []


def _nested(flat: Row) -> Row:
    """A row of CSV as the record that it stands for."""
    amount = flat.get("transaction.amount") or ""
    return flat | {
        "transaction": {
            "amount": int(amount) if re.fullmatch("[0-9]+", amount) else amount,
            "currency": flat.get("transaction.currency"),
        }
    }
