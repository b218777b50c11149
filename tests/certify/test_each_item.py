"""Every item of the checklist can fail: something is broken while it is shown, and exactly that item fails."""

from pathlib import Path

import pytest

from schemas.certification import CHECKLIST, Proof, Verdict
from tests.certify.merchant import Broken, Merchant, Spoil, fault, row

RUN = [item for item in CHECKLIST if item.proof is Proof.RUN]
LOGIN = fault("token_refused", times=1)
NO_TOKEN = fault("malformed_json", "tokenize")
NO_COPY = fault("server_error_before", "transmit")
REFUSED = fault("order_invalid", "evaluate")
NOT_FOUND = fault("bad_gateway", "orders")
NO_END = fault("unknown_status", "order", times=9999)
OTHER_ID = row("provider_order_id = 'another'")

BREAKS: dict[str, Broken] = {
    **{f"{group}.token": LOGIN for group in ("cit.standard", "cit.advanced", "mit.api", "mit.sftp")},
    **{f"{group}.tokenize": NO_TOKEN for group in ("cit.standard", "cit.advanced", "mit.api", "mit.sftp")},
    **{f"{group}.transmit": NO_COPY for group in ("cit.standard", "cit.advanced", "mit.api")},
    **{f"{group}.evaluate": REFUSED for group in ("cit.standard", "cit.advanced", "mit.api")},
    **{f"{group}.order_id": NOT_FOUND for group in ("cit.standard", "cit.advanced", "mit.api")},
    **{f"{group}.our_status": OTHER_ID for group in ("cit.standard", "cit.advanced", "mit.api", "mit.sftp")},
    "cit.advanced.outcome": NO_END,
    "mit.api.success_shown": row("status = 'pending'"),
    "mit.sftp.transmit": fault("refuse_file"),
    "mit.sftp.evaluate": fault("refuse_row"),
    "mit.sftp.pending_shown": row("status = 'declined'", "status = 'pending'"),
    "mit.sftp.rebills_stopped": row(
        "sense_key = hold_reference, hold_reference = NULL, status = 'declined'",
        "hold_reference = sense_key, sense_key = NULL, status = 'pending', retry_state = NULL",
    ),
    "mit.sftp.outcome": NO_END,
    "refund.answer": fault("forbidden", "refund"),
    "refund.our_status": row("refunded_minor = 1", "refunded_minor = 1999"),
    "refund.reconciliation": row("amount_minor = 2000", "amount_minor = 1999"),
    "refund.shown_at_provider": fault("not_found", "order"),
}
"""What is broken while an item is shown, where that can be done from outside."""


def _group(item: str) -> str:
    return item.partition(".")[0] if item.startswith(("refund", "feature")) else item.rpartition(".")[0]


@pytest.mark.parametrize("item", sorted(BREAKS))
def test_a_broken_item_fails_alone(item: str, merchant: Merchant) -> None:
    """What only this item is about is broken: it fails, and no other item of its group does."""
    assert merchant.failed_when(item, BREAKS[item], _group(item)) == [item]


def _spoil(item: str) -> Spoil:
    def shown_as(order_status: str, other: str, **more: object) -> Spoil:
        def spoil(_statement: str, values: dict[str, object]) -> None:
            if values.get("v_status") == order_status:
                values.update({"v_status": other, **more})

        return spoil

    def never_off(_statement: str, values: dict[str, object]) -> None:
        if values.get("kind") == "switch":
            values["to_state"] = "on"

    return {
        "feature.reconciliation": shown_as("pending", "review"),
        "feature.retries_stopped": shown_as("pending", "declined", v_reference=None),
        "feature.channels_switched": never_off,
    }[item]


@pytest.mark.parametrize("item", ["feature.reconciliation", "feature.retries_stopped", "feature.channels_switched"])
def test_a_feature_whose_writes_are_spoilt_fails_alone(item: str, merchant: Merchant) -> None:
    """What is written is changed by somebody else while this feature is shown: it fails, and the other features do not."""
    spoil, is_on = _spoil(item), [False]
    merchant.spoil(lambda statement, values: spoil(statement, values) if is_on[0] else None)
    broken = Broken(lambda _: is_on.__setitem__(0, True), lambda _: is_on.__setitem__(0, False))

    assert merchant.failed_when(item, broken, "feature") == [item]


def test_two_sites_with_one_id_fail_the_sites_alone(merchant: Merchant) -> None:
    """Two sites that share a site id cannot be told apart."""
    account = merchant.settings.certify.managed
    assert account is not None
    same = account.model_copy(update={"sites": dict.fromkeys(account.sites, next(iter(account.sites.values())))})
    certify = merchant.settings.certify.model_copy(update={"managed": same})
    merchant.settings = merchant.settings.model_copy(update={"certify": certify})

    assert merchant.failed("feature") == ["feature.sites"]


def test_call_centres_that_travel_as_websites_fail_alone(merchant: Merchant) -> None:
    """A profile that gives both kinds of order the same word does not tell them apart."""
    profile = Path("schemas/profiles/flexfactor.toml").read_text(encoding="utf-8")
    own = merchant.folder / "profile.toml"
    own.write_text(profile.replace('call_center = "call_center"', 'call_center = "ecommerce"'), encoding="utf-8")
    provider = merchant.settings.provider.model_copy(update={"profile": str(own)})
    merchant.settings = merchant.settings.model_copy(update={"provider": provider})

    assert merchant.failed("feature") == ["feature.call_center"]


BY_THEMSELVES = {f"feature.{word}" for word in ("reconciliation", "retries_stopped", "channels_switched", "sites", "call_center")}


def test_every_item_has_its_break() -> None:
    """No item that a run shows is left out here."""
    assert {item.id for item in RUN} == set(BREAKS) | BY_THEMSELVES


def test_all_groups_pass_and_pages_wait_for_a_person(merchant: Merchant) -> None:
    """Against a sandbox that behaves every run item passes; what only a page shows is open, never passed."""
    wanted = {item.id: Verdict.PASSED if item.proof is Proof.RUN else Verdict.OPEN for item in CHECKLIST}

    assert merchant.verdicts() == {item: verdict for item, verdict in wanted.items() if not item.startswith("production.")}
