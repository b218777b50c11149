"""`reconcile --dry-run` on PostgreSQL: the copy is a file of its own, and the ledger's server is only read."""

from jobs.output import Options
from jobs.reconcile import reconcile_with
from jobs.reconcile_lines import comparison_lines
from jobs.rehearsal import rehearsal
from jobs.surroundings import of_this_machine
from tests.night.comparing import compare, lose_at_provider
from tests.night.house import order
from tests.postgres.house import PostgresHouse


def test_a_copy_tells_what_the_ledger_tells(house: PostgresHouse) -> None:
    """What is told of the copy is what the real comparison tells, and no row of the ledger has changed by it."""
    house.add(order(), order("b"))
    house.run()
    house.pass_time(hours=3)
    lose_at_provider(house, "b")
    rows = house.ledger_rows()
    with rehearsal(house.settings, of_this_machine(house.clock)) as (copy, apart):
        options = Options(house.config, quiet=True)
        report, rehearsed = reconcile_with(copy, options, clock=house.clock, surroundings=apart)
    assert house.ledger_rows() == rows
    assert list(house.settings.data_dir.glob("rehearsal-*")) == []

    real, compared = compare(house)
    assert rehearsed is not None
    assert comparison_lines(rehearsed, None) == comparison_lines(compared, None)
    assert (report.code, report.new_items) == (real.code, real.new_items) == (10, 1)
