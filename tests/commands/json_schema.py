"""The part of JSON Schema that our own schemas use: what does not fit one, and schemas with a word that is not understood."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from tests.house.source import ROOT

FOLDER = ROOT / "schemas" / "json"
UNDERSTOOD = {
    *("$schema", "$id", "$ref", "$defs", "title", "description"),
    *("type", "required", "properties", "additionalProperties", "items", "enum", "const", "pattern"),
}
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


@cache
def schema_named(name: str) -> dict[str, Any]:
    """The schema of `mitbatch.NAME/1`."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    return found


def name_of(found: Mapping[str, Any]) -> str:
    """Which schema an object says that it keeps to."""
    return str(found["schema"]).removeprefix("mitbatch.").removesuffix("/1")


def misfits(found: object, schema: Mapping[str, Any], root: Mapping[str, Any] | None = None, at: str = "$") -> Iterator[str]:
    """Where an object does not fit its schema, each place with what is wrong there."""
    root = schema if root is None else root
    if "$ref" in schema:
        yield from misfits(found, root["$defs"][schema["$ref"].rpartition("/")[2]], root, at)
    if "type" in schema and not _is_of(found, schema["type"]):
        yield f"{at}: {found!r:.60} is no {schema['type']}"
        return
    yield from _values(found, schema, at)
    if isinstance(found, dict):
        yield from (f"{at}: {name} is missing" for name in schema.get("required", []) if name not in found)
        for name, value in found.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            if isinstance(inner, dict):
                yield from misfits(value, inner, root, f"{at}.{name}")
    if isinstance(found, list) and "items" in schema:
        for number, value in enumerate(found):
            yield from misfits(value, schema["items"], root, f"{at}[{number}]")


def _values(found: object, schema: Mapping[str, Any], at: str) -> Iterator[str]:
    if "const" in schema and found != schema["const"]:
        yield f"{at}: {found!r:.60} is not {schema['const']!r}"
    if "enum" in schema and found not in schema["enum"]:
        yield f"{at}: {found!r:.60} is not among {schema['enum']}"
    if "pattern" in schema and isinstance(found, str) and not re.search(schema["pattern"], found):
        yield f"{at}: {found!r:.60} does not match {schema['pattern']}"


def _is_of(found: object, wanted: str | list[str]) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted
    is_flag = isinstance(found, bool)
    return any(isinstance(found, _TYPES[name]) and (name == "boolean" or not is_flag) for name in names)


def not_understood(schema: object) -> Iterator[str]:
    """Words of a schema that `misfits` would pass over."""
    if isinstance(schema, dict):
        yield from (word for word in schema if word not in UNDERSTOOD)
        inner = [schema.get(word) for word in ("items", "additionalProperties")]
        for group in ("properties", "$defs"):
            inner += schema.get(group, {}).values()
        for each in inner:
            yield from not_understood(each)
