"""The evidence pack: what it holds, what it may never hold, and how it compares with the packs before."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from jobs.certify.compared import newest
from jobs.certify.pack import Past, exit_code, leaks, pack
from schemas.certification import CHECKLIST, Evidence, Exchange, Proof, Shown, Verdict
from schemas.errors import ExitCode
from tests.certify.packs import MOMENT, SHA, everything, first_and_second, head, shown
from tests.commands.json_schema import misfits, schema_named

RUN = [item.id for item in CHECKLIST if item.proof is not Proof.SETTINGS]


def made(shown: list[Shown], past: Past | None = None) -> dict[str, Any]:
    """A pack of these, through JSON, as it will be read again."""
    found: dict[str, Any] = json.loads(json.dumps(pack(head(), shown, past or Past({}))))
    return found


def test_a_pack_fits_its_schema() -> None:
    """A whole pack, and one with every kind of change, keep to the schema that is shipped."""
    for found in (made(everything()), json.loads(json.dumps(first_and_second()))):
        assert list(misfits(found, schema_named("certification"))) == []


def test_a_pack_has_every_item_once_in_the_order_of_the_checklist() -> None:
    """Whatever order the groups ran in, and never an item twice."""
    found = made(list(reversed(everything())))

    assert [item["id"] for item in found["items"]] == RUN
    assert sum(found["counts"].values()) == len(RUN)
    assert found["not_run"] == []
    with pytest.raises(ValueError, match="twice"):
        made([*everything(), everything()[0]])


def test_what_was_not_run_is_said() -> None:
    """A run of one group names the others as not run, with the command that runs them, and claims nothing of them."""
    found = made([each for each in everything() if each.item.startswith("mit.sftp.")])

    assert set(found["not_run"]) == {each for each in RUN if not each.startswith("mit.sftp.")}
    assert "mitbatch certify refund" in [each["command"] for each in found["to_do"]]


@pytest.mark.parametrize("item", RUN)
def test_every_item_can_fail_in_a_pack(item: str) -> None:
    """One failed item is counted, says why and what to change, comes first in what is to be done, and decides the exit code."""
    found = made(everything(**{item.replace(".", "__"): Verdict.FAILED}))
    (failed,) = [each for each in found["items"] if each["verdict"] == "failed"]

    assert (failed["id"], found["counts"]["failed"], found["exit_code"]) == (item, 1, 30)
    assert failed["seen"]
    assert failed["change"] == found["to_do"][0]["what"]
    assert found["to_do"][0]["command"] == f"mitbatch certify {item}"


def test_an_attested_item_is_never_called_passed() -> None:
    """A run that claims to have seen what only a page of the merchant can show leaves it open all the same."""
    found = made([shown("cit.advanced.widget", Verdict.PASSED), shown("cit.standard.success_screen", Verdict.ATTESTED)])

    assert {item["id"]: item["verdict"] for item in found["items"]} == {
        "cit.standard.success_screen": "open",
        "cit.advanced.widget": "open",
    }


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([Verdict.PASSED, Verdict.ATTESTED, Verdict.NOT_APPLICABLE], ExitCode.CLEAN),
        ([Verdict.PASSED, Verdict.OPEN], ExitCode.NEEDS_PERSON),
        ([Verdict.OPEN, Verdict.FAILED], ExitCode.REFUSED),
    ],
)
def test_the_exit_code_is_of_the_worst_verdict(verdicts: list[Verdict], code: ExitCode) -> None:
    """A failure over an open item over a clean run."""
    assert exit_code(verdicts) is code


def test_a_second_pack_says_what_changed() -> None:
    """Worse first, then better; what stands as before is not named."""
    found = first_and_second()

    assert [(each["item"], each["was"], each["now"], each["direction"]) for each in found["changes"]] == [
        ("mit.sftp.transmit", "passed", "failed", "worse"),
        ("refund.answer", "failed", "passed", "better"),
    ]
    assert found["compared_with"] == "2026-11-28T02:00:48Z"


def test_an_item_is_compared_with_its_own_newest_verdict() -> None:
    """A run of one group between two whole ones is the one that its items are compared with; an item never run is new."""
    whole = made(everything())
    part = made([shown("refund.answer", Verdict.FAILED)])
    known = newest([whole, part])

    assert (known["refund.answer"].verdict, known["mit.sftp.token"].verdict) == (Verdict.FAILED, Verdict.PASSED)
    again = made([shown("refund.answer", Verdict.FAILED), shown("mit.api.token", Verdict.PASSED)], Past(newest([part]), "then"))
    assert [(each["item"], each["direction"]) for each in again["changes"]] == [("mit.api.token", "new")]


LEAKING = {
    "a card number": '{"number": "4111 1111 1111 1111"}',
    "a secret": "app_secret=a-secret-of-the-sandbox",
    "a payment token": "paymentToken=tok_0a1b2c3d4e5f",
    "a bearer token": "Authorization: Bearer abcdef0123456789",
    "a JSON web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
}
SECRETS = ("a-secret-of-the-sandbox", "tok_0a1b2c3d4e5f", "")


@pytest.mark.parametrize("text", LEAKING.values(), ids=LEAKING)
@pytest.mark.parametrize("where", ["request", "path", "seen", "order", "before", "key"])
def test_what_may_not_be_kept_is_found_anywhere(text: str, where: str) -> None:
    """Card numbers, secrets and tokens are found in every text of a pack, and in the names beside them."""
    call = Exchange(MOMENT, "POST", text if where == "path" else "/v1/x", text if where == "request" else "", 200, "")
    evidence = Evidence(
        orders=(text if where == "order" else "cert-1-1",),
        before={text: "x"} if where == "key" else {"order": text if where == "before" else "x"},
        exchanges=(call,),
    )
    item = Shown("refund.answer", Verdict.PASSED, text if where == "seen" else "Seen.", evidence=evidence)

    assert list(leaks(made([item]), SECRETS)) != []


def test_a_clean_pack_holds_nothing_of_the_kind() -> None:
    """Digests, guids and amounts are no card numbers, also where a digest's digits would pass for one."""
    evidence = everything()[0].evidence
    digits = replace(evidence.files[0], sha256=f"a4111111111111111{SHA[17:]}")
    item = Shown("refund.answer", Verdict.PASSED, "Seen.", at=MOMENT, evidence=replace(evidence, files=(digits,)))

    assert list(leaks(made([*everything(refund__answer=Verdict.PASSED)]), SECRETS)) == []
    assert list(leaks(made([item]), SECRETS)) == []


def test_a_pack_is_a_pure_function() -> None:
    """The same run gives the same object, and a later run another."""
    assert made(everything()) == made(everything())
    assert pack(head(at=MOMENT + timedelta(days=1)), everything(), Past({})) != pack(head(), everything(), Past({}))
