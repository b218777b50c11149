"""The two files that explain a day's folder: the manifest, which seals it, and the README, which says what each file is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from batch.audit_csv import Marks
from batch.audit_rows import Day
from batch.book_entries import Heads
from schemas.audit_columns import FILE_TEXTS, SCHEMA_VERSION

_README = """\
Audit of {business_date}, merchant account {mid}

The day runs from {start} (inclusive) to {end} (exclusive), in UTC; it is one calendar date in {timezone}.
Every file says what was booked up to the end of that date. Writing it again later gives the same bytes.

{files}
manifest.json
  rows, SHA-256 and totals of each file, the digest over the ledger's event chains, and the hash of the previous manifest

How to read the CSV files
* UTF-8 with a byte order mark, delimiter "{delimiter}", decimal mark "{decimal}", lines end with LF (one line feed).
* Texts are in double quotes, numbers are bare. An empty cell means unknown. Yes and no are true and false.
* amount_minor is in the currency's smallest unit; amount is the same with decimals. Never add two currencies.
* recovered_minor and effect_minor are signed, as you see it: money in is positive, money out is negative.
* *_at is UTC and ends with Z, *_date is a calendar date.
* A text that a spreadsheet could take for a formula has an apostrophe in front, and so has a text that begins with one.
  Inside a text, carriage return, line feed, tab and backslash are written \\r \\n \\t \\\\.
* A spreadsheet drops leading zeros and the end of long numbers from ids, and turns some into dates, when it opens a CSV.
  The file itself is exact: import its columns as text, and do not save a changed file over it.
* row_check is the first 8 hex digits of SHA-256 over the row's other cells, joined by U+001F, as UTF-8, without the
  apostrophe and with the escapes undone. It shows whether a row was changed.
* A file of more than {part_rows} rows comes in parts: declines.0001.csv, declines.0002.csv, each with its header.
* summary.csv: in the section held, sign times orders adds up to 0 for each site and currency, and so does sign times
  amount: opening + claimed + reopened - withdrawn - rejected - declined - expired - cancelled - completed - closing = 0.
"""


@dataclass(frozen=True, slots=True)
class FileFigures:
    """What the manifest says of one file: sums are minor units per currency."""

    name: str
    rows: int
    sha256: str
    amount_minor: Mapping[str, int]
    signed: Mapping[str, Mapping[str, int]]
    guarded_cells: int


def manifest_bytes(
    day: Day, files: Sequence[FileFigures], heads: Heads, previous_manifest: str, *, marks: Marks, part_rows: int
) -> bytes:
    """The manifest. It names no time of writing: the same ledger gives the same bytes.

    `written_with` are the settings that the files look as they do by, so that they can be made again after a change of those.
    """
    start, end = day.interval()
    manifest = {
        "schema": f"mitbatch.audit/{SCHEMA_VERSION}",
        "business_date": day.business_date,
        "mid": day.mid,
        "as_of": heads.as_of,
        "timezone": day.timezone.key,
        "interval": {"start_inclusive": start, "end_exclusive": end},
        "written_with": {
            "delimiter": marks.delimiter,
            "decimal": marks.decimal,
            "on_not_recovered": "keep" if day.keeps_holds else "release",
            "part_rows": part_rows,
        },
        "chain_digest": heads.digest,
        "previous_manifest_sha256": previous_manifest,
        "files": [
            {
                "name": file.name,
                "rows": file.rows,
                "sha256": file.sha256,
                "amount_minor": file.amount_minor,
                "signed": file.signed,
                "guarded_cells": file.guarded_cells,
            }
            for file in files
        ],
    }
    return indented(manifest)


def indented(document: Mapping[str, object]) -> bytes:
    """A document as text that people can read: names sorted, two blanks for each step inward, a line feed at the end."""
    try:
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # a sum beyond 64 bits, which only the slow way can write
        return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def readme_bytes(day: Day, marks: Marks, part_rows: int) -> bytes:
    """The README of a day's folder."""
    start, end = day.interval()
    files = "\n".join(f"{name}.csv\n  {text}" for name, text in FILE_TEXTS.items())
    text = _README.format(
        business_date=day.business_date,
        mid=day.mid,
        start=start,
        end=end,
        timezone=day.timezone.key,
        files=files,
        delimiter=marks.delimiter,
        decimal=marks.decimal,
        part_rows=f"{part_rows:,}",
    )
    return text.encode()
