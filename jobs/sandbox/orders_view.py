"""Orders as `GET /orders` and `GET /orders/{id}` show them (CONTRACT 6.4 and 9). Pure."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from jobs.sandbox.courses import Order, Standing
from jobs.sandbox.moments import as_moment, as_text
from jobs.sandbox.validation import at, text_at

MAX_PAGE_SIZE = 500
_SYMBOLS = {"USD": "$", "EUR": "\u20ac", "GBP": "\u00a3"}


@dataclass(frozen=True)
class Question:
    """What a listing asks for; pages count from 1, moments are inclusive and look at orderPlacedDate."""

    text: str = ""
    statuses: frozenset[int] = frozenset()
    placed_from: datetime | None = None
    placed_to: datetime | None = None
    order_by: str = "createdon"
    descending: bool = True
    page_size: int = 10
    page_number: int = 1


def read_question(query: str, mid: str) -> Question | dict[str, list[str]]:
    """Read a query string, or say which parameters are wrong. A page size above 500 is cut to 500."""
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        given.setdefault(name.lower(), []).append(value)
    last = {name: values[-1] for name, values in given.items()}
    numbers = [part for value in given.get("status", []) for part in value.split(",")]
    page_size, page_number = last.get("pagesize", "10"), last.get("pagenumber", "1")
    placed_from, placed_to = as_moment(last.get("from")), as_moment(last.get("to"))
    wrong = [
        name
        for name, is_wrong in (
            ("Status", not all(number.isascii() and number.isdigit() and len(number) < 4 for number in numbers)),
            ("PageSize", not _is_count(page_size)),
            ("PageNumber", not _is_count(page_number)),
            ("From", "from" in last and placed_from is None),
            ("To", "to" in last and placed_to is None),
            ("Mid", last.get("mid", mid).lower() != mid),
            ("OrderBy", last.get("orderby", "createdOn").lower() not in ("createdon", "amount")),
            ("Sort", last.get("sort", "desc").lower() not in ("asc", "desc")),
        )
        if is_wrong
    ]
    if wrong:
        return {name: [f"The field {name} is invalid."] for name in wrong}
    return Question(
        text=last.get("query", ""),
        statuses=frozenset(int(number) for number in numbers),
        placed_from=placed_from,
        placed_to=placed_to,
        order_by=last.get("orderby", "createdOn").lower(),
        descending=last.get("sort", "desc").lower() == "desc",
        page_size=min(int(page_size), MAX_PAGE_SIZE),
        page_number=int(page_number),
    )


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0


def matches(question: Question, order: Order, standing: Standing) -> bool:
    """Whether an order belongs to the listing; the text is looked for in both order ids."""
    if question.text and question.text not in order.order_id and question.text != order.order_session_key:
        return False
    if question.statuses and standing.code not in question.statuses:
        return False
    if question.placed_from and order.placed < question.placed_from:
        return False
    return not (question.placed_to and order.placed > question.placed_to)


def page_of(question: Question, found: list[tuple[Order, Standing]]) -> dict[str, object]:
    """One page with the page fields of CONTRACT 9 at top level."""
    if question.order_by == "amount":
        found = sorted(found, key=lambda pair: pair[1].amount)
    if question.descending:
        found = found[::-1]
    total, size = len(found), question.page_size
    pages = max(1, -(-total // size))
    start = (question.page_number - 1) * size
    shown = found[start : start + size]
    return {
        "firstItemOnPage": start + 1 if shown else 0,
        "hasNextPage": question.page_number < pages,
        "hasPreviousPage": question.page_number > 1,
        "isFirstPage": question.page_number == 1,
        "isLastPage": question.page_number >= pages,
        "lastItemOnPage": start + len(shown) if shown else 0,
        "pageCount": pages,
        "pageNumber": question.page_number,
        "pageSize": size,
        "totalItemCount": total,
        "orders": [order_fields(order, standing) for order, standing in shown],
    }


def order_fields(order: Order, standing: Standing) -> dict[str, object]:
    """The fields of one order; the amount in cents, our order id as externalOrderId (CONTRACT 6.4)."""
    record = order.record
    return {
        "id": order.order_session_key,
        "correlationId": text_at(record, "CorrelationId") or None,
        "referenceNumber": order.order_id,
        "externalOrderId": order.order_id,
        "status": standing.code,
        "statusName": standing.name,
        "orderPlacedDate": as_text(order.placed),
        "expiryDate": as_text(order.expiry) if order.expiry else None,
        "billingAddress": _address(at(record, "BillingInformation")),
        "shippingAddress": _address(at(record, "ShippingInformation")),
        "firstName": text_at(record, "BillingInformation.FirstName") or None,
        "lastName": text_at(record, "BillingInformation.LastName") or None,
        "email": text_at(record, "Payer.Email") or None,
        "phone": text_at(record, "Payer.Phone") or None,
        "secondaryEmail": None,
        "currencyCode": order.currency,
        "currencySymbol": _SYMBOLS.get(order.currency),
        "amount": standing.amount,
    }


def _address(value: object) -> dict[str, object] | None:
    if not isinstance(value, dict):
        return None
    names = ("addressLine1", "addressLine2", "city", "state", "zipcode", "country", "countryCode")
    return {name: value.get(name.lower()) for name in names}


def wire_order(order: Order, standing: Standing) -> dict[str, object]:
    """The answer of `GET /orders/{id}`: statusName in upper case, as seen on the wire (CONTRACT 9)."""
    fields = order_fields(order, standing)
    return {**fields, "statusName": standing.name.upper()}
