"""The group mit.sftp: shown as a whole against the sandbox, and each item fails when exactly its own thing is broken."""

from schemas.certification import CHECKLIST, Verdict
from tests.certify.merchant import Merchant, only

ITEMS = [item.id for item in CHECKLIST if item.group == "mit.sftp"]


def test_every_item_is_shown(merchant: Merchant) -> None:
    """The whole group passes, with its orders, calls and files as evidence, and leaves no table behind."""
    found = merchant.certify("mit.sftp")

    assert [(each.item, each.verdict) for each in found.shown] == [(item, Verdict.PASSED) for item in ITEMS]
    evaluate = only(found, "mit.sftp.evaluate").evidence
    assert [file.direction for file in evaluate.files] == ["sent", "received"]
    assert evaluate.orders[0].startswith(f"cert-{found.run}-")
    assert merchant.tables() == ["orders"]
