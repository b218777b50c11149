"""The pack of a real round: whole, readable, and without anything that may not be kept."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batch.card_numbers import has_card_number
from jobs.certify.command import changes_of, run_certify
from jobs.certify.pack_page import page
from jobs.certify.round_pack import write_pack
from jobs.output import Options
from schemas.certification import CHECKLIST, Proof
from schemas.errors import CertificationChanged, PackUnfit
from tests.certify.merchant import Merchant
from tests.commands.json_schema import misfits, schema_named


def certified(merchant: Merchant, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    """The exit code of the command, and the object that it printed."""
    options = Options(config=merchant.config, json=True, command="certify")
    code = run_certify(options, words, clock=merchant.clock, surroundings=merchant.around)
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, printed


def secrets_of(merchant: Merchant) -> list[str]:
    """Every key of the provider's folder."""
    return [path.read_text().strip() for path in (merchant.folder / "provider").iterdir() if re.search("key|secret", path.name)]


def texts(value: Any, name: str = "") -> list[str]:  # noqa: ANN401 - any JSON
    """Every text of an object, but digests."""
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in (key, *texts(inner, key))]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner, name)]
    return [value] if isinstance(value, str) and name not in {"sha256", "chain"} else []


def test_a_whole_round_leaves_a_whole_pack(merchant: Merchant, capsys: pytest.CaptureFixture[str]) -> None:
    """Every item of the checklist is in it, with evidence for what passed; its page is drawn of it; it fits its schema."""
    code, printed = certified(merchant, capsys)
    pack = json.loads(Path(printed["pack"]).read_bytes())

    assert list(misfits(printed, schema_named("certify"))) == []
    assert list(misfits(pack, schema_named("certification"))) == []
    assert code == printed["exit_code"] == pack["exit_code"]
    assert [item["id"] for item in pack["items"]] == [item.id for item in CHECKLIST if item.proof is not Proof.SETTINGS]
    assert Path(printed["page"]).read_bytes() == page(pack)
    passed = [item for item in pack["items"] if item["verdict"] == "passed"]
    assert passed
    assert [item["id"] for item in passed if not item["evidence"]["orders"] and not item["evidence"]["exchanges"]] == []


def test_a_pack_holds_no_secret_card_or_token(merchant: Merchant, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the pack nor its page has a key, a payment token or a card number, the test cards' included."""
    _, printed = certified(merchant, capsys)
    both = [Path(printed[name]).read_text(encoding="utf-8") for name in ("pack", "page")]
    secrets = secrets_of(merchant)

    assert len(secrets) > 7
    assert [secret for secret in secrets for text in both if secret in text] == []
    assert [text for text in texts(json.loads(both[0])) if has_card_number(text)] == []


def test_a_payment_token_of_the_round_is_looked_for(merchant: Merchant) -> None:
    """A round knows its tokens, none stands in what it saw, and a pack with one of them is refused."""
    found = merchant.certify("mit.api")
    token = next(iter(found.tokens))
    assert [each for each in found.tokens if each in repr(found)] == []

    spoilt = replace(found, shown=(replace(found.shown[0], seen=f"With {token}."),))
    with pytest.raises(PackUnfit) as refused:
        write_pack(merchant.settings, merchant.around, spoilt, (), merchant.clock.now())
    assert token not in str(refused.value)


def test_a_second_round_is_compared_with_the_first(merchant: Merchant, capsys: pytest.CaptureFixture[str]) -> None:
    """An item that fails now and passed before is named as worse; mended, as better."""
    packs = []
    for fault in ("", "refuse_file", ""):
        merchant.sandbox.faults.clear()
        if fault:
            merchant.sandbox.faults.switch_on(fault)
        packs.append(json.loads(Path(certified(merchant, capsys, "mit.sftp")[1]["pack"]).read_bytes()))

    assert changes_of(packs[1])[0] == "changed   mit.sftp.transmit: passed -> failed"
    assert [pack["compared_with"] for pack in packs] == ["", packs[0]["generated_at"], packs[1]["generated_at"]]
    assert next((each["item"], each["direction"]) for each in packs[1]["changes"]) == ("mit.sftp.transmit", "worse")
    assert ("mit.sftp.transmit", "better") in [(each["item"], each["direction"]) for each in packs[2]["changes"]]


def test_a_broken_chain_is_told_before_any_order_is_made(merchant: Merchant, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is built on a folder that somebody has edited."""
    events = merchant.settings.data_dir / "certification" / "events"
    events.mkdir(parents=True)
    (events / "000001.json").write_text("{}")
    with pytest.raises(CertificationChanged):
        certified(merchant, capsys)

    assert list(events.parent.iterdir()) == [events]
