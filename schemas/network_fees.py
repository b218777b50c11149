"""What attempts against the card networks' rules cost: dated figures with their sources, for the report alone."""

import datetime
from functools import lru_cache
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from schemas.profile import Name, parse_toml

_STRICT = ConfigDict(extra="forbid", strict=True)
_Minor = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, config=_STRICT)
class NetworkFee:
    """What one more attempt against any of some rules costs, from a day on: the least and the most, in minor units."""

    rules: tuple[Name, ...]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    low_minor: _Minor
    high_minor: _Minor
    effective_from: datetime.date
    source: Name
    note: str

    @model_validator(mode="after")
    def _runs_upward(self) -> Self:
        if self.high_minor < self.low_minor:
            raise ValueError("high_minor lies below low_minor")
        return self

    def covers(self, rule_id: str) -> bool:
        """Whether it is about a rule."""
        return any(rule_id.startswith(name.removesuffix("*")) if name.endswith("*") else rule_id == name for name in self.rules)


@dataclass(frozen=True, config=_STRICT)
class NetworkFees:
    """All fees that are known."""

    fee: tuple[NetworkFee, ...]

    def of(self, rule_id: str, date: str) -> NetworkFee | None:
        """The fee for an attempt against a rule on a business date; None where no figure is known."""
        day = datetime.date.fromisoformat(date)
        begun = (fee for fee in self.fee if fee.covers(rule_id) and fee.effective_from <= day)
        return max(begun, key=lambda fee: fee.effective_from, default=None)


@lru_cache(maxsize=4)
def parse_network_fees(text: str) -> NetworkFees:
    """The fees from their TOML. Raises ConfigurationError that names the key."""
    return parse_toml(NetworkFees, text, "The list of network fees")
