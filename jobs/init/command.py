"""`mitbatch init`: questions, the server's key to be confirmed, the files, the doctor, and the next two commands."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.doctor.command import run_doctor
from jobs.init.file_text import parsed
from jobs.init.own_files import add_line, make_key, public_line, write_new
from jobs.init.planning import Plan, Wishes, planned, proposed
from jobs.init.questions import Interview, is_watched
from jobs.output import Options, answer, say
from schemas.errors import ExitCode, PathMissing, UsageRefused
from schemas.settings import Settings

if TYPE_CHECKING:
    pass


def run_init(options: Options, wishes: Wishes) -> int:
    """Write a settings file, and what belongs to it, once all answers are there; then let the doctor look.

    Returns the doctor's exit code. Raises UsageRefused (a file is there, an answer is missing or wrong, the key was not
    confirmed), HostKeyChanged, SftpUnreachable: then nothing was written.
    """
    config = options.config
    if config.exists() or config.is_symlink():
        raise UsageRefused(
            f"There is a settings file {config} already; init never overwrites one.",
            next_step="Look at it with mitbatch doctor, or name a new file with --config.",
        )
    if not config.resolve().parent.is_dir():
        raise PathMissing(f"There is no folder {config.resolve().parent} for the settings file.", next_step="Make it first.")
    interview = Interview(wishes.given, proposed(wishes.like), asks=is_watched() and not options.json)
    answers = interview.all_answers()
    plan = planned(config, wishes, answers, asks=interview.asks)
    public = _written(options, config, plan)
    say(options, ["", *_for_the_provider(public), "The doctor looks at all of it:"])
    code = run_doctor(options, (), offline=wishes.offline, is_part=True)
    _last_words(options, config, code, public)
    return code


def _written(options: Options, config: Path, plan: Plan) -> str:
    """Write everything; the settings file last, so that what was cut off may simply be run again. The public line."""
    lines, public = [], ""
    for path, secret in plan.secrets.items():
        write_new(path, f"{secret}\n".encode(), 0o600)
        lines.append(f"wrote {path} (mode 0600)")
    if plan.makes_key is not None:
        public = make_key(plan.makes_key)
        lines.append(f"wrote {plan.makes_key} (mode 0600)")
    if plan.known_host is not None:
        path, line = plan.known_host
        add_line(path, line)
        lines.append(f"wrote {path}")
    write_new(config, plan.text.encode(), 0o600)
    say(options, [*lines, f"wrote {config} (mode 0600)"])
    sftp = Settings.model_validate(parsed(plan.text)).sftp
    return public or (public_line(config.resolve().parent / sftp.private_key) if sftp is not None else "")


def _for_the_provider(public: str) -> list[str]:
    if not public:
        return []
    return ["Give the provider this public key, and the address that your connections come from:", "", f"    {public}", ""]


def _last_words(options: Options, config: Path, code: int, public: str) -> None:
    ours = "mitbatch" if str(config) == "mitbatch.toml" else f"mitbatch --config {shlex.quote(str(config))}"
    following = ["nightly --dry-run", "nightly"] if code == ExitCode.CLEAN else ["doctor", "nightly --dry-run"]
    commands = [f"{ours} {words}" for words in following]
    first = "Next:" if code == ExitCode.CLEAN else "Next, once what the doctor names is put right:"
    say(options, ["", first, *(f"    {line}" for line in commands)])
    answer(
        options,
        {
            "schema": "mitbatch.init/1",
            "settings_file": str(config),
            "public_key": public,
            "next": commands,
            "exit_code": code,
        },
    )
