"""Orders of customers who were present: which are let go, by which way, and what each answer does to them."""

import itertools
from collections import Counter

import pytest

from schemas.errors import ExitCode
from tests.night.house import ONHOLD, House, order

APPROVED, DECLINED, CHALLENGED, CHALLENGE_FAILED, CAPTURE = (
    f"0b0d6a44-6a55-4b8e-9f5e-5d21c8e7{ending}" for ending in ("b001", "b002", "b003", "b004", "b005")
)
"""Payment tokens whose ending decides what the sandbox does with a CIT."""

SWITCH_OF = {"recurring": "mit", "website": "cit_website", "call_center": "cit_call_center"}
SITES = {"acme-us": True, "acme-eu": False}
COMBINATIONS = list(itertools.product(("sftp", "api"), *[(False, True)] * 3))


def cit(order_id: str = "000471", token: str = APPROVED, origin: str = "website", **changed: object) -> dict[str, object]:
    """A declined charge of a customer who was present."""
    nothing = {"subscription_id": None, "subscription_interval": None, "payment_number": None}
    return order(order_id, origin=origin, payment_token=token, **nothing) | changed


@pytest.fixture
def shop(house: House) -> House:
    """A house that lets both kinds of CIT go."""
    house.set(switches={"cit_website": True, "cit_call_center": True})
    return house


@pytest.mark.parametrize(("channel", "mit", "website", "call_center"), COMBINATIONS)
def test_every_combination(house: House, channel: str, mit: bool, website: bool, call_center: bool) -> None:
    """Each kind goes exactly when its own switch and its own site are on: a CIT by a call always, an MIT by its channel."""
    on = {"mit": mit, "cit_website": website, "cit_call_center": call_center}
    house.set(switches=on, channels={"evaluate": channel})
    for site, is_enabled in SITES.items():
        house.set_site(site, enabled=is_enabled)
        for origin in SWITCH_OF:
            made = order if origin == "recurring" else cit
            house.add(made(f"{origin} {site}", origin=origin, site=site, payment_token=ONHOLD) | {"currency": "USD"})
    house.run()

    going = {f"{origin} acme-us": origin for origin, switch in SWITCH_OF.items() if on[switch]}
    travelled = {str(row["order_id"]): row["channel"] for row in house.sandbox.accepted("evaluate")}
    assert travelled == {name: channel if origin == "recurring" else "api" for name, origin in going.items()}
    assert house.accepted() == Counter(list(travelled))
    ways = {str(row["order_id"]): row["way"] for row in house.sandbox.orders()}
    assert ways == {name: "managed" if origin == "recurring" else "cit" for name, origin in going.items()}
    for origin, switch in SWITCH_OF.items():
        for site, is_enabled in SITES.items():
            reason = "selected" if is_enabled and on[switch] else "site_disabled" if not is_enabled else "switched_off"
            assert house.reasons()[f"{origin} {site}"][1] == reason
            assert house.retry_takes(f"{origin} {site}") == (reason != "selected")


def test_approved_is_completed_by_a_read(shop: House) -> None:
    """APPROVED makes the order due at once: the same night reads it, and only that completes it (I3)."""
    shop.add(cit("w"), cit("c", origin="call_center", customer_ip=None))
    assert shop.run().code == ExitCode.CLEAN
    assert shop.states() == {"w": "completed", "c": "completed"}
    assert (shop.row("w")["status"], shop.row("c")["provider_status"]) == ("completed", "COMPLETED")
    assert not shop.retry_takes("w")
    events = shop.ledger("SELECT from_state, to_state, source FROM event WHERE subject = 'order:w' ORDER BY seq")
    moves = [(row["to_state"], row["source"]) for row in events if row["to_state"] != row["from_state"]]
    assert moves[-2:] == [("pending", "evaluate"), ("completed", "poll")]
    assert shop.run().code == ExitCode.CLEAN
    assert shop.accepted() == Counter(["w", "c"])


def test_declined_ends_it_and_frees_the_row(shop: House) -> None:
    """DECLINED is final for a CIT: the read of the same night says so, the hold is lifted, and it never goes again."""
    shop.add(cit(token=DECLINED))
    assert shop.run().code == ExitCode.CLEAN
    assert shop.state() == "declined"
    row = shop.row()
    assert (row["status"], row["hold_reference"]) == ("not_recovered", None)
    assert shop.retry_takes()
    shop.change("000471", status="declined", retry_state=None)
    assert shop.run().code == ExitCode.CLEAN
    assert shop.reasons()["000471"][1] == "already_submitted"
    assert shop.accepted() == Counter(["000471"])


@pytest.mark.parametrize(
    ("token", "state", "status"), [(CHALLENGED, "completed", "completed"), (CHALLENGE_FAILED, "declined", "not_recovered")]
)
def test_a_challenge_is_held_and_told_until_it_ends(shop: House, token: str, state: str, status: str) -> None:
    """CHALLENGE: pending and held, an item says what to do; it stands through later polls and is closed by the end alone."""
    shop.add(cit(token=token))
    assert shop.run().code == ExitCode.NEEDS_PERSON
    assert (shop.state(), shop.row()["status"], shop.items()) == ("pending", "pending", [("challenge", "order:000471")])
    assert not shop.retry_takes()
    (told,) = shop.ledger("SELECT explanation, evidence_id FROM item")
    assert "widget (SenseJS)" in told["explanation"]
    assert told["evidence_id"]
    shop.pass_time(minutes=6)
    assert shop.run("poll").code == ExitCode.CLEAN
    assert shop.items() == [("challenge", "order:000471")]
    shop.pass_time(minutes=6)
    assert shop.run("poll", everything=True).code == ExitCode.CLEAN
    assert (shop.state(), shop.row()["status"], shop.items()) == (state, status, [])
    assert shop.accepted() == Counter(["000471"])


def test_capture_required_waits_for_a_capture(shop: House) -> None:
    """CAPTUREREQUIRED is read as such and stays held; when its window passes unused it reads cancelled, and is declined."""
    shop.add(cit(token=CAPTURE))
    assert shop.run().code == ExitCode.CLEAN
    assert (shop.state(), shop.row()["status"]) == ("capture_required", "pending")
    assert not shop.retry_takes()
    shop.pass_time(days=8)
    shop.run("poll")
    assert (shop.state(), shop.row()["status"]) == ("declined", "not_recovered")


def test_no_expiry_can_have_passed(shop: House) -> None:
    """A CIT that is read a month later as cancelled was declined, not expired: no expiry was ever sent for it."""
    shop.add(cit(token=CHALLENGE_FAILED))
    shop.run()
    shop.pass_time(days=30)
    assert shop.run("poll").code == ExitCode.CLEAN
    assert shop.state() == "declined"


@pytest.mark.parametrize("fault", ["server_error_after", "reset_connection", "html_answer", "failure_in_200"])
@pytest.mark.parametrize(("token", "state"), [(APPROVED, "completed"), (DECLINED, "declined"), (CHALLENGED, "pending")])
def test_a_lost_answer_is_settled_by_reading(shop: House, fault: str, token: str, state: str) -> None:
    """The call was taken and its answer lost: found by our id, never called again; what a read says of it counts (I12)."""
    shop.add(cit(token=token))
    shop.sandbox.faults.switch_on(fault, where="evaluate")
    shop.run()
    for _ in range(2):
        shop.pass_time(minutes=6)
        shop.run()
    assert shop.sandbox.faults.fired(fault) == 1
    assert shop.state() == ("completed" if token == CHALLENGED else state)
    assert shop.accepted() == Counter(["000471"])


@pytest.mark.parametrize("origin", ["website", "call_center"])
def test_switched_off_between_claim_and_call(shop: House, origin: str) -> None:
    """Claimed and held, no call made, then its switch turned off: withdrawn and free, and the other kind goes (I25)."""
    other = {"website": "call_center", "call_center": "website"}[origin]
    shop.add(cit("off", origin=origin), cit("on", origin=other))
    shop.sandbox.faults.switch_on("token_refused", times=9)
    assert shop.run().code == ExitCode.NOTHING_SENT
    assert shop.states() == {"off": "held", "on": "held"}
    shop.sandbox.faults.clear()
    shop.set(switches={SWITCH_OF[origin]: False})
    assert shop.run().code == ExitCode.CLEAN
    assert shop.states() == {"off": "withdrawn", "on": "completed"}
    assert shop.retry_takes("off")
    assert shop.accepted() == Counter(["on"])


def test_files_that_cannot_leave_do_not_hold_a_cit_back(shop: House) -> None:
    """MIT by files, and the SFTP server refuses us: the CIT is called all the same, and the MIT goes later."""
    shop.add(cit("w"), order("m", payment_token=ONHOLD))
    shop.sandbox.faults.switch_on("refuse_login", times=99)
    shop.run()
    assert shop.states() == {"w": "completed", "m": "sending"}
    shop.sandbox.faults.clear()
    assert shop.run().code == ExitCode.CLEAN
    assert shop.accepted() == Counter(["w", "m"])


def test_calls_that_cannot_be_made_do_not_hold_a_file_back(shop: House) -> None:
    """The call is refused before anything is done: the CIT stays held, and the MIT's file travels."""
    shop.add(cit("w"), order("m", payment_token=ONHOLD))
    shop.sandbox.faults.switch_on("too_many_requests", where="evaluate", times=99)
    shop.run()
    assert shop.states() == {"w": "held", "m": "pending"}
    shop.sandbox.faults.clear()
    shop.run()
    assert shop.accepted() == Counter(["w", "m"])


def test_the_wire_says_what_is_known_of_the_browser(shop: House) -> None:
    """What was claimed for a CIT has isMIT false, its source, the browser's facts, and neither expiry nor subscription."""
    import json

    shop.add(cit("w", customer_ip="203.0.113.17", sense_key="sense-1"), order("m", customer_ip="203.0.113.18"))
    assert shop.run().code == ExitCode.CLEAN
    records = {row["order_id"]: json.loads(row["record_json"]) for row in shop.ledger("SELECT * FROM submission")}
    modes = {row["order_id"]: (row["mit_mode"], row["channel"]) for row in shop.ledger("SELECT * FROM submission")}

    assert modes == {"w": ("cit", "api"), "m": (None, "sftp")}
    wanted = {
        "isMIT": False,
        "isRecurring": False,
        "orderSource": "ecommerce",
        "customerIp": "203.0.113.17",
        "senseKey": "sense-1",
    }
    assert {name: records["w"].get(name) for name in wanted} == wanted
    assert [name for name in ("expiryDateUtc", "subscription") if name in records["w"]] == []
    assert [name for name in ("customerIp", "senseKey") if name in records["m"]] == []
    assert shop.row("w")["hold_until"].startswith("2026-11-30")
    kept = "".join(path.read_text() for path in (shop.folder / "var" / "export").rglob("evaluate_*.csv"))
    assert ("203.0.113.17,sense-1" in kept, "203.0.113.18" in kept) == (True, False)
