"""The items `production.*` of the checklist: what production's settings say beside the sandbox's, judged. Pure."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from jobs.certify.attestation import Attestation
from jobs.doctor.finding import Finding, Group, Mark
from jobs.golive.differences import flat, place_of
from jobs.golive.sides import Side
from schemas.certification import Shown, Verdict
from schemas.settings_sections import LOOPBACK_HOSTS

WEBHOOK = "production.webhook"
_SANDBOX = "sandbox"
_LOCAL = (".local", ".internal", ".localhost", ".test", ".invalid", ".example")


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is not as it must be, and what to change."""

    what: str
    change: str


Seen = Sequence[tuple[Group, Finding]]
"""What the doctor saw of production from this machine."""


def production_items(sandbox: Side, production: Side, seen: Seen) -> list[Shown]:
    """Every item of the group, in the checklist's order."""
    checks: dict[str, tuple[Callable[[], Iterator[Wrong]], str]] = {
        "keys": (lambda: _keys(sandbox, production), "Every key is there, and none is the sandbox's."),
        "urls": (lambda: _urls(sandbox, production), f"The API is {production.api_url}, the server {_server(production)}."),
        "host_key": (
            lambda: _host_key(sandbox, production, seen),
            "The server shows the key on file, which is not the sandbox's.",
        ),
        "allow_list": (
            lambda: _allow_list(production, seen),
            "From this machine, server and API let us in with production's keys.",
        ),
        "webhook": (
            lambda: _webhook(sandbox, production, seen),
            "Unsigned calls to the address are turned away; key and host are production's own.",
        ),
        "nothing_of_sandbox": (lambda: _nothing_left(sandbox, production), "Nothing of the sandbox was found."),
    }
    return [
        _shown(f"production.{name}", list(check()), good, _not_used(name, sandbox, production))
        for name, (check, good) in checks.items()
    ]


def with_word(items: Sequence[Shown], attested: Attestation | None, address: str) -> list[Shown]:
    """The items with a person's word for the webhook: whether the provider has this address registered, no call can tell.

    So the item is never passed. The word is for one host: it counts where it names the host of `address`, and no other.
    """
    return [_registered(each, attested, address) if each.item == WEBHOOK else each for each in items]


def _registered(shown: Shown, attested: Attestation | None, address: str) -> Shown:
    if shown.verdict is not Verdict.PASSED:
        return shown
    host = urlsplit(address).netloc
    if attested is not None and host.lower() in re.split(r"[\s/,;]+", attested.reason.lower()):
        words = f"{attested.by} attested on {attested.at[:10]} with {attested.name} that it is registered."
        return replace(shown, verdict=Verdict.ATTESTED, seen=f"{shown.seen} {words}")
    said = f"; {attested.by}'s word is for another address ({attested.reason})" if attested is not None else ""
    line = f"mitbatch certify attest {WEBHOOK} --evidence FILE --by NAME --reason {address}"
    sentence = f"{shown.seen} Whether the provider has {address} registered only its portal shows{said}."
    return replace(shown, verdict=Verdict.OPEN, seen=sentence, change=f"Look there, keep a picture, and run: {line}")


def _shown(item: str, wrong: Sequence[Wrong], good: str, not_used: str) -> Shown:
    if wrong:
        changes = dict.fromkeys(each.change for each in wrong)
        return Shown(item, Verdict.FAILED, " ".join(each.what for each in wrong), " ".join(changes))
    return Shown(item, Verdict.NOT_APPLICABLE, not_used) if not_used else Shown(item, Verdict.PASSED, good)


def _not_used(name: str, sandbox: Side, production: Side) -> str:
    """Why an item is about nothing: neither environment has that part at all."""
    if name == "host_key" and sandbox.settings.sftp is None and production.settings.sftp is None:
        return "Neither environment has a section [sftp]: nothing goes by files."
    if name == "webhook" and not sandbox.settings.webhook.public_host and not production.settings.webhook.public_host:
        return "Neither environment sets webhook.public_host: polls bring every outcome."
    return ""


def _keys(sandbox: Side, production: Side) -> Iterator[Wrong]:
    needed = ["provider.app_key", "provider.app_secret"]
    needed += ["sftp.private_key"] if production.settings.sftp is not None else []
    needed += ["webhook.subscriber_key"] if production.settings.webhook.public_host else []
    needed += [key for key in ("provider.tokenization_key",) if key in sandbox.marks]
    for key in dict.fromkeys([*needed, *production.marks]):
        if key in production.problems:
            yield Wrong(production.problems[key], f"Correct {key} in production's settings.")
        elif key not in production.marks:
            yield Wrong(f"{key} is not set for production.", f"Put production's own {key} where its settings name it.")
        elif same := next((name for name, mark in sandbox.marks.items() if mark == production.marks[key]), ""):
            change = "Put production's own there (a variable MITBATCH_... in the environment would overrule both files)."
            yield Wrong(f"{key} is the same as the sandbox's {same}, byte for byte.", change)


def _urls(sandbox: Side, production: Side) -> Iterator[Wrong]:
    parts = urlsplit(production.api_url)
    host = parts.hostname or ""
    if parts.scheme != "https":
        yield Wrong(f"The API {production.api_url} is not https.", "Set provider.api_url to production's address.")
    hosts = [("provider.api_url", host, urlsplit(sandbox.api_url).hostname or "")]
    if production.settings.sftp is not None:
        hosts.append(("sftp.host", production.settings.sftp.host, getattr(sandbox.settings.sftp, "host", "")))
    for key, name, other in hosts:
        if name.lower() == other.lower():
            yield Wrong(f"{key} leads to the sandbox's {name}.", f"Set {key} to what the provider gave you for production.")
        elif _SANDBOX in name.lower() or is_private(name):
            yield Wrong(f"{key} leads to {name}, which is no host of production.", f"Set {key} to production's host.")


def _host_key(sandbox: Side, production: Side, seen: Seen) -> Iterator[Wrong]:
    if production.settings.sftp is None:
        if sandbox.settings.sftp is not None:
            yield Wrong("The sandbox has a section [sftp], production has none.", "Add [sftp] to production's settings.")
        return
    ask = "Ask the provider for production's host key, and put that line into sftp.known_hosts."
    if problem := production.problems.get("sftp.known_hosts"):
        yield Wrong(problem, ask)
    elif set(production.host_keys) & set(sandbox.host_keys):
        yield Wrong("The host key that is believed is the sandbox server's.", ask)
    else:
        yield from _must_be_ok(seen, Group.SFTP, "host key", ask)


def _allow_list(production: Side, seen: Seen) -> Iterator[Wrong]:
    ask = "Have the provider let this machine's address in, then run go-live on that machine."
    if production.settings.sftp is not None:
        yield from _must_be_ok(seen, Group.SFTP, "login", ask)
        yield from _must_be_ok(seen, Group.SFTP, "inbound", ask)
    yield from _must_be_ok(seen, Group.API, "token", ask)


def _webhook(sandbox: Side, production: Side, seen: Seen) -> Iterator[Wrong]:
    host = production.settings.webhook.public_host
    if not host:
        if sandbox.settings.webhook.public_host:
            yield Wrong(
                "The sandbox takes webhooks, production does not.", "Set webhook.public_host for production, and register it."
            )
        return
    name = urlsplit(f"//{host}").hostname or host
    if is_private(name) or _SANDBOX in name.lower():
        yield Wrong(
            f"webhook.public_host is {host}, which the provider cannot reach or is not production's.", "Set a public host."
        )
    elif host.lower() == sandbox.settings.webhook.public_host.lower():
        yield Wrong(f"webhook.public_host {host} is the sandbox's too.", "Give production a host of its own, and register it.")
    yield from _must_be_ok(
        seen, Group.WEBHOOK, "key", "Register the address that mitbatch webhook url prints; its key comes with that."
    )
    yield from _must_be_ok(seen, Group.WEBHOOK, "answer", "Start mitbatch serve with production's settings behind that host.")


def _must_be_ok(seen: Seen, group: Group, look: str, change: str) -> Iterator[Wrong]:
    """One thing that the doctor must have seen with its own eyes: what was skipped or not looked at is not shown."""
    found = next((finding for of, finding in seen if of is group and finding.look == look), None)
    if found is None:
        first = next((each for of, each in seen if of is group and each.mark is Mark.FAIL and each.problem is not None), None)
        why = f": {first.problem.what}" if first is not None and first.problem is not None else "."
        yield Wrong(f"{group.value}: {look} could not be looked at{why}", change)
    elif found.mark in {Mark.FAIL, Mark.SKIP} or (found.mark is Mark.WARN and look == "answer"):
        yield Wrong(f"{group.value}: {found.problem.what if found.problem is not None else found.measured}", change)


def _nothing_left(sandbox: Side, production: Side) -> Iterator[Wrong]:
    before, after = sandbox.settings, production.settings
    accounts = [each for each in (before.certify.managed, before.certify.sync) if each is not None]
    if after.provider.mid in {before.provider.mid, *(each.mid for each in accounts)}:
        yield Wrong("provider.mid is the sandbox's.", "Set the mid that the provider gave you for production.")
    known = {site.site_id for site in before.sites} | {site for each in accounts for site in each.sites.values()}
    if shared := sorted(known & {site.site_id for site in after.sites}):
        yield Wrong(f"The site id {shared[0]} is one of the sandbox's.", "Set production's site ids.")
    yield from _shared_places(sandbox, production)
    for key, value in flat(after):
        if key != "environment" and not isinstance(value, bool) and _SANDBOX in str(value).lower():
            yield Wrong(f"{key} has the word sandbox in it.", f"Correct {key} in production's settings.")
    if after.certify.managed is not None or after.certify.sync is not None:
        yield Wrong("Production's settings have accounts under [certify].", "Take [certify] out of them: it is the sandbox's.")
    yield from _locks(sandbox, production)


def _shared_places(sandbox: Side, production: Side) -> Iterator[Wrong]:
    """Folders, files, databases and alarms that both environments name: one would write over the other, or speak for it."""
    before, after = dict(flat(sandbox.settings)), dict(flat(production.settings))
    inside = Path(str(before["data_dir"]))
    for key, value in after.items():
        if isinstance(value, Path) and (value == before.get(key) or value == inside or inside in value.parents):
            yield Wrong(f"{key} is the sandbox's, or lies in its data_dir ({value}).", f"Give production a {key} of its own.")
    outer = Path(str(after["data_dir"]))
    if outer in inside.parents:
        yield Wrong(f"The sandbox's data_dir lies in production's ({outer}).", "Give each environment a data_dir of its own.")
    if after["ledger.url"] == before["ledger.url"]:
        yield Wrong("ledger.url is the sandbox's.", "Give production a ledger of its own.")
    same_table = after["orders.url"] == before["orders.url"] and after["orders.table"] == before["orders.table"]
    if same_table:
        what = f"orders.url and orders.table are the sandbox's ({place_of(str(after['orders.url']))})."
        yield Wrong(what, "Let the sandbox's settings name a table with test orders alone.")
    for key in ("alerts.ping_url", "alerts.attention_url"):
        if after[key] and after[key] == before[key]:
            yield Wrong(
                f"{key} is the sandbox's: its nights would count as production's.", f"Give production a {key} of its own."
            )


def _locks(sandbox: Side, production: Side) -> Iterator[Wrong]:
    change = "Use the ledger that belongs to these settings: mitbatch lock show says what it is locked to."
    for side in (sandbox, production):
        locked, wanted = side.locked, side.wanted
        if locked is None or wanted is None:
            continue
        names = [name for name in ("environment", "mid", "api_url") if getattr(locked, name) != getattr(wanted, name)]
        names += ["host_key"] if locked.host_key and wanted.host_key and locked.host_key != wanted.host_key else []
        if names:
            what = f"The ledger of the {side.settings.environment} settings is locked to another {names[0]}"
            yield Wrong(f"{what}: {getattr(locked, names[0])}.", change)


def is_private(host: str) -> bool:
    """Whether a host is this machine or in a network that nobody outside reaches."""
    name = host.lower().strip("[]")
    if name in LOOPBACK_HOSTS or ("." not in name and ":" not in name) or name.endswith(_LOCAL):
        return True
    try:
        return not ip_address(name).is_global
    except ValueError:
        return False


def _server(production: Side) -> str:
    sftp = production.settings.sftp
    return f"{sftp.host}:{sftp.port}" if sftp is not None else "none"
