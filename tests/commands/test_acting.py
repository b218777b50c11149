"""Commands that act: where they act, what they ask for, what a dry run leaves alone, and what they say to run next."""

import re
import shlex
from collections.abc import Iterator

import pytest

from jobs.banner import banner
from jobs.settings_file import load_settings
from tests.commands.merchant_folder import MerchantFolder, merchant_folder
from tests.commands.ready_merchant import able, ready_merchant
from tests.commands.terminals import running
from tests.commands.walking import ended, examples, todays
from tests.house.command_tree import COMMANDS, command_paths
from tests.house.test_readme import named_command

ELSEWHERE = {
    "sandbox": "the pretend provider's own page, API and SFTP server",
    "sandbox faults": "the pretend provider",
    "sandbox clock": "the pretend provider",
    "demo": "a folder of its own; it says which, and each of its runs says where it acts",
    "certify": "the provider's sandbox, with marked orders and a ledger of its own; it says where they lie",
    "go-live": "production's ledger, which it locks once all is shown: tests/certify/test_go_live.py",
    "init": "the settings file, which says where everything else acts; it ends with the doctor's first line",
}
"""Commands that act, and on nothing of the merchant's."""


def options_of(path: str) -> set[str]:
    """The options of a command."""
    found = COMMANDS
    for word in path.split():
        found = found.commands[word]
    return {option for parameter in found.params for option in parameter.opts}


DRY = [path for path in command_paths() if "--dry-run" in options_of(path) and path not in ELSEWHERE]
BY_HAND = [path for path in command_paths() if "--yes" in options_of(path)]
SAYS_WHY = {"certify attest": "--evidence"}
"""What a command by hand wants in place of a reason: a file that shows it says more."""
RUNS = ["nightly", "poll", "transmit", "rerun", "reconcile", "audit export", "tokenize", "report", "schedule", "serve"]
"""Commands that act without being asked twice."""
LOOKING = sorted(set(command_paths()) - {*BY_HAND, *RUNS, *ELSEWHERE})


@pytest.fixture(scope="module")
def merchant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MerchantFolder]:
    """A merchant after a first night, with the provider's folder where `sandbox journal` looks for it."""
    with merchant_folder(tmp_path_factory.mktemp("acting")) as folder:
        assert folder.run("--quiet nightly") == 10
        (folder.folder / "mitbatch-sandbox").symlink_to(folder.folder / "provider")
        yield folder


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MerchantFolder]:
    """A merchant who has something to do for every command by hand."""
    with ready_merchant(tmp_path_factory.mktemp("ready")) as folder:
        yield folder


def picture(merchant: MerchantFolder) -> dict[str, bytes]:
    """All that a dry run must leave alone: every file of ours but the last verdict on the chain, and both others' books."""
    found = {
        str(path): path.read_bytes()
        for path in sorted((merchant.folder / "var").rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal", "audit_verified"))
    }
    found["orders"] = repr(merchant.sql("SELECT * FROM orders ORDER BY order_id")).encode()
    sent = [row for row in merchant.sandbox.journal() if row["event"] not in {"login", "token", "read", "list"}]
    found["provider"] = repr([row for row in sent if "accept" in str(row["event"])]).encode()
    return found


def test_every_command_is_of_one_kind() -> None:
    """Each command is asked for by hand, acts by itself, acts elsewhere, or only looks; whoever adds one says which."""
    kinds = [*BY_HAND, *RUNS, *ELSEWHERE, *LOOKING]

    assert sorted(kinds) == sorted(command_paths())
    assert len(set(kinds)) == len(kinds) > 35


@pytest.mark.parametrize("path", LOOKING)
def test_who_looks_changes_nothing(path: str, merchant: MerchantFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that does not say where it acts does not act: every file, order row and order at the provider is as before."""
    monkeypatch.chdir(merchant.folder)
    before = picture(merchant)

    assert merchant.run(shlex.join(examples()[path])) == (30 if path == "holds check" else 0)
    assert picture(merchant) == before


@pytest.mark.parametrize("path", DRY)
def test_a_dry_run_is_marked_and_changes_nothing(path: str, merchant: MerchantFolder, ready: MerchantFolder) -> None:
    """With `--dry-run` every line is marked, the first says where it would act, the last is the verdict; nothing is written."""
    shop = merchant if path == "reconcile" else ready  # which finds that states of the other were changed by hand
    words, changed = able(path, shop)
    before = picture(shop)
    process = ended(shop, [*words, "--dry-run"], changed=changed)

    assert process.returncode == 0, process.stdout + process.stderr
    lines = process.stdout.splitlines()
    assert [line for line in lines if not line.startswith("DRY RUN  ")] == []
    assert lines[0].startswith(f"DRY RUN  mitbatch {path} ")
    assert lines[-1] == "DRY RUN  EXIT 0 clean"
    assert picture(shop) == before


@pytest.mark.parametrize("path", BY_HAND)
def test_what_is_done_by_hand_has_its_options(path: str) -> None:
    """Whatever asks for a person's word takes `--yes` for scripts, wants a reason, and can be tried with `--dry-run`."""
    assert options_of(path) >= {"--yes", "--reason", "--dry-run"}


@pytest.mark.parametrize("path", BY_HAND)
def test_without_a_terminal_nobody_is_waited_for(path: str, ready: MerchantFolder) -> None:
    """Without a terminal and `--yes` it says where it would act and what it would do, refuses, and changes nothing."""
    words, changed = able(path, ready)
    before = picture(ready)
    process = ended(ready, words, changed=changed)
    lines = process.stderr.splitlines()

    assert (process.returncode, process.stdout) == (2, "")
    assert where(path, ready) in lines[0]
    assert len(lines) > 2
    assert lines[-1].startswith("Nobody is there to be asked; nothing was done. Add --yes")
    assert picture(ready) == before


@pytest.mark.parametrize("path", BY_HAND)
def test_without_a_reason_nothing_is_done(path: str, ready: MerchantFolder, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever is done by hand is refused without its reason, `--yes` or not."""
    words, _ = able(path, ready)
    option = SAYS_WHY.get(path, "--reason")
    at = words.index(option)
    before = picture(ready)

    assert ready.run(shlex.join([*words[:at], *words[at + 2 :], "--yes"])) == 2
    assert option.strip("-") in capfd.readouterr().err
    assert picture(ready) == before


def test_the_effect_is_shown_before_the_word_is_asked_for(merchant: MerchantFolder) -> None:
    """The first line says where it acts, then what will be done; then it says that nobody is there."""
    process = ended(merchant, ["cancel", "000471", "--reason", "x"])
    lines = process.stderr.splitlines()

    assert re.match(r"mitbatch cancel \d{4}-\d\d-\d\d sandbox mid [0-9a-f]{8} ledger /", lines[0])
    assert "000471" in lines[1]
    assert lines[-1].startswith("Nobody is there to be asked; nothing was done. Add --yes")


def where(path: str, merchant: MerchantFolder) -> str:
    """The first line of a command that acts: its name, date, environment and merchant account; run and ledger follow."""
    (date,) = todays(["2026-01-01"], merchant)
    return f"mitbatch {path} {date} sandbox mid {merchant.settings.provider.mid[:8]} "


@pytest.mark.parametrize("path", RUNS)
def test_the_first_line_says_where_it_acts(path: str, merchant: MerchantFolder) -> None:
    """Environment, the first eight of the merchant account, date and ledger stand in the first line; the last is EXIT."""
    lines = ended(merchant, examples()[path]).stdout.splitlines()

    assert lines[0].removeprefix("DRY RUN  ").startswith(where(path, merchant))
    assert lines[0].endswith(f"ledger {merchant.ledger}")
    assert lines[-1].removeprefix("DRY RUN  ").startswith("EXIT ") or path == "serve"


def test_a_view_is_made_where_it_says(merchant: MerchantFolder) -> None:
    """`holds view` only looks; with `--create` it acts, and says where."""
    lines = ended(merchant, ["holds", "view", "--create"]).stdout.splitlines()

    assert lines[0].startswith(where("holds view", merchant))
    assert lines[-1] == "EXIT 0 clean"


def test_production_is_spelled_out(merchant: MerchantFolder) -> None:
    """In production the word stands there in capitals; a ledger on a server is named without its login."""
    settings = load_settings(merchant.config)
    ledger = settings.ledger.model_copy(update={"url": "postgresql+psycopg://mitbatch:s3cret@db.acme.example:5432/ledger"})
    real = settings.model_copy(update={"environment": "production", "ledger": ledger})

    assert banner("nightly", "2026-11-23", real, "7d2e41c0aa").startswith("mitbatch nightly 2026-11-23 PRODUCTION mid ")
    assert banner("nightly", "2026-11-23", real, "7d2e41c0aa").endswith(" run 7d2e41c0 ledger db.acme.example/ledger")


def test_a_state_change_says_what_to_run_next(merchant: MerchantFolder) -> None:
    """After each change of state the next command is named, and exists."""
    (order_id,) = merchant.sql("SELECT max(order_id) FROM orders WHERE status = 'pending' AND order_id LIKE 'sub-%'")[0]
    said = {
        "nightly": ended(merchant, ["nightly"]).stdout,
        "cancel": ended(merchant, ["cancel", str(order_id), "--reason", "x", "--yes"]).stdout,
    }
    listed = ended(merchant, ["review", "list"]).stdout
    item = listed.split()[0]
    said["review resolve"] = ended(merchant, ["review", "resolve", item, "--as", "noted", "--reason", "x", "--yes"]).stdout
    for path, text in said.items():
        named = re.findall(r"^(?:NEED|next).*?mitbatch (.+)$", text, re.MULTILINE)
        assert named, path
        assert [words for words in named if named_command(shlex.split(words))] == []
    assert said["cancel"].splitlines()[-1].startswith("EXIT ")


def test_a_terminal_without_anybody_at_it_is_not_asked(merchant: MerchantFolder) -> None:
    """A terminal at stderr alone is nobody: stdin is where a word would come from."""
    ((order_id,),) = merchant.sql("SELECT min(order_id) FROM orders WHERE status = 'pending' AND order_id LIKE 'sub-%'")
    with running(merchant, f"cancel {order_id} --reason x", terminals="err") as command:
        assert command.end() == 2
    assert "Nobody is there to be asked" in command.err.text
