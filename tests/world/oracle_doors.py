"""What goes in and out of the doors: no secret out, no other environment, no unasked word, no path that leads elsewhere."""

import base64
import re
import urllib.parse
from collections.abc import Iterable, Iterator
from functools import cache

from tests.world.oracle_decisions import BY_HAND
from tests.world.oracle_evidence import Evidence
from tests.world.oracle_hearing import may_end
from tests.world.oracle_webhooks import RENAMED

SOURCES = ("acknowledgement", "cancel", "capture", "evaluate", "file", "outcome", "poll", "refund", "transmit", "webhook")
"""Where evidence may come from."""
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z")
_OURS = re.compile(
    r"audit/\d{4}-\d\d-\d\d/(\.[A-Za-z]+(\.\d{4})?\.(csv|txt|json)\.[0-9a-f]{12}\.new|README\.txt|manifest\.json|(declines|submissions|outcomes|holds|transmissions|refunds|review|reconciliation|summary)(\.\d{4})?\.csv)"
    r"|export/\d{4}-\d\d-\d\d/(evaluate|transmit)_[0-9a-f]{12}\.csv|sent/(evaluate|transmit)_[0-9a-f]{12}|sent/calls_[0-9a-f]{12}_[0-9]{1,9}_[0-9a-f]{64}|log/[0-9a-zA-Z._-]+"
    r"|metrics/mitbatch\.prom(\.[0-9a-f-]{12}\.new)?|written/\.?\d{4}-\d\d-\d\d(\.new)?"
)


@cache
def disguises(secret: str) -> tuple[bytes, ...]:
    """Eight ways in which a secret could stand somewhere: plain, hex, percent signs, UTF-16, and base64 at each offset."""
    raw = secret.encode()
    forms = [raw, raw.hex().encode(), raw.hex().upper().encode(), secret.encode("utf-16-le")]
    forms.append("".join(f"%{byte:02X}" for byte in raw).encode())
    forms += [base64.b64encode(b" " * offset + raw)[(0, 2, 3)[offset] : -4] for offset in range(3)]
    forms += [urllib.parse.quote(secret, safe="").encode()] if urllib.parse.quote(secret, safe="") != secret else []
    return tuple(form for form in forms if len(form) >= 8)


def i18_no_leak(seen: Evidence) -> Iterator[str]:
    """No secret in any file ever written, any row or event of the ledger, any word of a run, in any of eight disguises."""
    places: dict[str, bytes] = {str(path): content for path, content in seen.files.items()}
    gone = seen.once_written - {*places.values()}
    places |= {f"a file that is gone {number}": content for number, content in enumerate(sorted(gone))}
    places |= {"the ledger": seen.ledger_bytes}
    places |= {place: words.encode() for place, words in seen.texts.items()}
    for place, form in _found(places, seen.secrets):
        yield f"I18: a secret stands in {place}, as {form[:6]!r}..."


def _found(places: dict[str, bytes], secrets: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    whole = b"\n\n".join(places.values()).translate(None, b"\0")  # so UTF-16 reads as plain, and no empty page is searched
    for form in (form for secret in secrets for form in disguises(secret)):
        if form.replace(b"\0", b"") in whole:  # where, is asked only if it matters
            yield from ((place, form) for place, content in places.items() if form in content)


def i18_nothing_personal(seen: Evidence) -> Iterator[str]:
    """Nothing of a customer in finance's files, in items, or in what a run says."""
    places = {str(path): content for path, content in seen.files.items() if "audit" in path.parts}
    places |= {place: words.encode() for place, words in seen.texts.items()}
    places |= {f"the item {item['item_id']}": item["explanation"].encode() for item in seen.items}
    for words in seen.personal:
        yield from (f"I18: {words!r} stands in {place}" for place, _ in _found(places, [words]))


def i21_environment(seen: Evidence) -> Iterator[str]:
    """The ledger belongs to one environment, address and account, and no byte or login goes to a server with another key."""
    kept = [(row["environment"], row["api_url"], row["mid"]) for row in seen.identities]
    is_refused = bool(seen.runs) and seen.runs[-1][1].code == 30  # settings that changed after the lock, and were noticed
    if kept and kept != [seen.identity] and not is_refused:
        yield f"I21: the ledger belongs to {kept}, the settings to {seen.identity}"
    yield from (words for words in seen.breaches if words.startswith("I21"))


def i21_other_accounts(seen: Evidence) -> Iterator[str]:
    """A file that is addressed to another merchant account moves nothing."""
    ours = seen.identity[2].lower().encode()
    strange = {
        row["evidence_id"]
        for row in seen.pieces
        if row["source"] in ("acknowledgement", "file")
        and (found := re.search(rb'"mid": ?"([^"]*)"', row["content"]))
        and found[1].lower() != ours
    }
    for row in seen.events:
        if row["evidence_id"] in strange and row["kind"] in ("transition", "step"):
            yield f"I21: {row['subject']} became {row['to_state']} by a file for another merchant account"


def i23_no_unasked_word(seen: Evidence) -> Iterator[str]:
    """Evidence comes from the doors that exist, and ends nothing where the provider was not asked about that order."""
    for row in seen.pieces:
        if row["source"] not in SOURCES:
            yield f"I23: evidence {row['evidence_id']} came from {row['source']}"
    doors = may_end(seen)
    by_id = {row["evidence_id"]: row["source"] for row in seen.pieces}
    for row in seen.events:
        is_end = row["kind"] == "transition" and row["to_state"] in ("completed", "declined", "expired", "cancelled")
        source = by_id.get(row["evidence_id"], "nobody") if row["source"] == BY_HAND else row["source"]
        if is_end and source not in doors and (row["from_state"], row["to_state"]) != RENAMED:
            yield f"I23: {row['subject']} became {row['to_state']} by {row['source']}, without a read"


def i24_confinement(seen: Evidence) -> Iterator[str]:
    """Files lie where they belong; at the provider only plain names are touched, and only our own are written or removed."""
    for file in seen.files:
        inside = file.is_relative_to(seen.root) and ".." not in file.parts
        if not inside or not (_OURS.fullmatch(str(file.relative_to(seen.root))) or file.suffix == ".tmp"):
            yield f"I24: {file} does not belong there"
    names = {row["file_name"] for row in seen.batches}
    for what, asked in seen.touched:
        for path in asked.split(" ") if what == "rename" else [asked]:
            folder, _, name = path.rpartition("/")
            if not _PLAIN.match(name) or folder.strip("/") not in ("inbound", "outbound"):
                yield f"I24: a {what} at the provider under {path!r}"
            elif what != "read" and (folder.strip("/") != "inbound" or name.removesuffix(".part") not in names):
                yield f"I24: a {what} at the provider of {path!r}, which is not ours"
    yield from (words for words in seen.breaches if words.startswith("I24"))
