"""`mitbatch go-live`: is everything of the checklist shown, and nothing of the sandbox left? Then production's ledger is locked.

It sends nothing and switches nothing on. What it writes, and only when all is shown and the merchant id was typed: the lock of
production's ledger, then an event beside the packs. If it dies in between, running it again finds the lock as it must be.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from batch.ledger.identity import lock_identity
from batch.ledger.transaction import Ledger
from batch.pace import business_date, utc_text
from jobs.assembly import check_environment, load_profile
from jobs.banner import banner
from jobs.by_hand import show_dry_run, this_person
from jobs.certify.attestation import Attestation
from jobs.certify.compared import Known, newest
from jobs.certify.pack_folder import PackFolder
from jobs.certify.unfinished import dead_rounds
from jobs.clock import SystemClock
from jobs.databases import open_ledger
from jobs.golive.differences import differences
from jobs.golive.missing import Missing, missing, not_required, standing
from jobs.golive.production_items import WEBHOOK, Seen, is_private, production_items, with_word
from jobs.golive.sides import Side, fresh_key, in_use, look, side_of
from jobs.golive.telling import lines_of, object_of
from jobs.output import Options, answer, say
from jobs.serve.address import public_url
from jobs.settings_file import load_settings
from jobs.surroundings import Surroundings, of_this_machine
from schemas.certification import Shown
from schemas.errors import EXIT_MEANINGS, EnvironmentMixed, ExitCode, NotCertified, UsageRefused
from schemas.settings import Settings

Look = Callable[[Settings, Path, Surroundings], Seen]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asked for: both settings files, and the merchant id as it was typed."""

    sandbox: Path
    production: Path
    confirm: str = ""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """Everything that was found, as lines for people and as fields for machines."""

    sandbox: Side
    production: Side
    lines: list[str]
    fields: dict[str, Any]
    lacking: Sequence[Missing]


def go_live(
    options: Options, asked: Asked, *, surroundings: Surroundings | None = None, looks: Look = look, installed: str = ""
) -> int:
    """Look at everything, and lock production's ledger where all of it is shown. Raises EnvironmentMixed, NotCertified,
    UsageRefused without the whole merchant id, CertificationChanged, ConfigurationError.
    """
    around = surroundings or of_this_machine(SystemClock())
    sandbox, production = checked_settings(asked.sandbox, "sandbox"), checked_settings(asked.production, "production")
    found = _judged(sandbox, production, asked, around, looks, installed or version("mitbatch"))
    today = business_date(around.clock.now(), production.schedule.timezone)
    lines = [banner("go-live", today, production), *found.lines]
    if found.lacking:
        _tell(options, lines, {**found.fields, "exit_code": int(ExitCode.REFUSED)}, around, ExitCode.REFUSED)
        sys.stderr.write(f"{_refused(found.lacking)}\n")
        return int(ExitCode.REFUSED)
    if asked.dry_run:
        show_dry_run(options, [*lines, f"Production's ledger would be locked to mid {production.provider.mid}."])
        _answer(options, {**found.fields, "dry_run": True, "exit_code": 0}, around)
        return int(ExitCode.CLEAN)
    if asked.confirm.strip().lower() != production.provider.mid:
        say(options, lines)
        raise UsageRefused(
            "Everything is shown; going live needs production's merchant id typed.",
            next_step=f"Where it is meant: mitbatch go-live --to {asked.production} --confirm {production.provider.mid}",
        )
    _lock(found, around)
    folder = PackFolder(sandbox, around.disk)
    event = {"mid": sandbox.provider.mid[:8], "production_mid": production.provider.mid[:8], "person": this_person()}
    folder.chain.add("went_live", utc_text(around.clock.now()), event)
    next_step = f"Production's ledger is locked. Next: mitbatch --config {asked.production} nightly --dry-run"
    _tell(options, [*lines, next_step], {**found.fields, "by": this_person(), "exit_code": 0}, around, ExitCode.CLEAN)
    return int(ExitCode.CLEAN)


def checked_settings(path: Path, environment: str) -> Settings:
    """The settings of one side, which must be of that environment by their word and by their address.

    Raises EnvironmentMixed, ConfigurationError.
    """
    settings = load_settings(path)
    if settings.environment != environment:
        option = "--from" if environment == "sandbox" else "--to"
        raise EnvironmentMixed(
            f"{path} says {settings.environment}; {option} needs the settings of {environment}.",
            next_step="Run: mitbatch go-live --from SANDBOX_TOML --to PRODUCTION_TOML",
        )
    check_environment(settings, load_profile(settings))
    return settings


def _judged(sandbox: Settings, production: Settings, asked: Asked, around: Surroundings, looks: Look, installed: str) -> Judged:
    key = fresh_key()
    sides = side_of(sandbox, around, key), side_of(production, around, key)
    names = {name for side in sides for name in side.marks if not name.startswith("certify.")}
    marks = {name: (sides[0].marks.get(name, ""), sides[1].marks.get(name, "")) for name in names}
    known, stands, provider, word = _known(sandbox, around, installed)
    address = public_url(production) if production.webhook.public_host else ""
    items = with_word(production_items(*sides, looks(production, asked.production, around)), word, address)
    lacking = missing(stands, items, known, production)
    found = [*differences(sandbox, production, marks), *in_use(*sides)]
    warnings = [*not_required(stands, production), *_warnings(provider), *_killed(sandbox)]
    fields = object_of(found, items, lacking, warnings, stands)
    return Judged(*sides, lines_of(found, items, lacking, warnings), fields, lacking)


def _known(
    sandbox: Settings, around: Surroundings, installed: str
) -> tuple[dict[str, Known], dict[str, Shown], str, Attestation | None]:
    """What the packs say, how each item stands with what people attested, the provider of the last pack, and who attested
    the webhook. Only packs of the sandbox count.
    """
    folder = PackFolder(sandbox, around.disk)
    events = folder.chain.events()
    packs = [each for each in folder.packs(events) if each["environment"] == "sandbox"]
    known = newest(packs)
    attested = folder.attested(events)
    return known, standing(known, attested, installed), packs[-1]["provider"] if packs else "", attested.get(WEBHOOK)


def _warnings(provider: str) -> list[str]:
    from urllib.parse import urlsplit

    host = urlsplit(provider).hostname or ""
    if host and is_private(host):
        return [f"The last pack was made against a pretend provider at {host}, not against the provider's own sandbox."]
    return []


def _killed(sandbox: Settings) -> list[str]:
    found = dead_rounds(sandbox.data_dir / "certification")
    told = "A round that was killed left payment tokens of test cards in {}; the next round removes them: mitbatch certify"
    return [told.format(each) for each in found]


def _lock(found: Judged, around: Surroundings) -> None:
    """Make production's ledger if it is not there, and tie it to production. Raises IdentityChanged."""
    settings, wanted = found.production.settings, found.production.wanted
    assert wanted is not None  # noqa: S101 - a side that was read has one
    engine = open_ledger(settings.ledger.url, make_engine=around.make_engine)
    try:
        ledger = Ledger(engine, mid=settings.provider.mid, clock=around.clock, lease_seconds=settings.lease.seconds)
        lock_identity(ledger, wanted, ledger_id=around.new_run_id(), scrub_key=around.new_scrub_key())
    finally:
        engine.dispose()


def _refused(lacking: Sequence[Missing]) -> NotCertified:
    more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
    return NotCertified(f"Not ready for production: {lacking[0].item}{more}.", next_step=lacking[0].do)


def _tell(options: Options, lines: list[str], fields: dict[str, Any], around: Surroundings, code: ExitCode) -> None:
    if not (options.quiet and code is ExitCode.CLEAN):
        say(options, [*lines, f"EXIT {int(code)} {EXIT_MEANINGS[code]}"])
    _answer(options, fields, around)


def _answer(options: Options, fields: dict[str, Any], around: Surroundings) -> None:
    head = {"schema": "mitbatch.go_live/1", "type": "result", "command": "go-live", "run_id": ""}
    answer(options, {**head, "generated_at": utc_text(around.clock.now()), "environment": "production", **fields})
