"""The commands as the help shows them: by what somebody wants to do, each with its whole first sentence."""

from typing import Any

from typer.core import TyperGroup

SECTIONS = {
    "Set up": ("init", "doctor", "lock", "demo", "sandbox", "certify", "go-live", "tokenize"),
    "Let it run": ("nightly", "poll", "transmit", "reconcile", "rerun", "schedule", "serve", "webhook"),
    "Look": ("status", "explain", "holds"),
    "Decide": ("review", "cancel", "capture", "refund", "switch", "pause", "resume"),
    "For finance": ("summary", "report", "audit"),
    "Read on": ("help",),
}
MORE = "More"
"""Where a command stands that has no section."""


class SectionedCommands(TyperGroup):
    """The program's own group: its commands in sections, in the order in which a newcomer needs them."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer's own context
        """The names, section by section."""
        placed = [name for names in SECTIONS.values() for name in names if name in self.commands]
        return [*placed, *(name for name in super().list_commands(ctx) if name not in placed)]

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - typer's own context and formatter
        """Write the sections; a sentence is wrapped where it is long, and never cut."""
        section_of = {name: title for title, names in SECTIONS.items() for name in names}
        found: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.commands[name]
            if not command.hidden:
                found.setdefault(section_of.get(name, MORE), []).append((name, _first_sentence(command.help or "")))
        widest = max(len(name) for rows in found.values() for name, _ in rows)
        for title, rows in found.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), words) for name, words in rows])


def _first_sentence(text: str) -> str:
    words = " ".join(text.strip().partition("\n\n")[0].split())
    return words.partition(". ")[0].rstrip(".")
