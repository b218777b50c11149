"""What may be sent: the settings file says it, and switches by hand on top of it; off if either says off (I25)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.order import Origin
from schemas.reasons import Reason
from schemas.settings import Settings

SENDING = "sending"
"""The switch that `pause` turns off: with it nothing new is sent at all."""

SITE = "site:"
KINDS = {Origin.RECURRING: "mit", Origin.WEBSITE: "cit_website", Origin.CALL_CENTER: "cit_call_center"}
"""The switch of each kind of order: one for MIT, and one for each kind of CIT."""


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """What was turned off by hand: when (UTC text), by whom and why."""

    at: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why orders are not sent now: the gate's code, and what to say of it."""

    reason: Reason
    sentence: str


@dataclass(frozen=True, slots=True)
class Switches:
    """How all switches stand at one moment: by the settings, and what is off by hand."""

    settings: Settings
    by_hand: Mapping[str, SwitchedOff] = field(default_factory=dict)

    @property
    def is_paused(self) -> bool:
        """Whether nothing new may be sent at all."""
        return SENDING in self.by_hand

    def refusal(self, site: str, origin: Origin) -> Refusal | None:
        """Why orders of this site and origin may not be sent now; nothing when they may. A site must be known to the settings."""
        return self._pause() or self.of_site(site) or self.of_kind(origin)

    def of_site(self, name: str) -> Refusal | None:
        """Why nothing of this site may be sent."""
        site = next((site for site in self.settings.sites if site.name == name), None)
        if site is None or not site.enabled:
            return Refusal(Reason.SITE_DISABLED, f"its site {name!r} is disabled")
        off = self.by_hand.get(SITE + name)
        return Refusal(Reason.SITE_DISABLED, f"its site {name!r} is off by hand since {off.at}") if off else None

    def of_kind(self, origin: Origin) -> Refusal | None:
        """Why nothing of this origin may be sent; while sending is paused, that."""
        name = KINDS[origin]
        if not getattr(self.settings.switches, name):
            return Refusal(Reason.SWITCHED_OFF, f"switches.{name} is off")
        off = self.by_hand.get(name)
        return Refusal(Reason.SWITCHED_OFF, f"the switch {name} is off by hand since {off.at}") if off else self._pause()

    def of_copy(self, site: str) -> Refusal | None:
        """Why no copy of a good charge of this site may be sent; whether copies are sent at all is `channels.transmit`."""
        return self._pause() or self.of_site(site)

    def _pause(self) -> Refusal | None:
        off = self.by_hand.get(SENDING)
        return Refusal(Reason.SWITCHED_OFF, f"sending is paused since {off.at}") if off else None


def switch_names(settings: Settings) -> tuple[str, ...]:
    """Every switch that there is: the kinds of order, each site of the settings, and sending as a whole."""
    return (*KINDS.values(), *(SITE + site.name for site in settings.sites), SENDING)
