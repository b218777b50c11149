"""What a sandbox can be told when it is started."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class SandboxOptions:
    """How this pretend provider behaves. Delays count seconds on the sandbox's own clock.

    `removal`: when a picked-up file leaves the inbound folder ("later" is `removal_delay_seconds` after the pick-up).
    `deduplicate`: "off" accepts a second submission again, so that it shows; "order_id" answers it with the first
    order; "key_24h" replays the first answer to the same idempotencyKey and payload for 24 hours and answers 409 for
    another payload; "file_name" ignores a second file of the same name. `expired_code`: the number beside the name
    EXPIRED, for which no code is published (CONTRACT 14).
    `answer_format`: whether acknowledgements and outcomes are written as "json" or as "csv" (CONTRACT 6.4).
    `https` adds a second port with TLS. `strict_amounts`: evaluate takes only more than 10 and less
    than 20000 cents (CONTRACT 15). `auth_capture`: whether the accounts take the transactionType AUTHORIZATION.
    `capture_window_seconds`: after it an authorisation is voided; from 5 minutes to 7 days (CONTRACT 11).
    `sync_period_days`: how long a declined sync MIT is worked on in the background (CONTRACT 7.6).
    `repeated_refund`: what a second refund of the same amount is, the first one's "replay" or a "new" one (CONTRACT 10
    names both); `partial_refund_percent` limits one partial refund to a share of the price, where 60 is known.
    `shows_refunds`: whether `GET orders/{id}` says how much was given back, as `amountRefunded` in cents; no page shows it.
    Port 0 lets the system choose. Raises `ValueError` for a value that it does not know.
    """

    seed: int = 0
    pickup_delay_seconds: float = 0
    removal: Literal["at_pickup", "later", "never"] = "at_pickup"
    removal_delay_seconds: float = 3600
    acknowledgement_delay_seconds: float = 0
    deduplicate: Literal["off", "order_id", "key_24h", "file_name"] = "off"
    outcome_files: bool = False
    answer_format: Literal["json", "csv"] = "json"
    expired_code: int | None = 2
    token_seconds: int = 600
    strict_amounts: bool = False
    auth_capture: bool = True
    capture_window_seconds: int = 7 * 86400
    sync_period_days: int = 21
    repeated_refund: Literal["replay", "new"] = "replay"
    partial_refund_percent: int = 100
    shows_refunds: bool = False
    max_rows_per_file: int = 2000
    max_file_bytes: int = 64 * 1024 * 1024
    max_body_bytes: int = 1024 * 1024
    https: bool = False
    http_port: int = 0
    sftp_port: int = 0

    def __post_init__(self) -> None:
        """Refuse a misspelt choice at once."""
        for name, value, known in (
            ("removal", self.removal, ("at_pickup", "later", "never")),
            ("deduplicate", self.deduplicate, ("off", "order_id", "key_24h", "file_name")),
            ("answer_format", self.answer_format, ("json", "csv")),
            ("repeated_refund", self.repeated_refund, ("replay", "new")),
        ):
            if value not in known:
                message = f"{name} is {value!r}; choose one of {', '.join(known)}"
                raise ValueError(message)
        if not 300 <= self.capture_window_seconds <= 7 * 86400:
            message = f"capture_window_seconds is {self.capture_window_seconds}; choose from 300 to 604800"
            raise ValueError(message)
