"""Every way out of a delivery that a server can force, one at a time: what is not proven is in doubt, and never sent again."""

from datetime import timedelta

import pytest

from batch.equipment import Equipment
from batch.intent import intend
from batch.ledger import Batch, Run
from schemas.errors import HostKeyChanged, LeaseLost, MitbatchError, SftpLost, SftpRefused, SftpUnreachable
from schemas.states import State
from tests.table.desk import Desk

ONE, TWO = "b00000000001", "b00000000002"
LOST, REFUSED = SftpLost("lost"), SftpRefused("no")


def verified(desk: Desk, *order_ids: str) -> None:
    """A file whose part is verified and whose rename was refused: a later run finds it so."""
    batch = desk.held(ONE, *order_ids)
    desk.folder.trouble["publish"] = [REFUSED]
    assert desk.deliver(batch) == ["MB-SFTP-REFUSED"]
    assert desk.batch(ONE).step == "part_verified"


def test_a_plain_delivery(desk: Desk) -> None:
    """Nothing in the way: the file stands under its name, the orders are being sent, the step is delivered."""
    assert desk.deliver(desk.held(ONE, "a", "b")) == []
    assert (desk.batch(ONE).step, desk.states("a", "b")) == ("delivered", ["sending", "sending"])
    assert list(desk.folder.files) == [f"{ONE}.json"]
    assert desk.deliver(desk.batch(ONE)) == []
    assert (desk.findings.delivered, desk.findings.withheld) == ([f"{ONE}.json"], set())


def test_what_is_only_claimed_is_held_before_it_leaves(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the holds could not be placed when it was chosen: they are placed now, and once (I1)."""
    held: list[str] = []

    def hold(_equipment: object, _run: object, batch: Batch) -> Batch:
        held.append(batch.step)
        desk.move(State.HELD, "a")
        return batch

    monkeypatch.setattr("batch.delivery.hold", hold)
    desk.folder.trouble["write_part"] = [LOST, LOST]
    desk.deliver(desk.room.claim(ONE, "a"))
    assert (held, desk.batch(ONE).step, desk.states("a")) == (["claimed"], "sending", ["sending"])
    assert desk.deliver(desk.batch(ONE)) == []
    assert (held, desk.batch(ONE).step) == (["claimed"], "delivered")


def test_what_is_switched_off_before_its_part_is_judged_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the intent and the part: its orders are looked at once more, and no part is written."""
    judged: list[str] = []

    def judge(equipment: Equipment, run: Run, batch: Batch) -> Batch:
        judged.append(batch.step)
        return intend(equipment, run, batch)

    monkeypatch.setattr("batch.delivery.intend", judge)
    monkeypatch.setattr("batch.delivery.must_wait", lambda *_: True)
    assert desk.deliver(desk.held(ONE, "a")) == []
    assert (judged, desk.folder.files, desk.batch(ONE).step) == (["claimed", "sending"], {}, "sending")


def test_whoever_watches_sees_how_many_files_there_are_and_each_that_is_done(desk: Desk) -> None:
    """One that failed is not done."""
    seen: list[object] = []
    desk.equipment.progress.stage = lambda name, total=None: seen.append((name, total))  # type: ignore[method-assign]
    desk.equipment.progress.advance = lambda steps=1: seen.append(steps)  # type: ignore[method-assign]
    desk.folder.trouble["write_part"] = [LOST, LOST]
    desk.deliver(desk.held(ONE, "a"), desk.held(TWO, "b"))
    assert seen == [("deliver", 2), 1]


def test_what_stops_all_stops_the_next_file_too(desk: Desk) -> None:
    """An unreachable server is met once; a file that was never verified stays, one that was verified is in doubt."""
    verified(desk, "a")
    fresh, known = desk.held(TWO, "b"), desk.batch(ONE)
    desk.folder.trouble["write_part"] = [SftpUnreachable("down")]
    assert desk.deliver(fresh, known, fresh) == ["MB-SFTP-UNREACHABLE"]
    assert desk.findings.undelivered == [f"{TWO}.json", f"{ONE}.json", f"{TWO}.json"]
    assert (desk.batch(TWO).step, desk.batch(ONE).step) == ("sending", "in_doubt")
    assert desk.states("a", "b") == ["in_doubt", "sending"]


@pytest.mark.parametrize(("lost", "undelivered", "then"), [(2, 2, "delivered"), (3, 4, "claimed")])
def test_a_third_file_lost_in_a_row_keeps_the_rest_for_the_next_run(lost: int, undelivered: int, then: str, desk: Desk) -> None:
    """Two may be chance, and the next file leaves; after three the server counts as stalled, and nothing more is tried."""
    files = [desk.held(f"b{number:011}", str(number)) for number in range(lost + 1)]
    desk.folder.trouble["write_part"] = [LOST for _ in range(2 * lost)]
    assert desk.deliver(*files) == ["MB-SFTP-LOST"]
    assert (len(desk.findings.undelivered), desk.batch(files[-1].batch_id).step) == (undelivered, then)


def test_a_part_that_is_lost_twice_waits_for_the_next_run(desk: Desk) -> None:
    """One loss is tried again with the same rows; two in a row are told, and nothing is in doubt (N-02)."""
    batch = desk.held(ONE, "a")
    desk.folder.trouble["write_part"] = [LOST, LOST]
    assert desk.deliver(batch) == ["MB-SFTP-LOST"]
    assert (desk.batch(ONE).step, desk.states("a")) == ("sending", ["sending"])
    desk.folder.trouble["write_part"] = [LOST]
    assert desk.deliver(desk.batch(ONE)) == []
    assert desk.batch(ONE).step == "delivered"


def test_rows_that_are_no_longer_those_intended_are_not_sent(desk: Desk) -> None:
    """A record that was changed behind the ledger's back no longer has the recorded digest: no byte leaves (I12)."""
    batch = desk.held(ONE, "a")
    desk.folder.trouble["write_part"] = [LOST, LOST]
    desk.deliver(batch)
    desk.room.sql('UPDATE submission SET record_json = \'{"orderId":"b"}\'')
    assert desk.deliver(desk.batch(ONE)) == ["MB-ROWS-CHANGED"]
    assert (desk.folder.files, desk.batch(ONE).step) == ({}, "sending")


def test_a_server_that_copies_instead_of_renaming(desk: Desk) -> None:
    """The rename is refused, yet our bytes stand under the final name: it was delivered (N-15)."""
    batch = desk.held(ONE, "a")
    desk.folder.before["publish"] = lambda: desk.folder.files.update({f"{ONE}.json": desk.folder.files[f"{ONE}.json.part"]})
    desk.folder.trouble["publish"] = [REFUSED]
    assert desk.deliver(batch) == []
    assert desk.batch(ONE).step == "delivered"


def test_other_bytes_under_the_final_name_are_doubt(desk: Desk) -> None:
    """The rename is refused because a stranger's file has the name: in doubt, nothing overwritten (N-14)."""
    batch = desk.held(ONE, "a")
    desk.folder.files[f"{ONE}.json"] = b"somebody's"
    desk.folder.trouble["publish"] = [REFUSED]
    assert desk.deliver(batch) == ["MB-SFTP-REFUSED"]
    assert (desk.batch(ONE).step, desk.states("a")) == ("in_doubt", ["in_doubt"])
    assert desk.folder.files[f"{ONE}.json"] == b"somebody's"


@pytest.mark.parametrize("trouble", [LOST, HostKeyChanged("other")], ids=["lost", "host key"])
def test_a_final_name_that_cannot_be_read_is_doubt(trouble: MitbatchError, desk: Desk) -> None:
    """The rename is refused and nobody can read what stands there: in doubt, and the reason is told."""
    batch = desk.held(ONE, "a")
    desk.folder.files[f"{ONE}.json"] = b"?"
    desk.folder.trouble["publish"], desk.folder.trouble["sha256_of"] = [REFUSED], [trouble]
    assert desk.deliver(batch) == [trouble.code]
    assert (desk.batch(ONE).step, desk.states("a")) == ("in_doubt", ["in_doubt"])


def test_a_rename_without_an_answer_and_nobody_to_look(desk: Desk) -> None:
    """The answer to the rename is lost and so is the look: in doubt; the next run sees the part gone: delivered (N-04)."""
    batch = desk.held(ONE, "a")
    desk.folder.trouble["publish"], desk.folder.trouble["size_of"] = [LOST], [LOST]
    assert desk.deliver(batch) == ["MB-SFTP-LOST"]
    assert (desk.batch(ONE).step, desk.states("a")) == ("in_doubt", ["in_doubt"])
    desk.folder.files.clear()
    assert desk.deliver(desk.batch(ONE)) == []
    assert (desk.batch(ONE).step, desk.states("a"), desk.folder.files) == ("delivered", ["sending"], {})


def test_a_rename_that_is_lost_each_time_while_the_part_stays(desk: Desk) -> None:
    """The part is there after every lost rename: no rename happened, the step says so, and the next run renames."""
    batch = desk.held(ONE, "a")
    desk.folder.trouble["publish"] = [LOST, LOST, LOST]
    assert desk.deliver(batch) == ["MB-SFTP-LOST"]
    assert desk.batch(ONE).step == "part_verified"
    assert desk.deliver(desk.batch(ONE)) == []
    assert desk.batch(ONE).step == "delivered"


def test_out_of_doubt_when_the_part_is_there(desk: Desk) -> None:
    """A file in doubt whose verified part is there was never renamed: it goes on, and its orders are being sent."""
    batch = desk.held(ONE, "a")
    desk.folder.trouble["publish"], desk.folder.trouble["size_of"] = [LOST], [LOST]
    desk.deliver(batch)
    assert desk.deliver(desk.batch(ONE)) == []
    assert (desk.batch(ONE).step, desk.states("a")) == ("delivered", ["sending"])


def test_an_order_under_review_keeps_the_file_from_its_name(desk: Desk) -> None:
    """A verified file with an order under review is not renamed: in doubt, the others held."""
    verified(desk, "a", "b")
    desk.move(State.REVIEW, "a")
    assert desk.deliver(desk.batch(ONE)) == ["MB-SFTP-REFUSED"]
    assert (desk.batch(ONE).step, desk.states("a", "b")) == ("in_doubt", ["review", "in_doubt"])
    assert list(desk.folder.files) == [f"{ONE}.json.part"]


def test_an_order_that_the_provider_has_proves_the_delivery(desk: Desk) -> None:
    """A verified file of which the provider has an order was delivered, whatever the folder shows."""
    verified(desk, "a", "b")
    desk.move(State.PENDING, "a", provider_order_id="k")
    assert desk.deliver(desk.batch(ONE)) == []
    assert (desk.batch(ONE).step, desk.states("a", "b")) == ("delivered", ["pending", "sending"])


@pytest.mark.parametrize("trouble", [LOST, HostKeyChanged("other")], ids=["lost", "host key"])
def test_a_part_that_cannot_be_read_proves_nothing(trouble: MitbatchError, desk: Desk) -> None:
    """The part is there and its content cannot be read: in doubt, not renamed."""
    verified(desk, "a")
    desk.folder.trouble["sha256_of"] = [trouble]
    assert desk.deliver(desk.batch(ONE)) == [trouble.code]
    assert (desk.batch(ONE).step, list(desk.folder.files)) == ("in_doubt", [f"{ONE}.json.part"])


def test_a_part_of_other_bytes_is_not_renamed(desk: Desk) -> None:
    """The part is not the one that was verified: in doubt, not renamed (N-13)."""
    verified(desk, "a")
    desk.folder.files[f"{ONE}.json.part"] += b"more"
    assert desk.deliver(desk.batch(ONE)) == ["MB-SFTP-REFUSED"]
    assert (desk.batch(ONE).step, list(desk.folder.files)) == ("in_doubt", [f"{ONE}.json.part"])


def test_an_old_token_is_renewed_in_place(desk: Desk) -> None:
    """After the token's time the part in hand gets a new one, and is renamed."""
    verified(desk, "a")
    desk.room.clock.sleep(481)
    assert desk.deliver(desk.batch(ONE)) == []
    assert desk.batch(ONE).step == "delivered"


@pytest.mark.parametrize("slow", ["write_part", "publish"])
def test_a_token_that_grows_old_within_the_run_is_renewed(slow: str, desk: Desk) -> None:
    """Eight minutes pass while the part is written, or while a rename gets no answer: never renamed with that token."""
    batch = desk.held(ONE, "a")
    desk.folder.before[slow] = lambda: desk.room.clock.sleep(481)
    desk.folder.trouble["publish"] = [LOST] if slow == "publish" else []
    assert desk.deliver(batch) == []
    assert desk.batch(ONE).step == "delivered"
    assert b"token 2" in desk.folder.files[f"{ONE}.json"]


def test_a_part_that_is_written_too_slowly_waits_for_the_next_run(desk: Desk) -> None:
    """The token has grown old again when the renewed part is whole: not renamed, told, and the next run renews it."""
    batch = desk.held(ONE, "a")
    for step in ("write_part", "rewrite_part"):
        desk.folder.before[step] = lambda: desk.room.clock.sleep(481)
    assert desk.deliver(batch) == ["MB-SFTP-LOST"]
    assert (desk.batch(ONE).step, list(desk.folder.files)) == ("part_verified", [f"{ONE}.json.part"])
    assert desk.findings.perhaps_sent == set()
    assert desk.deliver(desk.batch(ONE)) == []
    assert b"token 3" in desk.folder.files[f"{ONE}.json"]


@pytest.mark.parametrize(("at", "then"), [("publish", "token 2"), ("rewrite_part", "token 3")])
def test_a_run_that_was_overtaken_while_it_stood_still_touches_no_part(at: str, then: str, desk: Desk) -> None:
    """It may not ask for the rename again, nor record that it renews, and stops: the part is as it was, its lease lost (I11)."""
    batch = desk.held(ONE, "a")
    first = desk.room.run

    def stands_still() -> None:
        desk.room.clock.sleep(1000)
        desk.room.run = desk.room.take("second")

    desk.folder.before["publish"] = stands_still if at == "publish" else lambda: desk.room.clock.sleep(481)
    desk.folder.before[at] = stands_still
    desk.folder.trouble["publish"] = [LOST]
    with pytest.raises(LeaseLost):
        desk.deliver(batch)
    assert desk.room.run.token > first.token
    (part,) = desk.folder.files.values()
    assert b"token 1" in part
    assert desk.deliver(desk.batch(ONE)) == []
    assert then.encode() in desk.folder.files[f"{ONE}.json"]


def test_a_part_that_goes_away_while_it_is_renewed(desk: Desk) -> None:
    """The part is gone when it should be opened: the rename was carried out late, and nothing is created again."""
    verified(desk, "a")
    desk.room.clock.sleep(481)
    desk.folder.trouble["rewrite_part"] = [SftpRefused("gone", absent=True)]
    desk.folder.before["rewrite_part"] = desk.folder.files.clear
    assert desk.deliver(desk.batch(ONE)) == []
    assert (desk.batch(ONE).step, desk.folder.files) == ("delivered", {})


def test_a_part_that_may_not_be_renewed(desk: Desk) -> None:
    """The server refuses to open the part: told, and the file stays as it is."""
    verified(desk, "a")
    desk.room.clock.sleep(481)
    desk.folder.trouble["rewrite_part"] = [SftpRefused("rights")]
    assert desk.deliver(desk.batch(ONE)) == ["MB-SFTP-REFUSED"]
    assert desk.batch(ONE).step == "part_verified"


def test_a_renewal_that_breaks_off_forgets_the_old_digest(desk: Desk) -> None:
    """After the proof the old digest is forgotten: the next run renews the content again before it renames."""
    verified(desk, "a")
    desk.room.clock.sleep(481)
    real = desk.folder.rewrite_part

    def breaks_off(name: str, content: bytes, on_proof: object) -> None:
        real(name, content[:3], on_proof)  # type: ignore[arg-type]
        raise SftpLost("half of it was written")

    desk.folder.rewrite_part = breaks_off  # type: ignore[method-assign]
    assert desk.deliver(desk.batch(ONE)) == ["MB-SFTP-LOST"]
    assert (desk.batch(ONE).step, desk.batch(ONE).part_sha256) == ("part_verified", "")
    desk.folder.rewrite_part = real  # type: ignore[method-assign]
    assert desk.deliver(desk.batch(ONE)) == []
    assert len(desk.folder.files[f"{ONE}.json"]) > 3


def test_a_renewal_that_breaks_off_is_not_forgotten_when_the_clock_is_set_back(desk: Desk) -> None:
    """The part is half written: it is renewed before it is renamed, however young its token looks by the machine's clock."""
    verified(desk, "a")
    desk.room.clock.sleep(481)
    real = desk.folder.rewrite_part

    def breaks_off(name: str, content: bytes, on_proof: object) -> None:
        real(name, content[:3], on_proof)  # type: ignore[arg-type]
        raise SftpLost("half of it was written")

    desk.folder.rewrite_part = breaks_off  # type: ignore[method-assign]
    assert desk.deliver(desk.batch(ONE)) == ["MB-SFTP-LOST"]
    desk.folder.rewrite_part = real  # type: ignore[method-assign]
    desk.room.clock.sleep(-481)
    assert desk.deliver(desk.batch(ONE)) == []
    assert len(desk.folder.files[f"{ONE}.json"]) > 3


def test_an_expiry_that_has_come_near_keeps_an_order_home(desk: Desk) -> None:
    """A day before the expiry the order is withdrawn before anything of it was sent; an empty file is not written (D-14)."""
    batch = desk.held(ONE, "a")
    desk.room.clock.sleep(timedelta(days=20).total_seconds())
    desk.room.run = desk.room.take("second")
    assert desk.deliver(batch) == []
    assert (desk.batch(ONE).step, desk.states("a"), desk.folder.files) == ("empty", ["withdrawn"], {})


def test_what_keeps_its_line_is_not_numbered_again(desk: Desk) -> None:
    """The last line of an unsent file stays at home: the others keep their lines, and no event says otherwise."""
    batch = desk.held(ONE, "a", "b")
    desk.folder.trouble["write_part"] = [LOST, LOST]
    desk.deliver(batch)
    before = desk.room.submission("a").event_seq
    desk.room.sql("UPDATE submission SET expires_at = '2026-11-23T07:00:00Z' WHERE order_id = 'b'")
    assert desk.deliver(desk.batch(ONE)) == []
    assert desk.states("a", "b") == ["sending", "withdrawn"]
    assert desk.room.submission("a").event_seq == before


def test_an_order_that_went_on_in_another_way_is_left_out_of_the_file(desk: Desk) -> None:
    """The provider has an order of an unsent file: it has no line in it any more, its row is told nothing, the others go."""
    batch = desk.held(ONE, "first", "second")
    desk.folder.trouble["write_part"] = [LOST, LOST]
    desk.deliver(batch)
    desk.move(State.PENDING, "first", provider_order_id="k")
    before = desk.room.submission("first")
    assert desk.deliver(desk.batch(ONE)) == []
    order = desk.room.submission("first")
    assert (order.state, order.sequence_number, order.row_version) == (State.PENDING, 0, before.row_version)
    assert desk.room.submission("second").sequence_number == 1
    (content,) = desk.folder.files.values()
    assert (b"first" in content, b"second" in content) == (False, True)
