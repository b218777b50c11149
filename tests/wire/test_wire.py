"""A few nights on real lines, and what a product without one of its checks would be seen to do there."""

import httpx
import pytest

from batch import sftp
from batch.api_line import Call, Called
from batch.api_sends import ApiSends
from batch.delivery import Delivery
from batch.ledger import Batch
from schemas.errors import SftpLost
from tests.wire.campaign import cases
from tests.wire.cases import HTTPS_CASES, SFTP_CASES, Case
from tests.wire.nights import play
from tests.wire.relay import KINDS
from tests.wire.stages import HTTPS_STAGES, SFTP_STAGES

FEW = (
    Case("N-02", "write", "asyncssh", "cut"),
    Case("N-11", "verify", "OpenSSH", "reset"),
    Case("N-04", "rename", "OpenSSH", "swallow"),
    Case("N-11", "collect", "asyncssh", "half"),
    Case("N-12", "write", "asyncssh", "", "short_write"),
    Case("H-18", "token", "HTTPS", "", "expired_certificate"),
    Case("H-06", "order", "HTTPS", "cut"),
    Case("H-06", "call", "HTTPS", "cut"),
    Case("H-06", "call", "HTTPS", "swallow"),
)


@pytest.mark.parametrize("case", FEW, ids=lambda case: case.name)
def test_a_fault_on_a_real_line_costs_nothing(case: Case) -> None:
    """After a night under the fault and quiet ones each order was accepted once, was held, and has its end."""
    assert play(case, 7) == []


def test_every_kind_meets_every_stage() -> None:
    """The relay does everything at every stage with both SSH servers and with HTTPS; all 18 faults of lines are there."""
    assert {(case.server, case.stage, case.kind) for case in SFTP_CASES} >= {
        (server, stage, kind) for server in ("asyncssh", "OpenSSH") for stage in SFTP_STAGES for kind in KINDS
    }
    assert {(case.stage, case.kind) for case in HTTPS_CASES} >= {(stage, kind) for stage in HTTPS_STAGES for kind in KINDS}
    assert {case.fault_id for case in SFTP_CASES} == {f"N-{number:02}" for number in range(1, 19)}
    chosen = cases(150, 1)
    assert sum(case.server == "HTTPS" for case, _ in chosen) == 60
    assert chosen == cases(150, 1) != cases(150, 2)


def test_a_product_that_believes_every_size_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the check of a part's size half a file is published, and its orders never get where they belong."""
    monkeypatch.setattr(sftp, "_is_whole", lambda *_: True)
    found = play(Case("N-12", "write", "asyncssh", "", "short_write"), 7)

    assert [words for words in found if words.startswith(("I2", "I13"))]


def test_a_product_that_sends_again_blindly_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost answer to the rename that is met with another file is seen as two acceptances."""

    def blindly(self: Delivery, batch: Batch) -> Batch:
        folder, part = self._equipment.folder, self._part(batch)
        try:
            folder.publish(part, batch.file_name)
        except SftpLost:
            folder.write_part(part, self._content(batch)[0])
            folder.publish(part, batch.file_name.replace(batch.batch_id, "f" * 12))
        return self._delivered(batch, "sent")

    monkeypatch.setattr(Delivery, "_publish", blindly)
    found = play(Case("N-04", "rename", "asyncssh", "", "drop_after_rename"), 7)

    assert [words for words in found if words.startswith("I2")]


def test_a_product_that_calls_again_blindly_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost answer to a call that is met with the same call is seen as two acceptances."""
    posts = ApiSends._post

    async def blindly(self: ApiSends, url: httpx.URL, call: Call, token: str) -> Called:
        called = await posts(self, url, call, token)
        return await posts(self, url, call, token) if called.tells_nothing else called

    monkeypatch.setattr(ApiSends, "_post", blindly)
    found = play(Case("H-06", "call", "HTTPS", "swallow"), 7)

    assert [words for words in found if words.startswith("I2")]
