"""From a round to production, all of it by the command line: two providers on this machine, real looks, nothing put in."""

from pathlib import Path

import pytest

from jobs.certify.chain import Chain
from jobs.cli import run
from jobs.disk import MachineDisk
from schemas.certification import CHECKLIST, Proof
from tests.certify.two_sandboxes import API, lead_here, two_sandboxes

ATTESTED = [item.id for item in CHECKLIST if item.takes_word and item.proof is not Proof.SETTINGS]


def test_from_a_round_to_production(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Certify, attest, go live: refused until all of it is shown and the merchant id is typed; then a night may look."""
    monkeypatch.chdir(tmp_path)
    with two_sandboxes(tmp_path) as both:
        lead_here(both.live.authority_path, monkeypatch)
        mid, test = both.live_settings.provider.mid, ["--config", str(both.sandbox)]
        live = [*test, "go-live", "--to", str(both.production)]
        assert run([*test, "certify"]) == 10
        capsys.readouterr()
        assert run([*live, "--confirm", mid]) == 30
        told = capsys.readouterr().out
        assert [line.split()[1].rstrip(":") for line in told.splitlines() if line.startswith("NEED")] == ATTESTED
        assert [line for line in told.splitlines() if line.startswith("FAIL")] == []
        assert not both.live_settings.data_dir.exists()

        screen = tmp_path / "screen.png"
        screen.write_bytes(b"\x89PNG\r\n\x1a\n and a page")
        for item in ATTESTED:
            assert run([*test, "certify", "attest", item, "--evidence", str(screen), "--by", "Ada", "--yes"]) == 0
        assert run(live) == 2
        assert not both.live_settings.data_dir.exists()
        assert run([*live, "--confirm", mid]) == 0
        assert "Production's ledger is locked." in capsys.readouterr().out

        assert run(["--config", str(both.production), "lock", "show"]) == 0
        events = Chain(both.settings.data_dir / "certification", MachineDisk()).events()
        assert [event["kind"] for event in events] == ["pack", *["attested"] * len(ATTESTED), "went_live"]
        assert run(["--config", str(both.production), "nightly", "--dry-run"]) == 0
        assert both.live.accepted("evaluate") + both.live.accepted("transmit") == []


def test_a_provider_on_this_machine_is_never_production(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Settings that call a loopback address production are refused before anything is looked at."""
    with two_sandboxes(tmp_path) as both:
        text = both.production.read_text(encoding="utf-8")
        both.production.write_text(text.replace(f"https://{API}", "https://127.0.0.1"), encoding="utf-8")

        assert run(["--config", str(both.sandbox), "go-live", "--to", str(both.production)]) == 78
        assert "provider.api_url must be https and not loopback in production" in capsys.readouterr().err
        assert not (both.production.parent / "var").exists()
