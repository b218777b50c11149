"""What things are called, what they say about themselves, and what must not stand anywhere."""

import pytest

from tests.house import rules
from tests.house.source import modules, planted, read_tracked, tracked_files

ALLOWED_NAMES = {
    "this_process": "the operating system's process, which is what the lease names",
    "handle_async_request": "httpx calls a transport by this name",
    "data_received": "asyncio calls it so",
}
TEXT_ENDINGS = (".py", ".md", ".toml", ".mako", ".lock", ".run", "/run")


def test_every_public_thing_says_what_it_is() -> None:
    """Every module, and every public class, function and method, has a docstring."""
    assert rules.without_docstring(modules()) == []


def test_every_test_says_in_one_sentence_what_is_true() -> None:
    """Every test function has a docstring of one sentence."""
    assert rules.not_one_sentence(modules("tests")) == []


def test_no_name_is_empty_of_meaning() -> None:
    """No file, class or function is called after the banned words, or like a standard module."""
    assert rules.banned_names(modules(), ALLOWED_NAMES) == []


def test_nothing_is_left_over() -> None:
    """No file that a checkout holds has a mark of unfinished work."""
    texts = {place: read_tracked(place) for place in tracked_files() if place.endswith(TEXT_ENDINGS)}

    assert rules.leftovers(texts) == []
    assert len(texts) > 50


def test_no_test_is_passed_over_in_silence() -> None:
    """Every skipped test says why."""
    assert rules.skips_without_reason(modules("tests")) == []


def test_nobody_switches_off_a_check_of_the_other_end() -> None:
    """No host key policy that accepts anything, and no TLS without verification, stands in the program."""
    assert rules.unsafe({module.place: module.text for module in modules()}) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1", ["batch/planted.py"]),
        ('"""M."""\ndef f(): ...', ["batch/planted.py: f"]),
        ('"""M."""\nclass A:\n    """A."""\n    def m(self): ...', ["batch/planted.py: A.m"]),
        ('"""M."""\nclass A: ...', ["batch/planted.py: A"]),
        ('"""M."""\ndef _f(): ...\ndef f():\n    """F."""\n    def g(): ...\nclass _A:\n    def m(self): ...', []),
    ],
)
def test_a_missing_docstring_is_found(text: str, found: list[str]) -> None:
    """A planted public name without a docstring is named, private and inner ones are not."""
    assert rules.without_docstring([planted(text)]) == found


@pytest.mark.parametrize(
    ("docstring", "is_fine"),
    [
        ('"""One file leaves."""', True),
        ('"""Version 3.4 of paramiko is enough, e.g. for us."""', True),
        ('"""One file leaves. Another stays."""', False),
        ('"""One file leaves"""', False),
        ("x = 1", False),
    ],
)
def test_a_test_without_its_sentence_is_found(docstring: str, is_fine: bool) -> None:
    """A planted test without a docstring of exactly one sentence is named."""
    assert (rules.not_one_sentence([planted(f"def test_a():\n    {docstring}\n")]) == []) is is_fine


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("batch.order_utils", ""),
        ("batch.x", "def handle_order(): ..."),
        ("batch.x", "class BatchManager: ..."),
        ("batch.x", "class A:\n    def get_info(self): ..."),
        ("batch.x", "class HTTPHandler: ..."),
        ("batch.x", "async def process(): ..."),
        ("jobs.queue", ""),
    ],
)
def test_a_banned_name_is_found(name: str, text: str) -> None:
    """A planted name with a banned word in it, whatever its case and number, is named."""
    assert len(rules.banned_names([planted(text, name)], ALLOWED_NAMES)) == 1


def test_words_that_only_contain_a_banned_one_are_left_alone() -> None:
    """Words such as metadata, update and information are not taken for the banned ones inside them."""
    text = "def update_metadata(): ...\ndef billing_information(): ...\nclass DatedProcessor: ...\ndef this_process(): ..."

    assert rules.banned_names([planted(text)], ALLOWED_NAMES) == []


def test_a_leftover_is_found() -> None:
    """A planted mark of unfinished work is named with its line."""
    texts = {
        "a.py": "x = 1\n# TO" + "DO later",
        "b.md": "XX" + "X",
        "c.py": "raise NotImplemented" + "Error",
        "d.md": "TODOS and FIXMES",
    }

    assert rules.leftovers(texts) == ["a.py:2", "b.md:1", "c.py:1"]


def test_a_silent_skip_is_found() -> None:
    """A planted skip without a reason is named, one with a reason is not."""
    silent = "import pytest\n@pytest.mark.skip\ndef a(): ...\n@pytest.mark.skipif(x)\ndef b():\n    pytest.skip()"
    told = (
        "import pytest\n@pytest.mark.skip(reason='r')\ndef a(): ...\n"
        "@pytest.mark.skipif(x, reason='r')\ndef b():\n    pytest.skip('r')"
    )

    assert rules.skips_without_reason([planted(silent)]) == ["batch/planted.py:2", "batch/planted.py:4", "batch/planted.py:6"]
    assert rules.skips_without_reason([planted(told)]) == []


@pytest.mark.parametrize(
    "words", ["paramiko.AutoAddPolicy()", "WarningPolicy", "verify = False", "ssl.CERT_NONE", "known_hosts=None"]
)
def test_an_unsafe_word_is_found(words: str) -> None:
    """A planted word that switches off a check of the other end is named."""
    assert rules.unsafe({"batch/x.py": f"x = 1\ny = f({words})"}) == ["batch/x.py:2"]
