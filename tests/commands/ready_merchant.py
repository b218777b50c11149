"""A merchant who has something to do for every command that is asked for by hand, and the words that do it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from tests.commands.merchant_folder import MerchantFolder, merchant_folder
from tests.commands.walking import examples
from tests.settings.settings_folder import key_pair

STOPPED, AT_WORK, ITEM = "sub-81-2026-11", "sub-82-2026-11", "3f2a91c0d4e5"
"""Orders that can be cancelled, and captured; and the item of an example."""


@contextmanager
def ready_merchant(place: Path) -> Iterator[MerchantFolder]:
    """A merchant after a first night, with an order to cancel, one to capture, one to give back, a card, and a new host key."""
    with merchant_folder(place) as folder:
        assert folder.run("--quiet nightly") == 10
        with closing(sqlite3.connect(folder.ledger)) as ledger, ledger:
            for state, order_id in (("capture_required", AT_WORK), ("completed", given(folder)), ("withdrawn", "000471")):
                assert ledger.execute("UPDATE submission SET state = ? WHERE order_id = ?", (state, order_id)).rowcount == 1
        folder.sandbox.advance(timedelta(hours=3))
        folder.sql("UPDATE orders SET status = 'declined', hold_reference = NULL, payment_token = NULL WHERE order_id = '000471'")
        hosts = (folder.folder / "provider" / "known_hosts").read_text().split()[0]
        (folder.folder / "other_hosts").write_text(f"{hosts} {key_pair()[1]}\n")
        (folder.folder / "page.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        yield folder


def given(merchant: MerchantFolder) -> str:
    """An order that the provider completes, of more than an example gives back."""
    wanted = "SELECT min(order_id) FROM orders WHERE status = 'pending' AND payment_token LIKE '%a001' AND amount_minor > 4000"
    return str(merchant.sql(f"{wanted} AND order_id LIKE 'sub-%' AND order_id NOT IN ('{STOPPED}', '{AT_WORK}')")[0][0])


def able(path: str, merchant: MerchantFolder) -> tuple[list[str], dict[str, str]]:
    """The words of a command's example without its word or its dry run, and settings, so that there is something to do."""
    with closing(sqlite3.connect(merchant.ledger)) as ledger:
        ((item,),) = ledger.execute("SELECT max(item_id) FROM item WHERE kind = 'pan_found'")
    orders = {"cancel": STOPPED, "capture": AT_WORK, "refund": given(merchant)}
    instead = {ITEM: item, **({"000471": orders[path]} if path in orders else {})}
    words = [instead.get(word, word) for word in examples()[path] if word not in {"--dry-run", "--yes"}]
    return words, {"MITBATCH_SFTP__KNOWN_HOSTS": "other_hosts"} if path == "lock update" else {}
