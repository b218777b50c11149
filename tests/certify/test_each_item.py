"""Every item of the checklist can fail: something is broken while it is shown, and exactly that item fails.

It takes long (each breaks one round of its group); `test_one_of_each_group.py` is in every run.
"""

from pathlib import Path

import pytest

from tests.certify.breaks import BREAKS, group_of, spoil_of
from tests.certify.merchant import Broken, Merchant, only


@pytest.mark.parametrize("item", sorted(BREAKS))
def test_a_broken_item_fails_alone(item: str, merchant: Merchant) -> None:
    """What only this item is about is broken: it fails and says why and what to change, and no other item of its group does."""
    assert merchant.failed_when(item, BREAKS[item], group_of(item)) == [item]
    shown = only(merchant.rounds[-1], item)
    assert (bool(shown.seen), bool(shown.change)) == (True, True)


@pytest.mark.parametrize("item", ["feature.reconciliation", "feature.retries_stopped", "feature.channels_switched"])
def test_a_feature_whose_writes_are_spoilt_fails_alone(item: str, merchant: Merchant) -> None:
    """What is written is changed by somebody else while this feature is shown: it fails, and the other features do not."""
    spoil, is_on = spoil_of(item), [False]
    merchant.spoil(lambda statement, values: spoil(statement, values) if is_on[0] else None)
    broken = Broken(lambda _: is_on.__setitem__(0, True), lambda _: is_on.__setitem__(0, False))

    assert merchant.failed_when(item, broken, "feature") == [item]


def test_call_centres_that_travel_as_websites_fail_alone(merchant: Merchant) -> None:
    """A profile that gives both kinds of order the same word does not tell them apart."""
    profile = Path("schemas/profiles/flexfactor.toml").read_text(encoding="utf-8")
    own = merchant.folder / "profile.toml"
    own.write_text(profile.replace('call_center = "call_center"', 'call_center = "ecommerce"'), encoding="utf-8")
    provider = merchant.settings.provider.model_copy(update={"profile": str(own)})
    merchant.settings = merchant.settings.model_copy(update={"provider": provider})

    assert merchant.failed("feature") == ["feature.call_center"]
