"""How switches are told of: in the summary of a run, in `status`, and by the commands that turn them."""

from sqlalchemy import Connection

from batch.ledger.switches import switched_off
from batch.switching import SENDING, SITE, Switches, switch_names
from schemas.settings import Settings


def switch_lines(switches: Switches) -> list[str]:
    """For people: what is off by hand, since when, by whom and why, and the command that turns it on again."""
    lines = []
    for name, off in switches.by_hand.items():
        back = 'mitbatch resume --reason "..."' if name == SENDING else f'mitbatch switch {name} on --reason "..."'
        what = "paused" if name == SENDING else "off"
        lines.append(f"WARN  {called(name)} is {what} since {off.at}, by {off.by}: {off.reason}   {back}")
    return lines


def switch_object(switches: Switches) -> dict[str, object]:
    """For machines: every switch, whether it is on, by the file and by hand."""
    found: dict[str, object] = {}
    for name in switch_names(switches.settings):
        off, in_file = switches.by_hand.get(name), is_on_in_file(switches.settings, name)
        by_hand = {"at": off.at, "by": off.by, "reason": off.reason} if off else None
        found[name] = {"on": in_file and off is None, "in_file": in_file, "off_by_hand": by_hand}
    return found


def switches_of(settings: Settings, connection: Connection) -> Switches:
    """How the switches stand by this ledger and these settings."""
    return Switches(settings, switched_off(connection, settings.provider.mid, switch_names(settings)))


def is_on_in_file(settings: Settings, name: str) -> bool:
    """What the settings file says of a switch."""
    if name == SENDING:
        return True
    if name.startswith(SITE):
        return next(site.enabled for site in settings.sites if SITE + site.name == name)
    return bool(getattr(settings.switches, name))


def called(name: str) -> str:
    """A switch in a sentence."""
    if name == SENDING:
        return "Sending"
    return f"The site {name.removeprefix(SITE)}" if name.startswith(SITE) else f"The switch {name}"
