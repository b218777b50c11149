"""A house behind TLS for every test, and nothing of the machine's own environment."""

import os

import pytest

from tests.night.conftest import MakeHouse, make_house, stop_later
from tests.night.house import House

__all__ = ["make_house", "stop_later"]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine's own counts, and the memory of the tests' own process stays open to debuggers."""
    for name in os.environ:
        if name.startswith("MITBATCH_"):
            monkeypatch.delenv(name)
    monkeypatch.setattr("jobs.tokenize.keep_no_picture", lambda: None)


@pytest.fixture
def house(make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house whose provider is asked over TLS."""
    made = make_house(https=True)
    monkeypatch.setenv("MITBATCH_PROVIDER__API_URL", made.sandbox.https_url)
    return made


@pytest.fixture
def nightly_house(make_house: MakeHouse) -> House:
    """A house whose provider is asked in the clear, by the night and by the cards alike."""
    return make_house()
