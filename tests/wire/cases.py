"""What is done to which line at which stage: the faults N-01 to N-18 and H-18 of the catalogue, on real servers."""

from dataclasses import dataclass, field
from typing import Any

from tests.wire.relay import KINDS
from tests.wire.stages import HTTPS_STAGES, SFTP_STAGES

_FAULT_OF = {"cut": "N-02", "reset": "N-11", "half": "N-11", "stall": "N-10", "slow": "N-10", "slice": "N-10", "swallow": "N-03"}


@dataclass(frozen=True)
class Case:
    """One fault at one stage: by the relay (`kind`), by the sandbox (`fault`), or by another server (`server`)."""

    fault_id: str
    stage: str
    server: str
    kind: str = ""
    fault: str = ""
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How a report calls it."""
        return f"{self.fault_id} {self.kind or self.fault} at {self.stage}, {self.server}"


def _relayed(server: str) -> list[Case]:
    cases = []
    for stage in SFTP_STAGES:
        for kind in KINDS:
            fault_id = "N-04" if (kind, stage) == ("swallow", "rename") else _FAULT_OF[kind]
            cases.append(Case(fault_id, stage, server, kind))
    return [*cases, Case("N-01", "connect", server, "refuse")]


_SANDBOX: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("N-02", "write", "drop_connection_halfway", {"after": 0}),
    ("N-02", "write", "drop_connection_halfway", {"after": 1}),
    ("N-02", "write", "drop_connection_halfway", {}),
    ("N-02", "rename", "drop_before_rename", {}),
    ("N-03", "write", "drop_after_close", {}),
    ("N-04", "rename", "drop_after_rename", {}),
    ("N-04", "rename", "failure_after_rename", {}),
    ("N-05", "rename", "take_file_at_once", {}),
    ("N-06", "write", "disk_full", {"after": 100}),
    ("N-07", "write", "refuse_write", {}),
    ("N-07", "rename", "refuse_rename", {}),
    ("N-07", "collect", "refuse_list", {}),
    ("N-08", "connect", "other_host_key", {}),
    ("N-09", "connect", "weak_algorithms", {}),
    ("N-12", "write", "short_write", {}),
    ("N-12", "verify", "size_missing", {}),
    ("N-12", "verify", "wrong_size", {}),
    ("N-13", "write", "append_instead_of_truncate", {}),
    ("N-14", "rename", "name_taken", {}),
    ("N-15", "rename", "rename_unsupported", {}),
    ("N-15", "rename", "copied_rename", {}),
    ("N-16", "collect", "stale_list", {}),
    ("N-16", "collect", "partial_list", {}),
    ("N-16", "collect", "unordered_list", {}),
    ("N-16", "collect", "crowded_list", {}),
    ("N-16", "collect", "vanished_file", {}),
    ("N-17", "connect", "refuse_login", {}),
    ("N-17", "connect", "too_many_sessions", {}),
    ("N-18", "collect", "other_host_view", {}),
    ("N-10", "rename", "stall_after", {"where": "rename"}),
    ("N-10", "write", "stall_after", {"where": "close"}),
)

SFTP_CASES = (
    *_relayed("asyncssh"),
    *_relayed("OpenSSH"),
    *(Case(fault_id, stage, "asyncssh", "", fault, given) for fault_id, stage, fault, given in _SANDBOX),
)

_CERTIFICATES = ("untrusted_certificate", "expired_certificate", "wrong_host_certificate")
_ANSWERS = (
    ("H-06", "reset_connection"),
    ("H-05", "server_error_after"),
    ("H-07", "bad_gateway"),
    ("H-10", "html_answer"),
    ("H-11", "truncated_json"),
    ("H-17", "redirect_elsewhere"),
    ("H-20", "gzip_bomb"),
    ("H-20", "endless_body"),
)

HTTPS_CASES = (
    *(Case("H-18", "token", "HTTPS", "", fault) for fault in _CERTIFICATES),
    *(Case("H-06", stage, "HTTPS", kind) for stage in HTTPS_STAGES for kind in KINDS),
    *(Case(fault_id, stage, "HTTPS", "", fault) for stage in ("order", "listing", "call") for fault_id, fault in _ANSWERS),
    *(Case("H-07", stage, "HTTPS", "refuse") for stage in HTTPS_STAGES if stage != "call"),
)

NOT_MADE = {
    "N-01 after connect": "a line that stands is not refused any more",
    "N-03, N-04, N-05, N-13, N-14, N-15 at other stages": "they are faults of a close, a rename, or a second write",
    "N-05 to N-07, N-12 to N-18 on OpenSSH": "it keeps the protocol; the sandbox breaks it, and tests/openssh has its refusals",
    "N-16, N-18 before collect": "nothing is listed there",
    "H-07 refused at a call": "without a line there is no token, and so no call",
    "H-18 in an open line": "a certificate is shown once, when a line is made",
}
"""Faults that cannot be made at a stage, with the reason."""
