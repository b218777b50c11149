"""What the README, the documents and the commands' own examples say can be done, can be done, and comes out as they say."""

import ast
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from batch.pace import business_date
from jobs import documents
from jobs.certify_cli import ItemsOrCommand
from jobs.cli import run
from jobs.settings_file import SECRETS
from schemas.certification import CHECKLIST
from schemas.errors import EXIT_MEANINGS, ExitCode
from schemas.settings import Settings
from tests.commands.merchant_folder import MerchantFolder, merchant_folder
from tests.house.command_tree import COMMANDS, command_paths, examples_in
from tests.house.source import ROOT, modules

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = {name: (ROOT / "schemas" / f"{name.upper()}.md").read_text(encoding="utf-8") for name in documents.DOCUMENTS}
SETTINGS = (ROOT / "schemas" / "SETTINGS.md").read_text(encoding="utf-8")
EVERY_TEXT = "\n".join([README, *DOCUMENTS.values()])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = {"sh", "bash", "shell", "console"}
WORKING = {int(ExitCode.CLEAN), int(ExitCode.NEEDS_PERSON)}


def blocks(*languages: str) -> list[str]:
    """The fenced blocks of the README and the documents in these languages."""
    return [body for language, body in FENCE.findall(EVERY_TEXT) if language in languages]


def shell_lines(text: str = "") -> list[str]:
    """Every command line of the shell blocks: whole logical lines; in a block with prompts only what is typed."""
    found = []
    for block in [text] if text else blocks(*SHELL):
        lines = block.replace("\\\n", " ").splitlines()
        prompted = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        found += [line.strip() for line in (prompted or lines) if line.strip() and not line.startswith("#")]
    return found


def our_words(line: str) -> list[str] | None:
    """The arguments of a line that runs one command of ours and nothing else."""
    words = shlex.split(line, comments=True)
    for start in (["mitbatch"], ["python", "-m", "jobs"], [".venv/bin/mitbatch"]):
        if words[: len(start)] == start and not set(words) & {"&&", "|", ";", ">"}:
            return words[len(start) :]
    return None


def stated_codes(line: str) -> set[int]:
    """The exit codes that a line's comment states (`# exit 30`), else those of a run that worked."""
    stated = re.findall(r"#.*?\bexits? (\d+)(?: or (\d+))?", line)
    return {int(code) for pair in stated for code in pair if code} or WORKING


def examples() -> list[str]:
    """The examples of all commands."""
    return [example for text in command_paths().values() for example in examples_in(text)]


def is_of_checklist(word: str) -> bool:
    """Whether a word names an item of the checklist or a group of them."""
    return any(item.id == word or item.id.startswith(f"{word}.") for item in CHECKLIST)


def named_command(words: list[str]) -> str:
    """Why these words name no command; empty when they do."""
    found: Any = COMMANDS
    options = {option for parameter in COMMANDS.params for option in parameter.opts}
    for word in words:
        if word.isupper():
            break  # a placeholder: what follows depends on what stands there
        inner = getattr(found, "commands", {})
        if word in inner:
            found = inner[word]
            options |= {option for parameter in found.params for option in parameter.opts}
        elif word.startswith("--") and word != "--help" and word.partition("=")[0] not in options:
            return f"no option {word}"
        elif isinstance(found, ItemsOrCommand) and not word.startswith("-"):
            if not is_of_checklist(word):
                return f"no item {word}"
        elif inner and not word.startswith("-") and words[words.index(word) - 1] != "--config":
            return f"no command {word}"
    return "" if found is not COMMANDS or any(word.startswith("--") for word in words) else "no command"


@pytest.fixture(scope="module")
def merchant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MerchantFolder]:
    """A merchant's folder with a provider that has its journal where a fresh sandbox would put it."""
    with merchant_folder(tmp_path_factory.mktemp("readme")) as folder:
        assert folder.run("nightly") in WORKING
        (folder.folder / "mitbatch-sandbox").symlink_to(folder.folder / "provider")
        yield folder


def started(words: list[str], merchant: MerchantFolder, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a command in the merchant's folder and return its exit code; what serves for ever is stopped when it is up."""
    monkeypatch.chdir(merchant.folder)
    merchant.sandbox.faults.clear()  # another line may have switched one on
    today = business_date(datetime.now(UTC), merchant.settings.schedule.timezone)
    words = [re.sub(r"^\d{4}-\d{2}-\d{2}$", today, word) for word in words]
    if "--config" in words:
        words[words.index("--config") + 1] = str(merchant.config)
    if words[0] == "init":
        monkeypatch.chdir(tempfile.mkdtemp(dir=merchant.folder))
        more = words[1 : words.index("--like")] if "--like" in words else words[1:]
        return run(["init", *more, "--like", str(merchant.config)])
    if words[0] == "sandbox" and not set(words) & set(COMMANDS.commands["sandbox"].commands):
        (merchant.folder / "served").mkdir(exist_ok=True)
        monkeypatch.chdir(merchant.folder / "served")
        line = [sys.executable, "-m", "jobs", *words]
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}) as served:
            return stopped(served)
    if words[0] == "tokenize":
        card = (
            b'{"order_id": "000471", "number": "4111111111111111", "month": 9, "year": 2030, "first_name": "A", "last_name": "B"}'
        )
        line = [sys.executable, "-m", "jobs", "--config", str(merchant.config), *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(line, input=card, stdout=subprocess.PIPE, env=environment, check=False, timeout=60).returncode
    if words in (["serve"], ["schedule"]):
        line = [sys.executable, "-m", "jobs", "--config", str(merchant.config), *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "MITBATCH_WEBHOOK__LISTEN": "127.0.0.1:0"}
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=environment) as served:
            return stopped(served)
    return run(words)


def stopped(served: "subprocess.Popen[str]") -> int:
    """Ask a program to stop as soon as it says that it is up; its exit code."""
    assert served.stdout is not None
    assert any("Ctrl-C" in told for told in served.stdout)
    served.send_signal(signal.SIGTERM)
    return served.wait(timeout=30)


def quoted_lines() -> list[str]:
    """Every command of ours in the README and the documents: in shell blocks, in cron tables, and between backticks."""
    inline = [code for code in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", EVERY_TEXT) if code.startswith("mitbatch ")]
    cron = [
        line[line.index("mitbatch ") :]
        for block in blocks("crontab", "cron")
        for line in block.splitlines()
        if "mitbatch " in line
    ]
    return [*(line for line in shell_lines() if our_words(line) is not None), *cron, *inline]


def lines_to_run() -> list[str]:
    """Every line of the texts and every example that runs one of our commands, each once, without placeholders.

    Not the one that writes into the start file of whoever's shell runs this.
    """
    lines = dict.fromkeys([*quoted_lines(), *examples()])
    found = [line for line in lines if not re.search(r"<|\.\.\.|\b[A-Z]{3,}\b(?!_)", line.partition("#")[0])]
    return [line for line in found if "--install-completion" not in line]


@pytest.mark.parametrize("line", lines_to_run())
def test_every_command_line_runs(line: str, merchant: MerchantFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command line of the texts and every example of a command runs and ends with a code that is stated or clean."""
    words = our_words(line)
    assert words is not None
    expected = stated_codes(line) | ({int(ExitCode.REFUSED)} if words[:2] == ["holds", "check"] else set())
    expected |= {int(ExitCode.TERMINATED)} if words == ["schedule"] else set()

    assert started(words, merchant, monkeypatch) in expected


def is_of(example: str, path: str) -> bool:
    """Whether an example is of this command."""
    return f"{example} ".startswith(f"mitbatch {path} ")


def test_every_command_has_an_example() -> None:
    """Every command has exactly one example in its help, and the example is of that command."""
    shown = {path: examples_in(text) for path, text in command_paths().items()}
    wrong = {
        path: found for path, found in shown.items() if len(found) != 1 or not f"{found[0]} ".startswith(f"mitbatch {path} ")
    }

    assert wrong == {}
    assert len(shown) >= 12


def test_the_texts_name_only_commands_that_exist() -> None:
    """Every `mitbatch ...` in the README and the documents, in a block or in the text, names what exists."""
    quoted = quoted_lines()
    wrong = {code: named_command(our_words(code) or []) for code in quoted}

    assert {code: why for code, why in wrong.items() if why} == {}
    assert len(quoted) >= 12


def test_messages_name_only_commands_that_exist() -> None:
    """Every command that any text of the program names exists, so that what an error proposes can be done."""
    wrong, count = [], 0
    for module in modules():
        for node in ast.walk(module.tree):
            if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
                continue
            for words in re.findall(r"(?<!of )\bmitbatch ((?:-{0,2}[a-z][a-z-]*\b ?)+)", node.value):
                count += 1
                first, *rest = words.split()
                group = getattr(COMMANDS.commands.get(first), "commands", None)
                if why := named_command([first, *rest[: 1 if group else 0], *(word for word in rest if word.startswith("--"))]):
                    wrong.append(f"{module.place}:{node.lineno}: {words}: {why}")

    assert wrong == []
    assert count > 15


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["status", "--json"], ""),
        (["holds", "check", "000471"], ""),
        (["--version"], ""),
        (["stauts"], "no command stauts"),
        (["holds", "release"], "no command release"),
        (["certify", "mit.sftp", "refund"], ""),
        (["certify", "attest"], ""),
        (["certify", "mit.ftp"], "no item mit.ftp"),
        (["nightly", "--dry"], "no option --dry"),
    ],
)
def test_a_command_that_does_not_exist_is_found(words: list[str], why: str) -> None:
    """A command, subcommand or option that does not exist is told from one that does."""
    assert named_command(words) == why


def extras_in(line: str) -> set[str]:
    """The extras that an install line asks for."""
    return {name.strip() for found in re.findall(r"\.\[([^\]]+)\]", line) for name in found.split(",")}


@pytest.mark.parametrize(("ending", "needs"), [("demo", {"sandbox"}), ("pytest", {"sandbox", "dev"})])
def test_one_line_installs_and_runs(ending: str, needs: set[str]) -> None:
    """One line installs and runs the main job and one installs and runs the tests, with everything that they need."""
    fitting = [line for line in shell_lines() if "pip install" in line and re.search(rf"\b{ending}\b", line)]

    assert len(fitting) == 1, shell_lines()
    line = fitting[0]
    assert "venv" in line, "a fresh machine may refuse to install into its own Python"
    assert "requirements.lock" in line or needs <= extras_in(line)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert extras_in(line) <= set(extras)
    assert [word for word in line.split() if word.startswith("requirements") and not (ROOT / word).is_file()] == []
    assert subprocess.run(["sh", "-n", "-c", line], check=False).returncode == 0


def test_the_exit_codes_are_those_of_the_program() -> None:
    """The README's table of exit codes is the program's own page, word for word."""
    rows = re.findall(r"^\|\s*`?(\d+)`?\s*\|\s*(.+?)\s*\|", README, re.MULTILINE)

    assert {int(code): text.rstrip(".") for code, text in rows} == {int(code): text for code, text in EXIT_MEANINGS.items()}


def required_keys(section: type[BaseModel], path: str = "") -> Iterator[str]:
    """Every key without a default, dotted, of the sections that a merchant with files must have."""
    for name, field in section.model_fields.items():
        inner = [field.annotation, *getattr(field.annotation, "__args__", ())]
        nested = next((each for each in inner if isinstance(each, type) and issubclass(each, BaseModel)), None)
        if nested is not None:
            yield from required_keys(nested, f"{path}{name}.")
        elif field.is_required():
            yield f"{path}{name}"


def keys_in(table: dict[str, Any], path: str = "") -> Iterator[str]:
    """Every key that a TOML table sets, dotted as `required_keys` does."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from keys_in(value, f"{path}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield from keys_in(value[0], f"{path}{name}.")
        else:
            yield f"{path}{name}"


def test_the_settings_file_is_a_whole_one() -> None:
    """The README's settings file is accepted as it stands, and has each key that must be set; only who certifies sets more."""
    (block,) = blocks("toml")
    shown = tomllib.loads(block)
    Settings.model_validate(shown)
    wanted = {key for key in required_keys(Settings) if not key.startswith("certify.")}

    assert wanted - set(keys_in(shown)) == set()
    assert len(wanted) > 5


def test_the_readme_is_short_and_leads_to_every_document() -> None:
    """The README stays under 250 lines, and names each document, each as a file that is there and a command that prints it."""
    titles = {target for text in (README, *DOCUMENTS.values()) for target in re.findall(r"\]\(([^)#]+)\)", text)}

    assert len(README.splitlines()) <= 250
    assert [target for target in titles if not (ROOT / target).is_file()] == []
    assert {f"schemas/{name.upper()}.md" for name in [*DOCUMENTS, "settings"]} <= titles
    assert [name for name in [*DOCUMENTS, "settings"] if f"| `mitbatch help {name}` |" not in README] == []


def test_what_the_texts_refer_to_is_there() -> None:
    """Every file of the project that the README or a document names in backticks exists."""
    named = set(re.findall(r"`((?:schemas|jobs|batch|tests|sample-data)/[\w./-]+)`", EVERY_TEXT))

    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    assert len(named) > 10


def test_the_secrets_are_named() -> None:
    """The reference of the settings names the environment variable of each secret."""
    variables = [f"MITBATCH_{section.upper()}__{name.upper()}" for name, section in SECRETS.items()]

    assert [name for name in variables if name not in SETTINGS] == []


def test_ci_runs_the_readmes_tests() -> None:
    """What decides whether a change lands runs the README's test command, and right behind it what that leaves out."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (shown,) = {options for line in shell_lines() for options in re.findall(r"&& \.venv/bin/pytest(.*)$", line)}

    assert re.findall(r"/pytest\"?(.*)$", script, re.MULTILINE) == [shown, f"{shown} -m at_length"]
    assert f"`pytest{shown} -m at_length`" in README
    assert [tool for tool in ("ruff", "mypy", "openssh-server") if tool not in script] == []


def test_ci_installs_what_tests_are_skipped_without() -> None:
    """Every package that the README names for the tests is installed by CI where it is missing: nothing is skipped there."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    named = {word for words in re.findall(r"Debian: `apt-get install ([^`]+)`", README) for word in words.split()}
    installed = {word for words in re.findall(r"missing\+=\(([^)]+)\)", script) for word in words.split()}

    assert "prometheus" in named
    assert named == installed - {"openssh-client"}
