"""`mitbatch help TOPIC`: the documents that ship with the program, whole or one section of them."""

import difflib
import re
from importlib.resources import files

from jobs.output import Options, answer, say
from schemas.errors import ExitCode, UsageRefused

DOCUMENTS = ("contract", "finance", "integration", "operation", "runbook")
"""The documents that `mitbatch help` prints by name; each is a file of `schemas/` in capitals."""


def sections(document: str) -> dict[str, list[str]]:
    """A document's sections by title, in their order, each as lines; the words before the first are under ""."""
    found: dict[str, list[str]] = {"": []}
    title = ""
    _, *lines = files("schemas").joinpath(f"{document.upper()}.md").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line.startswith("## "):
            title = line.removeprefix("## ")
            found[title] = []
        else:
            found[title].append(line)
    return {title: _trimmed(lines) for title, lines in found.items()}


def section_words(document: str) -> dict[str, str]:
    """One word for each section that means it and no other, with its title: a code, a kind, else its last such word."""
    titles = [title for title in sections(document) if title]
    names = {_name(title): title for title in titles}
    found: dict[str, str] = {}
    for name, title in names.items():
        words = [name] if " " not in name else re.findall(r"[a-z-]{4,}|(?<=^the )[a-z]+$", name)[::-1]
        only = [word for word in words if word == name or sum(word in other for other in names) == 1]
        if only:
            found[only[0]] = title
    return found


def show_document(options: Options, document: str, word: str, schema: str) -> int:
    """Print a document, or its section of a title or a word of that. Raises UsageRefused for a word that names none."""
    pages = sections(document)
    titles = [_meant(document, word, list(pages))] if word else list(pages)
    lines = [line for title in titles for line in ([*([title, "-" * len(title)] if title else []), *pages[title], ""])]
    say(options, lines[:-1])
    texts = {title: "\n".join(pages[title]) for title in titles}
    answer(options, {"schema": schema, "sections": texts})
    return int(ExitCode.CLEAN)


def _meant(document: str, word: str, titles: list[str]) -> str:
    wanted = word.strip().lower()
    names = {_name(title): title for title in titles if title}
    if wanted in names:
        return names[wanted]
    holding = [title for name, title in names.items() if wanted and wanted in name]
    if len(holding) == 1:
        return holding[0]
    near = [_name(title) for title in holding] or difflib.get_close_matches(wanted, list(names), n=3, cutoff=0.4)
    hint = f"The nearest are: {', '.join(near)}." if near else f"mitbatch help {document} prints all of it."
    raise UsageRefused(f"The document {document} has no section {word!r}.", next_step=hint)


def _name(title: str) -> str:
    """What a section is asked for by: the code, the kind, or its title in lower case."""
    shape = re.fullmatch(r"Exit ([0-9]+)|(?:Item|Alert) `([A-Za-z_-]+)`", title)
    return ((shape[1] or shape[2]) if shape else title).lower()


def _trimmed(lines: list[str]) -> list[str]:
    return "\n".join(lines).strip("\n").split("\n")
