"""One item of each group fails alone when what it is about is broken; `test_each_item.py` does so with every one, at length."""

from pathlib import Path

import pytest

from schemas.certification import CHECKLIST, Proof
from tests.certify.breaks import BREAKS, BY_THEMSELVES, group_of
from tests.certify.merchant import Merchant, only, row

SOME = ("cit.standard.our_status", "cit.advanced.evaluate", "mit.api.token", "mit.sftp.rebills_stopped", "refund.our_status")


@pytest.mark.parametrize("item", SOME)
def test_a_broken_item_fails_alone(item: str, merchant: Merchant) -> None:
    """What only this item is about is broken: it fails and says why and what to change, and no other item of its group does."""
    assert merchant.failed_when(item, BREAKS[item], group_of(item)) == [item]
    shown = only(merchant.rounds[-1], item)
    assert (bool(shown.seen), bool(shown.change)) == (True, True)


def test_two_sites_with_one_id_fail_the_sites_alone(merchant: Merchant) -> None:
    """Two sites that share a site id cannot be told apart."""
    account = merchant.settings.certify.managed
    assert account is not None
    same = account.model_copy(update={"sites": dict.fromkeys(account.sites, next(iter(account.sites.values())))})
    merchant.set("certify", managed=same)

    assert merchant.failed("feature") == ["feature.sites"]


def test_every_item_has_its_break() -> None:
    """No item that a run shows is left out, there or here."""
    assert {item.id for item in CHECKLIST if item.proof is Proof.RUN} == set(BREAKS) | BY_THEMSELVES


def test_a_challenge_is_not_what_the_advanced_integration_wants(merchant: Merchant) -> None:
    """CHALLENGE answers an order whose page has no widget yet: the box is not ticked, and the evidence says which word it was."""
    profile = Path("schemas/profiles/flexfactor.toml").read_text(encoding="utf-8")
    own = merchant.folder / "profile.toml"
    swapped = profile.replace('["4000002760003184", "4111111111111111"', '["4111111111111111", "4000002760003184"')
    assert swapped != profile
    own.write_text(swapped, encoding="utf-8")
    merchant.set("provider", profile=str(own))
    merchant.set("certify", sense_key="of-a-page-without-it")
    challenged = row("phone = '+99.2001a/+99.2001b'")
    assert merchant.failed_when("cit.advanced.evaluate", challenged, "cit.advanced") == ["cit.advanced.evaluate"]

    shown = only(merchant.certify("cit.advanced"), "cit.advanced.evaluate")
    assert "was answered with APPROVED" in shown.seen
    assert "certify.sense_key" in shown.change
