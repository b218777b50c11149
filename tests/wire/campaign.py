"""The campaign on real lines (T11): every case of SFTP and of HTTPS, and again with other choices, spread over the cores.

`play(case, seed)` in tests.wire.nights lets one of them happen again.
"""

import logging
import time
from collections import Counter

from tests.long.campaign import Campaign, on_all_cores
from tests.wire.cases import HTTPS_CASES, NOT_MADE, SFTP_CASES, Case
from tests.wire.nights import play

SFTP_SHARE = 3
"""Of five runs three are over SFTP and two over HTTPS: 90 and 60 of 150."""


def cases(size: int, seed: int) -> list[tuple[Case, int]]:
    """So many cases with their seeds: both lists from a place that the seed decides, round and round."""
    over_sftp = size * SFTP_SHARE // 5
    found = []
    for among, count in ((SFTP_CASES, over_sftp), (HTTPS_CASES, size - over_sftp)):
        ways = [among[(number * 7 + seed) % len(among)] for number in range(count)]
        found += [(case, seed * 100_000 + number) for number, case in enumerate(ways)]
    return found


def _one(work: tuple[Case, int]) -> tuple[Case, list[str]]:
    logging.disable(logging.CRITICAL)  # paramiko and aiohttp tell of every fault
    case, seed = work
    try:
        return case, [f"{words}; play({case!r}, {seed})" for words in play(case, seed)]
    except Exception as error:  # noqa: BLE001 - whatever escapes from a run is a violation
        return case, [f"T11: {type(error).__name__} escapes: {error}; play({case!r}, {seed})"]


def campaign(size: int, seed: int) -> Campaign:
    """`size` nights on real lines from this seed on: three of five over SFTP, the others over HTTPS."""
    began, figures, violations = time.monotonic(), Counter[str](), list[str]()
    for case, found in on_all_cores(_one, cases(size, seed)):
        violations += found
        figures["HTTPS runs" if case.server == "HTTPS" else "SFTP runs"] += 1
        figures[f"runs with {case.server}"] += 1
        figures[f"runs of {case.fault_id}"] += 1
        figures[f"runs at {case.stage}"] += 1
    notes = tuple(f"not made: {what}, for {why}" for what, why in NOT_MADE.items())
    return Campaign("T11", "Nights on real lines", dict(figures), tuple(violations), time.monotonic() - began, notes)
