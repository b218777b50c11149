"""The commands. This module loads nothing heavy: each command brings what it needs."""

import contextlib
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from batch.card_numbers import has_card_number
from jobs import completion
from jobs.actions_cli import add_action_commands
from jobs.audit_cli import make_audit_app
from jobs.certify_cli import make_certify_app
from jobs.command_sections import SectionedCommands
from jobs.go_live_cli import add_go_live_command
from jobs.help_cli import make_help_app
from jobs.holds_cli import make_holds_app
from jobs.output import Options, answer, complain, say_kept_back
from jobs.reconcile_cli import add_reconcile_command
from jobs.report_cli import add_report_commands
from jobs.review_cli import make_review_app
from jobs.sandbox_cli import make_sandbox_app
from jobs.schedule_cli import add_schedule_commands
from jobs.serve_cli import add_serve_commands
from jobs.setup_cli import add_setup_commands
from jobs.switching_cli import add_switching_commands
from jobs.tokenize_cli import add_tokenize_command
from schemas.errors import AnswerUnprinted, ExitCode, MitbatchError, UsageRefused

app = typer.Typer(
    cls=SectionedCommands,
    help="Hand declined recurring charges to FlexFactor: each sent once, held while it is out, balanced to the cent.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
)
app.add_typer(make_holds_app(lambda: _current), name="holds")
app.add_typer(make_audit_app(lambda: _current), name="audit")
app.add_typer(make_certify_app(lambda: _current), name="certify")
app.add_typer(make_review_app(lambda: _current), name="review")
app.add_typer(make_sandbox_app(lambda: _current), name="sandbox")
app.add_typer(make_help_app(lambda: _current), name="help")

add_action_commands(app, lambda: _current)
add_go_live_command(app, lambda: _current)
add_reconcile_command(app, lambda: _current)
add_report_commands(app, lambda: _current)
add_schedule_commands(app, lambda: _current)
add_serve_commands(app, lambda: _current)
add_setup_commands(app, lambda: _current)
add_switching_commands(app, lambda: _current)
add_tokenize_command(app, lambda: _current)

_current: Options = Options(config=Path("mitbatch.toml"))
INTERRUPTED = "Interrupted; running the same command again is safe.\n"
_SWITCHES = {"--json": "json", "--verbose": "verbose", "--quiet": "quiet"}

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; write nothing, not even a claim.")]
OneDate = Annotated[
    str, typer.Option("--date", metavar="YYYY-MM-DD", help="The business date; today's in schedule.timezone if left out.")
]


Once = Annotated[bool, typer.Option("--once", help="Do nothing if the night of this date is done; for schedulers.")]


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code. Nothing escapes: every ending has a code of the page `exit-codes`."""
    global _current
    _current = Options(config=Path(os.environ.get("MITBATCH_CONFIG", "mitbatch.toml")), json="--json" in arguments)
    _current.command = _command_named(arguments) if _current.json else ""
    code = _ended(arguments)
    if code != ExitCode.CLEAN:
        say_kept_back(_current)
    return code


def _ended(arguments: Sequence[str]) -> int:
    try:
        result = _result(_global_options_first(arguments))
        if result == ExitCode.INTERRUPTED:
            sys.stderr.write(INTERRUPTED)
        return int(result or 0)
    except TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            sys.stderr.write(f"{error}\n")
            return int(ExitCode.USAGE)
        words = _words(error)
        sentence = words if words.endswith("?") else f"{words.rstrip('.')}."
        _complain(UsageRefused(sentence, next_step=_see(error, words)))
        return int(ExitCode.USAGE)
    except (typer.Abort, KeyboardInterrupt):
        sys.stderr.write(INTERRUPTED)
        return int(ExitCode.INTERRUPTED)
    except MitbatchError as problem:
        _complain(problem)
        return int(problem.exit_code)
    except SystemExit as ending:  # typer turns a broken connection, wherever it broke, into exit 1
        broken = ending.__context__
        return _internal(broken) if isinstance(broken, OSError) else int(ExitCode.USAGE if ending.code else ExitCode.CLEAN)
    except Exception as error:  # noqa: BLE001 - the last resort: a sentence for people, never a trace
        return _internal(error)


def _result(arguments: list[str]) -> Any:  # noqa: ANN401 - what typer gives
    """What the command gives back. With `--json` a page of help is an object as well."""

    def ran() -> Any:  # noqa: ANN401 - as above
        return app(arguments, standalone_mode=False, prog_name="mitbatch")

    if not (_current.json and "--help" in arguments):
        return ran()
    from jobs.help_object import answer_help

    return answer_help(_current, _found(_current.command), ran)


def _complain(problem: MitbatchError) -> None:
    """Tell an error; with `--json` its object names the environment of the settings, where these can be read."""
    environment = ""
    if _current.json and _current.config.is_file():
        from jobs.settings_file import load_settings

        with contextlib.suppress(MitbatchError):
            environment = load_settings(_current.config).environment
    complain(_current, problem, environment=environment)


def _command_named(arguments: Sequence[str]) -> str:
    """The command that a command line names, such as `holds check`; empty where it names none."""
    found, words = typer.main.get_command(app), list[str]()
    for argument in arguments:
        inner = getattr(found, "commands", {}).get(argument)
        if inner is not None:
            found = inner
            words.append(argument)
        elif not getattr(found, "commands", {}):
            break
    return " ".join(words)


def _found(path: str) -> Any:  # noqa: ANN401 - typer's own kinds of command
    """The command or group of that name; of no name, the program."""
    found: Any = typer.main.get_command(app)
    for word in path.split():
        found = found.commands[word]
    return found


def _words(error: TyperException) -> str:
    """What is wrong with the command line; what is missing is named."""
    said = error.format_message() if hasattr(error, "format_message") else str(error)
    if has_card_number(said):
        return "A card number stands on the command line, where every user of this machine can read it"
    parameter = getattr(error, "param", None)
    if said.strip() or parameter is None:
        return said
    name = parameter.opts[0] if parameter.param_type_name == "option" else (parameter.metavar or parameter.name)
    return f"Missing {parameter.param_type_name} {name}"


def _see(error: TyperException, words: str) -> str:
    """Where to read on: the help of the command that was meant, else of the group in which the words were said."""
    path = getattr(getattr(error, "ctx", None), "command_path", "mitbatch")
    meant = re.search(r"^No such command .* Did you mean '([a-z-]+)'", words)
    return f"See: {path} {meant.group(1)} --help" if meant else f"See: {path} --help"


def say_unprinted(code: int, refusal: str) -> int:
    """Tell that not all of the answer was printed. Returns the command's own code, or where that is clean, the fault's."""
    problem = AnswerUnprinted(f"The answer could not be printed: the device behind standard output refused it ({refusal}).")
    sys.stderr.write(f"{problem}\n")
    return code if code != ExitCode.CLEAN else int(problem.exit_code)


def _internal(error: Exception) -> int:
    from jobs.disk import MachineDisk
    from jobs.trace_log import write_trace

    try:
        trace = write_trace(MachineDisk(), Path.cwd() / "mitbatch-log", f"pid{os.getpid()}", error)
        where = f"the trace is in {trace}"
        if _current.verbose:
            sys.stderr.write(trace.read_text(encoding="utf-8"))
    except OSError:
        where = "no trace could be written to this folder"
    _complain(
        MitbatchError(
            f"An internal error ({type(error).__name__}); {where}.",
            now="The ledger is consistent.",
            next_step="Report it, then run the same command again.",
        )
    )
    return int(ExitCode.INTERNAL)


def _global_options_first(arguments: Sequence[str]) -> list[str]:
    """Global options work before and after the command: those after it are moved to the front."""
    front: list[str] = []
    rest: list[str] = []
    pending = iter(arguments)
    for argument in pending:
        if argument == "--":
            rest += [argument, *pending]
        elif argument in {*_SWITCHES, "--no-color", "--version"} or argument.startswith("--config="):
            front.append(argument)
        elif argument == "--config":
            value = next(pending, None)
            if value is None:
                raise UsageRefused(
                    "The option --config needs a file.", next_step="Example: mitbatch --config mitbatch.toml status"
                )
            front += [argument, value]
        else:
            rest.append(argument)
    return front + rest


def _version(value: bool) -> None:  # noqa: FBT001 - typer's callback
    if value:
        from importlib.metadata import version

        if _current.json:
            answer(_current, {"schema": "mitbatch.version/1", "version": version("mitbatch")})
        else:
            typer.echo(f"mitbatch {version('mitbatch')}")
        raise typer.Exit


@app.callback()
def options(
    config: Annotated[
        Path | None, typer.Option("--config", help="The settings file; else MITBATCH_CONFIG, else mitbatch.toml.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Say more on stderr.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing when everything is clean.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour, even on a terminal.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Hand declined recurring charges to FlexFactor: each sent once, held while it is out, balanced to the cent."""
    if config is not None:
        _current.config = config
    _current.json, _current.verbose, _current.quiet = as_json, verbose, quiet
    _current.color = False if no_color else None


@app.command()
def nightly(date: OneDate = "", once: Once = False, dry_run: DryRun = False) -> None:
    """Take today's declined charges to the provider and bring the answers back.

    Example: mitbatch nightly --dry-run
    """
    from jobs.night import run_command
    from jobs.plan import show_plan

    raise typer.Exit(show_plan(_current, date) if dry_run else run_command(_current, "nightly", date, once=once))


@app.command()
def rerun(
    date: Annotated[str, typer.Option("--date", metavar="YYYY-MM-DD", help="The business date to go through again.")],
    batch: Annotated[str, typer.Option("--batch", metavar="ID", help="Only bring this batch on its way.")] = "",
    dry_run: DryRun = False,
) -> None:
    """Go through a business date again: what was left is finished, what was sent is never repeated.

    Example: mitbatch rerun --date 2026-11-23
    """
    from jobs.night import run_command
    from jobs.plan import show_plan

    raise typer.Exit(
        show_plan(_current, date, command="rerun") if dry_run else run_command(_current, "rerun", date, batch_id=batch)
    )


@app.command()
def poll(
    everything: Annotated[bool, typer.Option("--all", help="Ask for every order, not only for those that are due.")] = False,
) -> None:
    """Collect acknowledgements and outcomes, and write them back; sends nothing.

    Example: mitbatch poll
    """
    from jobs.night import run_command

    raise typer.Exit(run_command(_current, "poll", "", everything=everything))


@app.command()
def transmit() -> None:
    """Send copies of the good charges of the last 24 hours, each once.

    Example: mitbatch transmit
    """
    from jobs.night import run_command

    raise typer.Exit(run_command(_current, "transmit", ""))


@app.command()
def status() -> None:
    """How many orders are in which state, what needs a person, and how the last runs ended.

    Example: mitbatch status --json
    """
    from jobs.status import show_status

    raise typer.Exit(show_status(_current))


@app.command()
def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="ORDER|REASON|STATE|CODE", help="An order id, or a word of this program.", autocompletion=completion.words
        ),
    ],
) -> None:
    """Everything that ever happened to an order; or what a reason, a state or an error code means.

    Example: mitbatch explain too_old
    """
    from jobs.explain import show_explanation

    raise typer.Exit(show_explanation(_current, what))


@app.command()
def demo(
    folder: Annotated[
        Path, typer.Option("--folder", help="Where to put the demo; emptied first if an earlier demo made it.")
    ] = Path("mitbatch-demo"),
) -> None:
    """Two nights against a pretend provider on this machine, from sample orders, in under half a minute.

    Example: mitbatch demo
    """
    from jobs.demo import run_demo

    raise typer.Exit(run_demo(_current, folder))
