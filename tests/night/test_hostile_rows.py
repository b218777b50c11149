"""S14, D-17: whoever can write an order row can write anything into it. It is data everywhere, and decides nothing."""

import csv
import html
import re
import sqlite3
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import openpyxl
import pytest

from jobs.cli import run
from tests.night.house import DAY, ONHOLD, House, order
from tests.webhooks.serving import served

SQL = (
    "x'; DROP TABLE orders; --",
    '" OR 1=1 --',
    "1 UNION SELECT payment_token FROM orders",
    "Robert'); DELETE FROM event;--",
    "a' || (SELECT sqlite_version()) || '",
    ":order_id",
    "?",
    "$1",
    "%s %(x)s",
    "{0} {order_id}",
    "\\' OR ''='",
    "/* */ x",
)
PATHS = (
    "../../../../tmp/escaped",
    "..\\..\\escaped",
    "/etc/passwd",
    "C:\\escaped.txt",
    "escaped%2f..%2f",
    ".",
    "..",
    "~root",
    "a/b",
)
FORMULAS = ('=HYPERLINK("http://evil.example","x")', "+1+1", "-2+3", "@SUM(1)", "\t=1+1", "\uff1d1+1", " =1+1", ";=1+1", "'=1+1")
CONTROLS = (
    "\x1b[2J\x1b[31mred",
    "bell\x07",
    "\x9b31m",
    "nel\x85",
    "del\x7f",
    "line\nEXIT 0 clean",
    "cr\rEXIT 0 clean",
    "\u2028sep",
)
TURNED = ("\u202egpj.exe", "\u2066isolate\u2069", "\u200fmark", "\u061carabic")
DELIMITERS = ('a,b;c"d"', "tab\tinside", '"', '""', ",", ";", "a\r\nb,c")
MARKUP = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "{{7*7}}",
    "[red]x[/red]",
    "javascript:alert(1)",
    "&lt;b&gt;",
)
OPTIONS = ("--yes", "-rf", "--config=/etc/passwd", "$(id)", "`id`", "x; id", "x" * 255)
TAKEN = (*SQL, *PATHS, *FORMULAS, *CONTROLS, *TURNED, *DELIMITERS, *MARKUP, *OPTIONS)
REFUSED = ("nul\x00inside", "y" * 256, "z" * 100_000, "\x00")
"""No file and no database keeps these as they are."""

FORGING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
TEXTS = ("customer_id", "subscription_id", "response_description", "first_name", "last_name", "address_line1", "city")


@pytest.fixture
def attacked(house: House) -> House:
    """A house after a night over hostile rows and one good one."""
    house.add(*(order(text, **{**dict.fromkeys(TEXTS, text), "payment_token": ONHOLD}) for text in TAKEN))
    house.add(*(order(text, payment_token=ONHOLD) for text in REFUSED))
    house.add(order("good", payment_token=ONHOLD))
    return house


def said_by(house: House, capfd: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command says on both streams."""
    capfd.readouterr()
    run(["--config", str(house.config), *words])
    return "".join(capfd.readouterr())


def test_hostile_rows_are_only_rows(attacked: House, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """From the orders table to the provider, the ledger, finance's files, every message, every page and every sheet."""
    before = {path for path in tmp_path.parent.rglob("*") if "house" not in str(path)}
    report = attacked.run()

    assert report.code == 0, report.findings.problems
    _are_sent(attacked)
    _are_in_finances_files(attacked)
    _forge_no_message(attacked, capfd)
    _are_text_on_every_page(attacked, capfd)
    _are_text_in_the_workbook(attacked, tmp_path)
    _name_no_file(attacked)
    assert {path for path in tmp_path.parent.rglob("*") if "house" not in str(path)} - before <= {tmp_path / "book.xlsx"}
    assert run(["--config", str(attacked.config), "--quiet", "audit", "verify"]) == 0


def _are_sent(house: House) -> None:
    """Each row that can be kept is at the provider once, with its own id; the others are refused, and nothing is lost."""
    assert dict(house.accepted()) == dict.fromkeys((*TAKEN, "good"), 1)
    with closing(sqlite3.connect(house.orders_path)) as orders:
        held = {row[0] for row in orders.execute("SELECT order_id FROM orders WHERE hold_reference IS NOT NULL")}
        assert orders.execute("SELECT count(*) FROM orders").fetchone() == (len(TAKEN) + len(REFUSED) + 1,)
    assert held == {*TAKEN, "good"}


def _are_in_finances_files(house: House) -> None:
    """Each id stands there so that it can be read back, no cell begins a formula, and a refused row says why."""
    submitted = {row["order_id"] for row in house.audit("submissions")}
    assert submitted == {*TAKEN, "good"}
    reasons = [row for row in house.audit("declines") if row["decision"] != "selected"]
    assert [row["reason"] for row in reasons] == ["invalid_row"] * len(REFUSED)
    for path in (house.folder / "var" / "audit").rglob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert [cell for cell in cells if re.search(r"[\r\n\t]", cell)] == []
        texts = [cell for cell in cells if not re.fullmatch(r"-?[0-9.]+", cell)]
        assert [cell for cell in texts if cell.lstrip(" \u00a0")[:1] in set("=+-@\uff1d")] == []


def _forge_no_message(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    """No line is made, no cursor moved, no direction turned; and no id is taken for an option, a path or a pattern."""
    commands: list[tuple[str, ...]] = [("status",), ("holds", "list"), ("review", "list"), ("nightly", "--dry-run"), ("summary",)]
    for text in TAKEN:
        commands += [("explain", "--", text), ("holds", "check", "--", text)]
    for words in commands:
        said = said_by(house, capfd, *words)
        assert not FORGING.search(said), (words, said)
        forged = [line for line in said.splitlines() if line == "EXIT 0 clean"]
        assert len(forged) == 0, (words, said)
        if words[0] == "explain":
            assert "is at FlexFactor" in said or "pending" in said, (words, said)
        if words[:2] == ("holds", "check"):
            assert "must not be charged" in said, (words, said)


class _Tags(HTMLParser):
    """The tags of a page, and attributes that could run something."""

    def __init__(self) -> None:
        super().__init__()
        self.live: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag begins."""
        self.live += [f"{tag} {name}={value}" for name, value in attrs if name.startswith("on")]
        self.live += [f"{tag} {value}" for name, value in attrs if name in {"src", "href"} and "javascript:" in str(value)]
        is_ours = tag == "script" and str(dict(attrs).get("src", "")).startswith("/static/")
        self.live += [tag] if tag in {"script", "img", "iframe", "object"} and not is_ours else []


def _are_text_on_every_page(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    """The report and the dashboard have no tag, attribute or address that came from a row."""
    assert run(["--config", str(house.config), "report", "--date", DAY]) == 0
    capfd.readouterr()
    pages = {"report": (house.folder / "var" / "audit" / DAY / "report.html").read_text(encoding="utf-8")}
    with served(house) as reached:
        for path in (
            "/",
            "/orders?state=pending",
            "/review",
            f"/files/{DAY}",
            *(f"/orders/{quote(text, safe='')}" for text in TAKEN),
        ):
            status, content = reached.call("GET", path)
            assert status == 200 or path in {"/orders/.", "/orders/.."}, (path, status)
            pages[path] = content.decode()
        for text in TAKEN:
            status, answer = reached.ask(f"/holds/{quote(text, safe='')}")
            assert (status, answer["order_id"], answer["may_charge"]) == (200, text, False)
    for path, text in pages.items():
        tags = _Tags()
        tags.feed(text)
        assert tags.live == [], path
        shown = html.unescape(re.sub(r"<[^>]+>", " ", text))
        assert not FORGING.search(shown.replace("\r\n", "\n").replace("\t", " ")), (path, FORGING.findall(shown))


def _are_text_in_the_workbook(house: House, folder: Path) -> None:
    """No formula and no link, and every id as text."""
    words = ["--config", str(house.config), "audit", "export", "--xlsx", "--out", str(folder / "book.xlsx")]
    assert run(words) == 0
    sheet = openpyxl.load_workbook(folder / "book.xlsx")["submissions"]
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink] == []
    ids = {cell.value for cell in next(sheet.iter_cols(min_col=4, max_col=4)) if cell.row > 1}
    assert len(ids) == len(TAKEN) + 1


def _name_no_file(house: House) -> None:
    """Every file of ours has a name that we made, and lies below our folder."""
    names = [path.name for path in house.folder.rglob("*") if "provider" not in path.relative_to(house.folder).parts]
    assert len(names) > 20
    assert [name for name in names if not re.fullmatch(r"[A-Za-z0-9._-]{1,128}", name)] == []
    assert [name for name in names if "escaped" in name or "passwd" in name] == []
