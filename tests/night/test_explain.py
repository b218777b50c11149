"""`mitbatch explain ORDER`: everything that ever happened to it, in order."""

import json
import sqlite3
from contextlib import closing

import pytest

from jobs.cli import run
from jobs.explain import show_explanation
from jobs.output import Options
from tests.night.house import House, order, paid
from tests.night.test_review import WHY, decide, late_completion, the_item, vanished_file


def explained(house: House, order_id: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The page's lines."""
    capsys.readouterr()
    assert show_explanation(Options(house.config), order_id) == 0
    return capsys.readouterr().out.splitlines()


def in_turn(lines: list[str], words: list[str]) -> None:
    """Each of these stands in a line of its own, one after the other."""
    rest = iter(lines)
    for word in words:
        assert any(word in line for line in rest), f"{word!r} is missing, or stands too early, in\n" + "\n".join(lines)


def test_the_whole_story_of_an_order(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Gate, file and line, hashes, what was heard and where, moves, and what a person decided, oldest first."""
    late_completion(house)
    house.pass_time(minutes=1)
    decide(house, the_item(house), "provider-is-right")
    lines = explained(house, "000471", capsys)

    assert lines[0] == "Order '000471': recovered by the provider; nobody charges it again."
    in_turn(
        lines,
        [
            "gate: selected: may be handed over",
            "order: new -> claimed",
            "order: claimed -> held",
            "order: held -> sending",
            "heard: acknowledgement evaluate_",
            "order: sending -> pending",
            "heard: poll, ",
            "order: pending -> declined",
            "heard: file outcomes_x_1.json, ",
            "order: declined -> review",
            "item: late_completion opened",
            f"order: review -> completed: provider-is-right: {WHY}",
            "item: late_completion closed by ",
            "next          It may be refunded",
            "ledger        completed",
            "provider      COMPLETED",
            "order system  completed   USD 19.99",
        ],
    )
    times = [line.split()[0] for line in lines[2 : lines.index("", 2)]]
    assert times == sorted(times)
    (file,) = [row["file_name"] for row in house.ledger("SELECT file_name FROM batch")]
    in_turn(lines, [f"file: {file}, line 1 sending: intent to send, rows sha256 ", f"{file}, line 1 delivered"])
    (ack,) = house.ledger("SELECT content_hash FROM evidence WHERE source='acknowledgement'")
    assert any(f"sha256 {ack['content_hash'][:8]}" in line for line in lines)


def test_what_a_machine_is_told(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """The same, as one object: every line of the page is in its timeline, and every proof has its whole hash."""
    late_completion(house)
    lines = explained(house, "000471", capsys)
    show_explanation(Options(house.config, json=True), "000471")
    found = json.loads(capsys.readouterr().out)
    assert [f"  {each['at']}  {each['kind']}: {each['words']}" for each in found["timeline"]] == lines[2 : lines.index("", 2)]
    hashes = {row["content_hash"] for row in house.ledger("SELECT content_hash FROM evidence")}
    assert {each["content_hash"] for each in found["evidence"]} == hashes
    assert {each["source"] for each in found["evidence"]} == {"acknowledgement", "poll", "file"}


def test_a_decision_about_its_file_is_part_of_its_story(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Who said that the file never came, and why, stands in the story of each order of it; not in that of others."""
    batch = vanished_file(house)
    house.pass_time(minutes=1)
    decide(house, f"batch:{batch}", "support-confirmed-never-arrived")
    house.add(order("other"))
    house.run()
    in_turn(
        explained(house, "b", capsys),
        ["item: missing_acknowledgement opened", "line 2 sending: support-confirmed-never", "acknowledgement closed by"],
    )
    assert not any("never-arrived" in line for line in explained(house, "other", capsys))


def test_copies_and_orders_that_were_never_sent(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """A good charge shows its copy; an order that the gate kept back shows why, night after night."""
    house.add(paid("good"), order("kept", payment_token=None))
    house.run()
    house.run("transmit")
    assert explained(house, "good", capsys)[0].endswith("a copy of the good charge; it was never declined.")
    in_turn(explained(house, "good", capsys), ["request: a copy of the good charge travels in transmit_", "file: transmit_"])
    lines = explained(house, "kept", capsys)
    assert lines[0] == "Order 'kept': it was never handed over."
    in_turn(lines, ["gate: skipped, missing_token", "order system  declined"])


def test_an_event_that_somebody_spoilt_is_said_to_be_so(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """The page is shown as far as it goes; for machines there is none, and the refusal says where to look (exit 30)."""
    house.add(order())
    house.run()
    with closing(sqlite3.connect(house.ledger_path)) as connection, connection:
        connection.execute("DROP TRIGGER event_no_update")
        connection.execute("UPDATE event SET detail = '{' WHERE subject = 'order:000471' AND seq = 2")
    assert run(["--config", str(house.config), "--json", "explain", "000471"]) == 30
    shown = capsys.readouterr()
    assert "Event 2 of order:000471 is not as it was written." in shown.err
    assert "mitbatch audit verify" in shown.err
