"""The shop's own gateway, a stand-in: it says what the test asks it to say, and no money exists. Pure."""

from dataclasses import dataclass

from jobs.sandbox.checkout.cards import Card


@dataclass(frozen=True)
class Charge:
    """The gateway's answer, as the row keeps it."""

    approved: bool
    cells: dict[str, object]


def charge(card: Card, order_id: str, *, approves: bool) -> Charge:
    """Charge the card: declined for insufficient funds, unless the test wants a good charge."""
    code, words, network = ("100", "Approved", "00") if approves else ("202", "Insufficient funds", "51")
    return Charge(
        approves,
        {
            "response_code": code,
            "response_code_source": "nmi",
            "response_description": words,
            "network_response_code": network,
            "avs_result_code": "Y",
            "cvv_result_code": "M" if card.cvv else "NA",
            "processor_name": "Processor One",
            "transaction_id": f"tx-{order_id}",
            "attempts_30d": 1,
        },
    )
