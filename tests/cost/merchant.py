"""A merchant with many pending orders, all due, whose poll is the product's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy import insert

from batch.api import ApiAccess, ProviderApi
from batch.pace import utc_text
from batch.poll import poll
from schemas.ledger_tables import batch, submission
from tests.confluence.bench import DAY, START, Bench, profile
from tests.cost.provider import CountingProvider, Kept

AGE = timedelta(hours=12)
"""So long ago the orders were handed over; each was last asked for an hour and a half ago, and is due since a while."""


def order_id(number: int) -> str:
    """Our id of the n-th order."""
    return f"o-{number:07}"


def provider_of(count: int) -> CountingProvider:
    """A provider that works on so many orders."""
    return CountingProvider([Kept(f"{number:08x}-0000-4000-8000-000000000000", order_id(number)) for number in range(count)])


class Merchant:
    """One ledger in which all of the provider's orders are pending and due."""

    def __init__(self, bench: Bench, provider: CountingProvider, page_size: int, listing_from: int) -> None:
        self.bench, self.provider = bench, provider
        settings = bench.equipment.settings
        outcomes = settings.outcomes.model_copy(update={"listing_from": listing_from})
        mine = profile()
        mine = replace(mine, orders=replace(mine.orders, max_page_size=page_size))
        self.api = ProviderApi(
            ApiAccess("http://127.0.0.1/v1/", lambda: "key", lambda: "secret"), provider, profile=mine, clock=bench.clock
        )
        self.equipment = replace(
            bench.equipment, profile=mine, api=self.api, settings=settings.model_copy(update={"outcomes": outcomes})
        )

    def poll(self) -> int:
        """Ask for what is due; returns how many orders were read singly."""
        return poll(self.equipment, self.bench.run)

    def states(self) -> dict[str, str]:
        """The state of each order that is not pending any more."""
        return dict(self.bench.raw.execute("SELECT order_id, state FROM submission WHERE state <> 'pending'").fetchall())

    def due(self) -> list[str]:
        """Orders that are due now."""
        now = utc_text(self.bench.clock.now())
        rows = self.bench.raw.execute("SELECT order_id FROM submission WHERE next_read_at <= ? ORDER BY 1", [now])
        return [row[0] for row in rows]


@contextmanager
def merchant(folder: Path, provider: CountingProvider, *, page_size: int = 500, listing_from: int = 1) -> Iterator[Merchant]:
    """A merchant whose ledger holds every order of the provider as pending and due."""
    bench = Bench(folder / "ledger.db")
    made = Merchant(bench, provider, page_size, listing_from)
    try:
        _fill(bench, provider)
        yield made
    finally:
        made.api.close()
        bench.close()


def _fill(bench: Bench, provider: CountingProvider) -> None:
    mid, claimed = bench.equipment.ledger.mid, utc_text(START - AGE)
    events = {"event_seq": 0, "event_hash": "0" * 64, "event_date": ""}
    file: dict[str, object] = {
        "mid": mid,
        "batch_id": "0" * 12,
        "kind": "evaluate",
        "business_date": DAY,
        "file_name": "f.json",
        "format": "json",
    }
    file |= {"expires_at": utc_text(START + timedelta(days=20)), "row_count": 0, "step": "acknowledged", "run_id": "run-1"}
    same: dict[str, object] = {
        "mid": mid,
        "attempt": 1,
        "state": "pending",
        "batch_id": "0" * 12,
        "channel": "sftp",
        "site": "acme-us",
    }
    same |= {"origin": "recurring", "currency": "USD", "amount_minor": 1999, "business_date": DAY, "claimed_at": claimed}
    same |= {"expires_at": file["expires_at"], "handed_over_date": DAY, "provider_status": "PROCESSING", "record_json": "{}"}
    same |= {"next_read_at": utc_text(START - timedelta(minutes=5)), **events}
    rows = (
        {
            **same,
            "order_id": kept.order_id,
            "sequence_number": number,
            "idempotency_key": f"{number:036}",
            "hold_reference": f"mitbatch:{number}",
            "provider_order_id": kept.key,
        }
        for number, kept in enumerate(provider.orders, start=1)
    )
    with bench.engine.connect() as connection, connection.begin():
        connection.execute(insert(batch), [{**file, **events}])
        while chunk := list(islice(rows, 5000)):
            connection.execute(insert(submission), chunk)
