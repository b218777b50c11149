"""A good row, good settings and the packaged data, from which each test changes one thing."""

from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

from batch.gate import Gate, Verdict
from batch.order_rows import read_order
from schemas.decline_codes import DeclineCodes, parse_decline_codes
from schemas.network_rules import NetworkRules, parse_network_rules
from schemas.order import Order, OrderRow
from schemas.profile import Profile, parse_profile
from schemas.settings import Settings, SiteSettings
from schemas.states import State

MID = "3f1c09ab-5a52-4f0e-9c1d-2b7e6a90c4d1"
SITE_ID = "9b0c2d1e-3344-4a5b-8c6d-7e8f90a1b2c3"
TOKEN = "c7f0a1b2-0d3e-4f56-8a9b-0c1d2e3f4a5b"
NOW = datetime(2026, 11, 23, 6, 30, 1, tzinfo=UTC)
END = datetime(2026, 11, 24, 5, 0, 0, tzinfo=UTC)
SCRUB_KEY = b"a key for tests"

GOOD_CELLS = {
    "order_id": "000471",
    "site": "acme-us",
    "origin": "recurring",
    "customer_id": "cust-9",
    "email": "ada@example.com",
    "phone": "+1 555 0100",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "address_line1": "1 Main St",
    "address_line2": "Apt 2",
    "city": "Boston",
    "state": "MA",
    "zipcode": "02134",
    "country": "US",
    "subscription_id": "sub-88",
    "subscription_interval": "monthly",
    "payment_number": "7",
    "amount_minor": "1999",
    "currency": "USD",
    "charged_at": "2026-11-22T22:15:09Z",
    "response_code": "202",
    "response_code_source": "nmi",
    "response_description": "Insufficient funds",
    "avs_result_code": "Y",
    "cvv_result_code": "",
    "cavv_result_code": "",
    "processor_name": "first-processor",
    "network_response_code": "51",
    "network_advice_code": "",
    "attempts_30d": "3",
    "payment_token": TOKEN,
    "holder_name": "Ada K Lovelace",
    "card_brand": "visa",
    "card_bin": "41111111",
    "card_last4": "1111",
    "card_country": "US",
    "exp_month": "4",
    "exp_year": "2029",
    "opted_out": "",
    "card_funding": "credit",
    "transaction_id": "",
    "descriptor": "",
    "network_transaction_id": "",
    "customer_ip": "203.0.113.17",
    "sense_key": "sense-5f0c2a",
}

SITE = SiteSettings(name="acme-us", site_id=SITE_ID, site_url="https://acme.example", descriptor="ACME*US")


def good_row(
    *, status: str = "declined", retry_state: str = "", hold_reference: str = "", unreadable: tuple[str, ...] = (), **cells: str
) -> OrderRow:
    """A row that may be handed over, with some cells changed."""
    return OrderRow(GOOD_CELLS | cells, status, retry_state, hold_reference, unreadable)


def changed_row(cells: dict[str, str]) -> OrderRow:
    """A good row with these cells changed."""
    return OrderRow(GOOD_CELLS | cells, "declined", "", "")


def good_order(**cells: str) -> Order:
    """The order of a good row, with some cells changed."""
    order = read_order(changed_row(cells))
    assert isinstance(order, Order), order
    return order


def settings(**sections: dict[str, object]) -> Settings:
    """Settings under which the good row is selected, with some keys changed: `gate={"max_attempts_30d": 3}`."""
    tables: dict[str, object] = {
        "environment": "sandbox",
        "provider": {"mid": MID},
        "sftp": {"host": "localhost", "username": "acme", "private_key": "key", "known_hosts": "hosts"},
        "orders": {"url": "sqlite:///orders.db"},
        "sites": [SITE.model_dump(), {"name": "acme-ca", "site_id": SITE_ID, "enabled": False}],
    }
    return Settings.model_validate(tables | sections)


def judged(row: OrderRow, past: State | None = None, *, now: datetime = NOW, **sections: dict[str, object]) -> Verdict | None:
    """What the gate says about a row under these settings."""
    return gate_under(settings(**sections), now).judge(row, past)


def gate_under(chosen: Settings, now: datetime = NOW) -> Gate:
    """The gate with the packaged rules."""
    return Gate(chosen, network_rules(), decline_codes(), now=now, business_date_end=END, scrub_key=SCRUB_KEY)


@cache
def profile() -> Profile:
    """The packaged provider profile."""
    return parse_profile(packaged("profiles/flexfactor.toml"))


@cache
def network_rules() -> NetworkRules:
    """The packaged network rules."""
    return parse_network_rules(packaged("network_rules.toml"))


@cache
def decline_codes() -> DeclineCodes:
    """The packaged decline codes."""
    return parse_decline_codes(packaged("decline_codes.toml"))


def packaged(name: str) -> str:
    """The text of a file that is packaged with the schemas."""
    return files("schemas").joinpath(name).read_text(encoding="utf-8")
