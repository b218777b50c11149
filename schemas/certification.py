"""What the provider wants to see before a merchant may go into production, and what was seen of it (`mitbatch certify`).

The checklist is the provider's, item by item; the ids are ours and never change, so that packs of different days compare. An
item is shown by a run through the real pipeline, or attested by a person where only a page of the merchant can show it, or
read from the settings. An attested item is never called passed.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Proof(StrEnum):
    """How an item is shown."""

    RUN = "run"
    ATTESTATION = "attestation"
    SETTINGS = "settings"


class Verdict(StrEnum):
    """What came of an item. `open` wants a person's attestation; `not_applicable` says why, and is never a pass."""

    PASSED = "passed"
    FAILED = "failed"
    ATTESTED = "attested"
    OPEN = "open"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One box of the checklist: its id (`mit.sftp.evaluate`), what it says in the provider's words, and how it is shown.

    `needs_word`: beside what a run or the settings show, a person attests what only a page can: that the merchant's page sets
    the order id, that the provider's portal has the webhook's address. Such an item is attested then, never passed.
    """

    id: str
    title: str
    proof: Proof = Proof.RUN
    needs_word: bool = False

    @property
    def takes_word(self) -> bool:
        """Whether a person may attest it."""
        return self.proof is Proof.ATTESTATION or self.needs_word

    @property
    def group(self) -> str:
        """The id without its last word: `mit.sftp`."""
        return self.id.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call and its answer, redacted by allow-list before it is kept: no secret, card number or token is in it."""

    at: datetime
    method: str
    path: str
    request: str
    status: int
    answer: str


@dataclass(frozen=True, slots=True)
class PassedFile:
    """A file that went to the provider or came from it: its name, length in bytes, and SHA-256."""

    direction: str
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an item was judged by: the marked orders, how our row and the provider stood before and after, calls, and files."""

    orders: tuple[str, ...] = ()
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    exchanges: tuple[Exchange, ...] = ()
    files: tuple[PassedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """An item's outcome: the verdict, one sentence on what was seen, and for a failure what to change."""

    item: str
    verdict: Verdict
    seen: str
    change: str = ""
    at: datetime | None = None
    evidence: Evidence = field(default_factory=Evidence)


CHECKLIST: tuple[ChecklistItem, ...] = (
    ChecklistItem("cit.standard.order_id", "The order id is set", needs_word=True),
    ChecklistItem("cit.standard.token", "The API token is valid"),
    ChecklistItem("cit.standard.tokenize", "Tokenize gives a payment token"),
    ChecklistItem("cit.standard.transmit", "Transmit answers result: success"),
    ChecklistItem("cit.standard.evaluate", "Evaluate answers APPROVED"),
    ChecklistItem("cit.standard.success_screen", "The customer sees a success screen", Proof.ATTESTATION),
    ChecklistItem("cit.standard.our_status", "Our order status is right"),
    ChecklistItem("cit.advanced.order_id", "The order id is set", needs_word=True),
    ChecklistItem("cit.advanced.token", "The API token is valid"),
    ChecklistItem("cit.advanced.tokenize", "Tokenize gives a payment token"),
    ChecklistItem("cit.advanced.transmit", "Transmit answers result: success"),
    ChecklistItem("cit.advanced.evaluate", "Evaluate answers SUBMITTED"),
    ChecklistItem("cit.advanced.widget", "The widget opens", Proof.ATTESTATION),
    ChecklistItem("cit.advanced.success_screen", "The widget leads to the success screen", Proof.ATTESTATION),
    ChecklistItem("cit.advanced.outcome", "Outcome or webhook says ORDER COMPLETED"),
    ChecklistItem("cit.advanced.our_status", "Our order status is right"),
    ChecklistItem("mit.api.order_id", "The order id is set"),
    ChecklistItem("mit.api.token", "The API token is valid"),
    ChecklistItem("mit.api.tokenize", "Tokenize gives a payment token"),
    ChecklistItem("mit.api.transmit", "Transmit answers result: success"),
    ChecklistItem("mit.api.evaluate", "Evaluate answers APPROVED"),
    ChecklistItem("mit.api.success_shown", "The order shows as recovered in the order system"),
    ChecklistItem("mit.api.our_status", "Our order status is right"),
    ChecklistItem("mit.sftp.token", "The API token is valid"),
    ChecklistItem("mit.sftp.tokenize", "Tokenize gives a payment token"),
    ChecklistItem("mit.sftp.transmit", "Transmit batch answers result: success"),
    ChecklistItem("mit.sftp.evaluate", "Evaluate batch answers SUBMITTED"),
    ChecklistItem("mit.sftp.pending_shown", "The pending status shows in the order system"),
    ChecklistItem("mit.sftp.rebills_stopped", "In-house rebills and retries are stopped"),
    ChecklistItem("mit.sftp.outcome", "Outcome or webhook says ORDER COMPLETED"),
    ChecklistItem("mit.sftp.our_status", "Our order status is right"),
    ChecklistItem("refund.answer", "The refund of an APPROVED order answers success"),
    ChecklistItem("refund.our_status", "Our order status is right"),
    ChecklistItem("refund.reconciliation", "The reconciliation is right"),
    ChecklistItem("refund.shown_at_provider", "The transaction shows as refunded at the provider"),
    ChecklistItem("feature.reconciliation", "Pending never shows as completed; approved and declined orders are updated"),
    ChecklistItem("feature.retries_stopped", "In-house retries are stopped, and nothing is sent twice while pending"),
    ChecklistItem("feature.channels_switched", "CIT and MIT are switched on and off apart from each other"),
    ChecklistItem("feature.sites", "The origin of each transaction is told: one site id for each site"),
    ChecklistItem("feature.call_center", "Call-centre orders are told apart from website orders, and switched apart"),
    ChecklistItem("production.keys", "Production keys stand in place of sandbox keys", Proof.SETTINGS),
    ChecklistItem("production.urls", "Production URLs stand in place of sandbox URLs", Proof.SETTINGS),
    ChecklistItem("production.host_key", "The production server's host key is the one that is believed", Proof.SETTINGS),
    ChecklistItem("production.allow_list", "The provider lets this machine's address in", Proof.SETTINGS),
    ChecklistItem("production.webhook", "The webhook's address is public and registered", Proof.SETTINGS, needs_word=True),
    ChecklistItem("production.nothing_of_sandbox", "Nothing of the sandbox is left", Proof.SETTINGS),
)
"""The provider's launch checklist (CONTRACT 16; N:launch-checklist)."""
