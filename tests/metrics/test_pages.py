"""The dashboard over real sockets: what each page shows, whom it refuses, and that nothing but finance's own files is served."""

import html
import re
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Event
from urllib.parse import quote

import pytest

from jobs.serve import pages
from jobs.serve.pages import is_plain_host
from jobs.serve.views import Views
from jobs.surroundings import of_this_machine
from tests.metrics.reading import read, shown, value
from tests.night.house import DAY, House, order
from tests.webhooks.serving import Reached
from tests.webhooks.signing import payload

PAGES = ("/", "/orders", "/orders/a", "/review", "/files", f"/files/{DAY}")


def page(reached: Reached, path: str) -> str:
    """A page as text, and what holds for every page."""
    status, content = reached.call("GET", path)
    assert status == 200, content
    text = content.decode()
    assert "<script>" not in text
    assert "style=" not in text
    return html.unescape(re.sub(r"<[^>]+>", " ", text))


def test_the_overview_says_how_things_stand(reached: Reached) -> None:
    """Verdict, tiles, what a person must do, what came of tonight, ages, and how the nights ended are on the first page."""
    text = " ".join(page(reached, "/").split())

    assert "The night of 2026-11-23 is done; 1 item needs a person." in text
    assert "Handed over 4 EUR 19.99 USD 59.97" in text
    assert "Recovered today USD 19.99" in text
    assert "row_refused" in text
    assert "Candidates declined charges that the gate judged 6" in text
    assert "too_old" in text
    assert "0-1d" in text
    assert "2026-11-23: exit 10, done; new or overdue items need a person" in text


def test_a_merchant_without_a_night_has_pages(house: House) -> None:
    """Before the first run every page is there and says that there is nothing."""
    from tests.webhooks.serving import served

    with served(house) as found:
        assert "No nightly has run yet." in page(found, "/")
        assert "No order is in this state" in page(found, "/orders")
        assert "Nothing needs a person" in page(found, "/review")
        assert "No run has written any yet" in page(found, "/files")


def test_open_orders_are_found_by_state_and_site(reached: Reached) -> None:
    """A state and a site narrow the page; what is none of them is taken for none, and a page too far is empty."""
    assert "pending 2" in " ".join(page(reached, "/orders").split())
    assert {"c", "e/<b>é"} <= set(page(reached, "/orders?state=pending&site=acme-us").split())
    assert "No order is in this state at acme-eu" in page(reached, "/orders?state=pending&site=acme-eu")
    assert "2 orders, page 1 of 1" in page(reached, "/orders?state=nonsense&site=<x>&page=-3")
    assert "No order is in this state" in page(reached, "/orders?state=pending&page=150")
    assert "000471" not in page(reached, "/orders?state=" + quote("' OR 1=1 --"))


def test_many_orders_come_in_pages(house: House) -> None:
    """Fifty orders are on a page, each order is on exactly one, and the links lead from one to the next."""
    from tests.webhooks.serving import served

    house.add(*(order(f"n{n:03d}", payment_token="0b0d6a44-6a55-4b8e-9f5e-5d21c8e7a006") for n in range(120)))
    house.run()
    with served(house) as reached:
        found = [re.findall(r"\bn\d{3}\b", page(reached, f"/orders?state=pending&page={number}")) for number in (1, 2, 3)]
        _, first = reached.call("GET", "/orders?state=pending")

    assert [len(ids) for ids in found] == [50, 50, 20]
    assert len({order_id for ids in found for order_id in ids}) == 120
    assert b'href="/orders?state=pending&amp;page=2"' in first


def test_an_order_has_its_story(reached: Reached) -> None:
    """The page of an order tells what `explain` tells, whatever its id; one that nobody knows is 404."""
    text = page(reached, f"/orders/{quote('e/<b>é', safe='')}")

    assert "e/<b>é" in text
    assert "claimed -> held" in text
    assert "The provider completes it, gives it up, or lets it expire" in text
    for path in ("/orders/none", "/orders/%ff", "/orders/%00", "/orders/"):
        status, content = reached.call("GET", path)
        assert status == 404, path
        assert b'<a href="/review">Review</a>' in content or path == "/orders/", "whoever went astray finds the way back"


def test_review_names_the_commands(reached: Reached) -> None:
    """Each item has its explanation and a command for each decision that fits."""
    text = page(reached, "/review")

    assert "row_refused" in text
    assert re.search(r'mitbatch review resolve [0-9a-f]{12} --as [a-z-]+ --reason "…" --dry-run', text)


def test_nothing_personal_is_shown(reached: Reached) -> None:
    """No name, address, mail or token of a customer is on any page, nor in the metrics."""
    for path in (*PAGES, f"/orders/{quote('e/<b>é', safe='')}", "/metrics"):
        said = reached.call("GET", path)[1].decode().lower()
        assert not [word for word in ("ada@", "ada marsh", "orchard", "01803", "555-0101", "0b0d6a44") if word in said], path


def test_finance_finds_its_files(reached: Reached) -> None:
    """Every file that the manifest names is listed and served byte for byte, as a download."""
    folder = reached.house.folder / "var" / "audit" / DAY
    names = re.findall(rf'href="/files/{DAY}/([^"]+)"', reached.call("GET", f"/files/{DAY}")[1].decode())

    assert sorted(names) == sorted({path.name for path in folder.iterdir()} - {"report.html"})
    for name in names:
        assert reached.call("GET", f"/files/{DAY}/{name}") == (200, (folder / name).read_bytes())


@pytest.mark.parametrize(
    "path",
    [
        f"/files/{DAY}/../../ledger.db",
        f"/files/{DAY}/..%2f..%2fledger.db",
        f"/files/{DAY}/%2e%2e%2fmanifest.json",
        f"/files/{DAY}/report.html",
        f"/files/{DAY}/.summary.0001.csv.new",
        f"/files/{DAY}/secret.csv",
        "/files/..",
        "/files/%2e%2e/ledger.db",
        "/files/2026-11-24",
        "/files/2026-11-23%00",
        "/report/2026-11-24",
        "/report/..",
        "/static/../pages.py",
        "/static/%2e%2e%2fpages.py",
        "/nothing",
    ],
)
def test_no_other_file_is_served(reached: Reached, path: str) -> None:
    """Only names of a date's manifest lead to a file: no path, no draft, nothing that merely lies there."""
    folder = reached.house.folder / "var" / "audit" / DAY
    (folder / "secret.csv").write_text("secret")
    (folder / ".summary.0001.csv.new").write_text("secret")

    assert reached.call("GET", path)[0] == 404


def test_a_manifest_that_somebody_changed_leads_nowhere(reached: Reached) -> None:
    """A name in a manifest that leads out of the folder, a manifest that is none, and a link are not followed."""
    folder = reached.house.folder / "var" / "audit" / DAY
    manifest = folder / "manifest.json"
    manifest.write_text('{"files": [{"name": "../../ledger.db", "rows": 1, "sha256": ""}, {"name": "out.csv", "sha256": ""}]}')
    (folder / "out.csv").symlink_to(reached.house.ledger_path)

    assert reached.call("GET", f"/files/{DAY}/..%2f..%2fledger.db")[0] == 404
    assert reached.call("GET", f"/files/{DAY}/out.csv")[0] == 404
    manifest.write_text("[")
    assert reached.call("GET", f"/files/{DAY}/declines.csv")[0] == 404
    assert "manifest.json" in page(reached, f"/files/{DAY}")


def test_a_report_is_shown_without_any_right(reached: Reached) -> None:
    """A date's report is served where there is one, in a sandbox of the browser's, and the files' page leads to it."""
    path = reached.house.folder / "var" / "audit" / DAY / "report.html"
    assert reached.call("GET", f"/report/{DAY}")[0] == 404
    reached.house.run("poll", surroundings=of_this_machine(reached.house.clock))

    assert reached.call("GET", f"/report/{DAY}") == (200, path.read_bytes())
    assert f'href="/report/{DAY}"' in reached.call("GET", "/files")[1].decode()


@pytest.mark.parametrize("path", [*PAGES, "/metrics", "/healthz", "/static/dashboard.css"])
def test_it_only_shows(reached: Reached, path: str) -> None:
    """GET and HEAD are answered, HEAD without a body; every other method is refused, and the ledger stays as it is."""
    before = reached.house.ledger_rows()

    assert reached.call("GET", path)[0] == 200
    assert reached.call("HEAD", path) == (200, b"")
    assert [reached.call(method, path, b"x")[0] for method in ("POST", "PUT", "DELETE", "PATCH")] == [405] * 4
    assert reached.house.ledger_rows() == before


@pytest.mark.parametrize(
    "host", ["hooks.acme.example", "attacker.example", "127.0.0.1.attacker.example", "", "[::1", "localhost.x"]
)
def test_a_name_that_is_not_ours_is_shown_nothing(reached: Reached, host: str) -> None:
    """A browser that was led here by somebody else's name gets no page; webhooks and holds are none of its business."""
    for path in (*PAGES, f"/files/{DAY}/declines.csv"):
        status, content = reached.call("GET", path, headers={"Host": host})
        assert status in {400, 421}
        assert b"acme-us" not in content
    assert reached.call("GET", "/holds/a", headers={"Host": "hooks.acme.example"})[0] == 200


@pytest.mark.parametrize(
    ("given", "is_plain"),
    [
        ("127.0.0.1:8080", True),
        ("localhost", True),
        ("LOCALHOST:80", True),
        ("[::1]:8080", True),
        ("10.0.0.7:8080", True),
        ("desk.acme.lan:8080", True),
        ("evil.example:8080", False),
        ("evil.example:8080:8080", False),
        ("", False),
    ],
)
def test_hosts_that_are_plain(given: str, is_plain: bool) -> None:
    """An address, this machine's own name, and the name that it listens on are plain; nothing else is."""
    assert is_plain_host(given, "desk.acme.lan") is is_plain


def test_metrics_are_those_of_the_textfile(reached: Reached) -> None:
    """What Prometheus is shown is what the last run left in its file, but for what the time has changed."""
    status, content = reached.call("GET", "/metrics")

    assert status == 200
    assert read(content.decode()) == shown(reached.house)


def test_webhooks_are_counted(reached: Reached) -> None:
    """Each kind of answer is counted by its event, and what was turned away without reading it."""
    known, strange = payload(), payload().replace(b"order.completed", b"order.invented")
    assert known != strange
    for body, nonce in ((known, "n-1"), (known, "n-1"), (strange, "n-2")):
        assert reached.post(reached.signed(body, nonce))[0] == 200
    assert reached.post(reached.signed(known, "n-3", key="QQ==" * 16))[0] == 401
    assert reached.post(reached.signed(known, "n-4", date="Mon, 23 Nov 2026 05:30:00 GMT"))[0] == 401
    found = read(reached.call("GET", "/metrics")[1].decode())

    assert value(found, "webhooks_total", event="order.completed", result="accepted") == 1
    assert value(found, "webhooks_total", event="order.completed", result="replayed") == 1
    assert value(found, "webhooks_total", event="other", result="unknown") == 1
    assert value(found, "webhooks_total", event="unread", result="bad_signature") == 1
    assert value(found, "webhooks_total", event="unread", result="stale") == 1


def test_counts_of_webhooks_outlive_the_server(house: House) -> None:
    """What was counted is in the ledger once the server has ended, and the next one goes on from there."""
    from tests.webhooks.serving import served

    for nonce in ("n-1", "n-2"):
        with served(house) as reached:
            reached.post(reached.signed(payload(), nonce))
    with served(house) as reached:
        found = read(reached.call("GET", "/metrics")[1].decode())

    assert value(found, "webhooks_total", event="order.completed", result="accepted") == 2


def test_pages_that_stand_still_keep_no_webhook_waiting(reached: Reached, monkeypatch: pytest.MonkeyPatch) -> None:
    """While every page hangs, webhooks are taken and holds answered; one page too many is told to come again."""
    go_on, original = Event(), Views.review

    def slow(views: Views) -> dict[str, object]:
        go_on.wait(60)
        return original(views)

    monkeypatch.setattr(Views, "review", slow)
    monkeypatch.setattr(pages, "MOST_SECONDS", 60)
    with ThreadPoolExecutor(pages.MOST_WAITING + 1) as pool:
        asked = [pool.submit(reached.call, "GET", "/review") for _ in range(pages.MOST_WAITING + 1)]
        try:
            assert next(as_completed(asked)).result()[0] == 503
            assert reached.post(reached.signed(payload(), "n-1"))[0] == 200
            assert reached.ask("/holds/a")[0] == 200
            assert reached.call("GET", "/healthz")[0] == 200
        finally:
            go_on.set()
        assert sorted(future.result()[0] for future in asked) == [200] * pages.MOST_WAITING + [503]


def test_a_page_that_cannot_be_made_harms_nothing(reached: Reached, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours on one page is a sentence without a trace, and every other page is there."""

    def broken(_: Views) -> dict[str, object]:
        raise KeyError("secret")

    monkeypatch.setattr(Views, "review", broken)
    status, content = reached.call("GET", "/review")

    assert (status, b"secret" in content) == (500, False)
    assert reached.call("GET", "/")[0] == 200
    assert '"result": "internal_KeyError"' in reached.log.getvalue()


def test_what_is_served_is_in_the_package() -> None:
    """Templates and static files are named where the package is built."""
    root = Path(pages.__file__).parents[2]
    text = (root / "pyproject.toml").read_text()

    assert all(f'"serve/{name}"' in text for name in ("templates/*.html", "static/*"))
