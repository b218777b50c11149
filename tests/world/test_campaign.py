"""The campaign counts what its schedules did, tells what they broke with the way to see it again, and notices what differs."""

from collections.abc import Iterator

import pytest

from tests.world import campaign
from tests.world.campaign import CORPUS, Tally, differences, figures_of, judge_each, shares
from tests.world.schedule import schedule_of
from tests.world.shrink import happened
from tests.world.world import leave_ground


@pytest.fixture(autouse=True)
def _leave_the_ground() -> Iterator[None]:
    yield
    leave_ground()


def test_a_campaign_counts_what_its_schedules_did() -> None:
    """Fresh seeds and the corpus are judged, and the figures are those of the stories themselves."""
    told = campaign.campaign(3, 70)
    stories = [happened(schedule_of(seed))[0] for seed in range(70, 73)]
    corpus = len(list(CORPUS.glob("*.json")))
    seeded = judge_each(range(70, 73)).figures

    assert told.violations == ()
    assert told.figures["schedules"] == 3 + corpus
    assert told.figures["of them from the corpus"] == corpus
    assert seeded["runs"] == sum(len(story.world.runs) for story in stories)
    assert seeded["points"] == sum(len(story.world.points.labels) for story in stories)
    assert seeded["faults planned"] == sum(len(schedule_of(seed).deeds) for seed in range(70, 73))
    assert seeded["faults fired"] == sum(story.fired.total() for story in stories)
    assert sum(times for name, times in seeded.items() if name.startswith("exit code: ")) == seeded["runs"]
    assert sum(times for name, times in told.figures.items() if name.startswith("fired: ")) == told.figures["faults fired"]
    assert told.figures["simulated days"] > told.figures["schedules"]


def test_a_violation_says_how_to_see_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each broken promise of a seed bears the command that lets it happen again."""
    monkeypatch.setattr(campaign, "happened", lambda schedule: (happened(schedule)[0], ["I2: twice"]))

    assert judge_each(range(70, 71)).violations == ["I2: twice (python -m tests.world replay 70)"]


def test_figures_stand_in_the_order_of_their_ids() -> None:
    """What was done comes first, ids by layer and number."""
    tally = Tally()
    names = ["fired: P-10", "schedules", "exit code: 130", "fired: N-02", "exit code: 20", "fired: P-09"]
    tally.figures.update(dict.fromkeys(names, 1))

    named = list(figures_of(tally))[len(campaign.FIRST) :]
    assert named == ["exit code: 20", "exit code: 130", "fired: N-02", "fired: P-09", "fired: P-10"]


def test_the_same_seed_is_the_same_three_times() -> None:
    """Two processes with other hash seeds, and one of them twice, come to the same points, journal, files and tables."""
    told = campaign.determinism(3, 5)

    assert told.violations == ()
    assert told.figures == {"schedules told three times": 3, "of them with the same bytes": 3}


def test_whatever_differs_is_noticed() -> None:
    """A seed that goes otherwise later, or under another hash seed, is told, and no other."""
    found = differences(range(7, 10), (["a", "b", "c"], ["a", "x", "c"], ["a", "b", "x"]))

    assert [words.partition(" (")[0] for words in found] == [
        "T13: seed 8 goes differently after other schedules",
        "T13: seed 9 goes differently under another hash seed, plainly",
    ]


def test_every_seed_is_in_one_share() -> None:
    """The shares are the seeds in order, none missing and none twice."""
    for size in (1, 7, 1000, 20_001):
        assert [seed for share in shares(size, 5) for seed in share] == list(range(5, 5 + size))
        assert max(map(len, shares(size, 5))) <= campaign.MOST_AT_A_TIME


def test_no_core_waits_long_for_the_last_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are many seeds, all but the last shares are long, and those no longer than the fewest that are worth it."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    lengths = [len(share) for share in shares(7000, 5, campaign.FEWEST)]
    assert lengths[0] == max(lengths) > 2 * campaign.FEWEST
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-2] == campaign.FEWEST
