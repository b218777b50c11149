"""The page stands on its own, shows markup as text, says in words what it draws, and fits a phone."""

import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from jobs.report import definitions
from jobs.report.parts import Names
from jobs.report.pictures import bars
from schemas.network_rules import parse_network_rules
from schemas.reasons import Reason
from schemas.states import State
from tests.report.conftest import HOSTILE, Drawn, drawn_of
from tests.report.months import Months
from tests.sandbox.browser import Browser, browsing

TITLES = (
    "Verdict for 2026-11-23",
    "Needs a person",
    "The balance",
    "Money",
    "Tonight",
    "Why not sent",
    "Recovery by cohort",
    "Pending by age and time to expiry",
    "By decline group and code",
    "By site, brand, origin, channel",
    "Time to recovery",
    "Refunds and chargebacks after recovery",
    "Network rules",
    "Reconciliation",
    "Operation",
    "Files and definitions",
)


class Tags(HTMLParser):
    """Every tag with its attributes, and the text of what stands between."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.texts.append(data)


def test_the_page_needs_nothing_else(drawn: Drawn) -> None:
    """There is no script and no address to load from, and the page is under a megabyte."""
    found = Tags(drawn.page.decode())
    loading = [
        (tag, name) for tag, attributes in found.tags for name in attributes if name in {"src", "srcset", "data", "xlink:href"}
    ]
    links = {attributes.get("href") or "" for _, attributes in found.tags if "href" in attributes}

    assert not {"script", "link", "iframe", "img", "object", "embed", "form"} & {tag for tag, _ in found.tags}
    assert loading == []
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert links
    assert all(link.startswith("#") for link in links)
    assert "@import" not in drawn.page.decode()
    assert re.findall(r"url\((?!#)", drawn.page.decode()) == []
    assert len(drawn.page) < 1_000_000


def test_the_same_ledger_gives_the_same_bytes(months: Months, drawn: Drawn, tmp_path: Path) -> None:
    """A page drawn again, in another folder, is the same to the byte."""
    assert drawn_of(months, tmp_path).page == drawn.page


def test_markup_in_the_ledger_stands_as_text(hostile: Drawn) -> None:
    """Sites, reasons and explanations that are markup or a template are shown as they are, and make no tag."""
    found = Tags(hostile.page.decode())

    assert "script" not in {tag for tag, _ in found.tags}
    assert HOSTILE in "".join(found.texts)
    assert "49" not in [text.strip() for text in found.texts if "acme" in text]


def test_each_picture_says_in_words_what_it_shows(drawn: Drawn) -> None:
    """Every picture has a title and a description with figures, under ids of its own, and charts have their table."""
    text = drawn.page.decode()
    pictures = re.findall(r'<svg role="img" aria-labelledby="([^"]+)"[^>]*>(.*?)</svg>', text, re.DOTALL)
    ids = [name for labels, _ in pictures for name in labels.split()]

    assert len(pictures) > 40
    assert len(ids) == len(set(ids))
    for labels, body in pictures:
        for name in labels.split():
            assert re.search(rf'id="{name}">[^<]*\d', body) or re.search(rf'<title id="{name}">[^<]+<', body)
    assert text.count("<details>") > 30
    assert text.count("<summary>Show figures</summary>") == text.count("<details>")


def test_definitions_stand_beside_rates_and_at_the_end(drawn: Drawn) -> None:
    """Each section with a rate prints what the rate is, and the last section prints every definition."""
    parts = re.split(r'<section id="', drawn.page.decode())
    by_anchor = {part.partition('"')[0]: "".join(Tags(part).texts) for part in parts[1:]}

    for anchor in ("cohorts", "kinds"):
        assert definitions.RATE_AMOUNT in by_anchor[anchor]
    for anchor in ("declines", "kinds"):
        assert definitions.RATE_COUNT in by_anchor[anchor]
        assert definitions.INTERVAL in by_anchor[anchor]
    assert definitions.FEES in by_anchor["network"]
    assert [text for text in definitions.ALL if text not in by_anchor["files"]] == []


def test_a_cohort_is_final_or_says_its_day(drawn: Drawn) -> None:
    """Every row of the cohorts' table has one label or the other, as its open orders say."""
    part = drawn.page.decode().partition('<section id="cohorts"')[2].partition("</section>")[0]
    rows = [
        re.findall(r"<t[hd][^>]*>(?:<span[^>]*>)?([^<]*)", row) for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", part)
    ]

    assert len(rows) > 60
    for row in rows:
        still_open = int(row[-2].replace(",", ""))
        assert row[1] == "final" if still_open == 0 else re.fullmatch(r"provisional, day \d+", row[1])


def test_a_page_of_nothing_is_a_page(tmp_path: Path) -> None:
    """A date on which nothing ever happened has all sixteen sections and says that there is nothing."""
    drawn = drawn_of(Months(tmp_path / "ledger.db", nights=1, orders=0), tmp_path / "audit")
    text = "".join(Tags(drawn.page.decode()).texts)

    assert all(title.partition(" for ")[0] in text for title in TITLES)
    assert "Nothing was handed over yet." in text
    assert "Nothing was open this date." in text


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> object:
    """A real browser."""
    with browsing(tmp_path_factory.mktemp("profile")) as found:
        yield found


def shown(browser: Browser, drawn: Drawn, width: int) -> None:
    """Open the page in a window of this width."""
    browser.call(
        "POST", "goog/cdp/execute", cmd="Emulation.setDeviceMetricsOverride",
        params={"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
    )  # fmt: skip
    browser.call("POST", "url", url=f"file://{drawn.report.page}")


@pytest.mark.parametrize("width", [1200, 390])
def test_a_browser_shows_all_sections(browser: Browser, drawn: Drawn, width: int) -> None:
    """In Chromium all sixteen titles are seen, nothing reaches beyond the window's side, and the console is silent."""
    shown(browser, drawn, width)
    headings = browser.run("return [...document.querySelectorAll('h1, section > h2')].map(each => each.innerText.trim())")

    assert [re.sub(r"^\d+\s+", "", each) for each in headings] == list(TITLES)
    assert [int(each.split()[0]) for each in headings] == list(range(1, 17))
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert (
        browser.run("return [...document.querySelectorAll('main svg')].filter(e => e.getBoundingClientRect().height < 8).length")
        == 0
    )
    assert browser.complaints() == []


@pytest.mark.parametrize("width", [1024, 1200, 1440])
def test_on_a_desk_no_open_table_is_cut_off(browser: Browser, drawn: Drawn, width: int) -> None:
    """Of a table that is seen at once every column is: nobody looks for what stands beyond an edge."""
    shown(browser, drawn, width)
    seen = "[...document.querySelectorAll('.scroll')].filter(each => each.checkVisibility())"

    assert browser.run(f"return {seen}.length") > 5
    assert browser.run(f"return {seen}.filter(each => each.scrollWidth > each.clientWidth).map(e => e.ariaLabel)") == []


A4 = 688
"""The width in pixels that A4 has between margins of 14 mm, at 96 to the inch."""
BEYOND = f"""return [...document.querySelectorAll('main *')]
    .filter(each => each.matches('svg') || !each.closest('svg'))
    .filter(each => each.getBoundingClientRect().width > 0 && each.getBoundingClientRect().right > {A4 + 1})
    .map(each => `${{each.tagName}} ${{each.className.baseVal ?? each.className}} ${{each.textContent.slice(0, 40)}}`)"""
"""What reaches over the right margin."""
BROKEN = """return [...document.querySelectorAll('thead th, td')]
    .filter(each => each.getBoundingClientRect().width > 0 && each.firstChild?.nodeType === 3)
    .flatMap(each => [...each.firstChild.data.matchAll(/(?<!\\S)[a-z]{4,16}(?!\\S)/gi)].filter(word => {
        const range = document.createRange();
        range.setStart(each.firstChild, word.index);
        range.setEnd(each.firstChild, word.index + word[0].length);
        return range.getClientRects().length > 1;
    }).map(word => word[0]))"""
"""Words of tables that begin on one line and end on another. What belongs to an address or a digest is no word."""


def test_on_paper_nothing_reaches_over_the_edge(browser: Browser, drawn: Drawn) -> None:
    """Printed on A4, every tile, table and picture stands between the margins, and no word is broken."""
    shown(browser, drawn, A4)
    browser.call("POST", "goog/cdp/execute", cmd="Emulation.setEmulatedMedia", params={"media": "print"})
    try:
        assert browser.run("return matchMedia('print').matches") is True
        assert browser.run("return getComputedStyle(document.querySelector('nav')).display") == "none"
        assert browser.run(BEYOND) == []
        assert browser.run(BROKEN) == []
    finally:
        browser.call("POST", "goog/cdp/execute", cmd="Emulation.setEmulatedMedia", params={"media": ""})


def test_on_a_phone_wide_tables_stand_whole(browser: Browser, drawn: Drawn) -> None:
    """What must be done, and the files: on a phone each cell stands under the one before with its name, and none is cut off."""
    shown(browser, drawn, 390)
    outside = """return [...document.querySelectorAll('table.stack td, table.stack tbody th')].filter(
        cell => { const box = cell.getBoundingClientRect(); return box.right > 390 || box.width === 0 }).length"""
    assert browser.run("return document.querySelectorAll('#needs table.stack td').length") > 3
    assert browser.run(outside) == 0
    unnamed = "return [...document.querySelectorAll('table.stack td')].filter(cell => !cell.dataset.label).length"
    assert browser.run(unnamed) == 0


def test_text_in_pictures_stays_inside_them(browser: Browser, drawn: Drawn) -> None:
    """No word of a picture is cut off at the picture's edge."""
    shown(browser, drawn, 1200)
    assert browser.run(CUT) == []


def test_every_name_that_stands_at_a_bar_has_room(browser: Browser, drawn: Drawn, tmp_path: Path) -> None:
    """No reason, state, brand or rule, and no setting that holds attempts back, is cut at the picture's edge."""
    rules = parse_network_rules(files("schemas").joinpath("network_rules.toml").read_text(encoding="utf-8"))
    labels = [*Reason, *State, *(rule.id for rule in rules.rule), "gate.max_attempts_30d"]
    picture = bars(Names(), "Names", "All of them.", [(str(label), 1, "1") for label in labels])
    page = re.sub(rb"<main>.*</main>", b"<main>" + picture.encode() + b"</main>", drawn.page, flags=re.DOTALL)
    (tmp_path / "names.html").write_bytes(page)
    browser.call("POST", "url", url=f"file://{tmp_path / 'names.html'}")
    assert browser.run("return document.querySelectorAll('svg.picture text').length") == 2 * len(labels)
    assert browser.run(CUT) == []


CUT = """return [...document.querySelectorAll('svg.picture text')].filter(text => {
            const box = text.getBoundingClientRect(), edge = text.ownerSVGElement.getBoundingClientRect();
            return box.left < edge.left - 1 || box.right > edge.right + 1;
        }).map(text => text.textContent)"""
"""Texts of pictures that reach beyond their picture."""


def test_figures_open_without_a_script(browser: Browser, drawn: Drawn) -> None:
    """The figures behind a picture come out when a person asks."""
    shown(browser, drawn, 1200)
    assert browser.run("return document.querySelector('#balance table').checkVisibility()") is False
    browser.click("#balance summary")

    assert browser.run("return document.querySelector('#balance table').checkVisibility()") is True


def test_markup_runs_nothing_in_a_browser(browser: Browser, hostile: Drawn) -> None:
    """A page full of hostile words opens no dialogue and has no script."""
    shown(browser, hostile, 1200)

    assert browser.run("return document.scripts.length") == 0
    assert "<script>alert" in browser.run("return document.body.textContent")
    assert browser.complaints() == []
