"""`mitbatch tokenize`: card data from a pipe, tokens to the orders, and not a trace of the cards anywhere."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from batch.card_lines import MOST_LINE_BYTES, MalformedLine, read_card
from batch.equipment import Clock
from batch.pace import business_date, utc_text
from batch.token_writer import TokenWriter
from batch.tokenizing import LineOutcome, LineReason, LineResult, TokenDesk, tokenize
from jobs.assembly import assemble
from jobs.banner import banner
from jobs.card_pipe import check_pipe, keep_no_picture, lines_of
from jobs.clock import SystemClock
from jobs.databases import open_orders
from jobs.output import Options, answer, say
from jobs.settings_file import load_settings
from jobs.surroundings import Surroundings, of_this_machine
from schemas.errors import EXIT_MEANINGS, ApiUnreachable, ConfigurationError, ExitCode, NothingSent
from schemas.settings import Settings

STANDARD_INPUT = 0
MOST_UNANSWERED = 3
"""So many lines without an answer, one after the other, end the run: the provider is not there."""


def run_tokenize(
    options: Options,
    *,
    replaces: bool,
    is_dry_run: bool,
    clock: Clock | None = None,
    surroundings: Surroundings | None = None,
    descriptor: int = STANDARD_INPUT,
) -> int:
    """Take every line of the pipe, say what became of each that was not written, and return the exit code.

    Raises UsageRefused before anything is read where there is no pipe; what concerns every line, such as refused
    credentials, ends the run with its own code and the number of the line at which it ended.
    """
    check_pipe(descriptor)
    keep_no_picture()
    settings = load_settings(options.config)
    around = surroundings or of_this_machine(clock or SystemClock())
    counted: Counter[LineOutcome] = Counter()
    today = business_date(around.clock.now(), settings.schedule.timezone)
    say(options, [("DRY RUN  " if is_dry_run else "") + banner("tokenize", today, settings)])
    with token_desk(settings, around, replaces=replaces, is_dry_run=is_dry_run) as desk:
        _take_lines(options, settings.environment, desk, descriptor, counted)
    code = _code(counted)
    _close(options, settings, around.clock, counted, code, is_dry_run=is_dry_run)
    return int(code)


def _take_lines(options: Options, environment: str, desk: TokenDesk, descriptor: int, counted: Counter[LineOutcome]) -> None:
    """One line after the other, so that one card at a time is in memory."""
    unanswered = 0
    for number, content in lines_of(descriptor):
        try:
            result = _result(desk, content)
        except NothingSent as problem:  # it concerns every line
            raise _stopped(problem, number, counted) from None
        counted[result.outcome] += 1
        _tell(options, environment, number, result, is_dry_run=desk.is_dry_run)
        unanswered = unanswered + 1 if result.outcome is LineOutcome.UNANSWERED else 0
        if unanswered == MOST_UNANSWERED:
            silence = ApiUnreachable(f"The provider's API gave no answer for {MOST_UNANSWERED} lines on end.")
            raise _stopped(silence, number, counted)


@contextmanager
def token_desk(settings: Settings, around: Surroundings, *, replaces: bool, is_dry_run: bool) -> Iterator[TokenDesk]:
    """What tokenizing works with. Raises ConfigurationError without `orders.admin_url`, as whatever cannot be opened does."""
    if not settings.orders.admin_url:
        raise ConfigurationError(
            "orders.admin_url is not set: the pipeline's own login may not write a token.",
            next_step="Name a login that may update payment_token and card_last4 there; it may be that of orders.url.",
        )
    key = around.secret(settings, "tokenization_key")
    with assemble(settings, around, writes=False) as workshop:
        equipment = workshop.equipment
        engine, orders = open_orders(
            settings.orders.admin_url, settings.orders, make_engine=around.make_engine, key="orders.admin_url"
        )
        try:
            yield TokenDesk(
                ledger=equipment.ledger,
                source=equipment.source,
                writer=TokenWriter(engine, orders),
                api=workshop.api,
                clock=around.clock,
                query={"mid": settings.provider.mid, "environment": key},
                test_cards=equipment.profile.sandbox.test_cards if settings.environment == "sandbox" else None,
                replaces=replaces,
                is_dry_run=is_dry_run,
            )
        finally:
            engine.dispose()


def _result(desk: TokenDesk, content: bytes | None) -> LineResult:
    if content is None:
        return LineResult("", LineOutcome.REFUSED, LineReason.MALFORMED, f"it is longer than {MOST_LINE_BYTES:,} bytes")
    card = read_card(content)
    if isinstance(card, MalformedLine):
        return LineResult(card.order_id, LineOutcome.REFUSED, LineReason.MALFORMED, card.sentence)
    return tokenize(desk, card)


def _tell(options: Options, environment: str, number: int, result: LineResult, *, is_dry_run: bool) -> None:
    if result.sentence:
        order = f" (order {result.order_id!r})" if result.order_id else ""
        say(options, [f"{'DRY RUN  ' if is_dry_run else ''}line {number}{order}: {result.outcome}, {result.sentence}"])
    answer(
        options,
        {
            "schema": "mitbatch.tokenize_line/1",
            "type": "line",
            "command": "tokenize",
            "environment": environment,
            "line": number,
            "order_id": result.order_id,
            "outcome": result.outcome.value,
            "reason": result.reason.value,
            "sentence": result.sentence,
            "dry_run": is_dry_run,
        },
    )


def _stopped(problem: NothingSent, number: int, counted: Counter[LineOutcome]) -> NothingSent:
    """What ends the run, with the line at which it ended; 10 where tokens were written before."""
    written = counted[LineOutcome.WRITTEN]
    tokens = f"{written:,} {'token was' if written == 1 else 'tokens were'} written"
    problem.now = f"It stopped at line {number}; {tokens}, and the same lines may be sent again."
    problem.exit_code = ExitCode.NEEDS_PERSON if written else problem.exit_code
    return problem


def _code(counted: Counter[LineOutcome]) -> ExitCode:
    """20 where the only trouble is that nobody answered and nothing was written, else 10 where a line was left."""
    if not counted[LineOutcome.REFUSED] and not counted[LineOutcome.UNANSWERED]:
        return ExitCode.CLEAN
    if counted[LineOutcome.REFUSED] or counted[LineOutcome.WRITTEN]:
        return ExitCode.NEEDS_PERSON
    return ExitCode.NOTHING_SENT


def _close(
    options: Options, settings: Settings, clock: Clock, counted: Counter[LineOutcome], code: ExitCode, *, is_dry_run: bool
) -> None:
    lines = counted.total()
    counts = {outcome.value: counted[outcome] for outcome in LineOutcome}
    if not (options.quiet and code is ExitCode.CLEAN):
        mark = "DRY RUN  " if is_dry_run else ""
        words = " · ".join(f"{name} {count:,}" for name, count in counts.items())
        said = [f"{lines:,} {'line' if lines == 1 else 'lines'}, {words}", f"EXIT {int(code)} {EXIT_MEANINGS[code]}"]
        say(options, [f"{mark}{line}" for line in said])
    head = {"schema": "mitbatch.tokenize/1", "type": "result", "command": "tokenize", "run_id": ""}
    seen = {"generated_at": utc_text(clock.now()), "environment": settings.environment, "dry_run": is_dry_run}
    answer(options, {**head, **seen, "lines": lines, **counts, "exit_code": int(code)})
