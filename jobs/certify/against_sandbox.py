"""`mitbatch certify --sandbox`: the whole checklist by one command, against a pretend provider that it starts and stops."""

import os
from collections.abc import Sequence
from pathlib import Path

from jobs.certify.command import run_certify
from jobs.clock import ShiftedClock
from jobs.demo import quiet_libraries
from jobs.output import Options, say
from jobs.sample_orders import fill_orders
from schemas.errors import UsageRefused

FOLDER = Path("mitbatch-certify")
MARK = "made-by-mitbatch-certify"


def certify_against_sandbox(options: Options, words: Sequence[str], folder: Path = FOLDER) -> int:
    """Show these items and groups in a folder of its own, where earlier packs stay. Returns the exit code.

    Raises UsageRefused for a folder that holds something else.
    """
    from jobs.sandbox import Sandbox

    folder, clock = _made(folder), ShiftedClock()
    with quiet_libraries(), Sandbox(folder / "provider", clock=clock) as sandbox:
        options.config = folder / "mitbatch.toml"
        options.config.write_text(sandbox.settings_toml("var", "sqlite:///orders.db"), encoding="utf-8")
        orders = folder / "orders.db"
        os.close(os.open(orders, os.O_CREAT | os.O_WRONLY, 0o600))
        fill_orders(f"sqlite:///{orders}", (), reference_is_now=clock.now())
        told = (
            f"A pretend provider runs on this machine until the end. Its settings are in {folder}: run there what is named below."
        )
        say(options, [told])
        return run_certify(options, words, clock=clock)


def _made(folder: Path) -> Path:
    folder = folder.resolve()
    if folder.exists() and not (folder.is_dir() and ((folder / MARK).exists() or not any(folder.iterdir()))):
        raise UsageRefused(
            f"{folder} exists and was not made by certify.", next_step="Run it in another folder, or name settings with --config."
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / MARK).touch()
    return folder
