"""The items `production.*`: each can fail, each alone, and says why."""

from collections.abc import Callable
from pathlib import Path

import pytest

from batch.ledger.identity import Identity, lock_identity
from batch.ledger.transaction import Ledger
from jobs.clock import SystemClock
from jobs.databases import open_ledger
from jobs.doctor.finding import Finding, Group, failed, skipped
from jobs.golive.production_items import is_private, production_items
from jobs.golive.sides import side_of
from jobs.settings_file import load_settings
from schemas.certification import CHECKLIST, Shown, Verdict
from schemas.errors import ApiLoginRefused, SftpUnreachable
from tests.certify.two_environments import HOSTS, MIDS, SITES, TwoEnvironments, all_well
from tests.settings.settings_folder import private_file

ACCOUNT = "77777777-0000-4000-8000-000000000003"
KEY = b"a key of this comparison alone.."


def judged(both: TwoEnvironments, *but: tuple[Group, Finding]) -> dict[str, Shown]:
    """Every item of production, with what the doctor saw instead."""
    sandbox, production = (side_of(load_settings(path), both.around, KEY) for path in (both.sandbox, both.production))
    return {each.item.removeprefix("production."): each for each in production_items(sandbox, production, all_well(*but))}


def test_two_environments_with_nothing_in_common_pass(both: TwoEnvironments) -> None:
    """Every item of the group passes, and there is no other."""
    found = judged(both)

    assert {each.item: each.verdict for each in found.values() if each.verdict is not Verdict.PASSED} == {}
    assert [each.item for each in found.values()] == [item.id for item in CHECKLIST if item.group == "production"]


def same_key(name: str) -> Callable[[TwoEnvironments], None]:
    """The sandbox's key, copied into production's file."""

    def copy(both: TwoEnvironments) -> None:
        (both.root / "live" / name).write_bytes((both.root / "test" / name).read_bytes() + b"\n")

    return copy


def key_of_an_account(both: TwoEnvironments) -> None:
    """The key of an account of the certification, in production's file."""
    for name in ("app_key", "app_secret", "tokenization_key"):
        private_file(both.root / "test" / f"sync_{name}", f"the-{name}-of-the-account-sync".encode())
    (both.root / "live" / "app_key").write_text("the-app_key-of-the-account-sync")
    files = {f"{name}_file": f"test/sync_{name}" for name in ("app_key", "app_secret", "tokenization_key")}
    both.values["sandbox"]["certify"] = {"sync": {"mid": ACCOUNT, "sites": {"main": ACCOUNT}, **files}}
    both.write()


def account_in_production(what: str) -> Callable[[TwoEnvironments], None]:
    """The id of an account of the certification in production's settings."""

    def write(both: TwoEnvironments) -> None:
        key_of_an_account(both)
        (both.root / "live" / "app_key").write_text("production's own key")
        both.write(**{what: ACCOUNT})

    return write


def changed(**changes: object) -> Callable[[TwoEnvironments], None]:
    """Production's settings with these changes."""
    return lambda both: both.write(**changes)


def same_host_key(both: TwoEnvironments) -> None:
    """Production's server is believed by the key of the sandbox's."""
    key = (both.root / "test" / "known_hosts").read_text().partition(" ")[2]
    (both.root / "live" / "known_hosts").write_text(f"{HOSTS['production']} {key}")


def shared(section: str, key: str) -> Callable[[TwoEnvironments], None]:
    """A value of the sandbox's in production's settings."""

    def write(both: TwoEnvironments) -> None:
        table = both.values["sandbox"][section] if section else both.values["sandbox"]
        both.write(**{f"{section}__{key}".removeprefix("__"): table[key]})

    return write


def same_table(both: TwoEnvironments) -> None:
    """Test orders and real ones in one table."""
    both.values["sandbox"]["orders"] = both.values["production"]["orders"]
    both.write()


def same_alarm(both: TwoEnvironments) -> None:
    """One alarm for both environments."""
    for values in both.values.values():
        values["alerts"] = {"ping_url": "https://hc-ping.com/0a1b2c3d-secret"}
    both.write()


def locked_to_sandbox(both: TwoEnvironments) -> None:
    """A ledger under production's settings that a night of the sandbox has locked."""
    Path(both.values["production"]["data_dir"]).mkdir()
    engine = open_ledger(both.values["production"]["ledger"]["url"])
    ledger = Ledger(engine, mid=MIDS["production"], clock=SystemClock(), lease_seconds=900)
    wanted = Identity("sandbox", "https://api-sandbox.flexfactor.io/v1/", MIDS["production"], "")
    lock_identity(ledger, wanted, ledger_id="a-ledger", scrub_key="00" * 32)
    engine.dispose()


BROKEN: list[tuple[str, Callable[[TwoEnvironments], None], str]] = [
    ("keys", same_key("app_key"), "provider.app_key is the same as the sandbox's"),
    ("keys", same_key("app_secret"), "provider.app_secret is the same as the sandbox's"),
    ("keys", same_key("tokenization_key"), "provider.tokenization_key is the same as the sandbox's"),
    ("keys", same_key("subscriber_key"), "webhook.subscriber_key is the same as the sandbox's"),
    ("keys", same_key("sftp_key"), "sftp.private_key is the same as the sandbox's"),
    ("keys", key_of_an_account, "the sandbox's certify.sync.app_key"),
    ("nothing_of_sandbox", account_in_production("provider__mid"), "provider.mid is the sandbox's"),
    ("nothing_of_sandbox", account_in_production("sites__site_id"), "is one of the sandbox's"),
    ("keys", changed(provider__app_secret_file=None), "provider.app_secret is not set"),
    ("keys", lambda both: (both.root / "live" / "app_key").unlink(), "does not exist"),
    ("keys", lambda both: (both.root / "live" / "sftp_key").unlink(), "cannot be read"),
    ("urls", changed(provider__api_url="https://10.1.2.3/v1/"), "no host of production"),
    ("host_key", same_host_key, "sandbox server's"),
    ("host_key", lambda both: (both.root / "live" / "known_hosts").unlink(), "does not exist"),
    ("webhook", changed(webhook__public_host=None), "production does not"),
    ("webhook", shared("webhook", "public_host"), "the sandbox's too"),
    ("webhook", changed(webhook__public_host="hooks.acme.internal"), "cannot reach"),
    ("nothing_of_sandbox", shared("", "data_dir"), "data_dir is the sandbox's"),
    ("nothing_of_sandbox", changed(data_dir="test/var/live"), "lies in its data_dir"),
    ("nothing_of_sandbox", shared("ledger", "url"), "ledger.url is the sandbox's"),
    ("nothing_of_sandbox", shared("provider", "mid"), "provider.mid is the sandbox's"),
    ("nothing_of_sandbox", changed(sites__site_id=SITES["sandbox"]), "is one of the sandbox's"),
    ("nothing_of_sandbox", same_table, "orders.url and orders.table"),
    ("nothing_of_sandbox", same_alarm, "alerts.ping_url is the sandbox's"),
    ("nothing_of_sandbox", changed(sftp__username="merchant-sandbox"), "sftp.username has the word"),
    ("nothing_of_sandbox", locked_to_sandbox, "locked to another environment: sandbox"),
]


@pytest.mark.parametrize(("item", "break_it", "words"), BROKEN)
def test_each_item_fails_alone(item: str, break_it: Callable[[TwoEnvironments], None], words: str, both: TwoEnvironments) -> None:
    """What is broken fails the one item that is about it, with a sentence that names it and what to change."""
    break_it(both)
    found = judged(both)

    assert [name for name, each in found.items() if each.verdict is Verdict.FAILED] == [item]
    assert words in found[item].seen
    assert found[item].change


@pytest.mark.parametrize(
    ("item", "group", "finding"),
    [
        ("host_key", Group.SFTP, failed("host key", "shown", SftpUnreachable("It shows another."))),
        ("allow_list", Group.SFTP, failed("login", "server", SftpUnreachable("It cannot be reached."))),
        ("allow_list", Group.API, failed("token", "api", ApiLoginRefused("It says no."))),
        ("allow_list", Group.API, skipped("token", "the app key is of no use")),
        ("webhook", Group.WEBHOOK, skipped("answer", "--offline")),
    ],
)
def test_what_the_machine_does_not_see_is_not_shown(item: str, group: Group, finding: Finding, both: TwoEnvironments) -> None:
    """A server that does not let us in, or that nobody could look at, fails the item that is about it."""
    found = judged(both, (group, finding))

    assert [name for name, each in found.items() if each.verdict is Verdict.FAILED] == [item]


def test_a_sandbox_server_in_production_is_seen(both: TwoEnvironments) -> None:
    """The sandbox's SFTP server under production's settings fails its address, its word, and its key that is not on file."""
    both.write(sftp__host=HOSTS["sandbox"])
    found = judged(both)

    assert "sftp.host leads to the sandbox's" in found["urls"].seen
    assert "sftp.host has the word sandbox" in found["nothing_of_sandbox"].seen
    assert "has no key for" in found["host_key"].seen


def test_who_has_no_server_and_no_webhook_in_either_needs_none(both: TwoEnvironments) -> None:
    """Both items are about nothing then, which is said, and not called passed."""
    for values in both.values.values():
        values["channels"] = {"evaluate": "api", "transmit": "api"}
        del values["sftp"], values["webhook"]
    both.write()
    found = judged(both)

    assert [name for name, each in found.items() if each.verdict is Verdict.NOT_APPLICABLE] == ["host_key", "webhook"]
    assert [name for name, each in found.items() if each.verdict is Verdict.FAILED] == []


@pytest.mark.parametrize(
    ("host", "is_so"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("[::1]", True),
        ("10.0.0.7", True),
        ("192.168.1.1", True),
        ("fd00::1", True),
        ("shop", True),
        ("hooks.acme.internal", True),
        ("hooks.acme.com", False),
        ("8.8.8.8", False),
    ],
)
def test_a_host_that_nobody_outside_reaches(host: str, is_so: bool) -> None:
    """This machine, private networks and names without a domain."""
    assert is_private(host) is is_so
