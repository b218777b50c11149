"""Whether the installed libraries are those that this program was made for."""

import re
from importlib.metadata import PackageNotFoundError, requires, version

from jobs.doctor.finding import Finding, failed, good, skipped
from schemas.counted import counted
from schemas.errors import LibraryOld

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*>=\s*([0-9.]+)(.*)")


def libraries() -> Finding:
    """That no library is older than the versions that this program was made for; those of extras where they are installed."""
    try:
        wanted = requires("mitbatch") or []
    except PackageNotFoundError:
        return skipped("libraries", "not installed as a package: nothing says which versions are needed")
    old, seen = list[str](), 0
    for line in wanted:
        shape = _REQUIREMENT.match(line)
        if shape is None or 'extra == "dev"' in line:
            continue
        name, floor, rest = shape.groups()
        try:
            installed = version(name)
        except PackageNotFoundError:
            old += [] if "extra" in rest else [f"{name} is not installed"]
            continue
        seen += 1
        if _numbers(installed) < _numbers(floor):
            old.append(f"{name} {installed} is older than {floor}")
    if old:
        problem = LibraryOld(f"{'; '.join(old)}.", next_step="Run: pip install -r requirements.lock")
        return failed("libraries", counted(len(old), "library is", "libraries are") + " not fit", problem)
    return good("libraries", f"{counted(seen, 'library', 'libraries')} at or above the oldest safe version")


def _numbers(words: str) -> tuple[int, ...]:
    leading = re.match(r"[0-9]+(?:\.[0-9]+)*", words)
    numbers = [int(part) for part in leading[0].split(".")] if leading else [0]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
