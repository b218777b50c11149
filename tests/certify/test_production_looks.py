"""What go-live looks at with the doctor's own eyes: every look that an item waits for is one that the doctor makes."""

from dataclasses import replace

import httpx

from jobs.doctor.finding import Group, Mark
from jobs.golive.sides import look
from tests.certify.merchant import Merchant
from tests.certify.two_environments import LOOKS, TwoEnvironments


def test_the_doctor_makes_every_look_that_an_item_waits_for(merchant: Merchant) -> None:
    """At a provider that lets us in, each is there and well; without an address of ours nobody can answer for the webhook."""
    seen = {(group, finding.look): finding.mark for group, finding in look(merchant.settings, merchant.config, merchant.around)}

    assert {each: seen.get(each) for each in LOOKS} == dict.fromkeys(LOOKS, Mark.OK)
    settings = merchant.settings
    webhook = settings.webhook.model_copy(update={"public_host": "127.0.0.1:9"})
    seen = {
        (group, finding.look): finding.mark
        for group, finding in look(settings.model_copy(update={"webhook": webhook}), merchant.config, merchant.around)
    }
    assert (seen[Group.WEBHOOK, "key"], seen[Group.WEBHOOK, "answer"]) == (Mark.OK, Mark.SKIP)


def test_a_provider_that_refuses_is_seen(merchant: Merchant) -> None:
    """A token that is refused is no look that is well."""
    merchant.sandbox.faults.switch_on("token_refused")
    seen = {(group, finding.look): finding.mark for group, finding in look(merchant.settings, merchant.config, merchant.around)}

    assert seen[Group.API, "token"] is Mark.FAIL


def test_nothing_of_the_sandbox_is_touched_by_a_look(both: TwoEnvironments) -> None:
    """Looking makes no ledger and no folder, also where nobody answers."""

    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody is there", request=request)

    around = replace(both.around, http_transport=lambda: httpx.MockTransport(nobody))
    found = look(both.settings.model_copy(update={"sftp": None}), both.sandbox, around)

    assert (Group.API, Mark.FAIL) in [(group, finding.mark) for group, finding in found]

    assert not both.settings.data_dir.exists()
