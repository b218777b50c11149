"""S24 on PostgreSQL: what the provider said goes after its time; what somebody else emptied is found."""

import pytest

from batch.ledger_seals import LedgerSeals
from jobs.databases import open_ledger
from tests.night.house import COMPLETED, EXPIRED, order
from tests.night.test_forgetting_answers import DAYS, empty, named, said_of
from tests.postgres.house import PostgresHouse
from tests.postgres.test_rights import least as least


def changed(house: PostgresHouse) -> list[str]:
    """What is not as the provider said it, in words."""
    engine = open_ledger(house.settings.ledger.url)
    with LedgerSeals(engine.connect, house.settings.provider.mid).reading() as reader:
        found = [each.sentence for each in reader.changed_evidence()]
    engine.dispose()
    return found


@pytest.mark.parametrize("most_in_memory", [1_000_000, 0], ids=["at once", "in sixteen parts"])
def test_answers_go_after_their_time(most_in_memory: int, house: PostgresHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The orders that ended long ago, and no other; what was emptied otherwise is named, however much was emptied rightly."""
    monkeypatch.setattr("batch.forgotten_seals._MOST_IN_MEMORY", most_in_memory)
    house.set(retention={"answer_days": DAYS})
    house.add(*(order(each, payment_token=token) for each, token in (("a", COMPLETED), ("b", COMPLETED), ("late", EXPIRED))))
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    house.pass_time(days=DAYS + 1)
    house.run()
    assert said_of(house, "a", "b", "late") & empty(house) == said_of(house, "a", "b") != set()
    assert sorted(named(house)) == sorted(empty(house))
    assert changed(house) == []
    house.ledger("UPDATE evidence SET content = '' WHERE source = 'poll' AND subject = 'order:late' RETURNING subject")
    assert len(changed(house)) == len(said_of(house, "late")) > 0
    assert all("no run did that" in words for words in changed(house))


def test_a_right_that_is_missing_is_said(least: PostgresHouse) -> None:
    """A login that was given its rights by an older version: the night says what is missing, and all else is done."""
    least.set(retention={"answer_days": DAYS})
    least.add(order("a", payment_token=COMPLETED))
    least.run()
    least.pass_time(hours=2)
    least.run("poll")
    least.ledger("REVOKE UPDATE (content) ON evidence FROM ledger_role")
    least.pass_time(days=DAYS + 1)
    problems = [str(problem) for problem in least.run().findings.problems]
    assert len(problems) == 1
    assert "UPDATE of content on evidence" in problems[0]
    assert (empty(least), named(least)) == (set(), [])
    least.ledger("GRANT UPDATE (content) ON evidence TO ledger_role")
    assert least.run().findings.problems == []
    assert said_of(least, "a") <= empty(least)
