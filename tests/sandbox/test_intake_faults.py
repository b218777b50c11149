"""Every fault of the file intake once, as the client sees it."""

import json
from datetime import timedelta

from jobs.sandbox import Sandbox
from tests.sandbox.merchant import acknowledgement, batch_name, decline, deliver, evaluate_file, sftp


def test_refuse_file(sandbox: Sandbox) -> None:
    """A sound file is refused as a whole."""
    sandbox.faults.switch_on("refuse_file")
    with sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)]))
        found = acknowledgement(session, batch_name(sandbox))

    assert (found["result"], "responses" in found) == ("failed", False)
    assert sandbox.accepted("evaluate") == []


def test_refuse_row(sandbox: Sandbox) -> None:
    """The chosen row is refused, the others are taken."""
    sandbox.faults.switch_on("refuse_row", after=2)
    with sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox, id_) for id_ in "abc"]))
        found = acknowledgement(session, batch_name(sandbox))

    assert [row["result"] for row in found["responses"]] == ["Success", "Failed", "Success"]
    assert [row["order_id"] for row in sandbox.accepted("evaluate")] == ["a", "c"]


def test_no_acknowledgement(sandbox: Sandbox) -> None:
    """The rows are taken, and no answer ever comes."""
    sandbox.faults.switch_on("no_acknowledgement")
    with sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)]))
        sandbox.advance(timedelta(days=1))
        found = session.listdir("outbound")

    assert found == []
    assert len(sandbox.accepted("evaluate")) == 1


def test_partial_acknowledgement(sandbox: Sandbox) -> None:
    """The answer is cut half-way at first, and whole ten seconds later."""
    sandbox.faults.switch_on("partial_acknowledgement")
    with sftp(sandbox) as session:
        deliver(session, batch_name(sandbox), evaluate_file(sandbox, [decline(sandbox)]))
        (name,) = session.listdir("outbound")
        with session.open(f"outbound/{name}") as file:
            cut = file.read()
        sandbox.advance(timedelta(seconds=10))
        with session.open(f"outbound/{name}") as file:
            whole = file.read()

    assert len(cut) == len(whole) // 2
    assert whole.startswith(cut)
    assert json.loads(whole)["result"] == "success"
