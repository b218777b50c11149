"""An order as the merchant's order system knows it: the columns that are read, and those that are written."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

READ_COLUMNS = (
    *("order_id", "site", "origin", "customer_id"),
    *("email", "phone", "first_name", "last_name"),
    *("address_line1", "address_line2", "city", "state", "zipcode", "country"),
    *("subscription_id", "subscription_interval", "payment_number"),
    *("amount_minor", "currency", "charged_at"),
    *("response_code", "response_code_source", "response_description"),
    *("avs_result_code", "cvv_result_code", "cavv_result_code"),
    *("processor_name", "network_response_code", "network_advice_code", "attempts_30d"),
    *("payment_token", "holder_name", "card_brand", "card_bin"),
    *("card_last4", "card_country", "exp_month", "exp_year"),
)
"""Columns of the orders table that the pipeline reads; all must exist (under their own or a mapped name)."""

OPTIONAL_COLUMNS = (
    *("opted_out", "card_funding", "transaction_id", "descriptor", "network_transaction_id"),
    *("customer_ip", "sense_key"),  # of a customer who was present
)
"""Columns that are read where the table has them."""

WRITTEN_COLUMNS = (
    "status",
    "hold_reference",
    "hold_until",
    "provider_order_id",
    "provider_status",
    "refunded_minor",
    "updated_at",
)
"""The only columns that the pipeline updates."""

RETRY_COLUMN = "retry_state"
"""Written by the merchant's own retry job: null or `in_flight`."""

INTEGER_COLUMNS = frozenset({"amount_minor", "attempts_30d", "exp_month", "exp_year", "refunded_minor"})


class Origin(StrEnum):
    """How a charge came about: MIT (`recurring`), or CIT on the website or through the call centre."""

    RECURRING = "recurring"
    WEBSITE = "website"
    CALL_CENTER = "call_center"


CIT_MODE = "cit"
"""What `mit_mode` of a submission says of a customer-initiated transaction: nobody retries it (CONTRACT 7.1)."""


class RowStatus(StrEnum):
    """Values of the orders table's `status`: the first two are the merchant's, the rest are written by us."""

    PAID = "paid"
    DECLINED = "declined"
    PENDING = "pending"
    COMPLETED = "completed"
    NOT_RECOVERED = "not_recovered"
    REFUNDED = "refunded"
    PARTIALLY_REFUNDED = "partially_refunded"
    CHARGEBACK = "chargeback"
    REVIEW = "review"


class Order(NamedTuple):
    """One charge of the merchant's, checked: every text as it stands in the order system, amounts in minor units.

    `charged_at` is UTC as ISO 8601 with Z. Empty text means that the order system does not know it. `card_bin`,
    `card_last4` describe the card; `payment_token` is the provider's token for it (CONTRACT 3), never a card number.
    `customer_ip` and `sense_key` are of the customer's browser, where one was present (CONTRACT 7.1).
    """

    order_id: str
    site: str
    origin: Origin
    customer_id: str
    email: str
    phone: str
    first_name: str
    last_name: str
    address_line1: str
    address_line2: str
    city: str
    state: str
    zipcode: str
    country: str
    subscription_id: str
    subscription_interval: str
    payment_number: str
    amount_minor: int
    currency: str
    charged_at: str
    response_code: str
    response_code_source: str
    response_description: str
    avs_result_code: str
    cvv_result_code: str
    cavv_result_code: str
    processor_name: str
    network_response_code: str
    network_advice_code: str
    attempts_30d: int
    payment_token: str
    holder_name: str
    card_brand: str
    card_bin: str
    card_last4: str
    card_country: str
    exp_month: int | None
    exp_year: int | None
    opted_out: bool = False
    card_funding: str = ""
    transaction_id: str = ""
    descriptor: str = ""
    network_transaction_id: str = ""
    customer_ip: str = ""
    sense_key: str = ""


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A row of the orders table as it was read: every cell as text (empty for null), nothing checked yet.

    `cells` holds the READ_COLUMNS and those OPTIONAL_COLUMNS that exist. `unreadable` names columns whose value was of
    a kind that no text can stand for without loss (a float where an integer must be, bytes).
    """

    cells: dict[str, str]
    status: str
    retry_state: str
    hold_reference: str
    unreadable: tuple[str, ...] = ()

    @property
    def order_id(self) -> str:
        """The merchant's order id, byte for byte."""
        return self.cells["order_id"]
