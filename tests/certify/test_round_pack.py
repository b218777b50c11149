"""The pack of a real round: whole, readable, and without anything that may not be kept."""

import json
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from batch.card_numbers import has_card_number
from jobs.certify.command import changes_of, run_certify
from jobs.certify.pack_page import page
from jobs.certify.round_pack import write_pack
from jobs.clock import MovableClock
from jobs.output import Options
from jobs.sandbox import Sandbox
from jobs.sandbox.cards import token_for
from schemas.certification import CHECKLIST, Proof
from schemas.errors import CertificationChanged, PackUnfit
from tests.certify.merchant import Merchant
from tests.commands.json_schema import misfits, schema_named
from tests.night.house import START


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


@dataclass(frozen=True)
class Whole:
    """A merchant, and what the command answered to a round of everything."""

    merchant: Merchant
    code: int
    printed: dict[str, Any]

    @property
    def pack(self) -> dict[str, Any]:
        """The pack as it was written."""
        found: dict[str, Any] = json.loads(Path(self.printed["pack"]).read_bytes())
        return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """One round of everything, against a sandbox that behaves; several tests look at it."""
    folder, clock = tmp_path_factory.mktemp("whole"), MovableClock(START)
    with Sandbox(folder / "provider", clock=clock) as sandbox, redirect_stdout(StringIO()) as out:
        merchant = Merchant(folder, sandbox, clock)
        options = Options(config=merchant.config, json=True, command="certify")
        code = run_certify(options, (), clock=clock, surroundings=merchant.around)
        yield Whole(merchant, code, json.loads(out.getvalue()))


def test_all_groups_pass_and_pages_wait_for_a_person(whole: Whole) -> None:
    """Against a sandbox that behaves every run item passes; what only a page shows is open, never passed; in two minutes."""
    wanted = {item.id: "open" if item.takes_word else "passed" for item in CHECKLIST if item.proof is not Proof.SETTINGS}

    assert {item["id"]: item["verdict"] for item in whole.pack["items"]} == wanted
    assert whole.code == 10
    assert whole.pack["seconds"] < 120
    assert whole.merchant.tables() == ["orders"]


def test_a_whole_round_leaves_a_whole_pack(whole: Whole) -> None:
    """Every item of the checklist is in it, with evidence for what passed; its page is drawn of it; it fits its schema."""
    code, printed, pack = whole.code, whole.printed, whole.pack

    assert list(misfits(printed, schema_named("certify"))) == []
    assert list(misfits(pack, schema_named("certification"))) == []
    assert code == printed["exit_code"] == pack["exit_code"]
    assert [item["id"] for item in pack["items"]] == [item.id for item in CHECKLIST if item.proof is not Proof.SETTINGS]
    assert Path(printed["page"]).read_bytes() == page(pack)
    passed = [item for item in pack["items"] if item["verdict"] == "passed"]
    assert passed
    assert [item["id"] for item in passed if not item["evidence"]["orders"] and not item["evidence"]["exchanges"]] == []


def test_a_pack_holds_no_secret_card_or_token(whole: Whole) -> None:
    """Neither pack nor page, nor anything else that is left, has a key, a token, a card number, a name or an address."""
    both = [Path(whole.printed[name]).read_text(encoding="utf-8") for name in ("pack", "page")]
    year = whole.merchant.clock.now().year + 3
    tokens = [token_for(0, card, 12, year) for card in ("4000002760003184", "4111111111111111", "4000300011112220")]
    secrets = [*secrets_of(whole.merchant), *tokens, "eyJ", "certification@example.com", "Test Street", "cardNumber"]
    left = b"".join(path.read_bytes() for path in whole.merchant.settings.data_dir.rglob("*") if path.is_file())

    assert len(secrets) > 14
    assert [secret for secret in secrets for text in both if secret in text] == []
    assert [secret for secret in secrets if secret.encode() in left] == []
    assert [text for text in texts(whole.pack) if has_card_number(text)] == []


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
