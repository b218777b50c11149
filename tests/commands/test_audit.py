"""`audit verify` and `audit export`: books that nobody touched are clean, an edit is named and can be undone by the ledger."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.merchant_folder import MerchantFolder, merchant_folder


@pytest.fixture(scope="module")
def merchant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MerchantFolder]:
    """A merchant after a night, whose files this module edits."""
    with merchant_folder(tmp_path_factory.mktemp("books")) as found:
        assert found.run("--quiet nightly") == 10
        yield found


@pytest.fixture
def day(merchant: MerchantFolder, tmp_path: Path) -> Iterator[Path]:
    """The only day's folder, as the night wrote it; put back after the test."""
    (path,) = (merchant.folder / "var" / "audit").iterdir()
    shutil.copytree(path, tmp_path / "before")
    yield path
    shutil.rmtree(path)
    shutil.copytree(tmp_path / "before", path)


def test_untouched_books_are_clean(merchant: MerchantFolder, day: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit 0; a person reads how much was looked at, a script the same as one object, and `--quiet` says nothing."""
    assert merchant.run("audit verify") == 0
    out, err = capfd.readouterr()
    assert out.splitlines()[0].startswith("mitbatch audit verify 20")
    assert out.splitlines()[-1] == "all is as it was written"
    assert "1 date in 11 files" in out
    assert err == ""
    assert merchant.run("audit verify --quiet") == 0
    assert capfd.readouterr().out == ""
    assert merchant.run(f"--json audit verify --from {day.name} --to {day.name}") == 0
    (found,) = map(json.loads, capfd.readouterr().out.splitlines())
    assert (found["schema"], found["days"], found["files"], found["tampering"]) == ("mitbatch.audit_verify/1", [day.name], 11, [])
    assert found["events"] > 300


def test_an_edit_is_named_and_written_away(merchant: MerchantFolder, day: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit 30 with the row that does not fit; `audit export` writes the day again, byte for byte."""
    path = day / "submissions.csv"
    before = path.read_bytes()
    path.write_bytes(before.replace(b'"000471"', b'"471"', 1))
    assert merchant.run("audit verify") == 30
    out, err = capfd.readouterr()
    assert "WARN  file_changed: submissions.csv of" in out
    assert "(order '471') does not fit the row_check." in out
    assert err.startswith("1 thing in the books is not as it was written.")
    assert err.rstrip().endswith("[MB-AUDIT]")
    assert merchant.run("--json audit verify") == 30
    (found,) = map(json.loads, capfd.readouterr().out.splitlines())
    assert [each["kind"] for each in found["tampering"]] == ["file_changed"]
    assert merchant.run(f"audit export --from {day.name}") == 0
    assert path.read_bytes() == before
    assert merchant.run("audit verify --quiet") == 0


def test_many_things_of_one_kind_are_told_shortly(merchant: MerchantFolder, day: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Three of a kind are shown, and how many more there are."""
    for name in ("declines", "holds", "outcomes", "review", "summary"):
        (day / f"{name}.csv").unlink()
    assert merchant.run("audit verify") == 30
    out = capfd.readouterr().out
    assert out.count("WARN  file_missing: ") == 4
    assert "WARN  file_missing: 2 more; --json has all" in out


@pytest.mark.parametrize("words", ["audit verify --from yesterday", "audit verify --to 2999-01-01", "audit export --from 1"])
def test_a_date_that_is_none_is_refused(words: str, merchant: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit 2, and what a date looks like."""
    assert merchant.run(words) == 2
    assert "[MB-USAGE]" in capfd.readouterr().err


def test_a_merchant_without_a_ledger_has_nothing_to_verify(
    merchant: MerchantFolder, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Before the first night all is as it was written, and no ledger is made; files without a ledger are named."""
    for name in ("mitbatch.toml", "orders.db"):
        shutil.copyfile(merchant.folder / name, tmp_path / name)
    shutil.copytree(merchant.folder / "provider", tmp_path / "provider", ignore=shutil.ignore_patterns("sftp", "spool"))
    other = MerchantFolder(tmp_path, merchant.sandbox)
    assert other.run("audit verify") == 0
    assert not (tmp_path / "var").exists()
    capfd.readouterr()
    shutil.copytree(merchant.folder / "var" / "audit", tmp_path / "var" / "audit")
    assert other.run("audit verify") == 30
    assert "has files, but no run of this ledger wrote that date" in capfd.readouterr().out
