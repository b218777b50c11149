"""What is said: numbers with their nouns, errors in four parts, commands that run, many of a kind in one line, nothing forged."""

import ast
import inspect
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise

import pytest

import schemas.errors as tree
from jobs.cli import run
from jobs.report_lines import first_ids, problem_lines
from jobs.running import RunReport
from schemas.errors import ApiUnreachable, MitbatchError, SftpLost
from schemas.plain_text import one_line
from tests.commands.merchant_folder import MerchantFolder, merchant_folder
from tests.commands.ready_merchant import able, ready_merchant
from tests.commands.test_acting import BY_HAND
from tests.commands.walking import SERVING, ended, examples
from tests.house.command_tree import command_paths
from tests.house.source import Module, modules, planted

NOUNS = "orders|files|rows|items|lines|tokens|events|days|things|requests|copies|calls|batches|answers|problems|differences"
KINDS = [kind for _, kind in inspect.getmembers(tree, inspect.isclass) if issubclass(kind, MitbatchError)]
_WORD = r"(?:[a-z][a-z-]*|MB-[A-Z-]+|--[a-z][a-z-]*)"
COMMAND = re.compile(rf"(?<!of )\bmitbatch ({_WORD}(?: {_WORD})*)")
FLAGS = {"--json", "--offline", "--dry-run", "--all"}


@pytest.fixture(scope="module")
def merchant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MerchantFolder]:
    """A merchant after a first night, with the provider's folder where `sandbox` looks for it."""
    with merchant_folder(tmp_path_factory.mktemp("wording")) as folder:
        assert folder.run("--quiet nightly") == 10
        (folder.folder / "mitbatch-sandbox").symlink_to(folder.folder / "provider")
        yield folder


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MerchantFolder]:
    """A merchant who has something to do for every command by hand."""
    with ready_merchant(tmp_path_factory.mktemp("ready")) as folder:
        (folder.folder / "mitbatch-sandbox").symlink_to(folder.folder / "provider")
        yield folder


def uncounted(found: list[Module]) -> list[str]:
    """Places where a number is put before a noun in the plural, whatever the number is."""
    places = []
    for module in found:
        for node in ast.walk(module.tree):
            for value, text in pairwise(node.values if isinstance(node, ast.JoinedStr) else []):
                if not (isinstance(value, ast.FormattedValue) and isinstance(text, ast.Constant)):
                    continue
                if re.match(rf" ({NOUNS})\b", str(text.value)) and not _is_many(value.value):
                    places.append(f"{module.place}:{value.lineno}")
    return places


def _is_many(value: ast.expr) -> bool:
    """A limit of ours, which is more than one, or a nought."""
    return isinstance(value, ast.Constant) or (isinstance(value, ast.Name) and value.id.isupper())


def test_every_number_agrees_with_its_noun() -> None:
    """No text puts a number straight before a plural: `counted` does that, with thousands separated."""
    assert uncounted([each for each in modules("jobs", "batch") if ".sandbox" not in each.name]) == []
    assert len(uncounted([planted('x = f"{count} orders left"'), planted('x = f"{MOST} orders"')])) == 1


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_has_four_parts(kind: type[MitbatchError]) -> None:
    """What happened comes first, then how things stand and what to do next, then the code; all of it on one line."""
    said = str(kind("The file x could not be read."))
    assert re.fullmatch(r"The file x could not be read\. .*\[MB-[A-Z-]+\]", said)
    rest = said.removeprefix("The file x could not be read. ").rpartition(" [")[0]
    assert re.search(r"mitbatch |[Cc]heck |[Rr]un |[Ww]ait |[Ff]ree |[Aa]sk |[Mm]ake |[Cc]orrect ", rest), said
    bare = kind("What.")
    bare.now = bare.next_step = ""
    assert str(bare) == f"What. See: mitbatch explain {kind.code} [{kind.code}]"


def commands_in_messages() -> list[str]:
    """Every command that any text of the program names, as far as it can be run as it stands, each once."""
    paths, found = command_paths(), set()
    for module in modules():
        for node in ast.walk(module.tree):
            for words in COMMAND.findall(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, str) else ():
                parts = words.split()
                size = max((n for n in range(1, len(parts) + 1) if " ".join(parts[:n]) in paths), default=0)
                code = [word for word in parts[size : size + 1] if word.startswith("MB-")]
                if size and not (parts[0] == "explain" and not code):
                    found.add(" ".join([*parts[:size], *code, *(word for word in parts[size:] if word in FLAGS)]))
    return sorted(found)


GROUPS = {"holds", "audit", "review", "lock"}
TRIED_ELSEWHERE = {"certify", "go-live"}
"""They take a whole round, or two environments: tests/house/test_readme.py and tests/certify/test_go_live.py run them."""
BARE = [
    words
    for words in commands_in_messages()
    if words.split()[0] not in {*SERVING, "demo", "init", "schedule"} and words not in GROUPS | TRIED_ELSEWHERE
]


NEED_MORE = {"audit export", "holds check", "rerun"}
"""Commands that a message names without what they are about; they are run with what their own examples have."""


@pytest.mark.parametrize("words", BARE)
def test_every_command_that_is_named_runs(words: str, merchant: MerchantFolder, ready: MerchantFolder) -> None:
    """Every command that a message names is run and works; one that changes something is run as far as its dry run goes."""
    flags = [word for word in words.split() if word in FLAGS]
    path = " ".join(word for word in words.split() if word not in FLAGS)
    if path in BY_HAND:
        line, changed = able(path, ready)
        process = ended(ready, [*line, *flags, "--dry-run"], changed=changed)
    else:
        process = ended(merchant, [*examples()[path], *flags] if path in NEED_MORE else shlex.split(words))

    assert process.returncode in ({30} if path == "holds check" else {0, 10}), process.stderr
    assert process.stdout


def test_the_commands_of_messages_are_found() -> None:
    """The search finds what errors, items and pages name."""
    assert {"review list", "poll", "status", "explain MB-AUDIT", "help exit-codes"} <= set(BARE)
    assert len(BARE) > 10


class _Report:
    """As much of a report as the lines of problems need."""

    def __init__(self, *problems: MitbatchError) -> None:
        self.findings = type("Findings", (), {"problems": list(problems)})()


def test_many_problems_of_a_kind_are_few_lines() -> None:
    """Of many problems with one code three are shown, and how many more there are; other kinds are not hidden by them."""
    many = [ApiUnreachable(f"Call {number} had no answer.") for number in range(1200)]
    lines = problem_lines(_report(*many, SftpLost("It broke.")))

    assert len(lines) == 5
    assert lines[2].startswith("WARN  Call 2 had no answer.")
    assert lines[3].startswith("WARN  It broke.")
    assert lines[4] == "WARN  1,197 more of MB-API-UNREACHABLE; --json has all"


def _report(*problems: MitbatchError) -> RunReport:
    found: RunReport = _Report(*problems)  # type: ignore[assignment]
    return found


def test_the_first_three_ids_are_named(after_a_night: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """Open items are named by kind, three of each; refused rows, open or settled, by their number and the file that lists all."""
    assert first_ids(["order:1", "order:2"]) == " (1, 2)"
    assert first_ids([f"order:{n}" for n in range(9)]) == " (0, 1, 2, ...)"
    assert first_ids([]) == ""
    assert first_ids(["order:\x1b[31m\nEXIT 0 clean"]) == " (\\x1b[31m\\nEXIT 0 clean)"
    assert after_a_night.run("nightly") == 0
    lines = capfd.readouterr().out.splitlines()
    (refused,) = [line for line in lines if "MB-ROW-REJECTED" in line]
    (need,) = [line for line in lines if line.startswith("NEED")]

    assert re.fullmatch(r"WARN  2 rows were rejected by the provider: MB-ROW-REJECTED   /.+/submissions\.csv", refused)
    assert re.search(r"row_refused 2 \([^)]+, [^)]+\): mitbatch review list$", need)


HOSTILE = "x\r\nEXIT 0 clean\x1b[2J\x9b31m\x07\u202eevil\u2028y\ud800"


def test_text_from_outside_forges_nothing(merchant: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """Control characters, line breaks and turned directions are escaped in errors and in everything that is said (CWE-117)."""
    assert one_line(HOSTILE) == "x\\r\\nEXIT 0 clean\\x1b[2J\\x9b31m\\x07\\u202eevil\\u2028y\\ud800"
    assert one_line("Zoë £ 漢字 [red]x[/red]") == "Zoë £ 漢字 [red]x[/red]"
    assert "\n" not in str(MitbatchError(HOSTILE))
    merchant.sql(
        "UPDATE orders SET response_description = 'no' || char(27) || '[31m' || char(13) || 'EXIT 0' WHERE order_id LIKE 'sub-%'"
    )
    for words in ("nightly", "status", "explain sub-94-2026-11", "review list", "holds list", "nightly --dry-run"):
        assert merchant.run(words) in {0, 10}
    assert run(["--config", str(merchant.config), "explain", "a\x1b[31m\nEXIT 0 clean"]) == 2
    said = "".join(capfd.readouterr())

    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e]", said)
    assert "a\\x1b[31m\\nEXIT 0 clean" in said
