"""`switch`, `pause`, `resume`: events with who and why, at once and whoever is at work; what is not sent yet stays here."""

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from batch.api_evaluates import Evaluates
from batch.delivery import Delivery
from jobs.output import Options
from jobs.plan import show_plan
from jobs.report_lines import people_lines
from jobs.status import show_status
from jobs.surroundings import of_this_machine
from jobs.switches import turn_sending, turn_switch
from schemas.errors import SecretMissing, UsageRefused
from tests.night.house import ONHOLD, House, order, paid

WHY = "the descriptor is wrong"
DAY = "2026-11-23"


def turn(house: House, name: str, to: str, **more: Any) -> int:  # noqa: ANN401 - what the commands take
    """Turn a switch, or pause with `sending off`."""
    options, around = Options(house.config, quiet=True), of_this_machine(house.clock)
    more = {"reason": WHY, "yes": True, **more}
    if name == "sending":
        return turn_sending(options, on=to == "on", around=around, **more)
    return turn_switch(options, name, to, around=around, **more)


def after(owner: type, name: str, house: House, monkeypatch: pytest.MonkeyPatch, what: str = "sending") -> None:
    """Let somebody turn a switch off right after this step of a run, once."""
    step: Callable[..., Any] = getattr(owner, name)

    def then_turned(*arguments: Any) -> Any:  # noqa: ANN401 - whatever the step gives
        result = step(*arguments)
        turn(house, what, "off")
        return result

    monkeypatch.setattr(owner, name, then_turned)


@pytest.mark.parametrize(
    ("name", "reason"), [("mit", "switched_off"), ("site:acme-us", "site_disabled"), ("sending", "switched_off")]
)
def test_what_is_switched_off_by_hand_is_not_sent_until_it_is_on(house: House, name: str, reason: str) -> None:
    """With its reason, as by the file; the night is clean and says so; on again, the order goes."""
    house.run()
    house.add(order(payment_token=ONHOLD))
    assert turn(house, name, "off") == 0
    report = house.run()
    assert (report.code, house.accepted()) == (0, Counter())
    assert house.reasons()["000471"] == ("skipped", reason)
    assert "by hand since" in house.audit("declines")[0]["reason_text"] or name == "sending"
    (line,) = [line for line in people_lines(report, house.settings) if "since" in line]
    assert re.search(rf"^WARN .* since .*, by .*: {WHY}   mitbatch (resume|switch {name} on) --reason", line)
    assert turn(house, name, "on") == 0
    assert house.run().code == 0
    assert house.accepted() == Counter(["000471"])


def test_it_is_an_event_with_who_when_and_why(house: House) -> None:
    """A chain of its own; to turn it the way that it stands writes nothing; finance's files know of it at once."""
    house.run()
    assert turn(house, "mit", "off") == 0
    assert turn(house, "mit", "off") == 0
    house.pass_time(minutes=5)
    assert turn(house, "mit", "on") == 0
    events = house.ledger("SELECT * FROM event WHERE kind = 'switch' ORDER BY seq")
    assert [(row["subject"], row["from_state"], row["to_state"], row["reason"]) for row in events] == [
        ("switch:mit", "on", "off", WHY),
        ("switch:mit", "off", "on", WHY),
    ]
    assert "@" in json.loads(events[0]["detail"])["by"]
    assert events[1]["previous_hash"] == events[0]["hash"]
    jobs = [(row["job"], row["finished_at"] is None) for row in house.ledger("SELECT * FROM run ORDER BY rowid")]
    assert jobs == [("nightly", False), ("switch", True), ("switch", False), ("switch", True), ("switch", False)]
    assert json.loads(house.audit_bytes()["manifest.json"])["as_of"] == events[1]["at"]


def test_who_turns_it_beside_a_run_is_told_that_the_files_follow(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run at work keeps finance's files from showing it: exit 0, a line that says so and how to have them sooner."""
    house.run()
    step = Delivery._intend

    def then_paused(*arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - whatever the step takes and gives
        result = step(*arguments, **more)
        monkeypatch.undo()
        options, around = Options(house.config), of_this_machine(house.clock)
        assert turn_sending(options, on=False, reason=WHY, yes=True, around=around) == 0
        return result

    monkeypatch.setattr(Delivery, "_intend", then_paused)
    house.add(order())
    house.run()
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("WARN")]
    assert line.startswith("WARN  A nightly run (")
    assert line.partition(" is active. ")[2] == (
        f"The switch stands; finance's files of {DAY} do not show it yet, the next run writes them. "
        f"Nothing has to be done; sooner, once it has ended: mitbatch audit export --from {DAY} [MB-LEASE-HELD]"
    )


def test_what_keeps_the_files_from_being_written_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The switch stands whatever is in the way; the line says why, how things stand and what to do, and the code is its own."""
    house.run()
    (house.folder / "var" / "audit").rename(house.folder / "var" / "audit-aside")
    (house.folder / "var" / "audit").write_text("in the way")
    options = Options(house.config, quiet=True)
    assert turn_sending(options, on=False, reason=WHY, yes=True, around=of_this_machine(house.clock)) == 20
    (line,) = [line for line in options.kept_back if line.startswith("WARN")]
    assert "The switch stands; finance's files of 2026-11-23 do not show it yet" in line
    assert line.endswith("Then: mitbatch audit export --from 2026-11-23 [MB-DISK]")
    assert options.kept_back[-1].startswith("EXIT 20 ")

    (house.folder / "var" / "audit").unlink()
    (house.folder / "var" / "audit-aside").rename(house.folder / "var" / "audit")
    monkeypatch.setattr("jobs.switches.assemble", _keyless)
    options = Options(house.config, json=True)
    assert turn_sending(options, on=True, reason=WHY, yes=True, around=of_this_machine(house.clock)) == 78
    found = json.loads(capsys.readouterr().out)
    assert [each["code"] for each in found["problems"]] == ["MB-SECRET-MISSING"]
    assert (found["changed"], found["exit_code"]) == (True, 78)
    assert house.ledger("SELECT to_state FROM event WHERE kind = 'switch' ORDER BY seq") == [
        {"to_state": "off"},
        {"to_state": "on"},
    ]


def _keyless(*_: object) -> None:
    raise SecretMissing("The file app_key is not there.")


def test_paused_after_the_claim_frees_the_orders(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the midst of a night, after the intent: the part is not written, the order is withdrawn and free again."""
    house.run()
    house.add(order(payment_token=ONHOLD))
    after(Delivery, "_intend", house, monkeypatch)
    assert house.run().code == 0
    monkeypatch.undo()
    assert (house.accepted(), house.state(), house.steps()) == (Counter(), "withdrawn", ["empty"])
    assert house.retry_takes("000471")


def test_paused_between_a_rename_that_was_lost_and_the_next(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its part was verified: it is not renamed, stays held, and an item tells; nothing is lost when it goes on."""
    house.run()
    house.add(order(payment_token=ONHOLD))
    after(Delivery, "_with_fresh_token", house, monkeypatch)
    assert house.run().code == 10
    monkeypatch.undo()
    (batch,) = house.ledger("SELECT * FROM batch")
    assert (house.accepted(), house.state(), batch["step"]) == (Counter(), "sending", "part_verified")
    assert house.items() == [("switched_off", f"batch:{batch['batch_id']}")]
    assert not house.retry_takes("000471")
    house.pass_time(hours=1)
    assert house.run().code == 0
    assert house.accepted() == Counter()
    turn(house, "sending", "on")
    assert house.run().code == 0
    assert (house.accepted(), house.state(), house.items()) == (Counter(["000471"]), "pending", [])


def test_paused_while_calls_are_under_way(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that were intended and not begun are not made; their orders are withdrawn and free."""
    house.set(channels={"evaluate": "api"})
    house.run()
    house.add(*(order(f"{number}", payment_token=ONHOLD) for number in range(5)))
    after(Evaluates, "intend", house, monkeypatch)
    assert house.run().code == 0
    monkeypatch.undo()
    assert house.accepted() == Counter()
    assert set(house.states().values()) == {"withdrawn"}


def test_copies_wait_for_the_pause_to_end(house: House) -> None:
    """No copy of a good charge leaves while sending is paused, or its site is off; it goes afterwards."""
    house.run()
    house.add(paid())
    for name in ("sending", "site:acme-us"):
        turn(house, name, "off")
        assert house.run("transmit").code == 0
        assert house.accepted("transmit") == Counter()
        turn(house, name, "on")
    assert house.run("transmit").code == 0
    assert house.accepted("transmit") == Counter(["paid-1"])


def test_a_plan_says_that_sending_is_paused(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever asks what the night would do is told why it would do nothing, in the words of the night itself."""
    house.run()
    turn(house, "sending", "off")
    capsys.readouterr()
    assert show_plan(Options(house.config), "", house.clock) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "WARN" in line]
    assert re.fullmatch(rf'DRY RUN  WARN  Sending is paused since .*: {WHY}   mitbatch resume --reason "..."', line)


def test_outcomes_are_collected_while_paused(house: House) -> None:
    """What is at the provider is asked for and written back as ever."""
    house.add(order())
    house.run()
    turn(house, "sending", "off")
    house.pass_time(hours=2)
    assert house.run("poll").code == 0
    assert (house.state(), house.row()["status"]) == ("completed", "completed")


def test_mit_off_in_production_wants_the_merchant_id(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, or with another, exit 2 and nothing is written."""
    house.run()
    monkeypatch.setattr("jobs.switches.load_settings", lambda _: house.settings.model_copy(update={"environment": "production"}))
    for confirm in ("", "yes", house.settings.provider.mid[:8]):
        with pytest.raises(UsageRefused, match="--confirm"):
            turn(house, "mit", "off", confirm=confirm)
    assert house.ledger("SELECT * FROM event WHERE kind = 'switch'") == []


def test_bad_words_get_the_nearest_name_and_write_nothing(house: House) -> None:
    """Exit 2 for an unknown switch, neither on nor off, no reason, nobody there to be asked, or no ledger yet."""
    for name, to, more, words in (
        ("mti", "off", {}, "Did you mean mit"),
        ("acme-us", "off", {}, "Did you mean site:acme-us"),
        ("sendin", "off", {}, "There are: mit"),
        ("mit", "of", {}, "on or off"),
        ("mit", "off", {"reason": ""}, "--reason"),
        ("mit", "off", {"yes": False}, "--yes"),
        ("mit", "off", {}, "no ledger yet"),
    ):
        with pytest.raises(UsageRefused, match=words):
            turn(house, name, to, **more)
    assert not house.ledger_path.exists()


def test_what_the_file_has_off_stays_off(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Off if either says off: to turn it on by hand says that the file decides."""
    house.set(switches={"mit": False})
    house.run()
    options, around = Options(house.config), of_this_machine(house.clock)
    turn_switch(options, "cit_website", "on", reason=WHY, dry_run=True, around=around)
    assert "The settings file says off" in capsys.readouterr().out
    turn(house, "mit", "on")
    house.add(order())
    house.run()
    assert house.reasons()["000471"] == ("skipped", "switched_off")


def test_status_shows_what_is_off(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Since when, by whom and why, with the command back; for machines every switch."""
    house.run()
    turn(house, "site:acme-us", "off")
    turn(house, "sending", "off")
    show_status(Options(house.config))
    out = capsys.readouterr().out
    assert re.search(rf"^WARN  The site acme-us is off since .*: {WHY}   mitbatch switch site:acme-us on", out, re.MULTILINE)
    assert re.search(rf"^WARN  Sending is paused since .*: {WHY}   mitbatch resume", out, re.MULTILINE)
    show_status(Options(house.config, json=True))
    found = json.loads(capsys.readouterr().out)["switches"]
    assert (found["mit"]["on"], found["sending"]["on"], found["site:acme-us"]["on"]) == (True, False, False)
    assert found["site:acme-us"]["off_by_hand"]["reason"] == WHY
    assert found["cit_website"] == {"on": False, "in_file": False, "off_by_hand": None}
