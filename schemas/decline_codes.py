"""What a decline code means, by who gave it: our own names, for grouping and for the gate. The provider gets the raw code."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from schemas.errors import ConfigurationError
from schemas.network_rules import plain_code
from schemas.profile import parse_toml

NETWORK_SOURCE = "iso"
"""The source under which raw network response codes stand."""

UNSPECIFIED = "unspecified"
GATEWAY_REJECTION = "gateway_rejection"
"""The gateway said no by itself; the bank was not asked, so this is not a decline."""

GROUPS = frozenset(
    {
        "do_not_honor",
        UNSPECIFIED,
        "insufficient_funds",
        "limit",
        "expired_card",
        "bad_account",
        "lost_stolen",
        "fraud",
        "call_issuer",
        "issuer_away",
        "stop_recurring",
        "update_data",
        "retry_later",
        "cvv",
        GATEWAY_REJECTION,
    }
)

_RANGE = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class DeclineCodes:
    """Decline codes of every known source: `exact` by source and code, `ranges` by source as (first, last, group)."""

    exact: Mapping[tuple[str, str], str]
    ranges: Mapping[str, tuple[tuple[int, int, str], ...]]

    def group(self, source: str, code: str) -> str:
        """Our name for a code of a source, both in any case; empty when no table has it."""
        name, plain = _plain_source(source), plain_code(code)
        if found := self.exact.get((name, plain)):
            return found
        if not (plain.isascii() and plain.isdigit() and len(plain) <= 9):
            return ""
        number = int(plain)
        return next((group for first, last, group in self.ranges.get(name, ()) if first <= number <= last), "")

    def group_of(self, source: str, code: str, network_code: str) -> str:
        """Our name for a decline: by its source, or by the network's own code where the source says nothing definite."""
        found = self.group(source, code)
        return self.group(NETWORK_SOURCE, network_code) or found if found in {"", UNSPECIFIED} else found


@lru_cache(maxsize=4)
def parse_decline_codes(text: str) -> DeclineCodes:
    """The tables from their TOML: one table per source, a code or `first-last` on the left, its group on the right.

    Raises ConfigurationError that names the key.
    """
    tables = parse_toml(dict[str, dict[str, str]], text, "The list of decline codes")
    exact: dict[tuple[str, str], str] = {}
    ranges: dict[str, list[tuple[int, int, str]]] = {}
    for source, codes in tables.items():
        name = _plain_source(source)
        for code, group in codes.items():
            key = f"{source}.{code}"
            if group not in GROUPS:
                raise _malformed(key, f"{group} is not a group")
            if bounds := _RANGE.fullmatch(code):
                first, last = int(bounds[1]), int(bounds[2])
                if first > last:
                    raise _malformed(key, "the range runs backwards")
                ranges.setdefault(name, []).append((first, last, group))
            elif exact.setdefault((name, plain_code(code)), group) != group:
                raise _malformed(key, "the code stands twice, with two groups")
    return DeclineCodes(exact, {name: tuple(each) for name, each in ranges.items()})


def _malformed(key: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"The list of decline codes is malformed at {key}: {why}.")


@lru_cache(maxsize=256)
def _plain_source(source: str) -> str:
    return "".join(letter for letter in source.lower() if letter.isalnum())
