"""The parts of a long run: which campaign serves which target of the issue, how much of it, and the figures to reach."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.mutation.judging import FILES


@dataclass(frozen=True)
class Amount:
    """How much is asked for: in CI, and at length."""

    ci: int
    full: int

    def of(self, *, is_ci: bool) -> int:
        """The one of the two that counts."""
        return self.ci if is_ci else self.full


@dataclass(frozen=True)
class Part:
    """One campaign of the long run.

    `campaign` is `module:function`; the function takes size and seed. `floors` are the figures to reach, by what the
    campaign calls them, and `shares` those of which so many in a hundred of another are asked for. A part with a `source`
    runs nothing: it is made of what that other part counted. One of hours runs in pieces of the size `piece`; the notes of
    its last piece stand for it, unless it `tells_cases`: then each piece has its own.
    """

    name: str
    title: str
    campaign: str
    size: Amount
    floors: Mapping[str, Amount] = field(default_factory=dict)
    source: str = ""
    piece: int = 0
    shares: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    tells_cases: bool = False

    @property
    def target(self) -> str:
        """The target that the part serves: the name's beginning, `T5` of `T5-processes`."""
        return self.name.partition("-")[0]


def _same(ci: int, full: int, *figures: str) -> tuple[Amount, dict[str, Amount]]:
    """A size that is also what these figures must reach."""
    size = Amount(ci, full)
    return size, dict.fromkeys(figures, size)


STRUCK = Part("T10", "Faults of the catalogue that struck", "", Amount(0, 0), source="T1")
"""Made of what the worlds counted."""

PARTS = (
    Part(
        "T1",
        "Seeded worlds",
        "tests.world.campaign:campaign",
        Amount(20_000, 112_000),
        {
            "schedules": Amount(20_000, 100_000),
            "nights": Amount(40_000, 200_000),
            "faults fired": Amount(40_000, 250_000),
            "points": Amount(3_000_000, 15_000_000),
        },
        piece=7_000,
    ),
    Part(
        "T2",
        "Every crash point, and pairs of them",
        "tests.crash_points.campaign:campaign",
        Amount(9_500, 26_000),
        {
            "pairs": Amount(5_000, 25_000),
            "points died at": Amount(2_500, 2_500),
            "deaths and power cuts": Amount(5_000, 8_000),
            "scenarios": Amount(28, 28),
        },
    ),
    Part(
        "T3",
        "Real processes killed",
        "tests.crash.campaign:campaign",
        Amount(300, 2_000),
        {
            "kills by SIGKILL": Amount(300, 2_000),
            "runs killed at a point": Amount(250, 500),
            "runs killed at a syscall": Amount(15, 150),
        },
    ),
    Part("T4", "Power-loss images", "tests.power.campaign:campaign", *_same(500, 5_000, "images")),
    Part("T5", "Two runners at once", "tests.two_runners.campaign:campaign", *_same(2_000, 10_000, "interleavings")),
    Part(
        "T5-processes",
        "Two real processes on one ledger",
        "tests.crash.campaign:races",
        *_same(30, 300, "pairs of real processes"),
    ),
    Part("T6", "Fuzzed inputs", "tests.fuzz.campaign:campaign", *_same(200_000, 2_000_000, "inputs")),
    Part(
        "T7",
        "The ledger beside its model",
        "tests.stateful.campaign:campaign",
        Amount(500, 5_400),
        {"steps": Amount(20_000, 250_000)},
    ),
    Part("T8", "Confluence", "tests.confluence.campaign:campaign", *_same(28_800, 48_800, "orders of arrival")),
    Part("T9", "Planted bugs", "tests.world.planted.campaign:campaign", Amount(1, 2_000), {"killed": Amount(60, 60)}),
    STRUCK,
    Part(
        "T11-PostgreSQL",
        "PostgreSQL: two runners, and nights whose connections die",
        "tests.postgres.campaign:campaign",
        *_same(500, 5_000, "PostgreSQL schedules"),
    ),
    Part(
        "T11-wire",
        "Nights on real lines",
        "tests.wire.campaign:campaign",
        Amount(25, 175),
        {"SFTP runs": Amount(15, 90), "HTTPS runs": Amount(10, 60)},
    ),
    Part("T12", "Branches and error handlers", "tests.long.branches:campaign", *_same(0, 1, "runs")),
    Part("T13", "Same seed, same bytes", "tests.world.campaign:determinism", *_same(100, 1_000, "schedules told three times")),
    Part("T13-flaky", "Every test of the suite, again", "tests.long.flaky:campaign", *_same(0, 3, "runs")),
    Part("S22", "Edits of files and ledger", "tests.tampering.campaign:campaign", *_same(400, 10_000, "edits")),
    Part(
        "T14",
        "Mutants",
        "tests.mutation.campaign:campaign",
        Amount(0, len(FILES)),
        {"mutants": Amount(0, 500)},
        piece=4,
        shares={"killed": (95, "mutants")},
        tells_cases=True,
    ),
)
"""In the order in which they run. A part whose size in CI is 0 is run at length only."""

TARGETS = tuple(f"T{number}" for number in range(1, 15))
"""The targets that a whole run must serve; T15 is the soak, which is asked for by hours."""


def unserved(parts: Iterable[Part], targets: Iterable[str]) -> list[str]:
    """The targets that no part serves."""
    served = {part.target for part in parts}
    return [target for target in targets if target not in served]


def left_out(parts: Iterable[Part], *, is_ci: bool, soaked: bool) -> list[str]:
    """A sentence for each thing that a whole run of this kind does not try."""
    found = [
        f"{part.name}, {part.title.lower()}: only at length." for part in parts if is_ci and not part.size.ci and not part.source
    ]
    return found if soaked else [*found, "T15, the soak: it is asked for by `--soak HOURS`."]


def chosen(words: Iterable[str], parts: Iterable[Part] = PARTS) -> tuple[Part, ...]:
    """The parts that these words name, each a target (`T5`) or one part of it; all for no words. ValueError for others."""
    wanted = list(words)
    known = {part.name for part in parts} | {part.target for part in parts}
    unknown = [word for word in wanted if word not in known]
    if unknown:
        message = f"no part is called {', '.join(unknown)}; there are {', '.join(part.name for part in parts)}"
        raise ValueError(message)
    return tuple(part for part in parts if not wanted or part.name in wanted or part.target in wanted)
