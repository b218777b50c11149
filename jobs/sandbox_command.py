"""`mitbatch sandbox`: the pretend provider as a program of its own, and a look into its journal."""

import contextlib
import difflib
import json
import signal
import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jobs.clock import SystemClock
from jobs.output import Options, answer, say
from schemas.errors import ConfigurationError, ExitCode, PathMissing, UsageRefused

if TYPE_CHECKING:
    from jobs.sandbox import Sandbox

_WRITTEN = "# Written by the sandbox at each start, with its ports of the day. Copy it before you change it.\n"


@dataclass(frozen=True)
class Start:
    """How to start a sandbox; port 0 is a free one, an empty `webhook` tells nobody but the checkout, if there is one."""

    seed: int = 0
    http_port: int = 0
    sftp_port: int = 0
    faults: tuple[str, ...] = ()
    deduplicate: str = "off"
    outcome_files: bool = False
    strict_amounts: bool = False
    webhook: str = ""
    checkout: bool = False
    sample_orders: bool = False


def serve(options: Options, folder: Path, start: Start) -> int:
    """Run the sandbox until Ctrl-C or SIGTERM; print where everything is first. Raises UsageRefused, ConfigurationError."""
    enders = {signal.SIGINT, signal.SIGTERM}
    sandbox = _made(folder, start)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, enders)  # waited for below; a handler could come amid anything
    try:
        sandbox.start()
    except OSError as error:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise ConfigurationError(
            f"The sandbox cannot listen on 127.0.0.1 ({error.strerror}).",
            next_step="Leave out --http-port and --sftp-port, and free ones are taken.",
        ) from error
    shop = contextlib.ExitStack()
    try:
        places = {**_prepared(sandbox, start), **_with_samples(sandbox, start), **_with_checkout(sandbox, start, shop)}
        say(options, [*(f"{name:<10}{place}" for name, place in places.items()), "Ctrl-C stops it."])
        answer(options, envelope("sandbox", "started", **places))
        signal.sigwait(enders)
        orders = len(sandbox.accepted("evaluate"))
    finally:
        shop.close()
        sandbox.stop()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if not options.quiet:
        sys.stderr.write("The sandbox has stopped.\n")
    answer(options, envelope("sandbox", "result", orders=orders))
    return int(ExitCode.CLEAN)


def _made(folder: Path, start: Start) -> "Sandbox":
    from jobs.sandbox import Sandbox, SandboxOptions

    for name in start.faults:
        check_fault(name)
    try:
        chosen = SandboxOptions(
            seed=start.seed,
            http_port=start.http_port,
            sftp_port=start.sftp_port,
            deduplicate=cast("Any", start.deduplicate),
            outcome_files=start.outcome_files,
            strict_amounts=start.strict_amounts,
        )
    except ValueError as error:
        raise UsageRefused(f"{error}.", next_step="See: mitbatch sandbox --help") from error
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Sandbox(folder, options=chosen)
    except OSError as error:
        raise PathMissing(f"The folder {folder} cannot be made or used ({error.strerror}).") from error


def _prepared(sandbox: "Sandbox", start: Start) -> dict[str, str]:
    """Switch on what was asked for, write the settings, and say where everything is."""
    for name in start.faults:
        sandbox.faults.switch_on(name)
    if start.webhook:
        try:
            sandbox.register_webhook(start.webhook)
        except ValueError as error:
            raise UsageRefused(f"--webhook: {error}.") from error
    settings = sandbox.folder / "mitbatch.toml"
    settings.write_text(_WRITTEN + sandbox.settings_toml("var", "sqlite:///orders.db"), encoding="utf-8")
    return {
        "page": sandbox.control_url,
        "api": sandbox.api_url,
        "sftp": f"127.0.0.1:{sandbox.sftp_port} as {sandbox.sftp_username}",
        "settings": str(settings),
        "folder": str(sandbox.folder),
        "secrets": ", ".join(path.name for path in sandbox.secret_paths),
    }


def _with_samples(sandbox: "Sandbox", start: Start) -> dict[str, str]:
    """Make the orders table that the ready settings name, with the sample orders in it; one that is there stays as it is."""
    if not start.sample_orders:
        return {}
    from jobs.sample_orders import SAMPLE_AGE, fill_orders, sample_files

    path = sandbox.folder / "orders.db"
    if path.exists():
        return {"samples": f"{path} (was there, and stays as it is)"}
    count = fill_orders(f"sqlite:///{path}", sample_files(), reference_is_now=sandbox.clock.now() - SAMPLE_AGE)
    return {"samples": f"{path} ({count} sample orders)"}


def _with_checkout(sandbox: "Sandbox", start: Start, shop: contextlib.ExitStack) -> dict[str, str]:
    """Open the shop if it was asked for, with its orders beside the ready settings; where it is."""
    if not start.checkout:
        return {}
    from jobs.sandbox.checkout import Checkout

    checkout = Checkout(sandbox)
    try:
        shop.enter_context(checkout)
    except sqlite3.Error as error:
        raise ConfigurationError(
            f"The shop cannot keep its orders in {checkout.orders_path} ({error}).",
            next_step="Give the sandbox a fresh --folder, or move that file away.",
        ) from error
    if not start.webhook:
        sandbox.register_webhook(checkout.webhook_url)
    return {"checkout": checkout.url}


def check_fault(name: str) -> None:
    """Refuse a name that no fault has, with the nearest one. Raises UsageRefused."""
    import jobs.sandbox
    from jobs.sandbox.faults import CATALOGUE

    if name not in CATALOGUE:
        near = difflib.get_close_matches(name, CATALOGUE, 1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise UsageRefused(f"No fault is called {name!r}.{meant}", next_step="See: mitbatch sandbox faults")
    del jobs


def print_journal(options: Options, folder: Path) -> int:
    """Print what the sandbox of this folder has received, accepted and answered: one JSON object a line."""
    journal = folder / "journal.jsonl"
    if not journal.is_file():
        raise PathMissing(f"There is no journal in {folder}.", next_step="Name the sandbox's folder with --folder.")
    rows = 0
    with journal.open(encoding="utf-8") as stream:
        for line in stream:
            rows += 1
            if options.json:
                answer(options, envelope("sandbox journal", "row", row=json.loads(line)))
            else:
                sys.stdout.write(line)
    answer(options, envelope("sandbox journal", "result", rows=rows))
    return int(ExitCode.CLEAN)


def envelope(command: str, kind: str, **fields: object) -> Mapping[str, Any]:
    """One object of `--json`. The time is the machine's, in UTC: the sandbox's own clock may have leapt."""
    schema = f"mitbatch.{command.replace(' ', '_')}/1"
    generated = SystemClock().now().strftime("%Y-%m-%dT%H:%M:%SZ")
    head = {"schema": schema, "type": kind, "command": command, "run_id": "", "generated_at": generated, "environment": "sandbox"}
    return {**head, **fields}
