"""What the shop tells the provider: the evaluate record of a customer who is present (CONTRACT 7.1 to 7.3). Pure."""

import uuid

from jobs.sandbox.checkout.orders import Row
from jobs.sandbox.checkout.shop import CURRENCY, ITEM, Shop


def key_of(mid: str, order_id: str) -> str:
    """The idempotency key of an order: it follows from the order id, so it is the same however often the program dies."""
    return str(uuid.uuid5(uuid.UUID(mid), f"checkout {order_id}"))


def evaluate_record(shop: Shop, row: Row) -> dict[str, object]:
    """One declined charge: neither expiry nor subscription, because nobody retries it; a token, never a card number."""
    order_id = str(row["order_id"])
    return {
        "isDeclined": True,
        "idempotencyKey": key_of(shop.mid, order_id),
        "mid": shop.mid,
        "orderId": order_id,
        "siteId": shop.site_id,
        "orderSource": "ecommerce",
        "customerIp": row["customer_ip"],
        "senseKey": row["sense_key"],
        "isMIT": False,
        "isRecurring": False,
        "transaction": _transaction(row),
        "payer": {"id": row["customer_id"], "email": row["email"], "phone": row["phone"] or ""},
        "paymentMethod": {
            "holderName": row["holder_name"],
            "cardType": "CREDIT",
            "cardBrand": row["card_brand"],
            "cardCountry": row["card_country"],
            "expirationMonth": row["exp_month"],
            "expirationYear": row["exp_year"],
            "cardBinNumber": row["card_bin"],
            "cardLast4Digits": row["card_last4"],
            "cardNumber": row["payment_token"],
            "token": True,
        },
        "billingInformation": _address(row),
        "orderItems": [{"sku": "tent-2", "name": ITEM, "amount": row["amount_minor"], "quantity": 1}],
    }


def _transaction(row: Row) -> dict[str, object]:
    return {
        "id": row["transaction_id"],
        "timestampUtc": row["charged_at"],
        "timezoneUtcOffset": 0,
        "amount": row["amount_minor"],
        "currency": CURRENCY,
        "responseCode": row["response_code"],
        "responseCodeSource": row["response_code_source"],
        "responseDescription": row["response_description"],
        "avsResultCode": row["avs_result_code"] or "NA",
        "cvvResultCode": row["cvv_result_code"] or "NA",
        "cavvResultCode": row["cavv_result_code"] or "NA",
        "cardNotPresent": True,
        "processorName": row["processor_name"],
    }


def _address(row: Row) -> dict[str, object]:
    return {
        "firstName": row["first_name"],
        "lastName": row["last_name"],
        "country": "United States",
        "countryCode": row["country"],
        "addressLine1": row["address_line1"],
        "city": row["city"],
        "state": row["state"],
        "zipcode": row["zipcode"],
    }
