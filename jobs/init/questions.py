"""What `mitbatch init` asks: each question is also a flag, and is asked only on a terminal."""

import getpass
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID
from zoneinfo import ZoneInfo

from schemas.errors import UsageRefused

Check = Callable[[str], str]
"""Gives an answer back as it stands in the settings. Raises ValueError with what it must be."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to know: its flag, the key of the settings that it fills, the words, and what is taken for no answer."""

    flag: str
    key: str
    words: str
    default: str = ""
    check: Check = str


def one_of(*choices: str) -> Check:
    """An answer that is one of these words."""

    def check(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be {' or '.join(choices)}")
        return text

    return check


def guid(text: str) -> str:
    """An answer that is a GUID."""
    try:
        return str(UUID(text))
    except ValueError:
        raise ValueError("must be a GUID such as 0e1a3c5e-0000-4000-8000-000000000001") from None


def port(text: str) -> str:
    """An answer that is the number of a port."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise ValueError("must be a port between 1 and 65535")
    return text


def zone(text: str) -> str:
    """An answer that is a time zone."""
    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        raise ValueError("must be a time zone of the IANA database, such as America/New_York") from None
    return text


def currencies(text: str) -> str:
    """An answer that is one or several currency codes."""
    if not re.fullmatch(r"[A-Z]{3}(,[A-Z]{3})*", text):
        raise ValueError("must be ISO 4217 codes such as USD or USD,EUR")
    return text


def filled(text: str) -> str:
    """An answer of at least one character."""
    if not text:
        raise ValueError("must not be empty")
    return text


GENERAL = (
    Question("--environment", "environment", "Environment, sandbox or production", "sandbox", one_of("sandbox", "production")),
    Question("--mid", "provider.mid", "Your merchant id, a GUID of the provider's", check=guid),
    Question("--site", "sites.name", "A site, as your orders' column `site` names it", check=filled),
    Question("--site-id", "sites.site_id", "Its site id, a GUID of the provider's", check=guid),
    Question("--orders-url", "orders.url", "Your order system, as a database URL", "sqlite:///orders.db", filled),
    Question("--currencies", "gate.currencies", "Currencies that are sent, with commas", "USD", currencies),
    Question("--timezone", "schedule.timezone", "Time zone of your business dates", "America/New_York", zone),
    Question("--channel", "channels.evaluate", "Hand over by files (sftp) or by calls (api)", "sftp", one_of("sftp", "api")),
)
OF_THE_SERVER = (
    Question("--sftp-host", "sftp.host", "The provider's SFTP server", check=filled),
    Question("--sftp-port", "sftp.port", "Its port", "22", port),
    Question("--sftp-user", "sftp.username", "Your user name there", check=filled),
    Question("--private-key", "sftp.private_key", "The file with your own key", "id_ed25519", filled),
    Question("--known-hosts", "sftp.known_hosts", "The file with the server's key", "known_hosts", filled),
)


def is_watched() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


@dataclass(slots=True)
class Interview:
    """Answers from flags, from another settings file, and, on a terminal, from a person."""

    given: Mapping[str, str]
    proposed: Mapping[str, str]
    asks: bool
    wrong: list[str] = field(default_factory=list)

    def all_answers(self) -> dict[str, str]:
        """An answer to every question that matters, by key. Raises UsageRefused with every flag that is missing or wrong."""
        found = self._answers(GENERAL)
        if found.get("channels.evaluate") == "sftp":
            found |= self._answers(OF_THE_SERVER)
        if self.wrong:
            raise UsageRefused(
                f"{'; '.join(self.wrong)}. Nothing was written.",
                next_step="See: mitbatch init --help; on a terminal it asks for what is missing.",
            )
        return found

    def _answers(self, questions: tuple[Question, ...]) -> dict[str, str]:
        found = dict[str, str]()
        for question in questions:
            text = self.given.get(question.flag, "")
            default = self.proposed.get(question.key, "") or question.default
            if not text and self.asks:
                found[question.key] = self._asked(question, default)
                continue
            try:
                found[question.key] = question.check(text or default)
            except ValueError as error:
                self.wrong.append(f"{question.flag} {error}" if text or default else f"{question.flag} is missing")
        return found

    def _asked(self, question: Question, default: str) -> str:
        while True:
            answer = ask(f"{question.words}{f' [{default}]' if default else ''}: ") or default
            try:
                return question.check(answer)
            except ValueError as error:
                sys.stderr.write(f"  It {error}.\n")


def ask(words: str) -> str:
    """One line of a person's. Raises UsageRefused when they have gone."""
    sys.stderr.write(words)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise UsageRefused("Nobody answered; nothing was written.")
    return line.strip()


def ask_unseen(words: str) -> str:
    """One line that is not shown while it is typed."""
    return getpass.getpass(words).strip()
