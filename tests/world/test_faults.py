"""The catalogue of faults: complete, each with a level that lets it strike, and counted when it does."""

import re

import pytest

from tests.world import chances, counted
from tests.world.aims import AIMS
from tests.world.befores import BEFORE, world_of
from tests.world.deeds import AT_A_POINT
from tests.world.dice import dice
from tests.world.faults import DOORS, FAULTS, REPOSITORY, is_open
from tests.world.oracle import judge
from tests.world.schedule import KINDS, Deed, Schedule
from tests.world.story import Story
from tests.world.traits import TRAITS

SIZES = {"N": 18, "H": 20, "W": 8, "F": 20, "P": 20, "D": 20, "O": 12}


def test_all_118_faults_are_known() -> None:
    """Each id of the catalogue is there once, with its sentence."""
    wanted = [f"{layer}-{number:02}" for layer, size in SIZES.items() for number in range(1, size + 1)]

    assert list(FAULTS) == wanted
    assert len(wanted) == 118
    assert len({known.sentence for known in FAULTS.values()}) == 118


def test_each_fault_strikes_somewhere_or_waits_for_a_door() -> None:
    """No fault is merely named; the tests that are named exist, and the faults that are named are the sandbox's."""
    for fault_id, known in FAULTS.items():
        assert known.world or known.tests or known.door, fault_id
        for path in known.tests:
            assert (REPOSITORY / path).is_file(), f"{fault_id} names {path}"
        for name in re.findall(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b", known.world.partition("settings")[0]):
            assert fault_id in counted.SANDBOX_IDS[name], f"{fault_id} names {name}"


@pytest.mark.parametrize("door", DOORS)
def test_a_fault_without_a_door_has_none(door: str) -> None:
    """As soon as the product has got this door, the faults that wait for it must strike, and this says so."""
    waiting = [fault_id for fault_id, known in FAULTS.items() if known.door == door]

    assert waiting
    assert not is_open(door), f"let {waiting} strike now: the product has a door for them"


def test_a_door_that_is_there_is_seen() -> None:
    """The search for doors finds commands, modules, sections and choices that exist."""
    there = {"command nightly", "module batch/gate.py", "section outcomes", "choice channels.transmit off"}
    for mark in there:
        DOORS["test"] = (mark,)
        assert is_open("test"), mark
    DOORS["test"] = ("command no-such", "section nothing", "choice channels.evaluate pigeon", "module batch/nothing.py")
    assert not is_open("test")
    del DOORS["test"]


def test_the_sandbox_s_ids_are_in_the_catalogue() -> None:
    """Every id that a fault of the sandbox bears is known, and such a fault is named for it or waits for a door."""
    for name, ids in counted.SANDBOX_IDS.items():
        for fault_id in ids:
            known = FAULTS[fault_id]
            assert known.world or known.tests or known.door, f"{name} bears {fault_id}"


def test_what_a_seed_draws_is_known() -> None:
    """Every drawn deed is of a known kind, and what it names exists."""
    for name, draw in chances.DRAWS.items():
        for seed in range(40):
            for kind, _, _, named, _ in draw(dice(seed, name)):
                assert kind in KINDS
                if kind == "fault":
                    assert named.partition("*")[0].partition("@")[0] in counted.SANDBOX_IDS
                if kind in {"row", "order"}:
                    assert named == "" or named in TRAITS
                if kind == "merchant":
                    assert named in counted.MERCHANT_IDS


def test_every_kind_is_done_somewhere() -> None:
    """There is no kind of deed that nothing does."""
    elsewhere = {"fault", "network", "job", "provider", "start"}

    assert set(KINDS) == AT_A_POINT | BEFORE | elsewhere


@pytest.mark.parametrize(
    ("deeds", "wanted"),
    [
        ((Deed("crash", 0, 0, "", "asked SFTP rename"),), {"P-06"}),
        ((Deed("crash", 0, 0, "", "before HTTP token"),), {"P-03"}),
        ((Deed("crash", 0, 0, "", "asked SFTP write"),), {"P-05"}),
        ((Deed("crash", 0, 0, "", "after commit orders"),), {"P-02"}),
        ((Deed("power cut", 0, 0, "", "before replace summary"),), {"P-09", "P-11"}),
        ((Deed("row", 0, 0, "card number"),), {"D-16"}),
        ((Deed("paused", 0, 0, "", "after commit ledger"),), {"P-13"}),
        ((Deed("restore", 1, 0, "empty"),), {"O-07"}),
        ((Deed("fault", 0, 0, "crowded_list"),), {"N-16"}),
        (
            (Deed("crash", 0, 0, "", "before SFTP rename"), Deed("crash", 1, 0, "", "before commit ledger")),
            {"P-06", "P-10", "P-01"},
        ),
        ((Deed("crash", 0, 500, "", "asked SFTP rename"),), set()),
    ],
    ids=lambda value: "-".join(sorted(value)) if isinstance(value, set) else None,
)
def test_what_struck_is_counted(deeds: tuple[Deed, ...], wanted: set[str]) -> None:
    """A deed that comes to its point counts under its ids, one that never does counts for nothing."""
    schedule = Schedule(3, 1, deeds)
    with world_of(schedule) as world:
        story = Story(world, schedule)
        story.tell()

    assert set(story.fired) == wanted


def test_every_fault_of_the_world_is_aimed_at() -> None:
    """Each id that the catalogue gives to the worlds has an aim of its own, and no other id has one."""
    assert set(AIMS) == {fault_id for fault_id, known in FAULTS.items() if known.world}


@pytest.mark.parametrize(
    "fault_id", ["N-04", "H-14", "F-04", "F-10", "P-07", "P-13", "P-18", "D-16", "D-19", "O-03", "O-04", "O-12", "W-01", "W-06"]
)
def test_an_aim_strikes(fault_id: str) -> None:
    """Of a few seeds, a deed that is aimed at an id lets it strike in most."""
    struck = 0
    for seed in range(3):
        schedule = Schedule(seed, 2, tuple(Deed(*each) for each in AIMS[fault_id](dice(seed, fault_id))))  # type: ignore[arg-type]
        with world_of(schedule) as world:
            story = Story(world, schedule)
            story.tell()
        struck += story.fired[fault_id] > 0

    assert struck >= 2


def test_a_late_completion_is_told() -> None:
    """An order that the provider cancels and completes a day later comes to review, and the merchant has charged it by then."""
    deeds = (Deed("provider", 0, 0, "outcome_files=true"), Deed("row", 0, 0, "completes late"), Deed("order", 2, 0))
    schedule = Schedule(3, 1, deeds)
    with world_of(schedule) as world:
        story = Story(world, schedule)
        story.tell()

        assert judge(story) == []
    assert {"review: completed after the end", "item: double_charge"} <= set(story.reached)


@pytest.mark.parametrize(
    ("deed", "way"),
    [
        (Deed("fault", 0, 0, "drop_after_rename"), "a rename is found done by the missing part"),
        (Deed("fault", 0, 0, "no_acknowledgement"), "a search settles a doubt"),
        (Deed("fault", 0, 0, "short_write"), "a part is written anew"),
        (Deed("crash", 0, 0, "", "before SFTP write"), "a lease is taken over"),
        (Deed("row", 0, 0, "completed for less"), "review: completed for another amount"),
        (Deed("restore", 1, 0, "empty"), "an older ledger is refused"),
        (Deed("orders", 0, 0, "refuse all"), "no hold could be placed"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_ways_of_recovering_are_seen(deed: Deed, way: str) -> None:
    """What a run did to recover is counted under its name, and in a quiet story nothing of the kind is."""
    seen = []
    for deeds in ((deed,), ()):
        schedule = Schedule(3, 2, deeds)
        with world_of(schedule) as world:
            story = Story(world, schedule)
            story.tell()
        seen.append(set(story.reached))

    assert way in seen[0]
    assert way not in seen[1]
