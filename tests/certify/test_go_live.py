"""Going live: refused while any required item is missing, and what is done when none is."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlalchemy import create_engine

from jobs.certify.attestation import attest, evidence_of
from jobs.certify.pack_folder import PackFolder
from jobs.disk import MachineDisk
from jobs.doctor.finding import Group, failed
from jobs.golive.command import Asked, go_live
from jobs.golive.differences import place_of
from jobs.output import Options
from schemas.certification import CHECKLIST, Proof, Shown, Verdict
from schemas.errors import EnvironmentMixed, SftpUnreachable, UsageRefused
from schemas.settings import Settings
from tests.certify.packs import MOMENT, everything, head, shown
from tests.certify.two_environments import MIDS, TwoEnvironments, all_well, looks_of
from tests.commands.json_schema import misfits, schema_named

ATTESTED = [item.id for item in CHECKLIST if item.takes_word and item.proof is not Proof.SETTINGS]
PAGES = [item.id for item in CHECKLIST if item.proof is Proof.ATTESTATION]
HOOKS = "hooks-live.acme.com"
WEBHOOK = "production.webhook"
RUN = [item.id for item in CHECKLIST if item.proof is Proof.RUN and not item.needs_word]
NOW = version("mitbatch")


class Environments(Protocol):
    """Whatever has a sandbox's settings and a folder."""

    root: Path

    @property
    def settings(self) -> Settings:
        """The sandbox's settings."""
        ...


def certified(
    both: Environments,
    items: Sequence[Shown] | None = None,
    *,
    by: str = NOW,
    at: int = 0,
    attested: bool = True,
    host: str = HOOKS,
) -> None:
    """A pack of the sandbox, and Ada's word for what only a page shows, or the provider's portal."""
    folder = PackFolder(both.settings, MachineDisk())
    folder.write(head(f"cert-{at}", version=by, at=MOMENT + timedelta(hours=at)), everything() if items is None else items)
    for item in ATTESTED if attested else []:
        word(both, item)
    word(both, WEBHOOK, f"https://{host}/webhooks/flexfactor")


def word(both: Environments, item: str, reason: str = "") -> None:
    """Ada's word for an item."""
    screen = both.root / "screen.png"
    screen.write_bytes(b"\x89PNG\r\n\x1a\n and a page")
    said = {"item": item, "by": "Ada", "person": "ada@desk", "reason": reason, "mid": both.settings.provider.mid[:8]}
    root = PackFolder(both.settings, MachineDisk()).root
    attest(root, MachineDisk(), evidence_of(screen), at="2026-11-28T03:00:00Z", fields=said)


class Live:
    """One call of the command, and what it printed."""

    def __init__(self, both: TwoEnvironments, capsys: pytest.CaptureFixture[str]) -> None:
        self._both, self._capsys = both, capsys
        self.text = ""

    def run(self, *, confirm: str = "", dry_run: bool = False, seen: Any = None) -> tuple[int, dict[str, Any]]:  # noqa: ANN401
        """The exit code and the object of `--json`; both outputs are kept as text."""
        options = Options(config=self._both.sandbox, json=True)
        asked = Asked(self._both.sandbox, self._both.production, confirm, dry_run)
        code = go_live(options, asked, surroundings=self._both.around, looks=looks_of(all_well() if seen is None else seen))
        out, err = self._capsys.readouterr()
        self.text = out + err
        found: dict[str, Any] = json.loads(out)
        assert list(misfits(found, schema_named("go_live"))) == []
        return code, found

    def missing(self) -> dict[str, str]:
        """Every item that is missing, with why."""
        return {each["item"]: each["why"] for each in self.run(dry_run=True)[1]["missing"]}


def needing(both: TwoEnvironments, item: str) -> dict[str, Verdict]:
    """Let production need this very item: its group is used, and no other one does in its place."""
    if item.startswith("mit.api"):
        both.values["production"]["channels"] = {"evaluate": "api", "transmit": "api"}
        both.write()
    other = {"cit.standard": "cit__advanced", "cit.advanced": "cit__standard"}.get(item.rpartition(".")[0])
    return {other: Verdict.NOT_APPLICABLE} if other else {}


@pytest.fixture
def live(both: TwoEnvironments, capsys: pytest.CaptureFixture[str]) -> Live:
    """The command on two environments that have nothing in common."""
    return Live(both, capsys)


def test_without_a_pack_every_item_is_missing(live: Live) -> None:
    """Each with what to do, and the code is 30."""
    code, found = live.run()

    assert code == found["exit_code"] == 30
    *shown, webhook = found["missing"]
    others = [item.id for item in CHECKLIST if item.proof is not Proof.SETTINGS and item.group != "mit.api"]
    assert [each["item"] for each in shown] == others
    assert {each["item"] for each in shown if each["why"] == "Nobody has attested it."} == set(PAGES)
    assert {each["why"] for each in shown if each["item"] in RUN} == {"It was never run."}
    assert [each for each in found["warnings"] if each.startswith("mit.api is not shown whole, and not required")] != []
    assert {each["item"] for each in shown} - set(PAGES) == {each["item"] for each in shown if each["why"] == "It was never run."}
    assert all(each["do"].startswith("Run: mitbatch certify") for each in shown)
    assert webhook["item"] == WEBHOOK


@pytest.mark.parametrize("item", RUN)
@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.OPEN])
def test_each_item_that_is_not_shown_refuses(item: str, verdict: Verdict, both: TwoEnvironments, live: Live) -> None:
    """Exactly that item is missing, with its own sentence."""
    certified(both, everything(**needing(both, item), **{item.replace(".", "__"): verdict}))
    code, found = live.run()

    assert (code, [each["item"] for each in found["missing"]]) == (30, [item])
    assert found["missing"][0]["why"].startswith(verdict.value.capitalize())
    assert f"mitbatch certify {item}" in found["missing"][0]["do"]


@pytest.mark.parametrize("item", RUN)
def test_each_item_that_was_never_run_refuses(item: str, both: TwoEnvironments, live: Live) -> None:
    """A run of everything else does not do."""
    certified(both, [each for each in everything(**needing(both, item)) if each.item != item])

    assert live.missing() == {item: "It was never run."}


@pytest.mark.parametrize("item", ATTESTED)
def test_each_item_that_nobody_attested_refuses(item: str, both: TwoEnvironments, live: Live) -> None:
    """The command with which it is attested is named."""
    certified(both, attested=False)
    found = {each["item"]: each for each in live.run()[1]["missing"]}

    assert [item for item in found if item != WEBHOOK] == ATTESTED
    assert f"mitbatch certify attest {item} --evidence FILE" in found[item]["do"]


@pytest.mark.parametrize(
    ("reason", "verdict"),
    [
        (None, "open"),
        ("", "open"),
        ("registered", "open"),
        ("hooks-test.acme.com", "open"),
        (f"https://{HOOKS}.evil.com/", "open"),
        (f"https://{HOOKS}/webhooks/flexfactor", "attested"),
        (f"Portal, webhooks: {HOOKS.upper()}, all events", "attested"),
    ],
)
def test_only_a_persons_word_for_this_very_host_shows_that_the_webhook_is_registered(
    reason: str | None, verdict: str, both: TwoEnvironments, live: Live
) -> None:
    """No call can tell what the portal says: the item is attested, never passed, and a word for another host does not count."""
    certified(both, host="another.acme.com")
    if reason is not None:
        word(both, WEBHOOK, reason)
    code, found = live.run(dry_run=True)
    (item,) = [each for each in found["items"] if each["item"] == WEBHOOK]

    assert (item["verdict"], [each["item"] for each in found["missing"]]) == (verdict, [WEBHOOK] if verdict == "open" else [])
    assert code == (30 if verdict == "open" else 0)
    if verdict == "open":
        assert f"mitbatch certify attest production.webhook --evidence FILE --by NAME --reason https://{HOOKS}/" in item["change"]
    else:
        assert "Ada attested on 2026-11-28 with screen.png that it is registered." in item["seen"]


def test_a_word_does_not_stand_over_what_is_seen(both: TwoEnvironments, live: Live) -> None:
    """Nobody turns unsigned calls away at the address: the item fails, whatever Ada says."""
    certified(both)
    seen = all_well((Group.WEBHOOK, failed("answer", "the address", SftpUnreachable("Nobody is there."))))
    found = live.run(seen=seen)[1]

    assert [(each["item"], each["verdict"]) for each in found["items"] if each["item"] == WEBHOOK] == [(WEBHOOK, "failed")]


def test_a_killed_round_is_warned_of(both: TwoEnvironments, live: Live) -> None:
    """What it left holds payment tokens, and the next round removes it."""
    certified(both)
    dead = PackFolder(both.settings, MachineDisk()).root / "20261128T010000Z"
    dead.mkdir()
    (dead / "unfinished.txt").touch()

    assert [warning for warning in live.run(dry_run=True)[1]["warnings"] if str(dead) in warning] != []


def test_people_are_told_whole_groups_that_one_run_would_show(both: TwoEnvironments, capsys: pytest.CaptureFixture[str]) -> None:
    """Items of one group that were never run are one thing to do; attested ones stand alone; what failed says why by itself."""
    certified(
        both, [each for each in everything(refund__answer=Verdict.FAILED) if not each.item.startswith("mit.sftp")], attested=False
    )
    asked = Asked(both.sandbox, both.production)
    assert go_live(both.options, asked, surroundings=both.around, looks=looks_of(all_well())) == 30
    lines = capsys.readouterr().out.splitlines()
    needs = [line.split()[1].rstrip(":") for line in lines if line.startswith("NEED")]
    at = next(number for number, line in enumerate(lines) if line.startswith("NEED     mit.sftp: 8 items (token, tokenize, "))

    assert needs == [ATTESTED[0], *ATTESTED[1:], "mit.sftp", "refund.answer"]
    assert [line.strip() for line in lines[at + 1 : at + 3]] == ["It was never run.", "Run: mitbatch certify mit.sftp"]


def test_parts_of_several_runs_add_up(both: TwoEnvironments, live: Live) -> None:
    """Each item counts by its newest run: a failure that was mended in a run of its own is mended, and the other way round."""
    certified(both, everything(refund__answer=Verdict.FAILED))
    certified(both, [shown("refund.answer", Verdict.PASSED)], at=1)
    assert live.missing() == {}

    certified(both, [shown("mit.sftp.token", Verdict.FAILED)], at=2)
    assert list(live.missing()) == ["mit.sftp.token"]


def test_a_pack_of_another_version_does_not_count(both: TwoEnvironments, live: Live) -> None:
    """After an upgrade everything is run again; what people attested stays."""
    certified(both, by="0.0.9")
    found = live.missing()

    assert set(found) == {item.id for item in CHECKLIST if item.proof is Proof.RUN and item.group != "mit.api"}
    assert set(found.values()) == {"It was last run by mitbatch 0.0.9."}


@pytest.mark.parametrize("group", ["cit.standard", "cit.advanced", "mit.api"])
def test_a_whole_group_without_account_may_be_missing(group: str, both: TwoEnvironments, live: Live) -> None:
    """As long as production does not use what it shows."""
    certified(both, everything(**{group.replace(".", "__"): Verdict.NOT_APPLICABLE}))

    assert live.missing() == {}


def test_a_group_that_production_uses_may_not_be_missing(both: TwoEnvironments, live: Live) -> None:
    """Files are sent in production, so the sandbox must have shown that, account or not."""
    certified(both, everything(mit__sftp=Verdict.NOT_APPLICABLE))

    assert list(live.missing()) == [item.id for item in CHECKLIST if item.group == "mit.sftp"]


def test_website_orders_need_one_of_the_two_integrations(both: TwoEnvironments, live: Live) -> None:
    """One of them is enough, whatever the other is; none is not."""
    certified(both, everything(cit__advanced__evaluate=Verdict.FAILED), at=-1)
    assert live.missing() == {}
    certified(both, everything(cit__standard=Verdict.NOT_APPLICABLE))
    assert live.missing() == {}

    certified(both, everything(cit__standard=Verdict.NOT_APPLICABLE, cit__advanced=Verdict.NOT_APPLICABLE), at=1)
    assert {each.rpartition(".")[0] for each in live.missing()} == {"cit.standard", "cit.advanced"}


def test_who_sends_no_customers_orders_needs_no_pages(both: TwoEnvironments, live: Live) -> None:
    """With both kinds of CIT off nobody has to attest a page; it is warned of, and so is a group that fails unused."""
    both.values["production"]["switches"] = {"mit": True}
    both.write()
    certified(both, everything(mit__api__token=Verdict.FAILED), attested=False)
    code, found = live.run(dry_run=True)

    assert (code, found["missing"]) == (0, [])
    assert [each.partition(" ")[0] for each in found["warnings"] if "not required" in each] == [
        "cit.standard",
        "cit.advanced",
        "mit.api",
    ]


@pytest.mark.parametrize("item", ["mit.sftp.token", "refund.answer", "feature.call_center"])
def test_a_single_item_is_never_not_applicable(item: str, both: TwoEnvironments, live: Live) -> None:
    """Only whole groups may lack an account, and refunds and features are of everybody."""
    certified(both, everything(**{item.replace(".", "__"): Verdict.NOT_APPLICABLE}))

    assert list(live.missing()) == [item]


@pytest.mark.parametrize("group", ["refund", "feature"])
def test_refunds_and_features_are_of_everybody(group: str, both: TwoEnvironments, live: Live) -> None:
    """These groups may not be missing as a whole either."""
    certified(both, everything(**{group: Verdict.NOT_APPLICABLE}))

    assert list(live.missing()) == [item.id for item in CHECKLIST if item.group == group]


def test_what_is_left_of_the_sandbox_refuses(both: TwoEnvironments, live: Live) -> None:
    """Everything is certified, and production's key is the sandbox's."""
    certified(both)
    (both.root / "live" / "app_key").write_bytes((both.root / "test" / "app_key").read_bytes())

    assert list(live.missing()) == ["production.keys"]


def test_going_live_locks_productions_ledger(both: TwoEnvironments, live: Live) -> None:
    """With the merchant id typed; who did it stands in the chain, and doing it again changes nothing of the lock."""
    certified(both)
    assert live.run(confirm=MIDS["production"])[0] == 0
    assert live.run(confirm=MIDS["production"].upper())[0] == 0

    engine = create_engine(both.values["production"]["ledger"]["url"])
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT environment, mid, api_url FROM identity").all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [("production", MIDS["production"], "https://api.flexfactor.io/v1/")]
    events = PackFolder(both.settings, MachineDisk()).chain.events()
    assert [event["kind"] for event in events][-2:] == ["went_live", "went_live"]


@pytest.mark.parametrize("confirm", ["", "yes", MIDS["production"][:8], MIDS["sandbox"]])
def test_without_the_merchant_id_nothing_is_done(confirm: str, both: TwoEnvironments, live: Live) -> None:
    """Neither a part of it nor the sandbox's counts; the id is named in the refusal."""
    certified(both)
    with pytest.raises(UsageRefused, match=MIDS["production"]):
        live.run(confirm=confirm)

    assert not Path(both.values["production"]["data_dir"]).exists()


def test_a_dry_run_does_nothing(both: TwoEnvironments, live: Live) -> None:
    """It says what would be done, confirmed or not."""
    certified(both)
    before = sorted(path for path in both.root.rglob("*"))

    assert live.run(dry_run=True, confirm=MIDS["production"])[0] == 0
    assert sorted(path for path in both.root.rglob("*")) == before


def test_a_refusal_writes_nothing(both: TwoEnvironments, live: Live) -> None:
    """Also with the merchant id typed."""
    certified(both, everything(refund__answer=Verdict.FAILED))
    before = sorted(path for path in both.root.rglob("*"))

    assert live.run(confirm=MIDS["production"])[0] == 30
    assert sorted(path for path in both.root.rglob("*")) == before


def test_the_environments_are_never_taken_for_each_other(both: TwoEnvironments) -> None:
    """The sandbox's settings as production's, production's as the sandbox's, and an address of the other one."""
    pairs = [(both.sandbox, both.sandbox), (both.production, both.production), (both.production, both.sandbox)]
    for before, after in pairs:
        with pytest.raises(EnvironmentMixed):
            go_live(both.options, Asked(before, after), surroundings=both.around, looks=looks_of(all_well()))
    both.write(provider__api_url="https://api-sandbox.flexfactor.io/v1/")
    with pytest.raises(EnvironmentMixed):
        go_live(both.options, Asked(both.sandbox, both.production), surroundings=both.around, looks=looks_of(all_well()))


def test_differences_are_shown_and_no_secret(both: TwoEnvironments, live: Live) -> None:
    """Keys that differ stand beside each other; of keys, logins and alarms nothing but that they differ."""
    both.values["production"]["alerts"] = {"ping_url": "https://hc-ping.com/0a1b2c3d-secret"}
    both.values["production"]["gate"] = {"max_attempts_30d": 7}
    both.write()
    found = {each["key"]: (each["sandbox"], each["production"]) for each in live.run()[1]["differences"]}

    assert found["API in use"] == ("https://api-sandbox.flexfactor.io/v1/", "https://api.flexfactor.io/v1/")
    assert "host key on file" in found
    assert found["environment"] == ("sandbox", "production")
    assert found["gate.max_attempts_30d"] == ("15", "7")
    assert found["provider.app_secret (its content)"] == ("set", "set, another one")
    assert found["alerts.ping_url"] == ("", "https://hc-ping.com/...")
    assert found["orders.url"] == (
        "postgresql+psycopg://db.acme.com/shop (one login)",
        "postgresql+psycopg://db.acme.com/shop (another)",
    )
    secrets = [path.read_text() for name in ("test", "live") for path in (both.root / name).glob("*_key*")]
    secrets += [path.read_text() for name in ("test", "live") for path in (both.root / name).glob("*_secret")]
    assert len(secrets) == 10
    assert [secret for secret in [*secrets, "0a1b2c3d", "pass-of"] if secret in live.text] == []


def test_people_are_told_the_same(both: TwoEnvironments, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines name the differences, each item of production, and what to do; a pretend provider is warned of."""
    folder = PackFolder(both.settings, MachineDisk())
    folder.write(replace(head(version=NOW), provider="http://127.0.0.1:8123/v1/"), everything(refund__answer=Verdict.FAILED))
    word(both, WEBHOOK, HOOKS)
    asked = Asked(both.sandbox, both.production)
    assert go_live(both.options, asked, surroundings=both.around, looks=looks_of(all_well())) == 30
    out, err = capsys.readouterr()

    assert "PRODUCTION mid 9a8b7c6d" in out.splitlines()[0]
    assert "NEED     refund.answer: The refund of an APPROVED order answers success" in out
    assert "ok       production.keys" in out
    assert "attested production.webhook" in out
    assert "WARN     The last pack was made against a pretend provider at 127.0.0.1" in out
    assert out.splitlines()[-1].startswith("EXIT 30")
    assert "[MB-NOT-CERTIFIED]" in err


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("", ""),
        ("sqlite:////srv/ledger.db", "sqlite:////srv/ledger.db"),
        ("postgresql+psycopg://a:b@db:5432/shop", "postgresql+psycopg://db:5432/shop"),
        ("https://user:key@hc-ping.com/a-key", "https://hc-ping.com/..."),
    ],
)
def test_an_address_is_shown_without_its_login(url: str, shown: str) -> None:
    """Where it leads, and nothing that lets anybody in."""
    assert place_of(url) == shown
