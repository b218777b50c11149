"""A few of the campaign's whole nights on PostgreSQL, and that they find a product which sends blindly or swallows a loss."""

import gc
import warnings
from collections import Counter
from collections.abc import Iterator

import pytest

from batch.delivery import Delivery
from batch.ledger import Batch
from tests.postgres.cluster import Cluster
from tests.postgres.nights import Ground, Nights

SEEDS = range(6)
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""A cursor whose connection was killed says, when it is collected, that nobody closed it."""


@pytest.fixture(autouse=True)
def _nothing_of_the_dead_is_left() -> Iterator[None]:
    """Take away what dead runs left, here: their open cursors would complain in a later test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="module")
def ground(cluster: Cluster) -> Iterator[Ground]:
    """The ground that all schedules here stand on."""
    made = Ground(cluster)
    yield made
    made.leave()


def _violations(ground: Ground) -> tuple[list[str], Counter[str]]:
    figures = Counter[str]()
    return [words for seed in SEEDS for words in Nights(ground, seed, figures).play()], figures


def test_nights_whose_connections_die_end_like_all_others(ground: Ground) -> None:
    """Wherever a connection dies, each order is accepted once, held while out, and ends where the provider says."""
    before = ground.killer.fired
    violations, figures = _violations(ground)

    assert violations == []
    assert ground.killer.fired - before > len(SEEDS)
    assert figures["PostgreSQL nights that ended with 20"] > 0
    assert figures["PostgreSQL nights that ended with 0"] > 0


def test_sending_again_without_a_look_is_found(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """A product that writes and renames again after a lost step, under another name and without a look, is seen to send twice."""

    def blindly(self: Delivery, batch: Batch) -> Batch:
        content, _ = self._content(batch)
        self._equipment.folder.write_part(self._part(batch), content)
        self._equipment.folder.publish(self._part(batch), batch.file_name.replace(batch.batch_id, "f" * 12))
        return self._delivered(batch, "sent again")

    monkeypatch.setattr(Delivery, "_resume", blindly)
    monkeypatch.setattr("batch.pipeline._heard", lambda *_: True)
    violations, _ = _violations(ground)

    assert [words for words in violations if words.startswith("I2")]


def test_a_swallowed_loss_is_found(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """A product that forgets what it asked for says 20 although a file arrived."""
    monkeypatch.setattr("batch.delivery.Findings.perhaps_sent", property(lambda _self: set(), lambda _self, _value: None))
    violations, _ = _violations(ground)

    assert [words for words in violations if words.startswith("I20")]
