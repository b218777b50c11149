"""Bugs in what is done with orders of customers who were present: sent unasked, ended too early, with what only MIT has."""

from tests.world.planted.bug import Fails, Happens, Planted
from tests.world.schedule import Deed, Schedule

_ON = (Deed("settings", 0, 0, "switches.cit_website=true"), Deed("settings", 0, 0, "switches.cit_call_center=true"))
_CIT = "tests/night/test_cit.py"


def _comes(trait: str, *, is_on: bool = True) -> Happens:
    """A schedule in which the first order comes of a customer who was present."""
    return Happens(Schedule(1, 4, (*(_ON if is_on else ()), Deed("row", 0, 0, trait))).as_json())


PRESENT = (
    Planted(
        "cit-goes-although-switched-off",
        "website and call-centre orders are handed over when recurring ones are, whatever their own switches say",
        "batch/switching.py",
        "        name = KINDS[origin]\n",
        '        name = {origin: "mit"}[origin]\n',
        "I25",
        _comes("website approved", is_on=False),
    ),
    Planted(
        "one-switch-for-both-kinds-of-cit",
        "the switch of website orders decides about call-centre orders too",
        "batch/switching.py",
        'Origin.CALL_CENTER: "cit_call_center"',
        'Origin.CALL_CENTER: "cit_website"',
        "I25",
        Fails(f"{_CIT}::test_every_combination[api-False-True-False]"),
    ),
    Planted(
        "cit-is-called-after-its-switch-was-turned-off",
        "right before the call only the switch of recurring orders is looked at",
        "batch/intent.py",
        "    off = switches.refusal(submission.site, Origin(submission.origin))\n",
        '    off = switches.refusal(submission.site, Origin("recurring"))\n',
        "I25",
        Fails(f"{_CIT}::test_switched_off_between_claim_and_call[website]"),
    ),
    Planted(
        "challenge-is-taken-for-declined",
        "an order whose customer is asked to confirm is released as refused",
        "batch/evaluate_answers.py",
        "    if reply.verdict is Verdict.REFUSED:\n        detail",
        '    if reply.verdict is Verdict.REFUSED or reply.word == "CHALLENGE":\n        detail',
        "I14",
        _comes("website challenged"),
    ),
    Planted(
        "challenge-is-told-for-a-moment",
        "the item about a challenge is closed by the next read, although nobody has confirmed",
        "batch/applying.py",
        "    if moved.mit_mode == CIT_MODE and moved.state is not State.PENDING:\n",
        "    if moved.mit_mode == CIT_MODE:\n",
        "I13",
        Fails(f"{_CIT}::test_a_challenge_is_held_and_told_until_it_ends"),
    ),
    Planted(
        "expiry-is-sent-for-cit",
        "an expiry is sent for an order that nobody retries",
        "batch/build.py",
        '        expiryDateUtc=expires_at if recurring else "",\n',
        "        expiryDateUtc=expires_at,\n",
        "I17",
        Fails("tests/pure/test_build.py::test_a_customer_who_was_present_is_no_mit[website-ecommerce]"),
    ),
    Planted(
        "subscription-is-sent-for-cit",
        "a call-centre order is called with a subscription",
        "batch/build.py",
        "        subscription=_subscription(order) if recurring else {},\n        transaction=_transaction(order, site),\n"
        "        payer=_payer(order),\n        paymentMethod=_card(order) |",
        "        subscription=_subscription(order),\n        transaction=_transaction(order, site),\n"
        "        payer=_payer(order),\n        paymentMethod=_card(order) |",
        "I17",
        _comes("call centre approved"),
    ),
    Planted(
        "cit-is-said-to-be-mit",
        "a website order is handed over as a merchant-initiated one",
        "batch/build.py",
        "        isMIT=recurring,\n        isRecurring=recurring,\n        expiryDateUtc",
        "        isMIT=True,\n        isRecurring=recurring,\n        expiryDateUtc",
        "I17",
        _comes("website approved"),
    ),
    Planted(
        "cit-travels-in-a-file",
        "a website order is put into a batch file, where the provider takes none",
        "batch/choosing.py",
        "order.origin is not Origin.RECURRING",
        "order.origin is Origin.CALL_CENTER",
        "I17",
        _comes("website approved"),
    ),
    Planted(
        "cit-is-called-expired",
        "an order that the provider declined is called expired once our own date has passed",
        "batch/applying.py",
        " and not is_cit,  # none was sent for it, so it cannot have passed\n",
        ",\n",
        "I7",
        Fails(f"{_CIT}::test_no_expiry_can_have_passed"),
    ),
)
