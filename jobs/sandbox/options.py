"""What a sandbox can be told when it is started."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class SandboxOptions:
    """How this pretend provider behaves. Delays count seconds on the sandbox's own clock.

    `removal`: when a picked-up file leaves the inbound folder ("later" is `removal_delay_seconds` after the pick-up).
    `deduplicate`: "off" accepts a second submission again, so that it shows; "order_id" answers it with the first
    order; "file_name" ignores a second file of the same name. `expired_code`: the number beside the name EXPIRED,
    for which no code is published (CONTRACT 14). Port 0 lets the system choose. Raises `ValueError` for a value
    that it does not know.
    """

    seed: int = 0
    pickup_delay_seconds: float = 0
    removal: Literal["at_pickup", "later", "never"] = "at_pickup"
    removal_delay_seconds: float = 3600
    acknowledgement_delay_seconds: float = 0
    deduplicate: Literal["off", "order_id", "file_name"] = "off"
    outcome_files: bool = False
    expired_code: int | None = 2
    token_seconds: int = 600
    max_rows_per_file: int = 2000
    max_file_bytes: int = 64 * 1024 * 1024
    max_body_bytes: int = 1024 * 1024
    http_port: int = 0
    sftp_port: int = 0

    def __post_init__(self) -> None:
        """Refuse a misspelt choice at once."""
        for name, value, known in (
            ("removal", self.removal, ("at_pickup", "later", "never")),
            ("deduplicate", self.deduplicate, ("off", "order_id", "file_name")),
        ):
            if value not in known:
                message = f"{name} is {value!r}; choose one of {', '.join(known)}"
                raise ValueError(message)
