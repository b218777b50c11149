"""A few schedules of the PostgreSQL campaign, as the default suite runs them."""

from tests.postgres.campaign import campaign_on
from tests.postgres.cluster import Cluster


def test_two_runners_never_both_write(cluster: Cluster) -> None:
    """In 60 seeded schedules no order is claimed twice and no stale runner writes, and every kind of refusal occurred."""
    found = campaign_on(cluster, 60, 4)

    assert found.violations == ()
    assert found.figures["PostgreSQL schedules"] == 60
    assert all(found.figures[f"refused: {kind}"] > 0 for kind in ("AnotherRunActive", "LeaseLost", "TransitionLost"))
