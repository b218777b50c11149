"""The oracle itself: all 25 invariants have their judges, and each judge complains of just the thing that it is there for."""

import copy
import dataclasses
import functools
import importlib
import os
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import batch
import jobs
from batch.responses import MOST_FILE_BYTES
from schemas.exit_codes import ExitCode
from tests.night.house import order
from tests.world.befores import changed_settings
from tests.world.oracle import APART, ELSEWHERE, INVARIANTS, judged
from tests.world.oracle_apart import BAD_FILES, is_due, isolated, told
from tests.world.oracle_call_doctors import CALL_CASES
from tests.world.oracle_doctors import CASES as CASES_OF_ORDERS
from tests.world.oracle_doctors import Doctor, Doctored
from tests.world.oracle_doctors_actions import ACTION_CASES
from tests.world.oracle_doctors_answers import ANSWER_CASES
from tests.world.oracle_evidence import Evidence, evidence_of
from tests.world.oracle_rerun import i10_rerun_changes_nothing
from tests.world.schedule import Deed, Schedule
from tests.world.shrink import ids_of
from tests.world.story import Story
from tests.world.world import World, ground

CASES = (*CASES_OF_ORDERS, *ACTION_CASES, *ANSWER_CASES)
REPOSITORY = Path(__file__).resolve().parents[2]
ALL = [f"I{number}" for number in range(1, 26)]
QUIET = Schedule(52, 4, ())


@pytest.fixture(scope="module", autouse=True)
def _leave_the_ground() -> Iterator[None]:
    yield
    ground().leave()
    ground.cache_clear()


@functools.cache
def honest() -> Evidence:
    """What a quiet story leaves behind; nobody may change it."""
    with World(QUIET.seed, orders=QUIET.orders) as world:
        story = Story(world, QUIET)
        story.tell()
        return evidence_of(story)


def doctored(doctor: Doctor) -> Evidence:
    """The same, with something changed."""
    seen = honest()
    fresh = replace(seen, **{each.name: copy.copy(getattr(seen, each.name)) for each in dataclasses.fields(seen)})
    for name in ("submissions", "events", "items", "batches", "pieces", "decisions", "ledger_runs", "identities", "journal"):
        setattr(fresh, name, copy.deepcopy(getattr(seen, name)))
    fresh.rows, fresh.provider = copy.deepcopy(seen.rows), copy.deepcopy(seen.provider)
    fresh.secrets = (*seen.secrets, "a/secret+that is long")
    doctor(fresh)
    return fresh


def test_all_25_invariants_are_checked_somewhere() -> None:
    """Each of I1 to I25 has a judge here, or a place where else it is checked."""
    assert sorted({*INVARIANTS, *APART, *ELSEWHERE}, key=ALL.index) == ALL
    assert all(function.__name__.startswith(f"{name.lower()}_") for name, many in INVARIANTS.items() for function in many)


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_the_places_that_check_the_rest_exist(name: str) -> None:
    """The file that is named for an invariant is there and has tests."""
    assert "\ndef test_" in (REPOSITORY / ELSEWHERE[name][0]).read_text(encoding="utf-8")


def test_honest_evidence_breaks_nothing() -> None:
    """The evidence that the tests below doctor is one of which no judge complains, and has something to doctor."""
    assert judged(honest()) == []
    assert {"completed", "rejected"} <= {row["state"] for row in honest().submissions}


def test_a_webhook_door_needs_its_judge() -> None:
    """As soon as a module outside the sandbox has a door for webhooks, I23 must judge what comes through it."""
    doors = [
        module.name
        for package in (batch, jobs)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if "webhook" in module.name and not module.name.startswith("jobs.sandbox")
    ]
    judges = importlib.import_module("tests.world.oracle_webhooks")
    assert not doors or hasattr(judges, "i23_webhook_is_a_hint"), (
        f"{doors}: write i23_webhook_is_a_hint, and strike it with W-01 to W-08"
    )


@pytest.mark.parametrize("case", [*CASES, *CALL_CASES], ids=lambda case: case.what)
def test_a_judge_complains_of_what_it_is_there_for(case: Doctored) -> None:
    """Exactly the invariants that one change breaks complain of it, and each sentence begins with an id."""
    assert ids_of(judged(doctored(case.doctor))) == set(case.ids.split())


def test_each_judge_can_complain() -> None:
    """For every function of the oracle there is a change of which it complains."""
    silent = {function.__name__ for many in INVARIANTS.values() for function in many}
    for case in (*CASES, *CALL_CASES):
        seen = doctored(case.doctor)
        silent -= {
            function.__name__
            for many in INVARIANTS.values()
            for function in many
            if function.__name__ in silent and list(function(seen))
        }
    assert silent == set()


def test_a_second_run_that_finds_more_is_noticed() -> None:
    """Had the second run of a date something left to do, I10 would say what."""
    with World(QUIET.seed, orders=1) as world:
        story = Story(world, replace(QUIET, orders=1))
        story.tell()
        assert i10_rerun_changes_nothing(story) == []
        world.merchant.change(world.order_ids[0], status="declined", hold_reference=None)
        assert ids_of(i10_rerun_changes_nothing(story)) == {"I10"}


@pytest.mark.parametrize("name", ["a_folder_response.json", "a_link_response.json", "a_huge_response.json", "-rf", "no news"])
@pytest.mark.parametrize("is_new", [False, True])
def test_what_is_read_by_its_name_alone_is_news_once(name: str, is_new: bool) -> None:
    """A folder, a link, a huge file and a name that is not plain are never fetched; once seen they excuse nothing."""
    with World(QUIET.seed, orders=1) as world:
        story = Story(world, replace(QUIET, orders=1))
        story.tell()
        lies_there = world.provider.outbound / name
        if name == "a_folder_response.json":
            lies_there.mkdir()
        elif name == "a_link_response.json":
            lies_there.symlink_to(next(path for path in world.provider.outbound.iterdir() if path.is_file()))
        elif name != "no news":
            lies_there.write_bytes(b"-")
            os.truncate(lies_there, MOST_FILE_BYTES + 1 if name == "a_huge_response.json" else 1)
        if not is_new:
            world.run("poll")
        world.merchant.change(world.order_ids[0], status="declined", hold_reference=None)
        is_excused = is_new and name != "no news"
        assert ids_of(i10_rerun_changes_nothing(story)) == (set() if is_excused else {"I10"})


@pytest.mark.parametrize("goes_along", [False, True])
def test_a_second_run_may_only_do_what_was_left(goes_along: bool) -> None:
    """What the last run gave back may go again in the second one; another order that goes along with it is noticed."""
    with World(QUIET.seed, orders=2) as world:
        story = Story(world, replace(QUIET, orders=2))
        story.tell()
        world.merchant.add(order("given-back", charged_at=story.hours_ago(2)))
        world.points.watchers.append(lambda label: world.points.die() if label == "after commit orders" else None)
        world.run("nightly")  # claimed and held, nothing sent
        world.points.watchers.clear()
        world.settings = changed_settings(world.settings, "switches.mit", False)
        world.run("nightly")
        world.settings = changed_settings(world.settings, "switches.mit", True)
        assert world.states()["given-back"] == "withdrawn"
        other = world.order_ids[0]
        if goes_along:
            world.merchant.change(other, status="declined", hold_reference=None, charged_at=story.hours_ago(2))
        found = i10_rerun_changes_nothing(story)
        assert any(f"order:{other}" in words for words in found) is goes_along
        assert not any("order:given-back" in words for words in found)
        assert ids_of(found) == ({"I10"} if goes_along else set())
        assert world.states()["given-back"] != "withdrawn"


def test_a_run_that_another_followed_is_judged_too() -> None:
    """A run after whose last commit another one worked must tell how things stood before that one."""
    with World(QUIET.seed, orders=2) as world:
        world.run("nightly")
        last = world.points.labels.count("after commit ledger") - 1
    with World(QUIET.seed, orders=2) as world:
        story = Story(world, replace(QUIET, orders=2, deeds=(Deed("second run", 0, last, "poll", "after commit ledger"),)))
        story.tell()
        seen = evidence_of(story)
        assert judged(seen) == []
        (number,) = (number for number, mark in enumerate(seen.marks) if mark.meanwhile)
        job, ended = seen.runs[number]
        assert ended.code != 21
        seen.runs[number] = (job, replace(ended, code=11))
        assert ids_of(judged(seen)) == {"I20"}


def test_poison_that_spreads_or_stays_hidden_is_noticed() -> None:
    """Bad rows and files change nothing for other orders, and one that did, or that nobody was told of, would be named."""
    clean, poisoned = told(QUIET, poison=False), told(QUIET, poison=True)
    assert isolated(clean, poisoned) == []
    order_id = next(iter(clean.given))
    poisoned.rows[order_id]["provider_status"] = "OTHER"
    poisoned.decisions = [row for row in poisoned.decisions if row["order_id"] != "bad-site"]
    poisoned.items = [item for item in poisoned.items if item["kind"] != "quarantine"]
    found = isolated(clean, poisoned)
    assert ids_of(found) == {"I15"}
    assert len(found) == 2 + len(BAD_FILES)


def test_a_share_of_all_seeds_is_judged_apart() -> None:
    """Which seeds are judged with more runs is decided by the seed alone, and is about the share that is said."""
    for every, _ in APART.values():
        share = sum(is_due(seed, every) for seed in range(2000)) / 2000
        assert 0.6 / every < share < 1.5 / every


@pytest.mark.parametrize("at", range(1, 66, 3))
def test_a_run_that_is_asked_to_stop_sends_nothing_more(at: int) -> None:
    """SIGTERM at any point of a night: the step in hand is finished, the run says so, and the next nights do the rest."""
    schedule = replace(QUIET, orders=2, deeds=(Deed("stop", 0, at, "SIGTERM"),))
    with World(QUIET.seed, orders=2) as world:
        story = Story(world, schedule)
        story.tell()
        assert (world.witness.stops, world.runs[0][1].code) == ([(101, at)], 143)
        assert judged(evidence_of(story)) == []


@pytest.mark.parametrize("switch", ["switches", "sites"])
def test_what_is_switched_off_is_not_sent(switch: str) -> None:
    """A kind of order or a site that is switched off after its claim is withdrawn, and nothing of it leaves."""
    with World(QUIET.seed, orders=2) as world:
        world.points.plan[14] = [world.points.die]  # claimed and held, nothing sent
        world.run("nightly")
        sites = [{**site.model_dump(), "enabled": False} for site in world.settings.sites]
        off = {"switches": {"mit": False}} if switch == "switches" else {"sites": sites}
        world.settings = world.settings.model_validate({**world.settings.model_dump(), **off})
        story = Story(world, replace(QUIET, orders=2))
        story.tell()
        seen = evidence_of(story)
        assert {row["state"] for row in seen.submissions} == {"withdrawn"}
        assert judged(seen) == []


@pytest.mark.parametrize("planted", ["", "the file goes again", "another order goes along"])
def test_a_file_that_waits_for_its_answer_excuses_nothing_else(planted: str) -> None:
    """A delivered file without an answer may still be waited for by the second run; that it or anything else goes is noticed."""
    with World(QUIET.seed, orders=2) as world:
        world.settings = changed_settings(world.settings, "channels.transmit", "sftp")
        story = Story(world, replace(QUIET, orders=2))
        story.tell()
        world.merchant.add(order("paid-here", status="paid", response_code="100", charged_at=story.hours_ago(2)))
        world.provider.faults.switch_on("no_acknowledgement", times=1)
        world.run("transmit")
        world.pass_time(hours=1)
        assert world.run("nightly").code == ExitCode.IN_DOUBT
        waiting = world.witness.marks[-1].batches[-1]
        assert (waiting["kind"], waiting["step"]) == ("transmit", "delivered")
        sent = next(send for send in reversed(world.witness.sends) if send.name == waiting["file_name"] and send.content)
        assert i10_rerun_changes_nothing(story) == []
        assert world.runs[-1][1].code == ExitCode.IN_DOUBT

        def arrive_again(label: str) -> None:
            if label == "before SFTP connect":
                (world.provider.inbound / sent.name).write_bytes(sent.content)
                world.provider._mailbox.arrived(sent.name)

        if planted == "the file goes again":
            world.points.watchers.append(arrive_again)
        elif planted:
            refused = next(order_id for order_id, state in world.states().items() if state == "rejected")
            world.merchant.change(refused, status="declined", hold_reference=None, charged_at=story.hours_ago(2))
        found = i10_rerun_changes_nothing(story)
        assert ids_of(found) == ({"I10"} if planted else set())
        assert any("handed over" in words for words in found) is bool(planted)
