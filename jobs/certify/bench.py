"""One account of a certification at work: its scratch orders, its scratch ledger, the real jobs, and a look at both sides."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from sqlalchemy import Connection, select

from batch.card_lines import Card
from batch.ledger import Submission
from batch.ledger.reading import attempts_of, events_of
from batch.provider_reads import Answer
from batch.responses import OrderRead
from batch.tokenizing import LineResult, tokenize
from jobs.assembly import Workshop, api_url, assemble, load_profile, open_ledger_alone
from jobs.certify.accounts import Mode, settings_for
from jobs.certify.heard import heard_by
from jobs.certify.mistakes import kept_mistake, mistake_of
from jobs.certify.provider_time import LeapingClock, ProviderTime
from jobs.certify.recording import Recording
from jobs.certify.scratch_orders import ScratchOrders, place_of_scratch, scratch_name, scratch_orders
from jobs.certify.unfinished import Unfinished
from jobs.night import run_with
from jobs.output import Options
from jobs.running import RunReport
from jobs.surroundings import Surroundings
from jobs.tokenize import token_desk
from schemas.certification import Evidence, PassedFile
from schemas.comparison_tables import comparison_row
from schemas.errors import InternalError, Stopped
from schemas.ledger_tables import batch, remote_file, transmission
from schemas.matches import Match
from schemas.settings import Settings

Found = TypeVar("Found")
QUIET = Options(config=Path("mitbatch.toml"), quiet=True)
"""A run of a certification prints nothing; its verdicts do."""

_PARTS = select(batch.c.batch_id, batch.c.file_name, batch.c.part_sha256)
_SENT = _PARTS.where(batch.c.part_sha256.is_not(None)).order_by(batch.c.delivered_at)
_CAME = select(remote_file.c.name, remote_file.c.size, remote_file.c.content_hash).order_by(remote_file.c.seen_at)


@dataclass(frozen=True, slots=True)
class Marks:
    """A moment of a bench: how many calls, runs and orders there were, and which files had passed."""

    calls: int
    runs: int
    orders: int
    files: frozenset[PassedFile]


@dataclass
class Bench:
    """One account and everything that its runs use. `mark` is what its order ids begin with.

    `log` is the merchant's own folder for traces of internal errors: what lies in the scratch folder is gone at the end.
    `heard_by` says by what the end of an order was heard.
    """

    mode: Mode
    mark: str
    settings: Settings
    around: Surroundings
    clock: LeapingClock
    orders: ScratchOrders
    recording: Recording
    time: ProviderTime
    test_cards: Sequence[str]
    log: Path
    heard_by: Callable[[str], str]
    reports: list[RunReport] = field(default_factory=list)
    made: list[str] = field(default_factory=list)

    def new_id(self) -> str:
        """The next order id of this round: marked, and never used before."""
        self.made.append(f"{self.mark}-{len(self.made) + 1}")
        return self.made[-1]

    def run(self, job: str, *, everything: bool = False) -> RunReport:
        """Run one job of the pipeline."""
        report, _ = run_with(self.settings, QUIET, job, "", everything=everything, clock=self.clock, surroundings=self.around)
        return self.note(report)

    def note(self, report: RunReport) -> RunReport:
        """Keep how a run went. Raises Interrupted or Terminated where somebody asked it to stop, InternalError for a mistake."""
        self.reports.append(report)
        for problem in report.findings.problems:
            if isinstance(problem, Stopped):
                raise problem
            if isinstance(problem, InternalError):
                raise kept_mistake(problem, self.log, self.around.disk)
        return report

    def mistake(self, error: Exception) -> InternalError:
        """An internal error in a look, with its trace where it stays."""
        return mistake_of(error, self.log, self.around.disk)

    def with_workshop(self, work: Callable[[Workshop], Found]) -> Found:
        """Do something with the account's own equipment, outside any run; nothing is written to the ledger."""
        with assemble(self.settings, self.around, writes=False) as workshop:
            return work(workshop)

    def tokenize(self, card: Card) -> LineResult:
        """Turn a test card into a token for its order, as `mitbatch tokenize` does."""
        with token_desk(self.settings, self.around, replaces=False, is_dry_run=False) as desk:
            return tokenize(desk, card)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The scratch ledger, to look at."""
        with (
            open_ledger_alone(self.settings, clock=self.clock, make_engine=self.around.make_engine) as ledger,
            ledger.reading() as found,
        ):
            yield found

    def submission(self, order_id: str) -> Submission | None:
        """The order's latest claim in the ledger."""
        with self.reading() as connection:
            found = attempts_of(connection, self.settings.provider.mid, order_id)
        return found[-1] if found else None

    def words_from(self, order_id: str, source: str) -> list[str]:
        """The provider's words for the order that the ledger heard from this source (`acknowledgement`, `evaluate`, `poll`)."""
        with self.reading() as connection:
            events = events_of(connection, self.settings.provider.mid, f"order:{order_id}")
        details = [json.loads(event["detail"]) for event in events if event["source"] == source]
        return [str(detail["provider_status"]) for detail in details if detail.get("provider_status")]

    def copy_result(self, order_id: str) -> tuple[str, str]:
        """What the provider answered to the copy of a good charge: the word, and its own id for it."""
        with self.reading() as connection:
            query = select(transmission.c.result, transmission.c.transmit_id).where(transmission.c.order_id == order_id)
            row = connection.execute(query).one_or_none()
        return (row.result or "", row.transmit_id or "") if row is not None else ("", "")

    def differences(self, comparison: str, orders: Sequence[str]) -> dict[str, str]:
        """Which of these orders differ in a comparison (its id is its run's), each with the reason."""
        columns = (comparison_row.c.order_id, comparison_row.c.explanation)
        mine = (comparison_row.c.comparison_id == comparison, comparison_row.c.order_id.in_(orders))
        with self.reading() as connection:
            found = connection.execute(select(*columns).where(*mine, comparison_row.c.match != Match.EQUAL.value)).all()
        return {row.order_id: row.explanation for row in found}

    def read_at_provider(self, order_id: str) -> OrderRead | None:
        """How the provider shows the order now, by its own id where we have it, else by a search for ours."""
        known = self.submission(order_id)
        number = known.provider_order_id if known is not None else ""
        if not number:
            return self.find_at_provider(order_id).read
        return self.with_workshop(lambda workshop: next(iter(workshop.api.read_orders([number]))).read)

    def find_at_provider(self, order_id: str) -> Answer:
        """What the provider answers to a search for the order by our own id."""
        return self.with_workshop(lambda workshop: workshop.api.find_order(order_id))

    def standing(self, orders: Sequence[str]) -> dict[str, str]:
        """How these orders stand on our side: the row's words and the ledger's state, by order."""
        found: dict[str, str] = {}
        for order_id in orders:
            row, claim = self.orders.row(order_id), self.submission(order_id)
            held = " held" if row["hold_reference"] else ""
            word = f", provider_status {row['provider_status']}" if row["provider_status"] else ""
            found[f"{order_id} row"] = f"{row['status']}{held}{word}"
            found[f"{order_id} ledger"] = str(claim.state) if claim is not None else "not claimed"
        return found

    def marks(self) -> Marks:
        """What there is so far."""
        return Marks(len(self.recording.exchanges), len(self.reports), len(self.made), frozenset(self.files()))

    def trouble_since(self, marks: Marks) -> str:
        """The first problem that a run since then met, as a sentence; a mistake of our own is told for itself."""
        met = [problem for report in self.reports[marks.runs :] for problem in report.findings.problems]
        problems = [problem for problem in met if not isinstance(problem, InternalError)]
        return f"The run said: {problems[0].what}" if problems else ""

    def evidence(self, marks: Marks, orders: tuple[str, ...], before: dict[str, str]) -> Evidence:
        """What came since these marks; orders that were made since then count as well."""
        orders = tuple(dict.fromkeys((*orders, *self.made[marks.orders :])))
        files = tuple(file for file in self.files() if file not in marks.files)
        return Evidence(orders, before, self.standing(orders), self.recording.since(marks.calls), files)

    def files(self) -> list[PassedFile]:
        """Every file that left, then every one that came. The length of one that left is what the server said of it."""
        with self.reading() as connection:
            sent = connection.execute(_SENT).all()
            came = connection.execute(_CAME).all()
            sizes = _sizes(connection, self.settings.provider.mid, [row.batch_id for row in sent])
        left = [PassedFile("sent", row.file_name, sizes[row.batch_id], row.part_sha256) for row in sent]
        return left + [PassedFile("received", row.name, row.size, row.content_hash) for row in came]


def _sizes(connection: Connection, mid: str, batch_ids: Sequence[str]) -> dict[str, int]:
    found = dict.fromkeys(batch_ids, 0)
    for batch_id in batch_ids:
        details = [json.loads(event["detail"]) for event in events_of(connection, mid, f"batch:{batch_id}")]
        found[batch_id] = max((int(detail["size"]) for detail in details if "size" in detail), default=0)
    return found


@contextmanager
def open_bench(
    settings: Settings, mode: Mode, run: str, folder: Path, around: Surroundings, clock: LeapingClock, work: Unfinished
) -> Iterator[Bench]:
    """A bench with a folder, ledger and orders table of its own. All of them are gone at the end: they hold payment tokens."""
    work.note(run, mode, place_of_scratch(settings.orders))
    with TemporaryDirectory(prefix=f"{mode}-", dir=folder, ignore_cleanup_errors=True) as place:
        yield from _opened(settings, mode, run, Path(place), around, clock)


def _opened(settings: Settings, mode: Mode, run: str, place: Path, around: Surroundings, clock: LeapingClock) -> Iterator[Bench]:
    recording = Recording(clock)
    recorded = replace(around, http_transport=lambda: recording.over(around.http_transport()), page=None)
    with scratch_orders(settings.orders, place, scratch_name(run, mode), around.make_engine) as orders:
        made = settings_for(settings, mode, place, orders.settings)
        profile = load_profile(made)
        time = ProviderTime(clock, api_url(made, profile), settings.certify.max_wait_seconds, around.stop.check)
        cards, log = profile.sandbox.test_cards, settings.data_dir / "log"
        heard = partial(heard_by, settings, around.make_engine)
        yield Bench(mode, f"cert-{run}-{mode[0]}", made, recorded, clock, orders, recording, time, cards, log, heard)
