"""What the card networks let a merchant try again: dated rules, and the strictest one that holds on a day.

The figures, their sources and their dates stand in `network_rules.toml`; acquirers publish them, not the networks.
"""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic.dataclasses import dataclass

from schemas.profile import Name, parse_toml

_STRICT = ConfigDict(extra="forbid", strict=True)
_FOR_GOOD = 100_000
_BRAND_ALIASES = {"mc": "mastercard", "master": "mastercard", "americanexpress": "amex", "vi": "visa"}

Code = Annotated[str, Field(pattern=r"^[0-9A-Z]{2,4}$")]
Figure = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, config=_STRICT)
class NetworkRule:
    """One dated rule of a card network. `codes` are raw network response codes, `advice` Mastercard's advice codes.

    `attempts_30d` and `attempts_24h` count attempts, `wait_seconds` runs from the charge, `never_days` says how long a
    `never` lasts (without it, for good). `effective_to` is the last day.
    """

    id: Name
    brand: Annotated[str, Field(pattern=r"^[a-z]+$")]
    region: Literal["*"]
    kind: Literal["never", "limit", "wait"]
    effective_from: datetime.date
    source: Name
    note: str
    codes: tuple[Code, ...] = ()
    advice: tuple[Code, ...] = ()
    attempts_30d: Figure | None = None
    attempts_24h: Figure | None = None
    wait_seconds: Figure | None = None
    never_days: Annotated[int, Field(ge=7)] | None = None
    effective_to: datetime.date | None = None

    @model_validator(mode="after")
    def _has_its_figure(self) -> Self:
        if self.kind == "never" and not (self.codes or self.advice):
            raise ValueError("a never rule needs codes or advice")
        if self.kind == "limit" and self.attempts_30d is None and self.attempts_24h is None:
            raise ValueError("a limit rule needs attempts_30d or attempts_24h")
        if self.kind == "wait" and (self.wait_seconds is None or not self.advice):
            raise ValueError("a wait rule needs wait_seconds and advice")
        if self.effective_to is not None and self.effective_to < self.effective_from:
            raise ValueError("effective_to lies before effective_from")
        return self

    @property
    def figure(self) -> int:
        """The rule's number: attempts in 30 days for a limit, seconds for a wait, 0 attempts for a never."""
        figures = {"never": 0, "limit": self.attempts_30d or 0, "wait": self.wait_seconds or 0}
        return figures[self.kind]

    @cached_property
    def _plain_codes(self) -> frozenset[str]:
        return frozenset(map(plain_code, self.codes))

    @cached_property
    def _plain_advice(self) -> frozenset[str]:
        return frozenset(map(plain_code, self.advice))

    def is_for(self, code: str, advice: str) -> bool:
        """Whether the rule names this network code, or this advice, however the order system spells them."""
        return plain_code(code) in self._plain_codes or self.is_for_advice(advice)

    def is_for_advice(self, advice: str) -> bool:
        """Whether the rule names this advice."""
        return plain_code(advice) in self._plain_advice

    def holds_on(self, date: datetime.date) -> bool:
        """Whether the rule is in force on a day; its first and last day count."""
        return self.effective_from <= date and (self.effective_to is None or date <= self.effective_to)


@dataclass(frozen=True, config=_STRICT)
class NetworkRules:
    """All rules. Where several hold at once the strictest one wins; a brand without rules is free of them."""

    rule: tuple[NetworkRule, ...]

    @field_validator("rule")
    @classmethod
    def _one_id_each(cls, value: tuple[NetworkRule, ...]) -> tuple[NetworkRule, ...]:
        seen: set[str] = set()
        for rule in value:
            if rule.id in seen:
                raise ValueError(f"the id {rule.id} stands twice")
            seen.add(rule.id)
        return value

    def never(self, brand: str, code: str, advice: str, date: datetime.date) -> NetworkRule | None:
        """The rule that forbids another attempt after this network code or advice, if one holds on the day."""

        def applies(rule: NetworkRule) -> bool:
            return rule.is_for(code, advice)

        return max(self._in_force("never", brand, date, applies), key=lambda rule: rule.never_days or _FOR_GOOD, default=None)

    def limit(self, brand: str, date: datetime.date) -> NetworkRule | None:
        """The lowest limit of attempts in 30 days that holds for the brand on the day."""

        def applies(rule: NetworkRule) -> bool:
            return rule.attempts_30d is not None

        return min(self._in_force("limit", brand, date, applies), key=lambda rule: rule.figure, default=None)

    def wait(self, brand: str, advice: str, date: datetime.date) -> NetworkRule | None:
        """The longest wait, counted from the charge, that the advice asks for on the day."""

        def applies(rule: NetworkRule) -> bool:
            return rule.is_for_advice(advice)

        return max(self._in_force("wait", brand, date, applies), key=lambda rule: rule.figure, default=None)

    def _in_force(
        self, kind: str, brand: str, date: datetime.date, applies: Callable[[NetworkRule], bool]
    ) -> Iterable[NetworkRule]:
        return (r for r in self._by_brand.get((kind, brand_name(brand)), ()) if r.holds_on(date) and applies(r))

    @cached_property
    def _by_brand(self) -> Mapping[tuple[str, str], Sequence[NetworkRule]]:
        """The rules of each kind for each brand, in the order in which they stand: few of all concern a candidate."""
        found: dict[tuple[str, str], list[NetworkRule]] = {}
        for rule in self.rule:
            found.setdefault((rule.kind, rule.brand), []).append(rule)
        return found


@lru_cache(maxsize=256)
def brand_name(brand: str) -> str:
    """A card brand as the rules call it, whatever the order system's spelling: `MC`, `Master Card` are `mastercard`."""
    plain = "".join(letter for letter in brand.lower() if letter.isalnum())
    for name in ("visa", "mastercard"):
        if plain.startswith(name):
            return name
    return _BRAND_ALIASES.get(plain, plain)


@lru_cache(maxsize=1024)
def plain_code(code: str) -> str:
    """A response code for comparing: in upper case, and whole numbers without leading zeros, which some systems lose."""
    text = code.strip().upper()
    return text.lstrip("0") or "0" if text.isascii() and text.isdigit() else text


@lru_cache(maxsize=4)
def parse_network_rules(text: str) -> NetworkRules:
    """The rules from their TOML. Raises ConfigurationError that names the key."""
    return parse_toml(NetworkRules, text, "The list of network rules")
