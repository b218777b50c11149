"""A round that is killed: what it leaves holds payment tokens, and the next round removes it, and nothing else."""

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from jobs.certify.command import round_folder, run_certify
from jobs.certify.round import payment_tokens
from jobs.certify.scratch_orders import drop_scratch, place_of_scratch, scratch_name
from jobs.certify.unfinished import NAME, Unfinished, dead_rounds, sweep, unfinished
from jobs.output import Options
from tests.certify.merchant import Merchant

RUN = "0123abcd"


def certified(merchant: Merchant, capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    """A round to its end; what it says that it removed, and what it left."""
    options = Options(config=merchant.config, json=True, command="certify")
    assert run_certify(options, ["mit.api"], clock=merchant.clock, surroundings=merchant.around) == 0
    found = json.loads(capsys.readouterr().out)
    return {name: found[name] for name in ("removed", "left_behind")}


def killed(merchant: Merchant, moment: str) -> None:
    """A round in a process of its own, killed at this moment."""
    words = [sys.executable, "-m", "tests.certify.killed", moment, "--config", str(merchant.config), "certify", "mit.api"]
    ended = subprocess.run(words, capture_output=True, timeout=120, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


def root_of(merchant: Merchant) -> Path:
    """Where the rounds' folders lie."""
    return merchant.settings.data_dir / "certification"


def scratch(merchant: Merchant) -> list[str]:
    """Scratch folders and tables that are there."""
    folders = [path.name.partition("-")[0] for path in root_of(merchant).glob("*/*-*") if path.is_dir()]
    return sorted([*folders, *(name.rpartition("_")[2] for name in merchant.tables() if name != "orders")])


@pytest.mark.parametrize(
    ("moment", "left"),
    [("noted", []), ("made", ["sync", "sync"]), ("tokenized", ["sync", "sync"]), ("sent", ["sync", "sync"]), ("dropped", [])],
)
def test_the_next_round_removes_what_a_killed_one_left(
    moment: str, left: list[str], merchant: Merchant, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whenever it died: table, folder and file go, the merchant's own table stays, and the round says what it did."""
    killed(merchant, moment)
    (dead,) = dead_rounds(root_of(merchant))
    assert scratch(merchant) == left
    assert certified(merchant, capsys) == {
        "removed": [f"what the round of {dead.name} left when it was killed"],
        "left_behind": [],
    }

    assert scratch(merchant) == []
    assert not dead.exists()
    assert list(root_of(merchant).rglob(NAME)) == []
    assert merchant.tables() == ["orders"]
    assert certified(merchant, capsys) == {"removed": [], "left_behind": []}


def test_what_a_killed_round_leaves_holds_tokens(merchant: Merchant) -> None:
    """That is why it has to go: the files of its account have the payment tokens of test cards."""
    killed(merchant, "sent")
    (dead,) = dead_rounds(root_of(merchant))

    assert any(payment_tokens(folder) for folder in dead.glob("sync-*"))


def made_by_hand(merchant: Merchant, order_id: str, run: str = RUN) -> str:
    """A table with the name of a scratch table, and one order in it."""
    name = scratch_name(run, "managed")
    with closing(sqlite3.connect(merchant.folder / "orders.db")) as connection, connection:
        connection.execute(f"CREATE TABLE {name} (order_id TEXT)")
        connection.execute(f"INSERT INTO {name} VALUES (?)", (order_id,))
    return name


def dead_round(merchant: Merchant, place: str) -> Path:
    """The folder of a round that died with one account open."""
    folder = round_folder(merchant.settings, merchant.clock)
    with (folder / NAME).open("w", encoding="utf-8") as file:
        Unfinished(file).note(RUN, "managed", place)
    (folder / "managed-x").mkdir()
    return folder


def swept(merchant: Merchant) -> tuple[list[str], list[str]]:
    """What a sweep removed and left."""
    found = sweep(root_of(merchant), drop_scratch(merchant.settings.orders, merchant.around.make_engine))
    return found.removed, found.left


def test_a_table_that_may_be_somebody_elses_is_left_and_named(merchant: Merchant) -> None:
    """An order without the round's mark is enough; it is named by every round until somebody has looked at it."""
    name, folder = made_by_hand(merchant, "000471"), dead_round(merchant, place_of_scratch(merchant.settings.orders))
    for _ in range(2):
        removed, left = swept(merchant)
        assert (removed, len(left)) == ([], 1)
        assert f"The table {name} has the name of a scratch table" in left[0]
    assert name in merchant.tables()
    assert [path.name for path in folder.iterdir()] == [NAME]


def test_a_table_in_another_database_is_named(merchant: Merchant) -> None:
    """`orders.admin_url` leads elsewhere now: nothing is dropped there."""
    name = made_by_hand(merchant, f"cert-{RUN}-m-1")
    dead_round(merchant, "sqlite:////elsewhere.db")
    removed, left = swept(merchant)

    assert (removed, len(left)) == ([], 1)
    assert "lies in sqlite:////elsewhere.db" in left[0]
    assert name in merchant.tables()


def test_a_table_that_no_dead_round_names_is_not_looked_at(merchant: Merchant) -> None:
    """A name alone makes no table ours."""
    name = made_by_hand(merchant, f"cert-{RUN}-m-1")
    round_folder(merchant.settings, merchant.clock)

    assert swept(merchant) == ([], [])
    assert name in merchant.tables()


def test_a_round_that_is_going_on_is_left_alone(merchant: Merchant) -> None:
    """Its file is locked: neither table nor folder is touched, and go-live has nothing to warn of."""
    name, folder = made_by_hand(merchant, f"cert-{RUN}-m-1"), round_folder(merchant.settings, merchant.clock)
    place, drop = place_of_scratch(merchant.settings.orders), drop_scratch(merchant.settings.orders, merchant.around.make_engine)
    with unfinished(folder, drop) as work:
        work.note(RUN, "managed", place)
        (folder / "managed-x").mkdir()
        assert swept(merchant) == ([], [])
        assert dead_rounds(root_of(merchant)) == []
        assert (name in merchant.tables(), (folder / "managed-x").is_dir()) == (True, True)
    assert (name in merchant.tables(), list(folder.iterdir())) == (False, [])


def test_a_link_is_not_followed(merchant: Merchant, tmp_path: Path) -> None:
    """A link with the name of a scratch folder is somebody's trick: what it leads to stays."""
    folder = dead_round(merchant, "")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (folder / "sync-x").symlink_to(elsewhere)

    assert swept(merchant) == ([f"what the round of {folder.name} left when it was killed"], [])
    assert (elsewhere / "kept").exists()
    assert not (folder / "managed-x").exists()
