"""Refunds from a file in production: their total is typed, and their word given; anything else asks the provider for nothing."""

import os
import pty
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from batch.ledger.lease import LeaseTerms, take_lease
from jobs.cli import run
from jobs.http_transport import MachineTransport
from jobs.output import Options
from jobs.outside import this_process
from jobs.refunds import refund_many
from jobs.settings_file import load_settings
from schemas.errors import ExitCode, UsageRefused
from tests.night.house import House, order
from tests.night.requests import asked, completed, given_back, steps
from tests.night.test_calls_alone import CALLS, rewrite
from tests.webhooks.keeping import ledger_of

HEAD = "order_id,amount,currency,reason,request_id"


def into_production(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """The same merchant with the settings of production, and the pretend provider behind the address of the real one."""
    rewrite(house, **CALLS)
    text = house.config.read_text(encoding="utf-8")
    text = text.replace('environment = "sandbox"', 'environment = "production"').replace('public_host = "127.0.0.1:8080"\n', "")
    text = re.sub(r"api_url = .*", 'api_url = "https://api.provider.example/v1/"', text)
    house.config.write_text(text, encoding="utf-8")
    house.settings = load_settings(house.config)
    there = urlsplit(house.sandbox.api_url)

    class Redirected(MachineTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            assert (request.url.scheme, request.url.host) == ("https", "api.provider.example")
            request.url = request.url.copy_with(scheme="http", host=there.hostname, port=there.port)
            return await super().handle_async_request(request)

    monkeypatch.setattr("jobs.http_transport.MachineTransport", Redirected)
    return house


@pytest.fixture
def production(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """Two orders that have been recovered in production."""
    into_production(house, monkeypatch)
    completed(house, "a", "b")
    return house


def refunds(house: House, *rows: str) -> Path:
    """A file of refunds."""
    file = house.folder / "refunds.csv"
    file.write_text("\n".join([HEAD, *(rows or ("a,5.00,USD,late,t-1", "b,11.99,USD,late,t-2"))]) + "\n", encoding="utf-8")
    return file


def command(house: House, *words: str) -> int:
    """`mitbatch refund --csv` as it is typed."""
    return run(["--config", str(house.config), "refund", "--csv", str(refunds(house)), *words])


@pytest.mark.parametrize("typed", ["", "16.98", "17", "16.990", "USD 16.99", "1699", "16,99", " 16.99", "yes"])
def test_the_total_must_be_typed_as_it_is_shown(production: House, typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 with the total in the sentence, with --yes as well; nothing is asked for and nothing written."""
    before = production.ledger_rows()
    assert command(production, "--confirm", typed, "--yes") == ExitCode.USAGE
    assert 'Add --confirm "16.99" if that is meant.' in capsys.readouterr().err
    assert (production.ledger_rows(), asked(production, "/refund")) == (before, 0)


def test_the_right_total_still_needs_a_word(production: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal nobody is waited for: exit 2, after what would be done was shown."""
    assert command(production, "--confirm", "16.99") == ExitCode.USAGE
    shown = capsys.readouterr().err
    assert "2 of 2 rows ask for 16.99 to be given back." in shown
    assert "Add --yes where a script is to do it." in shown
    assert (steps(production), asked(production, "/refund")) == ([], 0)


def test_a_look_needs_no_total(production: House, capsys: pytest.CaptureFixture[str]) -> None:
    """`--dry-run` says the total that is to be typed, and changes nothing."""
    before = production.ledger_rows()
    options = Options(production.config)
    assert refund_many(options, refunds(production), dry_run=True, clock=production.clock) == ExitCode.CLEAN
    assert "DRY RUN  2 of 2 rows ask for 16.99 to be given back." in capsys.readouterr().out
    assert (production.ledger_rows(), asked(production, "/refund")) == (before, 0)


def test_with_the_total_and_a_word_it_is_done_once(production: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Both are given back; the same command again is the same requests, and nothing is sent."""
    options, file = Options(production.config), refunds(production)
    for _ in range(2):
        assert refund_many(options, file, confirm="16.99", yes=True, clock=production.clock) == ExitCode.CLEAN
    shown = capsys.readouterr()
    assert "PRODUCTION" in shown.err
    assert (given_back(production, "a"), given_back(production, "b"), asked(production, "/refund")) == (500, 1199, 2)


def test_a_total_is_of_one_file_alone(production: House) -> None:
    """A row that came since makes it another total; a wrong row counts for nothing in it."""
    options = Options(production.config)
    more = refunds(production, "a,5.00,USD,late,t-1", "b,11.99,USD,late,t-2", "a,1.00,USD,late,t-3")
    with pytest.raises(UsageRefused, match=r'--confirm "17\.99"'):
        refund_many(options, more, confirm="16.99", yes=True, clock=production.clock)
    wrong = refunds(production, "a,5.00,USD,late,t-1", "b,11.999,USD,late,t-2")
    with pytest.raises(UsageRefused, match=r'--confirm "5\.00"'):
        refund_many(options, wrong, confirm="16.99", yes=True, clock=production.clock)
    assert refund_many(options, wrong, confirm="5.00", yes=True, clock=production.clock) == ExitCode.NEEDS_PERSON
    assert (given_back(production, "a"), given_back(production, "b")) == (500, 0)


def test_several_currencies_are_named(production: House) -> None:
    """Sums of different money are not one sum."""
    production.add(order("c", currency="EUR", charged_at="2026-11-23T08:00:00Z"))
    file = refunds(production, "a,5.00,USD,late,t-1", "c,2.00,EUR,late,t-2")
    with pytest.raises(UsageRefused, match=r'--confirm "EUR 2\.00 \+ USD 5\.00"'):
        refund_many(Options(production.config), file, confirm="7.00", yes=True, clock=production.clock)


def test_the_sandbox_asks_for_no_total(house: House) -> None:
    """There it is play money."""
    completed(house, "a", "b")
    assert refund_many(Options(house.config), refunds(house), yes=True, clock=house.clock) == ExitCode.CLEAN


def at_a_terminal(house: House, typed: str) -> tuple[int, str]:
    """The real command at a terminal where somebody types this; its exit code, and what it showed there."""
    ours, theirs = pty.openpty()
    words = house.command("refund", "--csv", str(refunds(house)), "--confirm", "16.99")
    with subprocess.Popen(words, stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while b'Type "yes"' not in shown and (piece := _read(ours)):
            shown += piece
        os.write(ours, typed.encode())
        while piece := _read(ours):
            shown += piece
        code = process.wait(60)
    os.close(ours)
    return code, shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # whoever was at the other end has gone
        return b""


def test_a_person_at_a_terminal_is_asked(running_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What will be done stands above the question; only the whole word goes on, here to a run that holds the lease (21)."""
    house = into_production(running_house, monkeypatch)
    house.run()
    code, shown = at_a_terminal(house, "no\n")
    assert code == ExitCode.USAGE
    assert shown.index("2 of 2 rows ask for 16.99") < shown.index('Type "yes" to do this: ') < shown.index("not confirmed")
    with ledger_of(house) as ledger:
        terms = LeaseTerms(900, 0)
        owner = this_process()
        ledger.now()
        take_lease(
            ledger,
            run_id="r" * 36,
            job="nightly",
            business_date="2026-11-23",
            owner=owner,
            terms=terms,
            is_alive=lambda _: True,
            sleep=lambda _: None,
        )
    code, shown = at_a_terminal(house, "yes\n")
    assert code == ExitCode.ANOTHER_RUN
    assert "not confirmed" not in shown
