"""Running every command of the tree by its own example, as a process whose streams are pipes or terminals of its own."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from batch.pace import business_date
from jobs.clock import SystemClock
from tests.commands.merchant_folder import MerchantFolder
from tests.house.command_tree import COMMANDS, command_paths, examples_in
from tests.house.source import ROOT

CARD = b'{"order_id": "000471", "number": "4111111111111111", "month": 9, "year": 2030, "first_name": "A", "last_name": "B"}\n'
SERVING = ("serve", "sandbox")
"""Commands that go on until they are stopped."""


def examples() -> dict[str, list[str]]:
    """The words of each command's own example, without the program's name."""
    return {path: shlex.split(examples_in(text)[0], comments=True)[1:] for path, text in command_paths().items()}


def environment(**changed: str) -> dict[str, str]:
    """The environment of a process that finds the program and takes any free port."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MITBATCH_")}
    return {**kept, "PYTHONPATH": str(ROOT), "MITBATCH_WEBHOOK__LISTEN": "127.0.0.1:0", **changed}


def todays(words: list[str], merchant: MerchantFolder) -> list[str]:
    """The words with today's business date where an example has a date of its own."""
    today = business_date(SystemClock().now().astimezone(UTC), merchant.settings.schedule.timezone)
    return [re.sub(r"^\d{4}-\d{2}-\d{2}$", today, word) for word in words]


def ended(
    merchant: MerchantFolder, words: list[str], *, changed: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command in the merchant's folder with pipes; what serves is stopped as soon as it says that it is up."""
    line = [sys.executable, "-m", "jobs", "--config", str(merchant.config), *todays(words, merchant)]
    plain = [word for word in words if not word.startswith("--")]
    serves = plain[:1] and plain[0] in SERVING and not set(plain[1:]) & set(getattr(COMMANDS.commands[plain[0]], "commands", {}))
    with subprocess.Popen(
        line,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=merchant.folder,
        env=environment(**(changed or {})),
        text=True,
    ) as process:
        assert process.stdout is not None
        first = ""
        if serves:
            first = process.stdout.readline()
            process.send_signal(signal.SIGTERM)
        out, err = process.communicate(CARD.decode() if "tokenize" in plain else "", timeout=120)
    return subprocess.CompletedProcess(line, process.returncode, first + out, err)


def moment(text: str) -> datetime:
    """A moment as the program writes it."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
