"""The same stories in CSV: every file of a kit with the same words under a name that ends in .csv."""

import json
from dataclasses import replace
from typing import Any

from jobs.sandbox.outbound import to_csv
from tests.confluence.bench import End
from tests.confluence.kit import File, Kit, Message


def in_csv(kit: Kit) -> Kit:
    """The kit in CSV. What can be read in no format stays as it is; the beginning of a file becomes the half of its CSV."""
    wholes = {message.name: message for message in kit.messages if isinstance(message, File) and not message.begins}
    messages = tuple(_translated(message, wholes) for message in kit.messages)
    return replace(kit, name=f"{kit.name} in CSV", messages=messages, shape=replace(kit.shape, lies=True))


def _translated(message: Message, wholes: dict[str, File]) -> Message:
    if not isinstance(message, File):
        return message
    words = _words(wholes[message.name] if message.begins else message)
    if words is None:
        return message
    content = to_csv(words)
    name = f"{message.name.removesuffix('.json')}.csv"
    return replace(message, name=name, content=content[: len(content) // 2] if message.begins else content)


def _words(file: File) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(file.content)
    except ValueError:
        return None
    return found


def whatever_the_format(ends: set[End]) -> set[End]:
    """The ends without what names a format: the ending of a file's name, and the digest of its bytes."""
    return {replace(end, items=tuple(sorted({(kind, _subject(subject)) for kind, subject in end.items}))) for end in ends}


def _subject(subject: str) -> str:
    return "evidence" if subject.startswith("evidence:") else subject.removesuffix(".csv").removesuffix(".json")
