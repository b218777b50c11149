"""What was switched off by hand stays here from the next step on, judged by what left and by when somebody turned it (I25)."""

from collections.abc import Iterator

from tests.world.oracle_evidence import Evidence
from tests.world.oracle_payloads import payload_of
from tests.world.turning import Turned
from tests.world.witness import Send

_ITS_OWN_STEP = {"rename": "SFTP rename", "call": "HTTP "}


def i25_by_hand(seen: Evidence) -> Iterator[str]:
    """Once a switch was turned off, no order of it leaves but in the step that was in hand, until it is on again."""
    if seen.restored:
        return  # an older ledger knows nothing of it; its runs are refused
    off: dict[str, Turned] = {}
    pending = list(seen.turned)
    for number, send in enumerate(seen.sends):
        while pending and pending[0].sends <= number:
            turned = pending.pop(0)
            if turned.on:
                off.pop(turned.name, None)
            else:
                off[turned.name] = turned
        for name in sorted(off):
            for order_id in _orders_of(seen, send, name):
                if not _was_in_hand(seen, send, off[name]):
                    yield f"I25: {order_id} leaves in a {send.kind} of {send.name} although {name} was switched off by hand"


def _orders_of(seen: Evidence, send: Send, name: str) -> list[str]:
    """The orders that leave by this send and that the switch is about. Of copies only a pause and their site are."""
    if send.kind == "call":
        ids = [send.name]
    elif send.kind in ("write", "rename"):
        ids = [str(record.get("orderId")) for record in payload_of(send.content)]
    else:
        return []
    is_copy = any(row["file_name"] == send.name and row["kind"] == "transmit" for row in seen.batches)
    kind = {"mit": "recurring", "cit_website": "website", "cit_call_center": "call_center"}.get(name)
    rows = ((order_id, seen.given.get(order_id, {})) for order_id in ids)
    return [
        order_id
        for order_id, row in rows
        if name == "sending" or name == f"site:{row.get('site')}" or (kind == row.get("origin") and not is_copy)
    ]


def _was_in_hand(seen: Evidence, send: Send, turned: Turned) -> bool:
    """Whether this send's own step had begun when the switch was turned: right before it everybody looks once more."""
    between = seen.labels[turned.point : send.point]
    if send.kind == "write":
        return bool(turned.label) and "after commit ledger" not in between
    own = _ITS_OWN_STEP[send.kind]
    return own in turned.label and all(own in label for label in between)
