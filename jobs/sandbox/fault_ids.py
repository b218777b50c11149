"""The ids under which a fault is known in the catalogue of the tests: they stand in brackets at the end of its sentence. Pure."""

import re

_ENDING = re.compile(r"\s*\(([NHWF]-[0-9]{2}(?:, [NHWF]-[0-9]{2})*)\)\.$", re.ASCII)
AREAS = (
    ("connect", "SFTP"),
    ("webhook.", "Webhooks"),
    ("api.", "API"),
    ("intake.", "Files"),
    ("outbound.", "Files"),
)


def with_ids(row: dict[str, object]) -> dict[str, object]:
    """A fault of the listing with its sentence, its ids as a list, and the area that it belongs to."""
    sentence, point = str(row["what"]), str(row["point"])
    found = _ENDING.search(sentence)
    area = next((area for start, area in AREAS if point.startswith(start)), "SFTP")
    ids = found.group(1).split(", ") if found else []
    return {**row, "what": _ENDING.sub(".", sentence), "ids": ids, "area": area}
