"""The page: everything of the pack on it, nothing else needed, and nothing on it that could run."""

import re
from html.parser import HTMLParser
from pathlib import Path

from jobs.certify.pack import Past, pack
from jobs.certify.pack_page import page
from schemas.certification import CHECKLIST, Evidence, Exchange, Proof, Shown, Verdict
from tests.certify.packs import MOMENT, everything, first_and_second, head, shown

_VOID = {"meta", "br"}


class Outline(HTMLParser):
    """The tags, ids and links of a page; a tag that is closed in the wrong place is a complaint."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what opens."""
        self.tags.add(tag)
        self.open += [tag] if tag not in _VOID else []
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [value for name, value in attrs if name in {"href", "src"} and value]

    def handle_endtag(self, tag: str) -> None:
        """Note what closes in the wrong place."""
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def outlined(content: bytes) -> Outline:
    """A page's outline."""
    outline = Outline()
    outline.feed(content.decode())
    outline.close()
    return outline


def test_the_page_needs_nothing_and_runs_nothing() -> None:
    """No script, no address of elsewhere, every link leads to a place on it, and each id stands once."""
    content = page(first_and_second())
    found = outlined(content)

    assert found.wrong == []
    assert found.open == []
    assert found.tags & {"script", "iframe", "object", "embed", "form", "img", "link"} == set()
    assert [name for name in found.attributes if name.startswith("on")] == []
    assert [link for link in found.links if not link.startswith("#") or link[1:] not in found.ids] == []
    assert sorted(set(found.ids)) == sorted(found.ids)
    assert re.search(rb"default-src 'none'", content)
    assert re.search(rb"url\(|@import", re.sub(rb"url\(#\w+\)", b"", content)) is None


def test_every_item_stands_on_the_page_with_its_verdict() -> None:
    """Each item by id and title, with its word beside the colour; what was not run stands there too."""
    text = page(pack(head(), [each for each in everything() if each.item.startswith("mit.")], Past({}))).decode()

    assert [item.id for item in CHECKLIST if item.proof is not Proof.SETTINGS and item.id not in text] == []
    assert text.count("✓ passed") == 15
    assert text.count(": not run this time") == len(CHECKLIST) - 6 - 15


def test_evidence_stands_on_the_page() -> None:
    """Orders, both states, calls with their answers, and files with their digests."""
    text = page(first_and_second()).decode()

    for each in ("cert-1-3", "pending_recovery", "SUBMITTED", "/v1/tokenize", "HTTP 200", "_response.json", "1.9 kB", "9f86d081"):
        assert each in text


def test_what_stands_in_the_pack_is_text_and_never_markup() -> None:
    """Markup in an answer, an order id or a sentence is shown as it is."""
    evil = "<script>alert(1)</script>\"'&"
    call = Exchange(MOMENT, "POST", evil, evil, 500, evil)
    item = Shown("refund.answer", Verdict.FAILED, evil, evil, MOMENT, Evidence((evil,), {evil: evil}, {evil: evil}, (call,)))
    found = outlined(page(pack(head(asked=(evil,)), [item], Past({}))))

    assert "script" not in found.tags
    assert found.wrong == []


def test_a_failure_says_why_and_what_to_change() -> None:
    """Both sentences stand with the item, and the head counts it."""
    text = page(pack(head(), [shown("refund.answer", Verdict.FAILED)], Past({}))).decode()

    assert "1 item failed" in text
    assert "billingInformation.zipcode is missing" in text
    assert '<p class="change">Fill the column' in text
    assert "Exit 30: an item failed" in text


def test_the_same_pack_gives_the_same_page(tmp_path: Path) -> None:
    """Drawing it again changes no byte."""
    first, second = tmp_path / "first.html", tmp_path / "second.html"
    for path in (first, second):
        path.write_bytes(page(first_and_second()))

    assert first.read_bytes() == second.read_bytes()
