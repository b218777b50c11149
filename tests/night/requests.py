"""What the tests of cancels, captures and refunds need: requests made in this process, and what each side says of them."""

from decimal import Decimal
from typing import Any

from batch.cancelling import cancel_order
from batch.capturing import capture_order
from batch.refund_requests import RefundRequest
from batch.refunding import refund_order
from jobs.actions import Request, Result, run_requests
from jobs.output import Options
from jobs.running import RunReport
from schemas.operations import OperationKind
from tests.night.house import House, order

REASON = "as the customer asked"


def completed(house: House, *order_ids: str, amount_minor: int = 1999) -> None:
    """These orders have been recovered, and their rows say so."""
    house.add(*(order(each, amount_minor=amount_minor) for each in order_ids or ("000471",)))
    assert house.run().code == 0
    house.pass_time(hours=2)
    assert house.run("poll").code == 0
    assert set(house.states().values()) == {"completed"}


def made(house: House, kind: OperationKind, *requests: Request, surroundings: Any = None) -> tuple[RunReport, list[Result]]:  # noqa: ANN401
    """Make requests as the command does, on the house's clock."""
    options = Options(config=house.config, quiet=True)
    return run_requests(house.settings, options, kind, requests, clock=house.clock, surroundings=surroundings)


def refunding(amount: str, order_id: str = "000471", request_id: str = "") -> Request:
    """A refund of so many dollars."""
    minor = int(Decimal(amount).scaleb(2))
    wanted = RefundRequest(order_id, minor, "USD", REASON, "ada@desk", request_id)
    return Request(order_id, lambda equipment, run: refund_order(equipment, run, wanted))


def refund(house: House, amount: str, order_id: str = "000471", request_id: str = "") -> tuple[int, Result]:
    """Refund so many dollars; the exit code, and what became of it."""
    report, (result,) = made(house, OperationKind.REFUND, refunding(amount, order_id, request_id))
    return int(report.code), result


def cancel(house: House, order_id: str = "000471", *, external: bool = False) -> tuple[int, Result]:
    """Cancel an order; the exit code, and what became of it."""
    request = Request(
        order_id,
        lambda equipment, run: cancel_order(equipment, run, order_id, reason=REASON, asked_by="ada@desk", external=external),
    )
    report, (result,) = made(house, OperationKind.CANCEL, request)
    return int(report.code), result


def capture(house: House, order_id: str = "000471") -> tuple[int, Result]:
    """Capture an order; the exit code, and what became of it."""
    request = Request(
        order_id, lambda equipment, run: capture_order(equipment, run, order_id, reason=REASON, asked_by="ada@desk")
    )
    report, (result,) = made(house, OperationKind.CAPTURE, request)
    return int(report.code), result


def asked(house: House, route: str) -> int:
    """How many requests of a kind the provider received, whatever it made of them."""
    paths = [str(row["path"]) for row in house.sandbox.journal() if row["event"] == "answered"]
    return sum(path.endswith(route) for path in paths)


def given_back(house: House, order_id: str = "000471") -> int:
    """What the provider gave back of an order (minor units)."""
    return sum(int(str(row["refunded"])) for row in house.sandbox.orders() if row["order_id"] == order_id)


def steps(house: House) -> list[tuple[str, str]]:
    """Kind and step of every request, oldest first."""
    rows = house.ledger("SELECT kind, step FROM operation ORDER BY rowid")
    return [(row["kind"], row["step"]) for row in rows]
