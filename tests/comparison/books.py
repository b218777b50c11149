"""A merchant with so many pending orders in files of its own, and a provider that makes its list up page by page."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, create_engine, insert

from batch.api import ApiAccess, ProviderApi
from batch.compared import Compared
from batch.comparing import reconcile
from batch.equipment import Equipment
from batch.findings import Findings
from batch.ledger import Ledger, Owner, Run
from batch.ledger.lease import LeaseTerms, take_lease
from batch.orders_table import orders_table
from batch.pace import utc_text
from batch.source import OrderSource
from jobs.databases import open_ledger
from jobs.sample_orders import orders as sample_orders
from schemas.ledger_tables import batch, submission
from tests.confluence.bench import DAY, START, Bench, profile, settings
from tests.night.house import order

AGE = timedelta(hours=12)
AT_A_TIME = 5000
AMOUNT = 1999


def order_id(number: int) -> str:
    """Our id of the n-th order."""
    return f"o-{number:07}"


def key(number: int) -> str:
    """The provider's id of it."""
    return f"{number:08x}-0000-4000-8000-000000000000"


@dataclass
class ListingProvider(httpx.AsyncBaseTransport):
    """Works on so many orders and keeps none of them in memory; it has lost every `lost`-th, and has `more` that nobody sent."""

    orders: int
    lost: int = 0
    more: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one call."""
        path = request.url.path.removeprefix("/v1/")
        if path == "oauth2/token":
            return _answer({"accessToken": "a.b.c", "expires": 4_000_000_000_000})
        if path == "orders":
            return self._page(request.url.params)
        number = int(path.removeprefix("orders/")[:8], 16)
        return _answer({}, 404) if self._is_lost(number) else _answer(self._shown(number))

    def _page(self, query: httpx.QueryParams) -> httpx.Response:
        number, size = int(query["pageNumber"]), min(500, int(query["pageSize"]))
        first, last = (number - 1) * size, number * size
        total = self.orders + self.more
        rows = [self._shown(each) for each in range(first, min(last, total)) if not self._is_lost(each)]
        return _answer({"orders": rows, "hasNextPage": last < total})

    def _is_lost(self, number: int) -> bool:
        return bool(self.lost) and number < self.orders and number % self.lost == 1

    def _shown(self, number: int) -> dict[str, object]:
        named = order_id(number) if number < self.orders else f"stranger-{number}"
        same = {"status": 4, "statusName": "Processing", "amount": AMOUNT, "currencyCode": "USD"}
        return {"id": key(number), "externalOrderId": named, **same}


def _answer(document: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, stream=httpx.ByteStream(json.dumps(document).encode()))


@dataclass(frozen=True)
class Books:
    """A merchant's equipment over real files, and the run that compares them."""

    equipment: Equipment
    run: Run

    def compare(self) -> Compared:
        """Compare the books, as the product does."""
        return reconcile(self.equipment, self.run, Findings())


@contextmanager
def books(folder: Path, provider: ListingProvider, *, changed: int = 0) -> Iterator[Books]:
    """So many pending orders in a ledger and an order system on disk; the merchant has changed every `changed`-th amount."""
    bench = Bench(folder / "bench.db")
    engine = open_ledger(f"sqlite:///{folder / 'ledger.db'}")
    orders_engine = create_engine(f"sqlite:///{folder / 'orders.db'}")
    ledger = Ledger(engine, mid=bench.equipment.ledger.mid, clock=bench.clock, lease_seconds=10_000)
    api = ProviderApi(ApiAccess("http://127.0.0.1/v1/", str, str), provider, profile=profile(), clock=bench.clock)
    table = orders_table(settings().orders, [column.name for column in sample_orders.columns])
    equipment = replace(bench.equipment, ledger=ledger, api=api, source=OrderSource(orders_engine, table))
    try:
        _fill_ledger(engine, ledger.mid, provider.orders)
        _fill_orders(orders_engine, provider.orders, changed)
        yield Books(equipment, _run(ledger))
    finally:
        api.close()
        engine.dispose()
        orders_engine.dispose()
        bench.close()


def _run(ledger: Ledger) -> Run:
    return take_lease(
        ledger,
        run_id="compares",
        job="reconcile",
        business_date=DAY,
        owner=Owner("here", 1, "1"),
        terms=LeaseTerms(10_000, 0),
        is_alive=lambda _owner: True,
        sleep=lambda _seconds: None,
    )


def _fill_ledger(engine: Engine, mid: str, count: int) -> None:
    claimed = utc_text(START - AGE)
    events = {"event_seq": 0, "event_hash": "0" * 64, "event_date": ""}
    file: dict[str, object] = {"mid": mid, "batch_id": "0" * 12, "kind": "evaluate", "business_date": DAY, "file_name": "f.json"}
    file |= {"expires_at": utc_text(START + timedelta(days=20)), "row_count": 0, "step": "acknowledged", "run_id": "run-1"}
    same: dict[str, object] = {"mid": mid, "attempt": 1, "state": "pending", "batch_id": "0" * 12, "channel": "sftp"}
    same |= {"origin": "recurring", "currency": "USD", "amount_minor": AMOUNT, "business_date": DAY, "claimed_at": claimed}
    same |= {"expires_at": file["expires_at"], "handed_over_date": DAY, "provider_status": "PROCESSING", "site": "acme-us"}
    same |= {"record_json": json.dumps({"transaction": {"amount": AMOUNT}}), **events}
    rows = (
        {
            **same,
            "order_id": order_id(number),
            "sequence_number": number + 1,
            "idempotency_key": f"{number:036}",
            "hold_reference": f"mitbatch:{number:036}",
            "provider_order_id": key(number),
        }
        for number in range(count)
    )
    with engine.connect() as connection, connection.begin():
        connection.execute(insert(batch), [{**file, "format": "json", **events}])
        while chunk := list(islice(rows, AT_A_TIME)):
            connection.execute(insert(submission), chunk)


def _fill_orders(engine: Engine, count: int, changed: int) -> None:
    sample_orders.metadata.create_all(engine)
    plain: dict[str, Any] = {**order(), "status": "pending", "amount_minor": AMOUNT, "provider_status": "PROCESSING"}
    rows = (
        {
            **plain,
            "order_id": order_id(number),
            "hold_reference": f"mitbatch:{number:036}",
            "amount_minor": AMOUNT - 1 if changed and number % changed == 2 else AMOUNT,
        }
        for number in range(count)
    )
    with engine.connect() as connection, connection.begin():
        while chunk := list(islice(rows, AT_A_TIME)):
            connection.execute(insert(sample_orders), chunk)
