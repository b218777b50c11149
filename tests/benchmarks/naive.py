"""What users would write instead: pandas for the file, one `put` after the other, one call and one poll for each order.

It keeps no ledger, holds nothing, and counts an upload as done when `put` returns: it is here for its speed alone. The
API is one that takes 50 ms a call, the line to the server one of 40 ms a round trip; neither loses anything.
"""

import io
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import httpx
import pandas as pd

from tests.benchmarks.declines import fill
from tests.benchmarks.delays import SFTP_ROUND_TRIP, delayed
from tests.benchmarks.figures import Cost
from tests.benchmarks.measuring import here
from tests.benchmarks.upload import opened
from tests.call_speed.__main__ import server as slow_api
from tests.openssh.server import OpenSshServer, openssh_server

SIZE = 2000
PER_FILE = 100
"""So many orders are in one file of such a script: it writes one for each chunk that pandas gives it."""


def naive(count: int) -> Cost:
    """Hand over so many orders, one after the other, at 50 ms a call and 40 ms a round trip."""
    with tempfile.TemporaryDirectory(prefix="mitbatch-bench-") as place:
        folder = Path(place)
        fill(folder / "orders.db", count)
        with openssh_server(folder / "server") as server, delayed(server.port, SFTP_ROUND_TRIP) as port, slow_api() as url:
            return here(lambda: _hand_over(folder, server, port, url))


def _hand_over(folder: Path, server: OpenSshServer, port: int, url: str) -> None:
    with closing(sqlite3.connect(folder / "orders.db")) as connection:
        found = pd.read_sql("SELECT * FROM orders WHERE status = 'declined'", connection)
    with opened(server, port) as sftp, httpx.Client(base_url=url) as client:
        for start in range(0, len(found), PER_FILE):
            chunk = found.iloc[start : start + PER_FILE]
            sftp.putfo(io.BytesIO(chunk.to_csv(index=False).encode()), f"inbound/orders-{start}.csv")
        for row in found.itertuples():
            client.post("evaluate", json={"orderId": row.order_id, "amount": row.amount_minor})
            client.get(f"orders/{row.order_id}")
