"""Print how fast commands start, and how fast a run hears Ctrl-C: `python -m tests.cost.start_times [ORDERS]`.

By default on a ledger of 1,000,000 orders. INTERFACE rule 23: `--help` and `--version` at most 0.4 s, `status` at most 0.8 s;
rule 22: the first Ctrl-C is answered within 0.1 s. It is a measurement, not a test: what a busy
machine lets a process wait for its turn is not the program's.
"""

import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from tests.commands.merchant_folder import MerchantFolder, merchant_folder
from tests.commands.walking import environment
from tests.cost import stop_times

COLUMNS_OF_ITS_OWN = {
    "order_id": "'bulk-' || n",
    "idempotency_key": "'00000000-0000-0000-0000-' || printf('%012d', n)",
    "hold_reference": "'mitbatch:bulk-' || n",
    "provider_order_id": "'bulk-key-' || n",
    "sequence_number": "n + 100000",
    "state": "CASE WHEN n % 20 = 0 THEN 'pending' WHEN n % 3 = 0 THEN 'completed' ELSE 'declined' END",
}


COMMANDS = (["--help"], ["--version"], ["help", "exit-codes"], ["status"], ["holds", "check", "000471"], ["explain", "000471"])


def grow(merchant: MerchantFolder, orders: int) -> None:
    """Add so many orders to the ledger, each like one that the night sent."""
    with closing(sqlite3.connect(merchant.ledger)) as connection, connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(submission)")]
        chosen = ", ".join(COLUMNS_OF_ITS_OWN.get(name, f"submission.{name}") for name in columns)
        connection.execute(
            f"WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < {orders})"
            f" INSERT INTO submission ({', '.join(columns)}) SELECT {chosen} FROM up, submission"
            " WHERE submission.order_id = (SELECT min(order_id) FROM submission WHERE state = 'pending')"
        )


def seconds_of(merchant: MerchantFolder, words: list[str]) -> tuple[float, float]:
    """The best of five: seconds by the wall's clock, and seconds of the processor."""
    found = []
    for _ in range(5):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        line = [sys.executable, "-m", "jobs", "--config", str(merchant.config), *words]
        subprocess.run(line, capture_output=True, check=False, env=environment(), cwd=merchant.folder)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append((time.monotonic() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    return min(found)


def main(orders: int) -> None:
    """A merchant after a night whose ledger is grown, then each command, then a nightly that is stopped in each stage."""
    with tempfile.TemporaryDirectory() as folder, merchant_folder(Path(folder) / "merchant") as merchant:
        merchant.run("nightly")
        grow(merchant, orders)
        for words in COMMANDS:
            wall, processor = seconds_of(merchant, words)
            sys.stdout.write(f"{' '.join(words):<24}{wall:6.2f} s   {processor:6.2f} s of the processor\n")
            sys.stdout.flush()
        for line in stop_times.lines(merchant):
            sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)
