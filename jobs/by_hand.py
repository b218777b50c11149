"""What people change by hand: who does it and why, what it will do, and their word for it. Every such command asks here."""

import os
import pwd
import re
import socket
import sys
from collections.abc import Callable, Iterable
from typing import TextIO

from batch.card_numbers import has_card_number
from jobs.output import Options, say
from schemas.errors import EXIT_MEANINGS, ExitCode, UsageRefused

MOST_REASON = 500
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def checked_reason(reason: str) -> str:
    """The reason that stays in the ledger for ever: one line of at most 500 characters, without a card number.

    Raises UsageRefused.
    """
    words = reason.strip()
    if not words:
        raise UsageRefused("A change by hand needs its reason.", next_step='Add --reason "why", for those who read it later.')
    if len(words) > MOST_REASON or _UNPRINTABLE.search(words):
        raise UsageRefused(f"The reason must be one line of at most {MOST_REASON} characters.")
    if has_card_number(words):
        raise UsageRefused("The reason holds a card number; nothing was written down.", next_step="Leave the number out.")
    return words


def this_person() -> str:
    """Who stands behind the command, as the machine knows them: user and host; behind `sudo`, who called it."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"uid {os.getuid()}"
    caller = os.environ.get("SUDO_USER", "")
    user = f"{caller} as {user}" if caller and caller != user and not _UNPRINTABLE.search(caller) else user
    return f"{user}@{socket.gethostname()}"[:128]


def show_dry_run(options: Options, lines: Iterable[str], code: ExitCode = ExitCode.CLEAN) -> None:
    """Print what would be done, each line marked, and the code with which the dry run ends as the last one."""
    say(options, [f"DRY RUN  {line}".rstrip() for line in [*lines, f"EXIT {int(code)} {EXIT_MEANINGS[code]}"]])


def ask_for_word(
    effects: Iterable[str],
    *,
    yes: bool,
    stream: TextIO | None = None,
    read: Callable[[], str] | None = None,
) -> None:
    """Show what will be done, and have a person type "yes"; `--yes` is their word in a script.

    Raises UsageRefused without a terminal and without `--yes` (it never waits for nobody), and for any other word.
    """
    out = stream or sys.stderr
    out.write("".join(f"{line}\n" for line in effects))
    if yes:
        out.flush()
        return
    if read is None and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageRefused("Nobody is there to be asked; nothing was done.", next_step="Add --yes where a script is to do it.")
    out.write('Type "yes" to do this: ')
    out.flush()
    word = read() if read is not None else sys.stdin.readline()
    if word.strip() != "yes":
        raise UsageRefused("It was not confirmed; nothing was done.")
