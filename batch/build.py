"""Turn orders into what travels: the records of CONTRACT 5 and 7, and the batch files of CONTRACT 6.4. Same input, same bytes."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import UUID, uuid5

import orjson

from batch.order_rows import Kind, billing_name
from schemas.errors import InternalError
from schemas.order import Order, Origin
from schemas.settings import SiteSettings

if TYPE_CHECKING:
    from schemas.profile import Profile

Record = dict[str, object]

UNKNOWN = "NA"
"""What stands for a required value that the order system does not know (CONTRACT 7.1, 7.2)."""

_TRANSACTION = (
    "transaction.id transaction.timestampUtc transaction.timezoneUtcOffset transaction.amount transaction.currency"
    " transaction.responseCode transaction.responseCodeSource transaction.avsResultCode transaction.cvvResultCode"
    " transaction.cavvResultCode transaction.cardNotPresent transaction.dynamicDescriptor"
    " transaction.responseDescription transaction.processorName"
).split()
_SUBSCRIPTION = (
    "subscription.subscriptionId subscription.interval subscription.price subscription.currency subscription.paymentNumber"
).split()
_PAYER = "payer.id payer.email payer.phone".split()
_CARD = (
    "paymentMethod.holderName paymentMethod.cardType paymentMethod.cardBrand paymentMethod.cardCountry"
    " paymentMethod.expirationMonth paymentMethod.expirationYear paymentMethod.cardBinNumber paymentMethod.cardLast4Digits"
).split()
_BILLING = (
    "billingInformation.firstName billingInformation.lastName billingInformation.country billingInformation.countryCode"
    " billingInformation.addressLine1 billingInformation.city billingInformation.zipcode billingInformation.addressLine2"
    " billingInformation.state billingInformation.phone"
).split()

FIELDS: dict[Kind, tuple[str, ...]] = {
    "evaluate": (
        *"isDeclined idempotencyKey mid orderId siteId siteUrl orderSource isMIT isRecurring expiryDateUtc".split(),
        *_SUBSCRIPTION,
        *_TRANSACTION,
        *_PAYER,
        *_CARD,
        "paymentMethod.cardNumber",
        "paymentMethod.token",
        *_BILLING,
    ),
    "transmit": (
        *"isDeclined orderId mid orderSource isMIT isRecurring siteId siteUrl".split(),
        *_SUBSCRIPTION,
        *_TRANSACTION,
        *_PAYER,
        *_CARD,
        *_BILLING,
    ),
}
"""Every field that a record of a kind can have in a file, in document order, nested names joined by a dot.

What only a customer-initiated transaction has (CIT_FIELDS) stands in no file: those travel by calls.
"""

CIT_FIELDS = ("customerIp", "senseKey")

_NEEDS_QUOTES = re.compile('[",\r\n]')


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One record of a batch file with its place in it, counted from 1."""

    sequence_number: int
    record: Record


def evaluate_record(
    order: Order, *, mid: str, site: SiteSettings, profile: "Profile", idempotency_key: str, expires_at: str
) -> Record:
    """A declined charge as the provider takes it for a rescue (CONTRACT 7), without a sequence number.

    Amounts are integer minor units; `cardNumber` is the provider's token. Optional fields that the order system does not
    know are left out. `expires_at` is the end of the retry window, as UTC text (CONTRACT 7.6). Only a recurring order has
    it, and a subscription; what is known of the customer's browser is only said of one who was present (CONTRACT 7.1).
    """
    recurring = order.origin is Origin.RECURRING
    return _known(
        isDeclined=True,
        idempotencyKey=idempotency_key,
        mid=mid,
        orderId=order.order_id,
        siteId=site.site_id,
        siteUrl=site.site_url,
        customerIp="" if recurring else order.customer_ip,
        orderSource=profile.order_sources[order.origin],
        senseKey="" if recurring else order.sense_key,
        isMIT=recurring,
        isRecurring=recurring,
        expiryDateUtc=expires_at if recurring else "",
        subscription=_subscription(order) if recurring else {},
        transaction=_transaction(order, site),
        payer=_payer(order),
        paymentMethod=_card(order) | {"cardNumber": order.payment_token, "token": True},
        billingInformation=_billing(order),
    )


def transmit_record(order: Order, *, mid: str, site: SiteSettings, profile: "Profile") -> Record:
    """A copy of a good charge (CONTRACT 5), without a sequence number: no token, only the card's first 6 and last 4 digits."""
    recurring = order.origin is Origin.RECURRING
    return _known(
        isDeclined=False,
        orderId=order.order_id,
        mid=mid,
        orderSource=profile.order_sources[order.origin],
        isMIT=recurring,
        isRecurring=recurring,
        siteId=site.site_id,
        siteUrl=site.site_url,
        subscription=_subscription(order) if recurring else {},
        transaction=_transaction(order, site),
        payer=_payer(order),
        paymentMethod=_card(order),
        billingInformation=_billing(order),
    )


def idempotency_key(mid: str, order_id: str, attempt: int) -> str:
    """The key of one hand-over: a version 5 UUID (RFC 9562) of mid, order id and attempt, so the same even without a ledger."""
    return str(uuid5(UUID(mid), f"{order_id}\n{attempt}"))


def file_name(kind: str, *, mid: str, business_date: str, batch_id: str, extension: str, profile: "Profile") -> str:
    """What a batch file is called, at every attempt (CONTRACT 6.4). `business_date` is YYYY-MM-DD."""
    prefixes = {"evaluate": profile.files.evaluate_prefix, "transmit": profile.files.transmit_prefix}
    return profile.files.name.format(
        kind=prefixes[kind],
        mid8=UUID(mid).hex[:8],
        yyyymmdd=business_date.replace("-", ""),
        batch_id=batch_id,
        ext=extension,
    )


def canonical_csv(kind: Kind, rows: Sequence[BatchRow], *, mid: str, expires_at: str, profile: "Profile") -> bytes:
    """The rows of a batch file as the CSV that is kept: that of CONTRACT 6.4 without the authorization column."""
    return _csv(kind, rows, _leading(kind, mid, expires_at, profile), profile)


def called_csv(rows: Sequence[BatchRow], *, mid: str, expires_at: str, profile: "Profile") -> bytes:
    """The rows of a group of calls as the CSV that is kept: as of a file, and for customers who were present their fields."""
    is_cit = any(row.record.get("isMIT") is False for row in rows)
    return _csv("evaluate", rows, _leading("evaluate", mid, expires_at, profile), profile, CIT_FIELDS if is_cit else ())


def rows_digest(canonical: bytes) -> str:
    """What identifies the rows of a batch file, whatever token travels with them: SHA-256 of the canonical CSV, in hex."""
    return hashlib.sha256(canonical).hexdigest()


def render(
    kind: Kind,
    file_format: Literal["json", "csv"],
    rows: Sequence[BatchRow],
    *,
    mid: str,
    token: str,
    expires_at: str,
    profile: "Profile",
) -> bytes:
    """A batch file with its bearer token, as it travels (CONTRACT 6.4). It is a secret: the token is good for ten minutes."""
    if file_format == "csv":
        layout = profile.csv
        leading = _leading(kind, mid, expires_at, profile)
        authorization = {layout.token: layout.token_prefix + token}
        return _csv(kind, rows, {layout.mid: leading[layout.mid]} | authorization | leading, profile)
    names = profile.evaluate.json if kind == "evaluate" else profile.transmit.json
    header = {names.mid: mid, names.token: names.token_prefix + token}
    if kind == "evaluate":
        header[names.expiry] = expires_at
    records = [{profile.csv.sequence_number: str(row.sequence_number)} | row.record for row in rows]
    return orjson.dumps({names.header: header, names.rows: records})


def _known(**fields: object) -> Record:
    """The fields that have a value: no empty text, no empty group, nothing unknown."""
    return {name: value for name, value in fields.items() if value not in ("", None, {})}


def _subscription(order: Order) -> Record:
    return _known(
        subscriptionId=order.subscription_id,
        interval=order.subscription_interval,
        price=str(order.amount_minor),
        currency=order.currency,
        paymentNumber=order.payment_number,
    )


def _transaction(order: Order, site: SiteSettings) -> Record:
    return _known(
        id=order.transaction_id or order.order_id,
        timestampUtc=order.charged_at,
        timezoneUtcOffset=0,
        amount=order.amount_minor,
        currency=order.currency,
        responseCode=order.response_code or UNKNOWN,
        responseCodeSource=order.response_code_source or UNKNOWN,
        avsResultCode=order.avs_result_code or UNKNOWN,
        cvvResultCode=order.cvv_result_code or UNKNOWN,
        cavvResultCode=order.cavv_result_code or UNKNOWN,
        cardNotPresent=True,
        dynamicDescriptor=order.descriptor or site.descriptor,
        responseDescription=order.response_description,
        processorName=order.processor_name,
    )


def _payer(order: Order) -> Record:
    return _known(id=order.customer_id, email=order.email or UNKNOWN, phone=order.phone)


def _card(order: Order) -> Record:
    return _known(
        holderName=order.holder_name or " ".join(name for name in (order.first_name, order.last_name) if name),
        cardType=order.card_funding.upper(),
        cardBrand=order.card_brand,
        cardCountry=order.card_country,
        expirationMonth=order.exp_month,
        expirationYear=order.exp_year,
        cardBinNumber=order.card_bin[:6],
        cardLast4Digits=order.card_last4,
    )


def _billing(order: Order) -> Record:
    first, last = billing_name(order.first_name, order.last_name, order.holder_name)
    return _known(
        firstName=first,
        lastName=last,
        country=order.country,
        countryCode=order.country,
        addressLine1=order.address_line1,
        city=order.city,
        zipcode=order.zipcode,
        addressLine2=order.address_line2,
        state=order.state,
        phone=order.phone,
    )


def _leading(kind: Kind, mid: str, expires_at: str, profile: "Profile") -> dict[str, str]:
    return {profile.csv.mid: mid} | ({profile.csv.expiry: expires_at} if kind == "evaluate" else {})


def _csv(
    kind: Kind, rows: Sequence[BatchRow], leading: Mapping[str, str], profile: "Profile", more: tuple[str, ...] = ()
) -> bytes:
    """One header row, one row per record. A field that stands among the leading columns has no second column of that name."""
    columns = tuple(name.replace(".", profile.csv.nested_separator) for name in (*FIELDS[kind], *more))
    own = [name for name in columns if name not in leading]
    lines = [_line([*leading, profile.csv.sequence_number, *own])]
    for row in rows:
        cells = dict(_cells(row.record, "", profile))
        unknown = cells.keys() - columns
        if unknown or any(cells.get(name, value) != value for name, value in leading.items()):
            raise InternalError(f"Row {row.sequence_number} of a batch has fields that its file cannot carry; it was not sent.")
        lines.append(_line([*leading.values(), str(row.sequence_number), *(cells.get(name, "") for name in own)]))
    return "".join(lines).encode()


def _cells(record: Mapping[str, object], prefix: str, profile: "Profile") -> Iterator[tuple[str, str]]:
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _cells(value, f"{prefix}{name}{profile.csv.nested_separator}", profile)
        elif isinstance(value, bool):
            yield f"{prefix}{name}", profile.csv.true if value else profile.csv.false
        else:
            yield f"{prefix}{name}", str(value)


def _line(cells: Sequence[str]) -> str:
    """One line of CSV (RFC 4180). A lone carriage return is quoted too, which the standard library forgets before 3.13."""
    return ",".join('"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell for cell in cells) + "\n"
