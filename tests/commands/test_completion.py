"""What the shell is offered, and what is proposed for a word that is nearly right: from the same tables as the pages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.cli import run
from jobs.documents import DOCUMENTS, section_words, sections
from jobs.word_pages import nearest, word_pages
from schemas.network_rules import parse_network_rules
from schemas.reasons import Reason
from schemas.resolutions import Resolution
from schemas.states import State
from tests.commands.merchant_folder import MerchantFolder
from tests.commands.walking import environment
from tests.house.source import ROOT


def offered(words: str, config: Path | str) -> list[str]:
    """What bash is offered after these words, of which the last is half typed."""
    asked = {"_MITBATCH_COMPLETE": "complete_bash", "COMP_WORDS": f"mitbatch {words}", "COMP_CWORD": str(len(words.split(" ")))}
    line = [sys.executable, "-c", "import sys; sys.argv = ['mitbatch']; from jobs.__main__ import main; main()"]
    shown = subprocess.run(
        line, capture_output=True, text=True, check=False, timeout=60, env=environment(**asked, MITBATCH_CONFIG=str(config))
    )
    assert shown.stderr == ""
    return shown.stdout.split()


def test_words_are_completed() -> None:
    """Reasons, states, rules and codes are offered to `explain`, decisions to `review resolve`, commands everywhere."""
    assert offered("explain too_", "/nowhere") == [Reason.TOO_OLD.value]
    assert offered("explain capture_r", "/nowhere") == [State.CAPTURE_REQUIRED.value]
    assert "MB-SFTP-HOSTKEY" in offered("explain MB-", "/nowhere")
    assert offered("review resolve X --as repeat", "/nowhere") == [Resolution.REPEAT_CALL.value]
    assert offered("night", "/nowhere") == ["nightly"]
    assert offered("doctor sf", "/nowhere") == ["sftp"]
    assert offered("help settings sftp.po", "/nowhere") == ["sftp.port"]


def test_sections_of_the_documents_are_completed(capfd: pytest.CaptureFixture[str]) -> None:
    """`help TOPIC` is offered one word for each of its sections, and each of them prints that section alone."""
    assert offered("help runbook 1", "/nowhere") == ["10", "11", "130", "143"]
    assert offered("help operation loc", "/nowhere") == ["lock"]
    for document in DOCUMENTS:
        words = section_words(document)
        assert len(words) > 0.8 * (len(sections(document)) - 1)
        for word, title in words.items():
            assert word.split() == [word]
            assert run(["help", document, word]) == 0
            assert capfd.readouterr().out.splitlines()[0] == title


def test_open_items_are_completed(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """`review resolve` is offered exactly what `review list` shows; without settings nothing, and no error either."""
    assert after_a_night.run("review list") == 0
    ids = [line.split()[0] for line in capfd.readouterr().out.splitlines() if line[:1].isalnum()][:-1]

    assert sorted(offered("review resolve ", after_a_night.config)) == sorted(ids)
    assert offered(f"review resolve {ids[0][:6]}", after_a_night.config) == [ids[0]]
    assert offered("review resolve ", "/nowhere") == []


def test_switches_and_sites_are_completed(after_a_night: MerchantFolder) -> None:
    """`switch` is offered the kinds of orders and the sites of the settings."""
    assert offered("switch ", after_a_night.config)[:3] == ["mit", "cit_website", "cit_call_center"]
    assert offered("switch site:acme-e", after_a_night.config)[-1].endswith("acme-eu")
    assert offered("switch ", "/nowhere") == []


def test_the_nearest_switch_is_proposed(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """A site that is nearly one of the settings' is answered with that one."""
    assert after_a_night.run("switch acme-uz off --reason x") == 2
    assert "Did you mean site:acme-us?" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("word", "meant"),
    [("too_odl", "too_old"), ("TOO_OLD", "too_old"), ("pendng", "pending"), ("mb-sftp-hostkey", "MB-SFTP-HOSTKEY")],
)
def test_the_nearest_word_is_proposed(word: str, meant: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A word that is nearly one of ours is answered with that one, no settings needed."""
    assert run(["explain", word]) == 2
    assert f"Did you mean {meant}?" in capfd.readouterr().err
    assert nearest("zzz", [meant]) == ""


def test_the_nearest_word_is_proposed_beside_the_nearest_ids(
    after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    """With settings an order may be meant as well: where it was looked for is told."""
    assert after_a_night.run("explain pendng") == 2
    err = capfd.readouterr().err
    assert "neither in the ledger nor in the order system. Did you mean pending?" in err


def test_the_nearest_decision_is_proposed(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """A decision that is nearly one is answered with that one and with all of them."""
    assert after_a_night.run("review resolve x --as notd --reason y") == 2
    err = capfd.readouterr().err
    assert "Did you mean noted? There are: noted, " in err


def test_network_rules_have_their_date_and_source(capfd: pytest.CaptureFixture[str]) -> None:
    """`explain` of a rule, and of the reasons that come from rules, prints each rule's first day and its source."""
    rules = parse_network_rules((ROOT / "schemas" / "network_rules.toml").read_text(encoding="utf-8")).rule
    for rule in rules[::7]:
        assert run(["explain", rule.id]) == 0
        out = capfd.readouterr().out
        assert rule.source in out
        assert f"since {rule.effective_from}" in out
    pages = word_pages()
    for reason, kind in (("network_never_retry", "never"), ("network_limit", "limit"), ("network_wait", "wait")):
        ids = [rule.id for rule in rules if rule.kind == kind]
        assert [each for each in ids if f"  {each}, since " not in pages[reason]] == []
    assert os.linesep not in pages["too_old"]
