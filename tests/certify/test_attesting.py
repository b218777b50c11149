"""What a person attests: which items, with which files, and that nobody edits it afterwards."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.certify.attest_command import Word, attest_item
from jobs.certify.attestation import MOST_BYTES, PAGE_WAITS
from jobs.certify.chain import Chain
from jobs.certify.pack_folder import PackFolder, Written
from jobs.disk import MachineDisk
from jobs.output import Options
from schemas.certification import CHECKLIST, Shown, Verdict
from schemas.errors import CertificationChanged, EnvironmentMixed, PackUnfit, UsageRefused
from tests.certify.packs import MOMENT, everything, head, shown
from tests.certify.two_environments import TwoEnvironments
from tests.commands.json_schema import misfits, schema_named

SCREEN = "cit.standard.success_screen"
PNG = b"\x89PNG\r\n\x1a\n and a picture of the page"


@pytest.fixture
def screen(tmp_path: Path) -> Path:
    """A picture of the success screen."""
    path = tmp_path / "screen.png"
    path.write_bytes(PNG)
    return path


def folder_of(both: TwoEnvironments) -> PackFolder:
    """The sandbox's certification folder."""
    return PackFolder(both.settings, MachineDisk())


def attested(both: TwoEnvironments, screen: Path, item: str = SCREEN) -> None:
    """Ada's word for an item."""
    assert attest_item(both.options, Word(item, screen, "Ada", "the thank-you page after the order"), yes=True) == 0


def write(both: TwoEnvironments, items: list[Shown]) -> Written:
    """A pack of a run."""
    return folder_of(both).write(head(), items)


def test_an_attested_item_is_listed_with_who_and_what(both: TwoEnvironments, screen: Path) -> None:
    """The next pack calls it attested, with name, moment, digest and a copy that is the evidence byte for byte."""
    attested(both, screen)
    found = write(both, everything())
    (item,) = [each for each in found.pack["items"] if each["id"] == SCREEN]

    assert (item["verdict"], item["attested"]["by"]) == ("attested", "Ada")
    assert (folder_of(both).root / item["attested"]["copy"]).read_bytes() == PNG
    assert "Ada attested it on" in item["seen"]
    assert "attested" in found.html.read_text(encoding="utf-8")
    assert json.loads(found.json.read_bytes()) == found.pack
    assert list(misfits(found.pack, schema_named("certification"))) == []


def test_an_order_id_needs_the_run_and_the_page(both: TwoEnvironments, screen: Path) -> None:
    """A run shows that the request bears it, a person that the page sets it: with one alone it is open, never passed."""
    item = "cit.standard.order_id"
    ran = shown(item, Verdict.PASSED)
    (alone,) = write(both, [ran]).shown
    attested(both, screen, item)
    (whole,) = folder_of(both).write(head("2", at=MOMENT + timedelta(hours=1)), [ran]).shown
    (broken,) = folder_of(both).write(head("3", at=MOMENT + timedelta(hours=2)), [shown(item, Verdict.FAILED)]).shown

    assert (alone.verdict, alone.change) == (Verdict.OPEN, f"mitbatch certify attest {item} --evidence FILE --by NAME")
    assert alone.seen == f"{ran.seen} {PAGE_WAITS}"
    assert (whole.verdict, whole.seen.startswith(f"{ran.seen} Ada attested it on ")) == (Verdict.ATTESTED, True)
    assert broken.verdict is Verdict.FAILED


def test_a_registration_is_attested_with_its_address(both: TwoEnvironments, screen: Path) -> None:
    """Without the address nobody could tell for which one it is."""
    with pytest.raises(UsageRefused, match="needs the address that is registered"):
        attest_item(both.options, Word("production.webhook", screen, "Ada"), yes=True)
    assert not folder_of(both).root.exists()

    assert attest_item(both.options, Word("production.webhook", screen, "Ada", "hooks.acme.com"), yes=True) == 0
    folder = folder_of(both)
    assert folder.attested(folder.chain.events())["production.webhook"].reason == "hooks.acme.com"


@pytest.mark.parametrize("item", [each.id for each in CHECKLIST if not each.takes_word])
def test_what_a_run_or_the_settings_show_is_not_attested(item: str, both: TwoEnvironments, screen: Path) -> None:
    """Nobody's word stands in place of a run, and nothing is written."""
    with pytest.raises(UsageRefused, match="not attested, it is shown"):
        attest_item(both.options, Word(item, screen, "Ada"), yes=True)
    assert not folder_of(both).root.exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("page.html", b"<html>", "no picture or PDF"),
        ("page.svg", b"<svg>", "no picture or PDF"),
        ("page.png", b"<html>", "no picture or PDF"),
        ("page.pdf", PNG, "no picture or PDF"),
        ("page.webp", b"RIFF0000WAVE", "no picture or PDF"),
        ("page", PNG, "no picture or PDF"),
        ("page.png", b"", "must have 1 to"),
        ("page.png", PNG + bytes(MOST_BYTES), "must have 1 to"),
        ("4111111111111111.png", PNG, "cannot be kept"),
    ],
)
def test_evidence_that_is_not_taken(name: str, content: bytes, words: str, both: TwoEnvironments, tmp_path: Path) -> None:
    """What could run in a browser, what is not what its name says, what is too big; nothing is written."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UsageRefused, match=words):
        attest_item(both.options, Word(SCREEN, path, "Ada"), yes=True)
    assert not folder_of(both).root.exists()


@pytest.mark.parametrize("by", ["", "  ", "x" * 121, "Ada\nLovelace", "4111 1111 1111 1111"])
def test_a_name_that_cannot_be_kept_is_refused(by: str, both: TwoEnvironments, screen: Path) -> None:
    """Empty, too long, of two lines, or a card number."""
    with pytest.raises(UsageRefused, match="--by"):
        attest_item(both.options, Word(SCREEN, screen, by), yes=True)


def test_it_is_done_only_at_a_persons_word(both: TwoEnvironments, screen: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run shows what would be kept, and without --yes and a terminal nothing is done."""
    assert attest_item(both.options, Word(SCREEN, screen, "Ada"), dry_run=True) == 0
    with pytest.raises(UsageRefused, match="Nobody is there"):
        attest_item(both.options, Word(SCREEN, screen, "Ada"))

    assert "DRY RUN  " + SCREEN in capsys.readouterr().out
    assert not folder_of(both).root.exists()


def test_nothing_is_attested_in_production(both: TwoEnvironments, screen: Path) -> None:
    """A certification is of the sandbox."""
    with pytest.raises(EnvironmentMixed):
        attest_item(Options(config=both.production), Word(SCREEN, screen, "Ada"), yes=True)


def test_a_later_word_stands_in_place_of_an_earlier_one(both: TwoEnvironments, screen: Path) -> None:
    """Both events are kept."""
    attested(both, screen)
    screen.write_bytes(PNG + b" a newer one")
    attested(both, screen)
    folder = folder_of(both)
    events = folder.chain.events()

    assert len(events) == 2
    assert folder.attested(events)[SCREEN].sha256 == events[1]["sha256"] != events[0]["sha256"]


def change_event(root: Path) -> None:
    """Another name in an event."""
    path = root / "events" / "000001.json"
    path.write_text(path.read_text().replace("Ada", "Eve"))


def change_evidence(root: Path) -> None:
    """Another picture under the name of the evidence."""
    (path,) = (root / "evidence").iterdir()
    path.write_bytes(PNG + b"!")


def drop_evidence(root: Path) -> None:
    """No picture any more."""
    (path,) = (root / "evidence").iterdir()
    path.unlink()


def drop_first(root: Path) -> None:
    """The chain without its beginning."""
    (root / "events" / "000001.json").unlink()


def drop_last(root: Path) -> None:
    """The chain without an event that a pack knows, and without the pack's own behind it; the pack's event comes back alone."""
    events = sorted((root / "events").iterdir())
    events[1].unlink()
    events[2].rename(events[1])


def change_pack(root: Path) -> None:
    """A failed item that is called passed."""
    (path,) = root.glob("*/certification.json")
    path.write_text(path.read_text().replace('"failed"', '"passed"'))


@pytest.mark.parametrize("change", [change_event, change_evidence, drop_evidence, drop_first, drop_last, change_pack])
def test_what_was_edited_afterwards_is_believed_no_more(change: object, both: TwoEnvironments, screen: Path) -> None:
    """An event, the evidence or a pack that is not as it was written is named, and nothing more is built on it."""
    attested(both, screen)
    attest_item(both.options, Word("cit.advanced.widget", screen, "Ada"), yes=True)
    write(both, everything(refund__answer=Verdict.FAILED))
    folder_of(both).past()
    assert callable(change)
    change(folder_of(both).root)

    with pytest.raises(CertificationChanged):
        folder_of(both).past()
    with pytest.raises(CertificationChanged):
        write(both, everything())


def test_two_at_once_lose_nothing(both: TwoEnvironments, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds the next number taken writes behind it: neither event is lost, and the chain holds."""
    chain, other = Chain(folder_of(both).root, MachineDisk()), Chain(folder_of(both).root, MachineDisk())
    hardlink = Path.hardlink_to
    raced: list[Path] = []

    def too_late(path: Path, target: Path) -> None:
        if not raced:
            raced.append(path)
            other.add("attested", "2026-11-28T02:00:00Z", {"by": "the other"})
        hardlink(path, target)

    monkeypatch.setattr(os, "getpid", lambda: len(raced))
    monkeypatch.setattr(Path, "hardlink_to", too_late)
    chain.add("attested", "2026-11-28T02:00:00Z", {"by": "this one"})

    assert [event["by"] for event in chain.events()] == ["the other", "this one"]
    assert [path.name for path in (folder_of(both).root / "events").iterdir() if path.name.startswith(".")] == []


def test_a_pack_with_a_secret_in_it_is_never_written(both: TwoEnvironments) -> None:
    """Nothing of it reaches the disk, and the refusal does not repeat it."""
    with pytest.raises(PackUnfit) as refused:
        folder_of(both).write(head(), [Shown("refund.answer", Verdict.PASSED, "With tok_0a1b2c3d.")], secrets=["tok_0a1b2c3d"])

    assert "tok_" not in str(refused.value)
    assert not folder_of(both).root.exists()


def test_a_pack_that_was_not_finished_counts_for_nothing(both: TwoEnvironments) -> None:
    """Files without their event, as a run leaves them that dies, are no pack; old packs may be cleared away."""
    found = write(both, [shown("refund.answer", Verdict.PASSED)])
    assert folder_of(both).past().last
    (folder_of(both).root / "events" / "000001.json").unlink()
    assert folder_of(both).past().known == {}

    found = write(both, [shown("refund.answer", Verdict.PASSED)])
    found.json.unlink()
    assert folder_of(both).past().known == {}
