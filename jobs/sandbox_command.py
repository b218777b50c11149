"""`mitbatch sandbox`: the pretend provider as a program of its own, and a look into its journal."""

import signal
import sys
import threading
from pathlib import Path

from jobs.output import Options, answer, say
from schemas.errors import ExitCode, PathMissing


def serve(options: Options, folder: Path, seed: int) -> int:
    """Run the sandbox until Ctrl-C or SIGTERM; print where everything is first."""
    from jobs.sandbox import Sandbox, SandboxOptions

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stopped.set())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with Sandbox(folder, options=SandboxOptions(seed=seed)) as sandbox:
        settings = folder.resolve() / "mitbatch.toml"
        settings.write_text(sandbox.settings_toml("var", "sqlite:///orders.db"), encoding="utf-8")
        places = {
            "api": sandbox.api_url,
            "sftp": f"127.0.0.1:{sandbox.sftp_port} as {sandbox.sftp_username}",
            "settings": str(settings),
            "folder": str(folder.resolve()),
        }
        say(options, [*(f"{name:<10}{place}" for name, place in places.items()), "Ctrl-C stops it."])
        answer(options, {"schema": "mitbatch.sandbox/1", "type": "started", "command": "sandbox", **places})
        stopped.wait()
    sys.stderr.write("The sandbox has stopped.\n")
    return int(ExitCode.CLEAN)


def print_journal(options: Options, folder: Path) -> int:
    """Print what the sandbox of this folder has received, accepted and answered: one JSON object a line."""
    journal = folder / "journal.jsonl"
    if not journal.is_file():
        raise PathMissing(f"There is no journal in {folder}.", next_step="Name the sandbox's folder with --folder.")
    del options
    with journal.open(encoding="utf-8") as stream:
        for line in stream:
            sys.stdout.write(line)
    return int(ExitCode.CLEAN)
