"""`report` and `summary`: what the night wrote is drawn again byte for byte, and the terminal says what the CSV files say."""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch.report_figures import ReportFigures
from jobs.report import drawing
from tests.commands.merchant_folder import MerchantFolder, merchant_folder


@pytest.fixture(scope="module")
def merchant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MerchantFolder]:
    """A merchant after one night, whom no other test touches."""
    with merchant_folder(tmp_path_factory.mktemp("report")) as found:
        assert found.run("--quiet nightly") == 10
        yield found


def day_of(merchant: MerchantFolder) -> Path:
    """The only day's folder."""
    (path,) = (path for path in (merchant.folder / "var" / "audit").iterdir() if path.is_dir())
    return path


def test_the_night_draws_the_page_that_the_command_draws(
    merchant: MerchantFolder, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The nightly run left report.html, `report` gives the same bytes wherever it is put, and the manifest does not name it."""
    day = day_of(merchant)
    page = (day / "report.html").read_bytes()
    assert merchant.run(f"report --out {tmp_path / 'page.html'}") == 0
    assert re.search(r"^report +\S+page\.html +[\d.]+ kB$", capfd.readouterr().out, re.MULTILINE)
    assert (tmp_path / "page.html").read_bytes() == page
    (day / "report.html").unlink()
    assert merchant.run(f"--json report --date {day.name}") == 0
    (found,) = map(json.loads, capfd.readouterr().out.splitlines())
    assert (found["schema"], found["path"], found["bytes"]) == ("mitbatch.report/1", str(day / "report.html"), len(page))
    assert (day / "report.html").read_bytes() == page
    assert "report.html" not in (day / "manifest.json").read_text(encoding="utf-8")
    assert not [path.name for path in day.iterdir() if path.name.startswith(".")]


def test_a_date_without_files_has_no_report(merchant: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """A date that no run wrote, one ahead, and what is no date are refused with 2 and the latest date that has files."""
    assert merchant.run("report --date 2020-02-02") == 2
    assert f"the latest date with files is {day_of(merchant).name}" in capfd.readouterr().err
    assert merchant.run("report --date 2099-01-01") == 2
    assert merchant.run("report --date yesterday") == 2


def test_a_place_that_cannot_be_written_is_named(
    merchant: MerchantFolder, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where the page cannot be written the sentence names the file."""
    assert merchant.run(f"report --out {tmp_path / 'nowhere' / 'page.html'}") == 20
    assert "nowhere" in capfd.readouterr().err


def test_without_the_extra_there_is_a_plain_note(
    merchant: MerchantFolder, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Jinja2 `report` says what to install and exits 78; runs do their work and say it too."""
    monkeypatch.setattr(drawing, "find_spec", lambda _: None)
    assert merchant.run("report") == 78
    assert "pip install 'mitbatch[report]'" in capfd.readouterr().err
    assert merchant.run("poll") in {0, 10}
    assert "no report: pip install 'mitbatch[report]'" in capfd.readouterr().out


def test_a_mistake_in_drawing_spares_finances_files(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the page cannot be drawn the CSV files are written and sealed all the same, and a warning names the trace."""

    def mistaken(_figures: ReportFigures) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(drawing, "_page", mistaken)
    with merchant_folder(tmp_path / "another") as merchant:
        assert merchant.run("nightly") == 10
        out = capfd.readouterr().out
        assert re.search(
            r"^WARN  The report of \S+ could not be drawn \(ZeroDivisionError\); the trace is in ", out, re.MULTILINE
        )
        assert "MB-REPORT" in out
        day = day_of(merchant)
        assert (day / "manifest.json").exists()
        assert not (day / "report.html").exists()
        assert merchant.run("audit verify") == 0


def test_the_summary_is_that_of_the_csv(merchant: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """Each site's and currency's figures are the lines of summary.csv, for people and for scripts."""
    with (day_of(merchant) / "summary.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    lines: dict[tuple[str, str], dict[str, tuple[int, int]]] = defaultdict(dict)
    for row in rows:
        lines[row["currency"], row["site"]][f"{row['section']}.{row['line']}"] = int(row["orders"]), int(row["amount_minor"] or 0)
    assert merchant.run("--json summary") == 0
    (found,) = map(json.loads, capfd.readouterr().out.splitlines())
    assert found["schema"] == "mitbatch.summary/1"
    assert {(site["currency"], site["site"]) for site in found["sites"]} == set(lines)
    for site in found["sites"]:
        theirs = lines[site["currency"], site["site"]]
        for ours, name in ((site["candidates"], "intake.candidates"), (site["accepted"], "handover.acknowledged")):
            assert (ours["orders"], ours["amount_minor"]) == theirs[name]
        for name in ("opening", "claimed", "completed", "closing"):
            ours = site["balance"][name]
            assert (ours["orders"], ours["amount_minor"]) == theirs[f"held.{name}"]
        for name in ("recovered", "refunded", "chargeback", "net"):
            assert site["today_minor"][name] == theirs[f"money.{name}"][1]
        not_sent = sum(count for line, (count, _) in theirs.items() if line.startswith("intake.")) - sum(
            theirs[f"intake.{name}"][0] for name in ("candidates", "selected")
        )
        assert site["not_sent"]["orders"] == not_sent
    assert merchant.run("summary") == 0
    out = capfd.readouterr().out
    assert re.search(r"^USD +acme-us +\d", out, re.MULTILINE)
    assert re.search(r"^NEED  \d+ items need a person: mitbatch review list$", out, re.MULTILINE)
    assert len({len(line) for line in out.splitlines()[1:2]}) == 1
