"""`mitbatch sandbox faults` and `mitbatch sandbox clock`: steering a sandbox that runs, over the address in its folder."""

import http.client
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from jobs.output import Options, answer, say
from jobs.sandbox_command import check_fault, envelope
from schemas.errors import ConfigurationError, ExitCode, PathMissing, UsageRefused

ADDRESS_FILE = "control_url"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PATIENCE_SECONDS = 60


def show_faults(options: Options, folder: Path, on: list[str], off: list[str], wanted: Mapping[str, object]) -> int:
    """List every fault, after switching some; without a running sandbox the list is all that can be had."""
    for name in (*on, *off):
        check_fault(name)
    for name in on:
        ask(folder, "POST", "faults", {"name": name, **wanted})
    for name in off:
        ask(folder, "DELETE", f"faults/{quote(name)}")
    running = bool(on or off) or (folder / ADDRESS_FILE).is_file()
    rows = _known(folder, running=running)
    say(options, _fault_lines(rows))
    answer(options, envelope("sandbox faults", "result", running=running, faults=rows))
    return int(ExitCode.CLEAN)


def _known(folder: Path, *, running: bool) -> list[dict[str, Any]]:
    if running:
        found: list[dict[str, Any]] = ask(folder, "GET", "faults")["faults"]
        return found
    import jobs.sandbox  # noqa: F401 - it fills the catalogue
    from jobs.sandbox.fault_ids import with_ids
    from jobs.sandbox.faults import Faults

    return [with_ids(row) for row in Faults().listing()]


def _fault_lines(rows: list[dict[str, Any]]) -> list[str]:
    lines = []
    for area in sorted({row["area"] for row in rows}):
        lines += ["", f"{area}:"]
        for row in (row for row in rows if row["area"] == area):
            state = f" [on: {row['left']} left]" if row["left"] else ""
            fired = f" [struck: {row['fired']}]" if row["fired"] else ""
            lines.append(f"  {row['name']:<28} {', '.join(row['ids']):<12} {row['what']}{state}{fired}")
    return lines[1:]


def show_clock(options: Options, folder: Path, advance: str) -> int:
    """Tell the sandbox's time, after moving its clock if `advance` says by how much."""
    seconds = seconds_of(advance) if advance else 0
    now = ask(folder, "POST", "clock", {"advance_seconds": seconds})["now"] if seconds else ask(folder, "GET", "clock")["now"]
    say(options, [str(now)])
    answer(options, envelope("sandbox clock", "result", now=now, advanced_seconds=seconds))
    return int(ExitCode.CLEAN)


def seconds_of(text: str) -> int:
    """Read 30m, 1h or 2d, or several of them in a row such as 1h30m. Raises UsageRefused."""
    parts = re.findall(r"([0-9]{1,7})([smhd])", text) if re.fullmatch(r"(?:[0-9]{1,7}[smhd]){1,4}", text, re.ASCII) else []
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in parts)
    if not 0 < seconds <= 10**9:
        raise UsageRefused(f"{text!r} is no time to advance by.", next_step="Example: mitbatch sandbox clock --advance 1h")
    return seconds


def ask(folder: Path, method: str, path: str, given: dict[str, object] | None = None) -> dict[str, Any]:
    """One control call. Raises PathMissing where no sandbox runs, ConfigurationError where it refuses."""
    nobody = PathMissing(f"No sandbox is running in {folder}.", next_step=f"Start it: mitbatch sandbox --folder {folder}")
    try:
        base = urlsplit((folder / ADDRESS_FILE).read_text(encoding="ascii").strip())
        connection = http.client.HTTPConnection("127.0.0.1", base.port or 0, timeout=_PATIENCE_SECONDS)
    except (OSError, ValueError) as error:
        raise nobody from error
    try:
        body = None if given is None else json.dumps(given)
        connection.request(method, f"/_sandbox/{path}", body, {"Content-Type": "application/json"})
        found = connection.getresponse()
        document: dict[str, Any] = json.loads(found.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise nobody from error
    finally:
        connection.close()
    if found.status != 200:
        raise ConfigurationError(f"The sandbox refuses: {document.get('error')}.", now="Nothing was changed.")
    return document
