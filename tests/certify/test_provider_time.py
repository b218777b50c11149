"""Waiting for the provider: a sandbox of ours is moved along, anybody else is waited for as long as the settings say."""

from datetime import datetime

import pytest

from jobs.certify.provider_time import ProviderTime
from jobs.clock import MovableClock
from schemas.certification import Verdict
from schemas.errors import Interrupted
from tests.certify.merchant import Merchant, only
from tests.night.house import START

ELSEWHERE = "https://api-sandbox.flexfactor.io/v1/"


def nobody_stops() -> None:
    """Nobody asked to stop."""


def test_another_providers_outcome_is_waited_for_and_not_for_ever() -> None:
    """What never comes is given up when the time is over; what comes meanwhile is seen."""
    clock, looks = MovableClock(START), list[datetime]()
    time = ProviderTime(clock, ELSEWHERE, 100, nobody_stops)

    def comes_at_the(number: int) -> bool:
        looks.append(clock.now())
        return len(looks) >= number

    assert not time.wait_for(lambda: comes_at_the(99))
    assert (looks[-1] - looks[0]).total_seconds() == 100
    assert len(looks) == 8
    assert time.wait_for(lambda: comes_at_the(10))
    assert len(looks) == 10
    assert time.bound == "100 s (certify.max_wait_seconds)"


def test_a_wait_ends_when_somebody_asks_it_to() -> None:
    """Ctrl-C between two looks ends the wait."""

    def stops() -> None:
        raise Interrupted("The run was asked to stop.")

    with pytest.raises(Interrupted):
        ProviderTime(MovableClock(START), ELSEWHERE, 100, stops).wait_for(lambda: False)


def test_an_outcome_that_does_not_come_fails_with_how_long_was_waited(
    merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider whose clock nobody can move gets max_wait_seconds; then the item fails and names the setting."""
    monkeypatch.setattr(ProviderTime, "_follow", lambda *_: None)
    certify = merchant.settings.certify.model_copy(update={"max_wait_seconds": 30})
    merchant.settings = merchant.settings.model_copy(update={"certify": certify})
    shown = only(merchant.certify("mit.sftp"), "mit.sftp.outcome")

    assert shown.verdict is Verdict.FAILED
    assert shown.seen.startswith("Within 30 s (certify.max_wait_seconds) cert-")
    assert "certify.max_wait_seconds" in shown.change
