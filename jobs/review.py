"""`mitbatch review resolve`: a person decides about an item, an order under review, or a file without an answer."""

from batch.deciding import decide
from batch.equipment import Clock, Equipment
from batch.findings import Findings
from batch.ledger import Run
from batch.pace import business_date, utc_text
from batch.repeating import repeat_calls
from batch.results import write_back
from batch.review import Decision, judge
from batch.webhook_news import apply_webhooks
from jobs.assembly import assemble
from jobs.banner import banner
from jobs.by_hand import ask_for_word, checked_reason, show_dry_run, this_person
from jobs.clock import SystemClock
from jobs.output import Options, answer, say
from jobs.running import RunReport, run_job
from jobs.settings_file import load_settings
from jobs.surroundings import Surroundings, of_this_machine
from jobs.word_pages import nearest
from schemas.errors import EXIT_MEANINGS, ExitCode, MitbatchError, UsageRefused
from schemas.resolutions import OF_CALLS, RESOLUTION_TEXTS, Resolution
from schemas.settings import Settings


def resolve(
    options: Options, about: str, resolution: str, reason: str, *, yes: bool, dry_run: bool, clock: Clock | None = None
) -> int:
    """Decide about an item, an order under review, or a file. The provider is asked first; `--dry-run` shows what follows."""
    settings = load_settings(options.config)
    decision = Decision(about, _resolution(resolution), checked_reason(reason), this_person())
    around = of_this_machine(clock or SystemClock())
    today = business_date(around.clock.now(), settings.schedule.timezone)
    first = banner("review resolve", today, settings)
    with assemble(settings, around, writes=False) as workshop:
        judged = judge(workshop.equipment, decision)
    effects = [first, judged.sentence, f"{decision.resolution}: {RESOLUTION_TEXTS[decision.resolution]}"]
    if dry_run:
        show_dry_run(options, effects)
        answer(options, {**_result(settings, around, decision, judged.sentence, ""), "dry_run": True, "exit_code": 0})
        return int(ExitCode.CLEAN)
    ask_for_word(effects, yes=yes)
    report, sentence = carry_out(settings, around, decision)
    if sentence:
        first = banner("review resolve", report.business_date, settings, report.run_id)
        say(options, [first, sentence, *_kept(report), f"EXIT {int(report.code)} {EXIT_MEANINGS[report.code]}"])
        answer(options, {**_result(settings, around, decision, sentence, report.run_id), "exit_code": int(report.code)})
        return int(report.code)
    raise report.findings.problems[0]


def carry_out(settings: Settings, around: Surroundings, decision: Decision) -> tuple[RunReport, str]:
    """The decision as one run: judged again under the lease, carried out, and shown in the rows.

    Returns the run's report, and the sentence that says what followed; empty if the decision was refused.
    Raises AnotherRunActive when another run holds the lease: then nothing was decided.
    """
    done: list[str] = []

    def work(equipment: Equipment, run: Run, findings: Findings) -> None:
        if decision.resolution in OF_CALLS:
            apply_webhooks(equipment, run)  # the provider may have told of the very order
        judged = judge(equipment, decision)
        if judged.repeat is not None:
            sentence = repeat_calls(equipment, run, findings, decision, judged)
            done.extend([sentence] if sentence else [])
        else:
            decide(equipment, run, decision, judged)
            done.append(judged.sentence)
        try:
            write_back(equipment, run)
        except MitbatchError as problem:
            findings.add(problem)

    with around.stop.listening(), assemble(settings, around) as workshop:
        report = run_job(workshop, "review", "", work)
    return report, done[0] if done else ""


def _kept(report: RunReport) -> list[str]:
    warnings = [f"WARN  {problem}" for problem in report.findings.problems]
    left = len(report.items)
    return [*warnings, f"NEED  {left:,} more: mitbatch review list" if left else "next  mitbatch status"]


def _resolution(word: str) -> Resolution:
    try:
        return Resolution(word)
    except ValueError:
        hints = [nearest(word, Resolution), f"There are: {', '.join(Resolution)}."]
        raise UsageRefused(f"{word!r} is no decision.", next_step=" ".join(hints).strip()) from None


def _result(settings: Settings, around: Surroundings, decision: Decision, sentence: str, run_id: str) -> dict[str, object]:
    return {
        "schema": "mitbatch.review_resolve/1",
        "type": "result",
        "command": "review resolve",
        "run_id": run_id,
        "generated_at": utc_text(around.clock.now()),
        "environment": settings.environment,
        "about": decision.about,
        "decision": decision.resolution.value,
        "reason": decision.reason,
        "by": decision.person,
        "sentence": sentence,
    }
