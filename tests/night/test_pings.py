"""The ping: start and end of each night, what is sent and what is not, and that no ping ever touches a run."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from jobs import night, ping, reconcile
from jobs.output import Options
from jobs.ping import MOST_BYTES, Ping, shortened
from jobs.settings_file import load_settings
from schemas.errors import AnotherRunActive, ExitCode, Interrupted, MitbatchError, NightDone, NothingSent, UsageRefused
from schemas.settings import AlertsSettings
from tests.night.house import OTHER_AMOUNT, House, order

SECRET = "5a9e0f1c-private"


class Listener:
    """A dead man's switch: what was posted where, in order; `status` is what it answers."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str]] = []
        self.status = 200
        listener = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                listener.heard.append((parts.path, parse_qs(parts.query).get("rid", [""])[0], body))
                self.send_response(listener.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_words: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self.server.server_port}/{SECRET}"

    @property
    def endings(self) -> list[str]:
        """What was posted, without the secret part."""
        return [path.removeprefix(f"/{SECRET}") for path, _, _ in self.heard]


@pytest.fixture
def listener() -> Iterator[Listener]:
    """One that listens."""
    found = Listener()
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def run(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    job: str = "nightly",
    *,
    ping_url: str = "",
    items: str = "",
    once: bool = False,
) -> int:
    """Run a job as its command does, with these addresses."""
    alerts = AlertsSettings(ping_url=ping_url, attention_url=items)
    for module in (night, reconcile):
        monkeypatch.setattr(module, "load_settings", lambda path: load_settings(path).model_copy(update={"alerts": alerts}))
    if job == "reconcile":
        return reconcile.run_reconcile(Options(house.config), clock=house.clock)
    return night.run_command(Options(house.config), job, "", clock=house.clock, once=once)


def test_a_clean_night_pings_start_and_success(house: House, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paired by one id; the body is the summary with the whole audit head, without any order id."""
    house.add(order("secret-order-77"))
    assert run(house, monkeypatch, ping_url=listener.url) == 0
    assert listener.endings == ["/start", ""]
    (_, first, empty), (_, second, body) = listener.heard
    assert (first == second, empty) == (True, "")
    lines = body.splitlines()
    assert lines[0].startswith("mitbatch nightly 2026-11-23")
    assert lines[-1] == "EXIT 0 clean"
    assert any(len(line.split()[-1]) == 64 for line in lines if line.startswith("audit head"))
    assert "secret-order" not in body


def test_a_night_that_needs_a_person_pings_its_code(house: House, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """10 as /10, the alert's code in the body and no order id; the other address follows the items alone."""
    house.add(order("secret-order-77", payment_token=OTHER_AMOUNT))
    run(house, monkeypatch, ping_url=listener.url, items=f"{listener.url}/items")
    house.pass_time(hours=2)
    listener.heard.clear()
    assert run(house, monkeypatch, ping_url=listener.url, items=f"{listener.url}/items") == 10
    assert listener.endings == ["/start", "/10", "/items/10"]
    assert "MB-ALERT-CONTRADICTION" in listener.heard[1][2]
    assert "secret-order" not in "".join(body for _, _, body in listener.heard)
    listener.heard.clear()
    house.pass_time(hours=1)
    assert run(house, monkeypatch, ping_url=listener.url, items=f"{listener.url}/items") == 0
    assert listener.endings == ["/start", "", "/items/10"]
    assert "MB-ALERT-CONTRADICTION" not in listener.heard[1][2]


def test_a_poll_pings_only_about_items(house: House, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """A poll that goes well must not hide a night that did not."""
    house.run()
    assert run(house, monkeypatch, "poll", ping_url=listener.url, items=f"{listener.url}/items") == 0
    assert listener.endings == ["/items"]


def test_a_reconcile_tells_what_is_wrong_and_hides_nothing(
    house: House, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that finds a difference posts its code; a clean one only says that nothing needs a person: a night may be missing."""
    house.add(order("secret-order-77"))
    house.run()
    items = f"{listener.url}/items"
    assert run(house, monkeypatch, "reconcile", ping_url=listener.url, items=items) == 0
    assert listener.endings == ["/items"]
    listener.heard.clear()
    house.change("secret-order-77", status="paid")
    assert run(house, monkeypatch, "reconcile", ping_url=listener.url, items=items) == 10
    assert listener.endings == ["/10", "/items/10"]
    assert "secret-order" not in "".join(body for _, _, body in listener.heard)
    assert listener.heard[0][2].splitlines()[-1].startswith("EXIT 10 ")


def test_a_reconcile_that_ends_badly_is_heard(house: House, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it ends with, inside the run or at its door, somebody hears of it; not of a mistyped word, or a stop by hand."""
    for problem, endings in (
        (NothingSent("the list is away"), ["/20"]),
        (MitbatchError("broken", now=""), ["/70"]),
        (UsageRefused("there is no such file"), []),
        (Interrupted("Ctrl-C"), []),
    ):
        listener.heard.clear()

        def refused(*_: object, _problem: MitbatchError = problem, **__: object) -> None:
            raise _problem

        monkeypatch.setattr(reconcile, "reconcile_with", refused)
        with pytest.raises(type(problem)):
            run(house, monkeypatch, "reconcile", ping_url=listener.url)
        assert listener.endings == endings


def test_what_is_refused_at_the_door_pings_its_code(house: House, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another active run says nothing of the night, /log; everything else pings the exit code of the error."""
    for problem, ending in ((AnotherRunActive("one is at work"), "/log"), (MitbatchError("broken", now=""), "/70")):
        listener.heard.clear()

        def refused(*_: object, _problem: MitbatchError = problem, **__: object) -> None:
            raise _problem

        monkeypatch.setattr(night, "run_with", refused)
        with pytest.raises(type(problem)):
            run(house, monkeypatch, ping_url=listener.url)
        assert listener.endings == ["/start", ending]


def test_a_night_that_is_done_pings_nobody(house: House, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--once` finds it done before it says that anything begins."""
    house.run()
    with pytest.raises(NightDone) as done:
        run(house, monkeypatch, ping_url=listener.url, once=True)
    assert (int(done.value.exit_code), listener.heard) == (0, [])


@pytest.mark.parametrize(("status", "tries"), [(500, 3), (429, 3), (404, 1)])
def test_a_ping_that_fails_touches_nothing(
    house: House, listener: Listener, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: int, tries: int
) -> None:
    """Tried three times at most, told in one line without the address; the night is what it was."""
    listener.status = status
    house.add(order())
    assert run(house, monkeypatch, ping_url=listener.url) == 0
    assert listener.endings == ["/start"] * tries + [""] * tries
    said = capsys.readouterr()
    assert said.err.count("WARN  The ping to 127.0.0.1 failed") == 1
    assert f"HTTP {status}" in said.err
    assert SECRET not in said.out + said.err
    assert said.out.splitlines()[-1] == "EXIT 0 clean"


def test_nobody_there_touches_nothing(house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither does an address where nobody listens."""
    assert run(house, monkeypatch, ping_url=f"http://127.0.0.1:1/{SECRET}") == 0
    said = capsys.readouterr()
    assert "WARN  The ping to 127.0.0.1 failed (ConnectError)" in said.err
    assert SECRET not in said.out + said.err


def test_an_address_keeps_its_own_query(listener: Listener) -> None:
    """`?create=1` stays, and the id is added."""
    one = Ping(f"{listener.url}?create=1", lambda _: None)
    assert one.start() == ""
    assert one.end(ExitCode.IN_DOUBT, "x") == ""
    assert listener.endings == ["/start", "/11"]
    assert {rid for _, rid, _ in listener.heard} == {one.rid}


def test_a_long_body_is_cut_in_its_midst() -> None:
    """The last lines stay: the verdict is the last."""
    body = "\n".join([*(f"line {number} äöü" for number in range(2000)), "EXIT 0 clean"])
    cut = shortened(body)
    assert len(cut.encode()) <= MOST_BYTES
    assert cut.splitlines()[0] == "line 0 äöü"
    assert cut.splitlines()[-1] == "EXIT 0 clean"
    assert "lines left out" in cut
    assert shortened("short") == "short"
    assert ping.host_of("https://hc-ping.com/x") == "hc-ping.com"
