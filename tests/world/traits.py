"""Traits of an order row that a merchant's system may really show, by name: what is odd about it, and which ids that is."""

from dataclasses import dataclass, field

TOKEN = "0b0d6a44-6a55-4b8e-9f5e-5d21c8e7"


@dataclass(frozen=True)
class Trait:
    """The columns that are odd, and the ids. `goes` is False where no such row may ever be handed over."""

    ids: tuple[str, ...]
    columns: dict[str, object] = field(default_factory=dict)
    goes: bool = True


TRAITS: dict[str, Trait] = {
    "nothing": Trait(()),
    "amount zero": Trait(("D-06",), {"amount_minor": 0}, goes=False),
    "amount negative": Trait(("D-06",), {"amount_minor": -1999}, goes=False),
    "amount huge": Trait(("D-06",), {"amount_minor": 10**15}, goes=False),
    "amount beyond 64 bits": Trait(("D-06",), {"amount_minor": "9" * 40}, goes=False),
    "amount with a fraction": Trait(("D-06",), {"amount_minor": 19.99}, goes=False),
    "amount with a comma": Trait(("D-06",), {"amount_minor": "19,99"}, goes=False),
    "no decimals": Trait(("D-06",), {"currency": "JPY", "amount_minor": 1200}),
    "three decimals": Trait(("D-06",), {"currency": "KWD", "amount_minor": 1234}),
    "euro": Trait((), {"currency": "EUR"}),
    "currency in lower case": Trait(("D-07",), {"currency": "usd"}, goes=False),
    "unknown currency": Trait(("D-07",), {"currency": "ZZZ"}, goes=False),
    "id with zeros": Trait(("D-08",), {"order_id": "000123"}),
    "id like a number": Trait(("D-08",), {"order_id": "1E10"}),
    "long id": Trait(("D-08",), {"order_id": "7" * 40}),
    "id with spaces": Trait(("D-08",), {"order_id": " 12 34 "}),
    "id with an accent": Trait(("D-08",), {"order_id": "caf\u00e9-1"}),
    "id of parts": Trait(("D-08",), {"order_id": "cafe\u0301-1"}),
    "emoji": Trait(("D-08",), {"order_id": "\U0001f4b3-9"}),
    "right to left": Trait(("D-08",), {"order_id": "\u202e471"}),
    "cyrillic twin": Trait(("D-08",), {"order_id": "\u0410BC-1"}),
    "upper case twin": Trait(("D-08",), {"order_id": "ABC-1"}),
    "lower case twin": Trait(("D-08",), {"order_id": "abc-1"}),
    "amount not a number": Trait(("D-09",), {"amount_minor": "NaN"}, goes=False),
    "amount without end": Trait(("D-09",), {"amount_minor": "Infinity"}, goes=False),
    "no amount": Trait(("D-09",), {"amount_minor": None}, goes=False),
    "no currency": Trait(("D-09",), {"currency": None}, goes=False),
    "the word None": Trait(("D-09",), {"site": "None"}, goes=False),
    "no site": Trait(("D-09",), {"site": ""}, goes=False),
    "no time": Trait(("D-09",), {"charged_at": "null"}, goes=False),
    "formula": Trait(("D-10",), {"response_description": '=HYPERLINK("x")', "customer_id": "+1-2", "subscription_id": "@x"}),
    "wide formula": Trait(("D-10",), {"response_description": "\uff1d1+1", "customer_id": "-2+3", "subscription_id": "\t=1"}),
    "formula after a mark": Trait(("D-10",), {"response_description": 'a;=1+1,"=2"', "customer_id": "\r=1"}),
    "token missing": Trait(("D-12",), {"payment_token": ""}, goes=False),
    "token of nobody": Trait(("D-12",), {"payment_token": "11111111-2222-4333-8444-555555555555"}),
    "token refused": Trait(("D-12", "F-19"), {"payment_token": f"{TOKEN}a005"}),
    "card expired": Trait(("D-13",), {"exp_year": 2020, "exp_month": 1}),
    "stolen card": Trait(("D-15",), {"network_response_code": "43", "response_code": "252"}, goes=False),
    "advice never": Trait(("D-15",), {"card_brand": "MASTERCARD", "card_bin": "555555", "network_advice_code": "03"}, goes=False),
    "card number": Trait(("D-16",), {"response_description": "card 4111 1111 1111 1111 declined"}, goes=False),
    "card number as id": Trait(("D-16",), {"order_id": "5555555555554444"}, goes=False),
    "mail with a line end": Trait(("D-17",), {"email": "ada@example.com\r\nBcc: eve@example.com"}),
    "name of SQL": Trait(("D-17",), {"first_name": "'; DROP TABLE orders; --", "last_name": '" OR 1=1'}),
    "name of a template": Trait(("D-17",), {"first_name": "{0}%s{{x}}", "holder_name": "<script>alert(1)</script>"}),
    "completes": Trait((), {"payment_token": f"{TOKEN}a001"}),
    "expires": Trait((), {"payment_token": f"{TOKEN}a003"}),
    "waits": Trait((), {"payment_token": f"{TOKEN}a006"}),
    "completes late": Trait((), {"payment_token": f"{TOKEN}a00c"}),
    "charged back": Trait(("D-19",), {"payment_token": f"{TOKEN}a00a"}),
    "returned": Trait(("D-19",), {"payment_token": f"{TOKEN}a00b"}),
    "completed for less": Trait(("D-20",), {"payment_token": f"{TOKEN}a008"}),
    "problem": Trait(("H-13",), {"payment_token": f"{TOKEN}a007"}),
    "capture required": Trait((), {"payment_token": f"{TOKEN}a009"}),
    "second site": Trait((), {"site": "acme-eu", "currency": "EUR"}),
    "unknown site": Trait((), {"site": "acme-moon"}, goes=False),
    "too old": Trait((), {"charged_at": "2020-01-01T00:00:00Z"}, goes=False),
    "website approved": Trait((), {"origin": "website", "payment_token": f"{TOKEN}b001"}),
    "website declined": Trait((), {"origin": "website", "payment_token": f"{TOKEN}b002"}),
    "website challenged": Trait((), {"origin": "website", "payment_token": f"{TOKEN}b003"}),
    "call centre approved": Trait((), {"origin": "call_center", "payment_token": f"{TOKEN}b001"}),
    "call centre failed": Trait((), {"origin": "call_center", "payment_token": f"{TOKEN}b004"}),
    "call centre captured": Trait((), {"origin": "call_center", "payment_token": f"{TOKEN}b005"}),
    "opted out": Trait((), {"origin": "website"}, goes=False),
    "in flight": Trait((), {"retry_state": "in_flight"}, goes=False),
}
"""Every trait that a schedule can name; `test_faults.py` sees each of them happen."""
