"""Deeds that are aimed at one id of the catalogue each, at a place where it mostly strikes, so that none stays rare."""

import random
from collections.abc import Sequence

from tests.world import chances
from tests.world.chances import Draw, Drawn
from tests.world.counted import MERCHANT_IDS, SANDBOX_IDS
from tests.world.traits import TRAITS

_AT: dict[str, tuple[tuple[int, str], ...]] = {
    "P-01": ((0, "before commit ledger"), (0, "after commit ledger")),
    "P-02": ((2, "before commit ledger"), (2, "after commit ledger"), (0, "before commit orders"), (0, "after commit orders")),
    "P-03": ((0, "before create evaluate"), (0, "after replace evaluate"), (0, "before HTTP token"), (0, "after HTTP token")),
    "P-04": ((5, "before commit ledger"), (5, "after commit ledger"), (6, "before commit ledger")),
    "P-05": ((0, "before SFTP write"), (0, "asked SFTP write"), (0, "asked SFTP close"), (0, "before SFTP open")),
    "P-06": ((0, "before SFTP rename"), (0, "asked SFTP rename")),
    "P-07": ((9, "before commit ledger"), (9, "after commit ledger")),
    "P-08": ((0, "before SFTP opendir"), (0, "before SFTP readdir"), (0, "before SFTP read")),
    "P-09": ((0, "before replace summary"), (0, "before sync .summary"), (0, "before create .holds")),
}
"""By stage: points at which a run that meets nothing else is in it."""

_SETTINGS = {
    "D-11": ("channels.max_rows_per_file=1", "channels.max_rows_per_file=2"),
    "O-04": ('channels.evaluate_format="csv"',),
    "O-05": ('provider.mid="11111111-2222-4333-8444-555555555555"', 'provider.api_url="http://127.0.0.1:10/v1/"'),
    "O-08": ('schedule.timezone="Asia/Tokyo"', 'schedule.timezone="Pacific/Kiritimati"', 'schedule.timezone="Europe/London"'),
}
_OUTCOMES = {"F-10", "F-11", "F-12"}
_LOGINS = {"H-02", "H-19"}
_UPLOADS = {"N-02", "N-03", "N-04", "N-05", "N-06", "N-12", "N-13", "N-14", "N-15"}
_PLACED = (*chances.SFTP_FAULTS, *chances.HTTP_FAULTS, *chances.FILE_FAULTS, *chances.PAGE_FAULTS, *chances.OUTCOME_FAULTS)


def _plain(name: str) -> str:
    return name.partition("@")[0]


def _names_of(fault_id: str) -> list[str]:
    return sorted({name for name in _PLACED if fault_id in SANDBOX_IDS[_plain(name)]})


def _fault(fault_id: str) -> Draw:
    names = _names_of(fault_id)

    def draw(chance: random.Random) -> list[Drawn]:
        name = chance.choice(names)
        if fault_id in _OUTCOMES:
            return _outcomes(name, chance)
        if name in chances.PAGE_FAULTS:
            return [("fault", 0, 0, "no_acknowledgement", ""), ("fault", 1, 0, f"{name}*3", "")]
        if name == "not_found_yet":
            return [("job", 1, 0, "poll all", ""), ("fault", 1, 0, f"{name}@999999*3", "")]
        return [("fault", _run_of(fault_id, name, chance), 0, name + chance.choice(("", "", "*2", "*4")), "")]

    return draw


def _run_of(fault_id: str, name: str, chance: random.Random) -> int:
    """The night logs in and uploads, the poll after it reads orders; both look into the outbound folder."""
    if fault_id.startswith("H-"):
        return 0 if fault_id in _LOGINS else 1
    if name in chances.FILE_FAULTS or name == "refuse_remove" or fault_id in _UPLOADS:
        return 0
    return chance.choice((0, 0, 1))


def _outcomes(name: str, chance: random.Random) -> list[Drawn]:
    """The provider's own news: a completion comes an hour after the first night, an expiry two days after it."""
    files: Drawn = ("provider", 0, 0, "outcome_files=true", "")
    if name != "approved_after_expired":
        return [files, ("row", 0, 0, "completes", ""), ("fault", 0, 0, f"{name}*2", "")]
    if chance.randrange(3) == 0:  # news that the reads confirm
        return [files, ("row", 0, 0, "completes late", ""), ("order", 2, 0, "", "")]
    short: list[Drawn] = [
        ("settings", 0, 0, "provider.insist_on_short_expiry=true", ""),
        ("settings", 0, 1, "provider.expiry_days=2", ""),
    ]
    return [files, *short, ("row", 0, 0, "expires", ""), ("fault", 3, 0, f"{name}*2", "")]


def _one(*drawn: Drawn) -> Draw:
    return lambda chance: [chance.choice(drawn)]


def _stage(fault_id: str) -> Draw:
    def draw(chance: random.Random) -> list[Drawn]:
        at, label = chance.choice(_AT[fault_id])
        return [(chance.choice(("crash", "crash", "power cut")), 0, at, "", label)]

    return draw


def _traits(fault_id: str) -> list[Drawn]:
    names = [name for name, trait in TRAITS.items() if fault_id in trait.ids]
    return [("row", 0, at, name, "") for name in names for at in (0, 1)]


def _merchant(fault_id: str) -> list[Drawn]:
    names = [name for name, ids in MERCHANT_IDS.items() if fault_id in ids and name != "set back"]
    return [("merchant", run, at, name, "before commit ledger") for name in names for run in (0, 1) for at in (1, 4, 9)]


def _changed_meanwhile(fault_id: str) -> Draw:
    """The merchant changes a row at some commit, or between a night that died before it sent anything and the next."""
    changes = _merchant(fault_id)

    def draw(chance: random.Random) -> list[Drawn]:
        kind, run, at, name, label = chance.choice(changes)
        if chance.randrange(3):
            return [(kind, run, at, name, label)]
        death: Drawn = ("crash", 0, 0, "", chance.choice(("before SFTP open", "before SFTP write", "asked SFTP write")))
        return [death, (kind, 1, 0, name, label)]

    return draw


def _race(chance: random.Random) -> list[Drawn]:
    """The merchant's row, or an operator, asks to stop an order that has completed an hour before."""
    completes: list[Drawn] = [("row", 0, n, "completes", "") for n in range(4)]
    if chance.randrange(2):
        return [*completes, ("job", 1, 0, "cancel", "")]
    return [*completes, ("merchant", 1, chance.choice((0, 1)), chance.choice(("paid", "cancelled")), "before commit ledger")]


def _trouble_with_orders(chance: random.Random) -> list[Drawn]:
    """The order system is away, or refuses one row, or every row of the first night."""
    run = chance.choice((0, 1))
    drawn: list[list[Drawn]] = [
        [("orders", run, 0, "away", "")],
        [("orders", run, 0, "refuse row", "")],
        [("orders", 0, 0, "refuse all", "")],
    ]
    return chance.choice(drawn)


def _set_back(chance: random.Random) -> list[Drawn]:
    rows: list[Drawn] = [("row", 0, n, "token refused", "") for n in range(3)]
    return [*rows, ("merchant", chance.choice((1, 2)), chance.choice((0, 1, 2)), "set back", "before commit ledger")]


def _second_death(chance: random.Random) -> list[Drawn]:
    return [*_stage(f"P-0{chance.randrange(1, 9)}")(chance), ("crash", 1, chance.choice((0, 1, 2)), "", "before commit ledger")]


def _with_backup(*names: str) -> Draw:
    def draw(chance: random.Random) -> list[Drawn]:
        name, at = chance.choice(names), chance.choice((2, 3, 4, 5, 6))
        backup: list[Drawn] = [] if name == "empty" else [("backup", 0, at, "", "after commit ledger")]
        return [*backup, ("restore", chance.choice((1, 2)), 0, name, "")]

    return draw


def _settings(fault_id: str) -> Draw:
    return _one(*(("settings", run, 0, text, "") for text in _SETTINGS[fault_id] for run in (1, 2)))


def _webhooks(fault_id: str) -> Draw:
    """The provider tells of an order that completes an hour after the night, or is charged back later."""
    names = [name for name in chances.WEBHOOK_FAULTS if fault_id in SANDBOX_IDS[name]]

    def draw(chance: random.Random) -> list[Drawn]:
        row: Drawn = ("row", 0, 0, chance.choice(("completes", "completes", "charged back")), "")
        return [row, ("webhooks", 0, 0, chance.choice(names) + chance.choice(("", "*2")), "")]

    return draw


def _all(kind: str, names: Sequence[str], runs: Sequence[int] = (0, 1)) -> Draw:
    return _one(*((kind, run, 0, name, "") for name in names for run in runs))


def _forced(chance: random.Random) -> list[Drawn]:
    """A part that is never renamed is deleted by somebody, so that its file counts as delivered; a day later it is forced."""
    lost: list[Drawn] = [
        ("fault", 0, 0, "refuse_rename*9", ""),
        ("files", 2, 0, "inbound deleted", ""),
        ("job", 4, 0, "resolve support-confirmed-never-arrived", ""),
    ]
    if chance.randrange(3) == 0:
        return lost
    kind = chance.choice(("crash", "crash", "power cut"))
    label = chance.choice(("before commit ledger", "after commit ledger", "before HTTP orders", "before SFTP"))
    return [*lost, (kind, 4, chance.choice((0, 1, 1, 2)), "", label)]


AIMS: dict[str, Draw] = {fault_id: _fault(fault_id) for ids in SANDBOX_IDS.values() for fault_id in ids if _names_of(fault_id)}
AIMS |= {fault_id: _stage(fault_id) for fault_id in _AT}
AIMS |= {fault_id: _settings(fault_id) for fault_id in _SETTINGS}
AIMS |= {
    fault_id: _one(*found)
    for fault_id in (f"D-{number:02}" for number in range(3, 21))
    if fault_id not in AIMS and (found := [*_traits(fault_id), *_merchant(fault_id)])
}
AIMS |= {fault_id: _webhooks(fault_id) for fault_id in (f"W-{number:02}" for number in range(1, 9))}
AIMS |= {
    "D-01": _set_back,
    "D-02": _set_back,
    "D-03": _changed_meanwhile("D-03"),
    "D-04": _changed_meanwhile("D-04"),
    "D-05": _race,
    "D-14": chances.DRAWS["short expiry"],
    "P-10": _second_death,
    "P-11": lambda chance: [("power cut", chance.choice((0, 1)), chance.randrange(9), "", chance.choice(chances.LABELS))],
    "P-12": lambda chance: [("second run", 0, chance.randrange(4), "", chance.choice(chances.LABELS[:18]))],
    "P-13": lambda chance: [("paused", 0, chance.randrange(7), "", "after commit ledger")],
    "P-14": lambda chance: [("disk full", chance.choice((0, 1)), chance.randrange(8), "", "after commit ledger")],
    "P-15": lambda chance: [
        ("commit", 0, chance.randrange(10), "", chance.choice(("before commit ledger", "after commit ledger")))
    ],
    "P-16": chances.DRAWS["leap"],
    "P-17": lambda chance: [
        ("stop", 0, chance.randrange(8), chance.choice(("SIGTERM", "SIGTERM", "SIGINT", "twice")), "after commit ledger")
    ],
    "P-18": _with_backup("backup"),
    "P-19": _all("ledger", ("newer", "damaged")),
    "P-20": _trouble_with_orders,
    "O-01": _all("job", ("rerun",), (0, 1, 2)),
    "O-03": _forced,
    "O-02": _all("job", ("batch", "yesterday"), (1, 2)),
    "O-06": _one(("mode", 1, 0, "", ""), ("mode", 2, 0, "", "")),
    "O-07": _with_backup("empty", "copy"),
    "O-09": _all("files", ("audit edited",), (1, 2)),
    "O-10": _all("files", ("outbound deleted", "export deleted", "audit deleted"), (1, 2)),
    "O-11": _all("ledger", ("newer",)),
    "O-12": _all("secret", ("app_key", "app_secret")),
}
"""By id: how to let it strike. Every id of which the catalogue says that a world lets it strike is here."""
