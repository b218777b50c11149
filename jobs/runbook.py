"""`mitbatch help runbook`: what to do when, by exit code, by kind of item, and for what is neither."""

import difflib
import re
from importlib.resources import files

from jobs.output import Options, answer, say
from schemas.errors import ExitCode, UsageRefused


def sections() -> dict[str, list[str]]:
    """The runbook's sections by title, in their order, each as lines; the words before the first are under ""."""
    found: dict[str, list[str]] = {"": []}
    title = ""
    for line in files("schemas").joinpath("RUNBOOK.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            title = line.removeprefix("## ")
            found[title] = []
        elif not line.startswith("# "):
            found[title].append(line)
    return {title: _trimmed(lines) for title, lines in found.items()}


def show_runbook(options: Options, word: str) -> int:
    """Print the whole runbook, or the section of an exit code, a kind of item, or a title. Raises UsageRefused for none."""
    pages = sections()
    titles = [_meant(word, list(pages))] if word else list(pages)
    lines = [line for title in titles for line in ([*([title, "-" * len(title)] if title else []), *pages[title], ""])]
    say(options, lines[:-1])
    texts = {title: "\n".join(pages[title]) for title in titles}
    answer(options, {"schema": "mitbatch.runbook/1", "sections": texts})
    return int(ExitCode.CLEAN)


def _meant(word: str, titles: list[str]) -> str:
    wanted = word.strip().lower()
    names = {_name(title): title for title in titles if title}
    if wanted in names:
        return names[wanted]
    holding = [title for name, title in names.items() if wanted and wanted in name]
    if len(holding) == 1:
        return holding[0]
    near = difflib.get_close_matches(wanted, list(names), n=3, cutoff=0.4)
    hint = f"The nearest are: {', '.join(near)}." if near else "mitbatch help runbook prints all of it."
    raise UsageRefused(f"The runbook has no section {word!r}.", next_step=hint)


def _name(title: str) -> str:
    """What a section is asked for by: the code, the kind, or its title in lower case."""
    shape = re.fullmatch(r"Exit ([0-9]+)|(?:Item|Alert) `([A-Za-z_-]+)`", title)
    return ((shape[1] or shape[2]) if shape else title).lower()


def _trimmed(lines: list[str]) -> list[str]:
    return "\n".join(lines).strip("\n").split("\n")
