"""A round as a whole: what it refuses, what it leaves alone, what it keeps, and what it says without an account."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from jobs.certify.recording import kept_text
from jobs.certify.round import chosen
from schemas.certification import CHECKLIST, Verdict
from schemas.errors import CertifyOnlyInSandbox, UsageRefused
from tests.certify.merchant import Merchant, only


def test_production_is_refused(merchant: Merchant) -> None:
    """With settings of production nothing is made at all."""
    merchant.settings = merchant.settings.model_copy(update={"environment": "production"})

    with pytest.raises(CertifyOnlyInSandbox):
        merchant.certify()
    assert merchant.tables() == ["orders"]
    assert merchant.sandbox.journal() == []


def test_the_merchants_own_orders_and_ledger_are_left_alone(merchant: Merchant) -> None:
    """The merchant's own declined order is not sent, its row stays as it is, and its ledger is not made."""
    merchant.certify("mit.api", "mit.sftp")

    assert merchant.tables() == ["orders"]
    engine = create_engine(f"sqlite:///{merchant.folder / 'orders.db'}")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT order_id, status, hold_reference FROM orders")).all() == [
            ("their-own", "declined", None)
        ]
    engine.dispose()
    assert [path.name for path in merchant.settings.data_dir.iterdir()] == ["certification"]
    assert all(str(row["order_id"]).startswith("cert-") for row in merchant.sandbox.accepted("evaluate"))


def test_without_an_account_a_group_is_not_applicable(merchant: Merchant) -> None:
    """A group whose account is missing is never passed; the others are shown."""
    certify = merchant.settings.certify.model_copy(update={"managed": None})
    merchant.settings = merchant.settings.model_copy(update={"certify": certify})
    found = merchant.certify("mit.sftp", "mit.api")

    assert {each.verdict for each in found.shown if each.item.startswith("mit.sftp")} == {Verdict.NOT_APPLICABLE}
    assert {each.verdict for each in found.shown if each.item.startswith("mit.api")} == {Verdict.PASSED}
    assert "[certify.managed] is missing" in only(found, "mit.sftp.token").seen


def test_groups_find_another_account(merchant: Merchant) -> None:
    """With the managed account alone, what needs no sync account is shown by it."""
    certify = merchant.settings.certify.model_copy(update={"sync": None})
    merchant.settings = merchant.settings.model_copy(update={"certify": certify})

    assert set(merchant.verdicts("refund", "cit.standard.evaluate").values()) == {Verdict.PASSED}


def test_features_on_the_sync_account(merchant: Merchant) -> None:
    """The essential features are shown by calls alone as well."""
    certify = merchant.settings.certify.model_copy(update={"managed": None})
    merchant.settings = merchant.settings.model_copy(update={"certify": certify})

    assert set(merchant.verdicts("feature").values()) == {Verdict.PASSED}


def test_without_an_admin_login_a_scratch_file_is_used(merchant: Merchant) -> None:
    """Nothing is made in the order system then, and the round says where its orders lay."""
    orders = merchant.settings.orders.model_copy(update={"admin_url": ""})
    merchant.settings = merchant.settings.model_copy(update={"orders": orders})
    found = merchant.certify("mit.sftp")

    assert {each.verdict for each in found.shown} == {Verdict.PASSED}
    assert "because orders.admin_url is not set" in found.orders["managed"]
    assert list(found.folder.rglob("mitbatch_cert_*")) == []


def test_only_named_fields_are_kept() -> None:
    """A body keeps the fields on the list; any other is left out, and a card number or address is never text."""
    body = (
        b'{"orderId": "4000002760003184", "status": "APPROVED", "accessToken": "eyJx", "errors": [{"item1": "a@b.c"}], "id": "7"}'
    )

    kept = kept_text(body, frozenset({"orderid", "status", "errors", "item1"}))
    assert kept == '{"orderId": "(left out)", "status": "APPROVED", "errors": [{"item1": "(left out)"}], "id": "7"}'
    assert kept_text(b"<html>4000002760003184", frozenset()) == "(22 bytes that are no JSON)"


def test_later_rounds_pass_as_well(merchant: Merchant) -> None:
    """Orders of earlier rounds, which this round's ledger does not know, stand in the provider's list and disturb nothing."""
    for _ in range(2):
        assert set(merchant.verdicts("refund", "feature.reconciliation").values()) == {Verdict.PASSED}


def test_ids_and_groups_choose_items() -> None:
    """An id names itself, a group its items, a larger group all of its groups; none name all but the settings' own."""
    assert [item.id for item in chosen(["mit.sftp.token"])] == ["mit.sftp.token"]
    assert {item.group for item in chosen(["cit"])} == {"cit.standard", "cit.advanced"}
    assert {item.id for item in CHECKLIST} - {item.id for item in chosen([])} == {
        item.id for item in CHECKLIST if item.group == "production"
    }
    with pytest.raises(UsageRefused, match="Did you mean mit\\.sftp"):
        chosen(["mit.sfpt"])


def test_an_item_that_is_not_reached_is_not_passed(merchant: Merchant) -> None:
    """What comes after a failed item says so."""
    merchant.sandbox.faults.switch_on("malformed_json", times=99, where="tokenize")
    found = merchant.certify("mit.sftp")

    assert only(found, "mit.sftp.tokenize").verdict is Verdict.FAILED
    outcome = only(found, "mit.sftp.outcome")
    assert (outcome.verdict, outcome.seen) == (Verdict.NOT_APPLICABLE, "Not reached, because mit.sftp.evaluate was not shown.")


def test_wrong_keys_fail_the_token(merchant: Merchant, tmp_path: Path) -> None:
    """Keys that are not the account's fail the token with a sentence that says what to check."""
    wrong = tmp_path / "wrong_key"
    wrong.write_text("not-the-key", encoding="utf-8")
    wrong.chmod(0o600)
    account = merchant.settings.certify.sync
    assert account is not None
    certify = merchant.settings.certify.model_copy(update={"sync": account.model_copy(update={"app_key_file": wrong})})
    merchant.settings = merchant.settings.model_copy(update={"certify": certify})
    shown = only(merchant.certify("mit.api"), "mit.api.token")

    assert shown.verdict is Verdict.FAILED
    assert "refused our app key" in shown.seen
    assert shown.change
