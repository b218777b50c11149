"""What the seed lets a merchant change: how it hears of outcomes, its channels and its mode between nights; and who decides.

Each has chance of its own, so that it shifts nothing else that a seed draws; a share of the seeds has any of it.
"""

import random
from typing import Literal

from tests.world.dice import dice

CHANGED = 8
"""One seed of so many has each of these."""

Drawn = tuple[
    Literal[
        "settings",
        "provider",
        "row",
        "order",
        "mode",
        "job",
        "crash",
        "fault",
        "paused",
        "second run",
        "files",
        "merchant",
        "switch",
    ],
    int,
    int,
    str,
    str,
]

FILES_ONLY = 'outcomes={"trust_files":true,"ask":"off"}'
FILES_TOO = "outcomes.trust_files=true"
OLDER_CALL = 'outcomes.ask="outcome"'
BOTH = 'outcomes={"trust_files":true,"ask":"outcome"}'
NEITHER = 'outcomes={"trust_files":false,"ask":"orders"}'
"""Ways of hearing of outcomes, as settings deeds."""

CHANNELS = ('channels.evaluate="api"', 'channels.evaluate="sftp"', 'channels.transmit="api"', 'channels.transmit="sftp"')

DEATHS = ("before commit ledger", "after commit ledger", "before HTTP", "after HTTP", "before commit orders", "before replace")
"""Where somebody who decides may die."""

STANDS_STILL = ("before SFTP rename", "asked SFTP rename", "before HTTP", "after HTTP evaluate", "before commit ledger")
"""Where a run may stand still while somebody decides."""


def changes_for(seed: int) -> list[Drawn]:
    """What is drawn for this seed, apart from everything else that is: mostly nothing."""
    return [
        *_hearing(dice(seed, "hearing")),
        *_channels(dice(seed, "channels change")),
        *_mode(dice(seed, "mode changes")),
        *_decisions(dice(seed, "decisions")),
        *_comparisons(dice(seed, "comparisons")),
        *_switches(dice(seed, "switches")),
    ]


def _hearing(chance: random.Random) -> list[Drawn]:
    """The older call, or files that are believed, mostly from the beginning on; now and then it is changed in between."""
    if chance.randrange(CHANGED):
        return []
    way = chance.choice((FILES_ONLY, FILES_ONLY, FILES_TOO, OLDER_CALL, OLDER_CALL, BOTH))
    deeds: list[Drawn] = [("settings", chance.choice((0, 0, 0, 1, 2)), 5, way, "")]
    if way != OLDER_CALL:
        deeds.insert(0, ("provider", 0, 0, "outcome_files=true", ""))
    if chance.randrange(2):
        deeds.append(("row", 0, 0, chance.choice(("completes", "expires", "completes late", "charged back", "problem")), ""))
    if not chance.randrange(4):
        deeds.append(("settings", chance.choice((1, 2, 3)), 5, NEITHER, ""))
    return deeds


def _channels(chance: random.Random) -> list[Drawn]:
    """Orders and copies go by calls for a night or two, then by files again, or the other way round; something new comes."""
    if chance.randrange(CHANGED):
        return []
    there, back = chance.choice(((0, 1), (1, 0), (2, 3), (3, 2)))
    deeds: list[Drawn] = [("settings", chance.choice((0, 1, 1)), 6, CHANNELS[there], "")]
    deeds += [("settings", 2, 6, CHANNELS[back], ""), ("order", 2, 8, "", "")]
    if not chance.randrange(3):
        deeds.append(("crash", chance.choice((0, 1, 2)), chance.choice((0, 0, 1, 3)), "", chance.choice(DEATHS)))
    return deeds


def _mode(chance: random.Random) -> list[Drawn]:
    """The account changes to the other mode while orders are open, or when all have ended; perhaps back again."""
    if chance.randrange(CHANGED):
        return []
    ended = chance.randrange(2) == 0
    deeds: list[Drawn] = [("row", 0, at, chance.choice(("completes", "token refused")), "") for at in range(4)] if ended else []
    run = chance.choice((1, 2, 2))
    deeds += [("mode", run, 0, "", ""), ("order", run, 9, "", "")]
    if not chance.randrange(3):
        deeds.append(("mode", 3, 0, "", ""))
    return deeds


def _decisions(chance: random.Random) -> list[Drawn]:
    """Something comes to wait for a person, and a person decides; sometimes dying at it, or while a run stands still."""
    if chance.randrange(CHANGED):
        return []
    cause, words = CAUSES[chance.randrange(len(CAUSES))]
    earliest = max([each[1] + 1 for each in cause if each[0] == "job"], default=1)
    word, run = chance.choice(words), max(earliest, chance.choice((1, 2, 2, 3)))
    who = "insist" if chance.randrange(4) == 0 and word.startswith(("support", "repeat")) else "resolve"
    job = f"{who} {word}"
    deeds = [*cause, ("job", run, 0, job, "")]
    hostile = chance.randrange(4)
    if hostile == 0:
        deeds.append(("crash", run, chance.choice((0, 0, 1, 2, 3)), "", chance.choice(DEATHS)))
    elif hostile == 1:
        beside = ("", "poll", job)[chance.randrange(3)]
        deeds.append(("second run", run, chance.choice((0, 1, 2)), beside, chance.choice(DEATHS)))
    elif hostile == 2:
        deeds.append(("paused", run - 1, chance.choice((0, 0, 1)), job, chance.choice(STANDS_STILL)))
    if chance.randrange(3) == 0:
        deeds.append(("job", run + 1, 0, job, ""))
    return deeds


def _comparisons(chance: random.Random) -> list[Drawn]:
    """The books are compared, mostly after something has come to differ; sometimes dying at it, or with a run beside it."""
    if chance.randrange(CHANGED):
        return []
    run = chance.choice((1, 1, 2, 3))
    deeds = [*DIFFERING[chance.randrange(len(DIFFERING))], ("job", run, 0, "reconcile", "")]
    hostile = chance.randrange(4)
    if hostile == 0:
        deeds.append(("crash", run, chance.choice((0, 0, 1, 2, 3)), "", chance.choice(DEATHS)))
    elif hostile == 1:
        deeds.append(
            ("second run", run, chance.choice((0, 1, 2)), chance.choice(("", "poll", "reconcile")), chance.choice(DEATHS))
        )
    elif hostile == 2:
        deeds.append(("paused", run - 1, chance.choice((0, 0, 1)), "reconcile", chance.choice(STANDS_STILL)))
    if chance.randrange(2) == 0:
        deeds.append(("job", run + 1, 0, "reconcile", ""))
    return deeds


DIFFERING: tuple[tuple[Drawn, ...], ...] = (
    (),
    (("row", 0, 0, "completes", ""),),
    (("row", 0, 0, "charged back", ""),),
    (("row", 0, 0, "returned", ""),),
    (("row", 0, 0, "completed for less", ""),),
    (("merchant", 0, 0, "paid", "after SFTP rename"),),
    (("merchant", 0, 0, "amount", "after SFTP rename"),),
    (("merchant", 0, 0, "gone", "after SFTP rename"),),
    (("merchant", 0, 0, "hold taken", "after SFTP rename"),),
    (("fault", 0, 0, "no_acknowledgement", ""),),
    (("fault", 1, 0, "page_skips", ""),),
)
"""What may differ when the books are compared."""

SWITCHES = ("sending", "sending", "mit", "site:acme-us")
STEPS = (
    "before SFTP",
    "before SFTP rename",
    "after commit ledger",
    "before HTTP",
    "before HTTP evaluate",
    "asked SFTP",
    "after HTTP",
)
"""Where a run may stand when somebody turns a switch. Sometimes the file's way is troubled first, so that it stands half sent."""


def _switches(chance: random.Random) -> list[Drawn]:
    """Somebody turns a switch off while a run is at work, or sending as a whole; mostly on again in a later run."""
    if chance.randrange(CHANGED):
        return []
    name, run, at = chance.choice(SWITCHES), chance.choice((0, 0, 0, 1, 2)), chance.choice((0, 0, 1, 2, 4, 8))
    deeds: list[Drawn] = [("switch", run, at, f"{name} off", chance.choice(STEPS))]
    if chance.randrange(3) == 0:
        deeds.append(("fault", run, 0, chance.choice(("drop_before_rename*3", "drop_after_rename", "refuse_rename")), ""))
    if chance.randrange(3) == 0:
        deeds.append(("settings", 0, 0, 'channels.evaluate="api"', ""))
    if chance.randrange(4):
        deeds.append(("switch", run + chance.choice((0, 1, 2)), chance.choice((1, 3, 9)), f"{name} on", chance.choice(STEPS)))
    if chance.randrange(4) == 0:
        deeds.append(("crash", run, chance.choice((0, 1, 2)), "", chance.choice(DEATHS)))
    return deeds


_UNTAKEN: tuple[Drawn, ...] = (("provider", 0, 0, "pickup_delay_seconds=40000", ""),)
_DELETED: tuple[Drawn, ...] = (*_UNTAKEN, ("files", 1, 0, "inbound deleted", ""))
_OF_FILES = ("support-confirmed-never-arrived", "support-confirmed-not-taken", "support-confirmed-no-rescue", "noted")
_HIDES: Drawn = ("provider", 0, 0, "shows_refunds=false", "")
_REFUND: tuple[Drawn, ...] = (
    ("row", 0, 0, "completes", ""),
    ("row", 0, 1, "completes", ""),
    ("row", 0, 2, "completes", ""),
    ("job", 2, 0, "refund part", ""),
)
_OF_REQUESTS = ("support-confirmed-it-happened", "support-confirmed-it-did-not")

CAUSES: tuple[tuple[tuple[Drawn, ...], tuple[str, ...]], ...] = (
    (
        (("row", 0, 0, "completed for less", ""),),
        ("other-amount-accepted", "other-amount-accepted", "provider-is-right", "noted"),
    ),
    ((("row", 0, 0, "completes late", ""), ("order", 2, 0, "", "")), ("provider-is-right", "noted")),
    ((("fault", 0, 0, "contradictory_rows", ""),), ("provider-is-right", "support-confirmed-no-rescue")),
    (_DELETED, _OF_FILES),
    (_UNTAKEN, _OF_FILES),
    ((("fault", 0, 0, "no_acknowledgement", ""),), _OF_FILES),
    ((("fault", 0, 0, "drop_before_rename*3", ""), ("fault", 0, 2, "refuse_connection*9", "")), ("uploaded-by-hand", *_OF_FILES)),
    (
        (("settings", 0, 0, 'channels.evaluate="api"', ""), ("fault", 0, 0, "server_error_before*2", "")),
        ("support-confirmed-no-rescue", "repeat-call", "repeat-call"),
    ),
    ((_HIDES, *_REFUND, ("fault", 2, 1, "gateway_timeout_after", "")), _OF_REQUESTS),
    ((_HIDES, *_REFUND, ("fault", 2, 1, "server_error_before", "")), _OF_REQUESTS),
    ((*_REFUND, ("fault", 2, 1, "gateway_timeout_after", "")), _OF_REQUESTS),
)
"""What comes to wait for a person, and what may be decided about it."""
