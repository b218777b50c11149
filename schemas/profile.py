"""The provider profile: every name and layout that the provider has not published, as data (CONTRACT 6.4).

When the provider answers, `profiles/flexfactor.toml` changes and the code does not. On the left is our name for a
thing, on the right the provider's.
"""

import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import orjson
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic.dataclasses import dataclass

from schemas.errors import ConfigurationError
from schemas.matches import SettledKind
from schemas.order import Origin

_STRICT = ConfigDict(extra="forbid", strict=True)
_PLACEHOLDERS = ("kind", "mid8", "yyyymmdd", "batch_id", "ext")
_Shape = TypeVar("_Shape")

Name = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f]+$")]
PlainName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]
CardDigits = Annotated[str, Field(pattern=r"^[0-9]{12,19}$")]
PlainSuffix = Annotated[str, Field(pattern=r"^[._][A-Za-z0-9._-]{1,31}$")]


class Meaning(StrEnum):
    """What a status word or code of the provider means to us (CONTRACT 14)."""

    PENDING = "pending"
    ONHOLD = "onhold"
    CHALLENGE = "challenge"
    CAPTURE_REQUIRED = "capture_required"
    COMPLETED = "completed"
    DECLINED = "declined"
    NOT_RECOVERED = "not_recovered"  # cancelled if we asked for it, else expired if so said or past it, else declined
    EXPIRED = "expired"
    PROBLEM = "problem"
    REFUNDED = "refunded"
    CHARGEBACK = "chargeback"
    NOT_FOUND = "not_found"  # no fact about the order


@dataclass(frozen=True, config=_STRICT)
class FileNames:
    """How batch files and their answers are called, and how many rows a file may have."""

    evaluate_prefix: PlainName
    transmit_prefix: PlainName
    name: str
    part_suffix: PlainSuffix
    acknowledgement_suffix: PlainSuffix
    acknowledgement_csv_suffix: PlainSuffix
    outcomes_prefix: PlainName
    max_rows: Annotated[int, Field(ge=1, le=2000)]

    @field_validator("name")
    @classmethod
    def _each_part_once(cls, value: str) -> str:
        if sorted(re.findall(r"\{([^{}]*)\}", value)) != sorted(_PLACEHOLDERS):
            raise ValueError("must hold {kind}, {mid8}, {yyyymmdd}, {batch_id} and {ext}, each once")
        if not re.fullmatch(r"[A-Za-z0-9._-]*", re.sub(r"\{[^{}]*\}", "", value)) or not value.startswith("{kind}"):
            raise ValueError("must begin with {kind}, and hold only letters, digits, dots, dashes and underscores besides")
        return value


@dataclass(frozen=True, config=_STRICT)
class JsonLayout:
    """The outer names of a batch file in JSON. `expiry` is empty where the kind has none."""

    header: Name
    mid: Name
    token: Name
    token_prefix: str
    rows: Name
    expiry: str = ""

    @model_validator(mode="after")
    def _apart(self) -> "JsonLayout":
        inner = (self.mid, self.token, self.expiry)
        if self.header == self.rows or len(set(inner)) != len(inner):
            raise ValueError("two names are the same")
        return self


@dataclass(frozen=True, config=_STRICT)
class EvaluateLayout:
    """How a batch file with declined charges is laid out."""

    json: JsonLayout

    @field_validator("json")
    @classmethod
    def _expires(cls, value: JsonLayout) -> JsonLayout:
        if not value.expiry:
            raise ValueError("expiry is missing")
        return value


@dataclass(frozen=True, config=_STRICT)
class TransmitLayout:
    """How a batch file with copies of good charges is laid out."""

    json: JsonLayout


@dataclass(frozen=True, config=_STRICT)
class CsvLayout:
    """The leading columns of a batch file in CSV, and how values are written."""

    mid: Name
    token: Name
    token_prefix: str
    expiry: Name
    sequence_number: Name
    nested_separator: Name
    true: Name
    false: Name

    @model_validator(mode="after")
    def _apart(self) -> "CsvLayout":
        if len({self.mid, self.token, self.expiry, self.sequence_number}) != 4:
            raise ValueError("two leading columns have the same name")
        return self


@dataclass(frozen=True, config=_STRICT)
class AcknowledgementRow:
    """The names in one row of an acknowledgement."""

    sequence_number: Name
    order_id: Name
    order_session_key: Name
    transmit_id: Name
    status: Name
    result: Name
    errors: Name


@dataclass(frozen=True, config=_STRICT)
class AcknowledgementLayout:
    """The names in an acknowledgement file, and the words for yes and no, compared in lower case."""

    file: Name
    kind: Name
    mid: Name
    result: Name
    errors: Name
    rows: Name
    accepted: Name
    refused: Name
    row: AcknowledgementRow


@dataclass(frozen=True, config=_STRICT)
class OutcomeRow:
    """The names in one row of an outcomes file."""

    order_session_key: Name
    order_id: Name
    status: Name
    timestamp: Name


@dataclass(frozen=True, config=_STRICT)
class OutcomesLayout:
    """The names in an outcomes file."""

    mid: Name
    rows: Name
    row: OutcomeRow


@dataclass(frozen=True, config=_STRICT)
class OrdersLayout:
    """The names in a listing of orders and in a single order (CONTRACT 9)."""

    rows: Name
    total: Name
    page_number: Name
    page_size: Name
    page_count: Name
    has_next_page: Name
    first_page: Annotated[int, Field(ge=0)]
    max_page_size: Annotated[int, Field(ge=1)]
    external_ids: Annotated[tuple[Name, ...], Field(min_length=1)]
    amount: Name
    refunded: Name
    unknown_id_status: Annotated[int, Field(ge=400, le=499)]


@dataclass(frozen=True, config=_STRICT)
class PaymentRules:
    """Limits on what is asked for after an approval (CONTRACT 10 and 11)."""

    partial_refund_max_percent: Annotated[int, Field(ge=1, le=100)]
    capture_window_hours: Annotated[int, Field(ge=1, le=168)]


@dataclass(frozen=True, config=_STRICT)
class Hosts:
    """The API's base URL in each environment, with its version."""

    sandbox: Name
    production: Name

    @field_validator("sandbox", "production")
    @classmethod
    def _https(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "https" or not parts.hostname or not value.endswith("/"):
            raise ValueError("must be an https URL that ends with a slash")
        return value


@dataclass(frozen=True, config=_STRICT)
class SandboxValues:
    """What the provider has published for its sandbox (CONTRACT 15). `test_cards` are the only cards that go there."""

    test_cards: tuple[CardDigits, ...] = ()


@dataclass(frozen=True, config=_STRICT)
class SettlementLayout:
    """The columns of the provider's settlement, one line for each movement of money of an order, and its words for them.

    `kinds` maps words, in lower case, to what a line is about; words of `ignored` (fees, reserves) are passed over.
    """

    delimiter: Annotated[str, Field(pattern=r"^[,;\t|]$")]
    order_ids: Annotated[tuple[Name, ...], Field(min_length=1)]
    order_session_key: Name
    kind: Name
    amount: Name
    currency: Name
    amounts_are_minor: bool
    kinds: Mapping[str, SettledKind]
    ignored: tuple[str, ...] = ()

    @field_validator("kinds")
    @classmethod
    def _lower_case(cls, value: Mapping[str, SettledKind]) -> Mapping[str, SettledKind]:
        if wrong := [word for word in value if word != word.strip().lower() or not word]:
            raise ValueError(f"{wrong[0]!r} must be in lower case, without blanks around it")
        return value


@dataclass(frozen=True, config=_STRICT)
class Profile:
    """Everything that one provider calls by its own names. Attributes are named as in the profile's file."""

    files: FileNames
    evaluate: EvaluateLayout
    transmit: TransmitLayout
    csv: CsvLayout
    acknowledgement: AcknowledgementLayout
    outcomes: OutcomesLayout
    orders: OrdersLayout
    payments: PaymentRules
    settlement: SettlementLayout
    hosts: Hosts
    order_sources: Mapping[Origin, Name]
    statuses: Mapping[str, Meaning]
    status_codes: Mapping[int, Meaning]
    sandbox: SandboxValues = SandboxValues()

    @field_validator("order_sources")
    @classmethod
    def _every_origin(cls, value: Mapping[Origin, str]) -> Mapping[Origin, str]:
        if missing := [origin for origin in Origin if origin not in value]:
            raise ValueError(f"{missing[0]} is missing")
        return value

    @field_validator("statuses")
    @classmethod
    def _lower_case(cls, value: Mapping[str, Meaning]) -> Mapping[str, Meaning]:
        if wrong := [word for word in value if word != word.strip().lower() or not word]:
            raise ValueError(f"{wrong[0]!r} must be in lower case, without blanks around it")
        return value

    def meaning(self, word: str) -> Meaning | None:
        """What a status word means, in any case; nothing when the profile does not know it: then nothing may follow from it."""
        return self.statuses.get(word.strip().lower())

    def code_meaning(self, code: int) -> Meaning | None:
        """What an integer status code of an order means; nothing when the profile does not know it."""
        return self.status_codes.get(code)


@lru_cache(maxsize=4)
def parse_profile(text: str) -> Profile:
    """A provider profile from its TOML. Raises ConfigurationError that names the key."""
    return parse_toml(Profile, text, "The provider profile")


def parse_toml(shape: type[_Shape], text: str, name: str) -> _Shape:
    """A packaged TOML text as a checked, frozen object; `name` begins the sentence when it is malformed.

    Raises ConfigurationError that names the first key at fault. The values go through JSON, where strict checking still
    takes a list for a tuple and a word for an enumeration, and nothing else for anything else.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # besides its own kind: numbers of thousands of digits, endless nesting
        raise ConfigurationError(f"{name} is not TOML: {error}.") from error
    try:
        values = orjson.dumps(tables)
    except TypeError as error:
        raise ConfigurationError(f"{name} holds a value that nothing here can be: {error}.") from error
    try:
        return TypeAdapter(shape).validate_json(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{name} is malformed at {key or 'the top'}: {first['msg']}.") from error
