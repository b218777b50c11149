"""What the ledger should hold, in plain Python: claims, files, items, evidence and who may write."""

from collections import Counter
from dataclasses import dataclass, field

from tests.table.rules import ENTERED_FROM, STEP_ENTERED_FROM

CLAIMABLE_AGAIN = ("withdrawn", "rejected")


@dataclass
class Claimed:
    """One claim of an order."""

    order_id: str
    attempt: int
    batch_id: str
    number: int
    amount_minor: int
    currency: str
    state: str = "claimed"
    version: int = 0
    reads: int = 0
    is_due: bool = False
    was_called_expired: bool = False


@dataclass
class Model:
    """Everything that the ledger should show; `events` counts them by subject, `states` is each subject's states in order."""

    claims: dict[str, list[Claimed]] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)
    states: dict[str, list[str]] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    evidence: set[tuple[str, bytes]] = field(default_factory=set)
    items: dict[tuple[str, str], list[bool]] = field(default_factory=dict)
    decisions: dict[tuple[str, str], str] = field(default_factory=dict)
    token: int = 0
    holder: str = ""
    is_wanted: bool = False

    def is_active(self, order_id: str) -> bool:
        """Whether an order may not be claimed now."""
        claims = self.claims.get(order_id)
        return bool(claims) and claims[-1].state not in CLAIMABLE_AGAIN  # type: ignore[index]

    def claim(self, batch_id: str, orders: list[tuple[str, int, str]]) -> None:
        """Every order of a file is claimed once more; the file is at its first step."""
        self.steps[batch_id] = "claimed"
        self._happened(f"batch:{batch_id}", "claimed")
        for number, (order_id, amount, currency) in enumerate(orders, start=1):
            claims = self.claims.setdefault(order_id, [])
            claims.append(Claimed(order_id, len(claims) + 1, batch_id, number, amount, currency))
            self._happened(f"order:{order_id}", "claimed")

    def move(self, order_id: str, to: str, *, shows: bool) -> None:
        """The latest claim of an order goes on, or has news where `to` is its state."""
        claim = self.claims[order_id][-1]
        claim.state = to
        claim.version += shows
        self._happened(f"order:{order_id}", to)

    def step(self, batch_id: str, to: str) -> None:
        """A file goes on."""
        self.steps[batch_id] = to
        self._happened(f"batch:{batch_id}", to)

    def totals(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Orders and minor units by state and currency (I5)."""
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for claim in (each for claims in self.claims.values() for each in claims):
            orders, minor = found.get((claim.state, claim.currency), (0, 0))
            found[claim.state, claim.currency] = (orders + 1, minor + claim.amount_minor)
        return found

    def _happened(self, subject: str, state: str) -> None:
        self.events[subject] += 1
        self.states.setdefault(subject, []).append(state)


def may_move(old: str, new: str) -> bool:
    """Whether the rules let an order go from one state to another."""
    return old in ENTERED_FROM[new]


def may_step(old: str, new: str) -> bool:
    """Whether the rules let a file go from one step to another."""
    return old in STEP_ENTERED_FROM[new]
