"""The provider profile: it agrees with the contract's text, and every published status word has a meaning."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import schemas
from schemas.order import Origin

HERE = Path(schemas.__file__).parent
PROFILE: dict[str, Any] = tomllib.loads((HERE / "profiles" / "flexfactor.toml").read_text(encoding="utf-8"))
CONTRACT = (HERE / "CONTRACT.md").read_text(encoding="utf-8")
MEANINGS = {
    "pending",
    "onhold",
    "challenge",
    "capture_required",
    "completed",
    "declined",
    "not_recovered",
    "expired",
    "problem",
    "refunded",
    "chargeback",
    "not_found",
}
OPERATION_WORDS = {"success", "failed"}
EXPECTED_MEANING = {
    "pending": {"pending"},
    "pending, with an alert when old": {"onhold"},
    "an anomaly for MIT: held": {"challenge"},
    "capture required": {"capture_required"},
    "completed": {"completed"},
    "not recovered": {"declined"},
    "not recovered; cancelled only if we asked": {"not_recovered"},
    "not recovered (expired)": {"expired"},
    "a person decides": {"problem"},
    "refunded": {"refunded"},
    "chargeback": {"chargeback"},
    "look again; never a decline": {"not_found"},
    "held, with an alert; never released": set(),
}


def _section(number: str) -> str:
    start = re.search(rf"^##+ {re.escape(number)}[. ].*$", CONTRACT, re.MULTILINE)
    assert start
    body = CONTRACT[start.end() :]
    end = re.search(r"^##+ \d", body, re.MULTILINE)
    return body[: end.start()] if end else body


def _rows(section: str) -> list[list[str]]:
    lines = [line for line in _section(section).splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def _examples() -> list[dict[str, Any]]:
    return [json.loads(text) for text in re.findall(r"```json\n(.*?)```", _section("6.4"), re.DOTALL)]


def _words(cell: str) -> list[str]:
    words = re.sub(r"\(\"(.*?)\"\)", r", \1", cell).split(",")
    return [word.strip().lower() for word in words if "." not in word and word.strip()]


def test_evaluate_names_are_those_of_the_contract() -> None:
    """An evaluate file's keys are those of the contract's example."""
    names = PROFILE["evaluate"]["json"]
    example = _examples()[0]
    assert list(example) == [names["header"], names["rows"]]
    assert list(example[names["header"]]) == [names["mid"], names["token"], names["expiry"]]
    assert example[names["header"]][names["token"]].startswith(names["token_prefix"])


def test_transmit_names_are_those_of_the_contract() -> None:
    """A transmit file's keys are those of the contract's example."""
    names = PROFILE["transmit"]["json"]
    example = _examples()[1]
    assert list(example) == [names["header"], names["rows"]]
    assert list(example[names["header"]]) == [names["mid"], names["token"]]
    assert example[names["header"]][names["token"]].startswith(names["token_prefix"])


def test_acknowledgement_names_are_those_of_the_contract() -> None:
    """An acknowledgement's keys are those of the contract's example, at both levels."""
    names = PROFILE["acknowledgement"]
    example = _examples()[2]
    row = example[names["rows"]][0]
    assert set(example) == {names[key] for key in ("file", "kind", "mid", "result", "errors", "rows")}
    assert set(row) | {"transmitId"} == set(names["row"].values())
    assert (example[names["result"]], row[names["row"]["result"]].lower()) == (names["accepted"], names["accepted"])
    assert f'"{names["refused"]}"' in _section("6.4")


def test_outcome_names_are_those_of_the_contract() -> None:
    """An outcome file's keys are those of the contract's example."""
    names = PROFILE["outcomes"]
    example = _examples()[3]
    assert list(example) == [names["mid"], names["rows"]]
    assert list(example[names["rows"]][0]) == list(names["row"].values())


def test_csv_columns_are_those_of_the_contract() -> None:
    """The first columns of a batch file as CSV are the contract's, and nested names join as in its example."""
    names = PROFILE["csv"]
    text = _section("6.4")
    assert all(f"`{names[key]}`" in text for key in ("mid", "token", "expiry", "sequence_number", "true", "false"))
    assert f"`transaction{names['nested_separator']}amount`" in text


def test_file_names_keep_the_published_rule() -> None:
    """A transmit file's name contains the published `transmit_`; the pattern has exactly the five known parts."""
    files = PROFILE["files"]
    parts = {"kind": "", "mid8": "3f1c09ab", "yyyymmdd": "20261123", "batch_id": "0123456789ab", "ext": "csv"}
    assert set(re.findall(r"\{(\w+)\}", files["name"])) == set(parts)
    name = files["name"].format(**{**parts, "kind": files["transmit_prefix"]})
    assert name == "transmit_3f1c09ab_20261123_0123456789ab.csv"
    assert (files["part_suffix"], files["acknowledgement_suffix"]) == (".part", "_response.json")
    assert f"{files['outcomes_prefix']}<mid8>_" in _section("6.4")
    assert f"**{files['max_rows']} per file**" in _section("6.1")


def test_listing_names_are_those_of_the_contract() -> None:
    """The page fields are published in section 9, the others stand in our defaults."""
    names = PROFILE["orders"]
    published = _section("9")
    assert all(names[key] in published for key in ("page_number", "page_size", "page_count", "has_next_page"))
    ours = _section("6.4")
    assert all(f"`{name}`" in ours for name in (names["rows"], names["total"], names["amount"], *names["external_ids"]))
    assert (names["first_page"], names["max_page_size"], names["unknown_id_status"]) == (1, 500, 404)


def test_hosts_are_the_published_ones() -> None:
    """Each environment's URL is published, encrypted, and carries its version."""
    assert set(PROFILE["hosts"]) == {"sandbox", "production"}
    assert all(url.startswith("https://") and url.endswith("/v1/") for url in PROFILE["hosts"].values())
    assert all(f"`{url}`" in _section("1") for url in PROFILE["hosts"].values())
    assert "sandbox" in PROFILE["hosts"]["sandbox"]
    assert "sandbox" not in PROFILE["hosts"]["production"]


def test_every_origin_has_an_order_source() -> None:
    """Whatever an order's origin is, its orderSource is known, and stated in the contract."""
    assert set(PROFILE["order_sources"]) == {origin.value for origin in Origin}
    assert all(f'"{value}"' in _section("6.4") for value in PROFILE["order_sources"].values())


@pytest.mark.parametrize("row", _rows("14"), ids=lambda row: row[0])
def test_every_status_of_the_contract_has_its_meaning(row: list[str]) -> None:
    """Each word and code of the contract's status table is in the profile with the meaning that the table gives."""
    words = [word for word in _words(row[0]) if word not in OPERATION_WORDS and word != "anything else"]
    known = PROFILE["statuses"] | PROFILE["status_codes"]
    expected = EXPECTED_MEANING[row[3]] if words else set()
    assert {known.get(word) for word in words} == expected


def test_status_words_are_lower_case_with_known_meanings() -> None:
    """Words are compared in lower case, so that is how they are written; each meaning is one that the code knows."""
    known = PROFILE["statuses"] | PROFILE["status_codes"]
    assert [word for word in known if word != word.lower().strip()] == []
    assert set(known.values()) == MEANINGS


def test_no_status_is_known_that_the_contract_does_not_have() -> None:
    """A word that the provider never published has no meaning, so that it can end no order."""
    published = {word for row in _rows("14") for word in _words(row[0])}
    assert set(PROFILE["statuses"]) | set(PROFILE["status_codes"]) == published - OPERATION_WORDS - {"anything else"}


def test_status_codes_agree_with_the_names_of_the_orders_call() -> None:
    """A code means what its statusName means."""
    names = {code: name.lower() for code, name, *_ in _rows("9") if code.isdigit()}
    assert len(names) == 8
    assert {code: PROFILE["statuses"][name] for code, name in names.items()} == PROFILE["status_codes"]


def test_the_contract_keeps_its_section_numbers() -> None:
    """The code cites the contract by section, so the numbers 0 to 18 are all there, in order."""
    assert re.findall(r"^## (\d+)\. ", CONTRACT, re.MULTILINE) == [str(number) for number in range(19)]
