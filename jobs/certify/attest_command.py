"""`mitbatch certify attest`: a person's word for an item that only a page of the merchant can show, with what shows it."""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from batch.pace import business_date, utc_text
from jobs.banner import banner
from jobs.by_hand import ask_for_word, show_dry_run, this_person
from jobs.certify.attestation import attest, checked_by, checked_item, checked_words, evidence_of
from jobs.certify.pack_folder import PackFolder
from jobs.clock import SystemClock
from jobs.output import Options, answer, say
from jobs.report.parts import size_text
from jobs.settings_file import load_settings
from jobs.surroundings import Surroundings, of_this_machine
from schemas.certification import CHECKLIST
from schemas.errors import EXIT_MEANINGS, EnvironmentMixed, ExitCode


@dataclass(frozen=True, slots=True)
class Word:
    """What a person says on the command line."""

    item: str
    evidence: Path
    by: str
    reason: str = ""


def attest_item(
    options: Options, word: Word, *, dry_run: bool = False, yes: bool = False, surroundings: Surroundings | None = None
) -> int:
    """Keep the evidence and an event that cannot be edited afterwards.

    Raises UsageRefused, EnvironmentMixed, CertificationChanged.
    """
    settings, around = load_settings(options.config), surroundings or of_this_machine(SystemClock())
    if settings.environment != "sandbox":
        raise EnvironmentMixed("A certification is of the sandbox, and these settings say production.")
    item, by = checked_item(word.item), checked_by(word.by)
    reason = checked_words(item, word.reason)
    evidence, person = evidence_of(word.evidence), this_person()
    folder = PackFolder(settings, around.disk)
    folder.attested(folder.chain.events())
    title = next(each.title for each in CHECKLIST if each.id == item)
    effects = [
        banner("certify attest", business_date(around.clock.now(), settings.schedule.timezone), settings),
        f"{item}: {title}",
        f"by {by} ({person}){f': {reason}' if reason else ''}",
        f"evidence {word.evidence}, {size_text(len(evidence.content))}, SHA-256 {evidence.sha256}",
        "It is listed as attested, never as passed, and cannot be taken back; a later word for it stands in its place.",
    ]
    fields = {
        "item": item,
        "by": by,
        "person": person,
        "reason": reason,
        "sha256": evidence.sha256,
        "size": len(evidence.content),
    }
    at = utc_text(around.clock.now())
    head = {"schema": "mitbatch.certify_attest/1", "type": "result", "command": "certify attest", "run_id": ""}
    said = {**head, "generated_at": at, "environment": settings.environment, **fields}
    if dry_run:
        show_dry_run(options, effects)
        answer(options, {**said, "dry_run": True, "exit_code": 0})
        return int(ExitCode.CLEAN)
    ask_for_word(effects, yes=yes)
    kept = {"item": item, "by": by, "person": person, "reason": reason}
    about = {"environment": settings.environment, "mid": settings.provider.mid[:8], "version": version("mitbatch")}
    done = attest(folder.root, around.disk, evidence, at=at, fields={**kept, **about})
    say(options, [f"Kept {folder.root / done.copy}", "Next: mitbatch certify, whose pack lists it; go-live counts it at once."])
    say(options, [f"EXIT 0 {EXIT_MEANINGS[ExitCode.CLEAN]}"])
    answer(options, {**said, "exit_code": 0})
    return int(ExitCode.CLEAN)
