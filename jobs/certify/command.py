"""`mitbatch certify`: one round, its verdicts on the terminal or as JSON, and the exit code."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from batch.pace import utc_text
from jobs.certify.accounts import check_sandbox
from jobs.certify.pack_folder import HTML, PackFolder, draw_page
from jobs.certify.provider_time import LeapingClock
from jobs.certify.round import Round, chosen, go_round
from jobs.certify.round_pack import write_pack
from jobs.certify.scratch_orders import drop_scratch
from jobs.certify.unfinished import Swept, sweep
from jobs.clock import ShiftedClock, SystemClock
from jobs.output import Options, answer, say
from jobs.settings_file import load_settings
from jobs.surroundings import Surroundings, of_this_machine
from schemas.certification import CHECKLIST, Verdict
from schemas.counted import counted
from schemas.errors import EXIT_MEANINGS, ExitCode
from schemas.settings import Settings

_WORDS = {
    Verdict.PASSED: "ok",
    Verdict.FAILED: "FAIL",
    Verdict.ATTESTED: "attested",
    Verdict.OPEN: "NEED",
    Verdict.NOT_APPLICABLE: "n/a",
}
_TITLES = {item.id: item.title for item in CHECKLIST}


def run_certify(
    options: Options, words: Sequence[str], *, clock: LeapingClock | None = None, surroundings: Surroundings | None = None
) -> int:
    """Show the items of these ids and groups, all without any, by the settings file. Returns the exit code.

    Raises CertifyOnlyInSandbox, CertificationChanged, PackUnfit, ConfigurationError.
    """
    settings, clock = load_settings(options.config), clock or ShiftedClock()
    items = chosen(words)
    check_sandbox(settings)
    draw_page()  # without it no order is made
    began = SystemClock().now()
    around = surroundings or of_this_machine(clock)
    PackFolder(settings, around.disk).past()  # a chain that is broken is told before any order is made
    swept = sweep(settings.data_dir / "certification", drop_scratch(settings.orders, around.make_engine))
    folder = round_folder(settings, clock)
    found = go_round(settings, items, around, clock, folder)
    written = write_pack(settings, around, found, tuple(words), began)
    found = replace(found, shown=written.shown)
    code = ExitCode(written.pack["exit_code"])
    if options.verbose:
        sys.stderr.writelines(Path(trace).read_text(encoding="utf-8") for trace in found.traces or ())
    if not (options.quiet and code is ExitCode.CLEAN):
        *lines, last = lines_of(found, settings, code)
        say(options, [*lines, *changes_of(written.pack), *_told(swept), last])
    answer(
        options,
        {
            **object_of(found, settings, code),
            "generated_at": written.pack["generated_at"],
            "pack": str(written.json),
            "page": str(written.html),
            "removed": swept.removed,
            "left_behind": swept.left,
        },
    )
    return int(code)


def _told(swept: Swept) -> list[str]:
    return [f"removed   {each}" for each in swept.removed] + [f"LEFT      {each}" for each in swept.left]


def round_folder(settings: Settings, clock: LeapingClock) -> Path:
    """The folder of a round that begins now, made for its owner alone; rounds of one second, even at once, never share one."""
    place = settings.data_dir / "certification"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    moment, number = clock.now().strftime("%Y%m%dT%H%M%SZ"), 1
    while True:
        folder = place / (moment if number == 1 else f"{moment}-{number}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return folder


def lines_of(found: Round, settings: Settings, code: ExitCode) -> list[str]:
    """The verdicts for people: one line an item, and for what is not right what was seen and what to change."""
    lines = [f"mitbatch certify   {settings.environment}   round {found.run}"]
    lines += [f"orders   {mode:<9}{where}" for mode, where in found.orders.items()]
    for each in found.shown:
        lines.append(f"{_WORDS[each.verdict]:<9}{each.item:<29}{_TITLES[each.item]}")
        if each.verdict in (Verdict.FAILED, Verdict.NOT_APPLICABLE):
            lines.append(f"         {each.seen}")
        if each.change:
            lines.append(f"         {each.change}")
    counts = Counter(each.verdict for each in found.shown)
    verdicts = " · ".join(f"{verdict.value.replace('_', ' ')} {counts[verdict]}" for verdict in Verdict if counts[verdict])
    return [
        *lines,
        f"{counted(len(found.shown), 'item')}: {verdicts}",
        f"evidence  {found.folder / HTML}",
        f"EXIT {int(code)} {EXIT_MEANINGS[code]}",
    ]


def changes_of(pack: Mapping[str, Any]) -> list[str]:
    """What stands otherwise than in the packs before, the worse first; nothing on a first run."""
    found = []
    for each in pack["changes"]:
        was, now = (word.replace("_", " ") for word in (each["was"] or "not run", each["now"]))
        found.append(f"changed   {each['item']}: {was} -> {now}")
    return found


def object_of(found: Round, settings: Settings, code: ExitCode) -> dict[str, object]:
    """The same for machines."""
    items = [
        {
            "item": each.item,
            "verdict": each.verdict.value,
            "seen": each.seen,
            "change": each.change,
            "orders": each.evidence.orders,
        }
        for each in found.shown
    ]
    return {
        "schema": "mitbatch.certify/1",
        "run_id": found.run,
        "generated_at": utc_text(found.finished_at),
        "environment": settings.environment,
        "started_at": utc_text(found.started_at),
        "folder": str(found.folder),
        "orders_tables": found.orders,
        "items": items,
        "exit_code": int(code),
    }
