"""Who the shop is: its account with the provider, its site, and what it sells."""

from dataclasses import dataclass, field

ITEM, AMOUNT_MINOR, CURRENCY = "Two-person tent, pine green", 12900, "USD"
CUSTOMER = {
    "first_name": "Ada",
    "last_name": "Marsh",
    "address_line1": "5 Orchard Way",
    "city": "Burlington",
    "state": "MA",
    "zipcode": "01803",
    "country": "US",
}
"""Where the tent goes. A shop would ask; this one sends everything to the same door."""


@dataclass(frozen=True)
class Shop:
    """The merchant's account and site; `widget_url` is where the widget's stand-in is, in place of SenseJS."""

    api_url: str
    widget_url: str
    mid: str
    site: str
    site_id: str
    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    tokenization_key: str = field(repr=False)
    subscriber_key: str = field(repr=False)

    @property
    def widget_origin(self) -> str:
        """The only other origin of which a page of the shop may show something: scheme, host and port."""
        return "/".join(self.widget_url.split("/")[:3])


def money() -> str:
    """The price for people."""
    return f"{AMOUNT_MINOR // 100}.{AMOUNT_MINOR % 100:02} {CURRENCY}"
