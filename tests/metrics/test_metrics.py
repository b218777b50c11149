"""The metrics: the list is kept, counts are the ledger's and never fall, and a file that cannot be written harms nothing."""

import random
import re
import sqlite3
import stat
from collections import Counter
from contextlib import closing
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.dialects import sqlite

from batch.ledger import gauges
from jobs.call_counts import operation_of
from schemas.figure_tables import STANDING
from schemas.metrics import METRICS
from schemas.states import OPEN
from tests.metrics.reading import Shown, shown, textfile, total, value
from tests.night.conftest import MakeHouse
from tests.night.house import CANCELLED, DAY, ONHOLD, OTHER_AMOUNT, REFUSED, UNANSWERED, House, order, paid

LIST = """
build_info gauge version environment profile
run_last_start_timestamp_seconds gauge job
run_last_completion_timestamp_seconds gauge job
run_last_success_timestamp_seconds gauge job
run_last_duration_seconds gauge job
run_last_exit_code gauge job
runs counter job exit_code
business_date_timestamp_seconds gauge
orders gauge site currency state
orders_minor_units gauge site currency state
pending_orders gauge site age
oldest_order_age_seconds gauge state
next_expiry_timestamp_seconds gauge
candidates counter site origin
skipped counter site reason
handed_over counter site currency channel
handed_over_minor_units counter site currency channel
rejected counter site kind
outcomes counter site currency state source
outcomes_minor_units counter site currency state source
recovered_minor_units counter site currency
refunded_minor_units counter site currency
chargeback_minor_units counter site currency
time_to_recovery_seconds histogram site
files counter kind result
file_upload_duration_seconds histogram kind
acknowledgement_delay_seconds histogram kind
unacknowledged_files gauge kind
unacknowledged_oldest_age_seconds gauge kind
api_requests counter operation code
api_request_duration_seconds histogram operation
webhooks counter event result
write_back_pending_orders gauge site
write_back_conflicts counter site
review_open_orders gauge kind
review_oldest_age_seconds gauge kind
reconciliation_differences gauge match currency
reconciliation_differences_minor_units gauge match currency
balance_ok gauge currency
audit_chain_ok gauge
house_charge_during_hold counter site
transmissions counter site result
transmissions_late counter site
switch_enabled gauge switch site
"""
"""What the merchant's alerts and pictures rely on: a name, a kind or a label that changes here breaks them."""

EVERYTHING = (
    order("a"),
    order("b", payment_token=CANCELLED, currency="EUR", site="acme-eu"),
    order("c", payment_token=ONHOLD),
    order("d", payment_token=REFUSED),
    order("old", charged_at="2026-11-20T03:00:00Z"),
    order("web", origin="website"),
    order("elsewhere", site="nobody's"),
    paid(),
)


def test_the_list_is_kept() -> None:
    """Names, kinds and labels are those that were promised."""
    promised = {f"mitbatch_{name}": (kind, tuple(labels)) for name, kind, *labels in map(str.split, LIST.strip().splitlines())}

    assert {name: (metric.kind, metric.labels) for name, metric in METRICS.items()} == promised


def test_every_metric_is_shown_as_it_is_listed(house: House) -> None:
    """Each has its kind, its definition and its labels, `mid` besides, in a file that everybody can read; no draft is left."""
    house.add(*EVERYTHING)
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    house.run("transmit")
    families = {family.name: family for family in text_string_to_metric_families(textfile(house))}

    assert set(families) == set(METRICS)
    for name, family in families.items():
        labels = {frozenset(sample.labels) - {"le"} for sample in family.samples if not sample.name.endswith("_created")}
        assert family.type == METRICS[name].kind
        assert family.documentation == METRICS[name].help
        assert labels <= {frozenset({"mid", *METRICS[name].labels})}, name
    (path,) = (house.folder / "var" / "metrics").iterdir()
    assert (path.name, stat.S_IMODE(path.stat().st_mode)) == ("mitbatch.prom", 0o644)


def test_counts_are_those_of_the_ledger(house: House) -> None:
    """Orders, money, files and calls are what stands in the ledger and what came over the wire."""
    house.add(*EVERYTHING)
    house.run()
    house.pass_time(hours=2)
    house.run("poll")
    house.run("transmit")
    found = shown(house)

    assert total(found, "candidates_total") == 7
    assert value(found, "candidates_total", site="other", origin="recurring") == 1
    assert {name: total(found, "skipped_total", reason=name) for name in ("too_old", "switched_off", "site_unknown")} == {
        "too_old": 1,
        "switched_off": 1,
        "site_unknown": 1,
    }
    assert value(found, "handed_over_total", site="acme-us", currency="USD", channel="sftp") == 2
    assert value(found, "handed_over_minor_units_total", site="acme-eu", currency="EUR", channel="sftp") == 1999
    assert value(found, "rejected_total", site="acme-us", kind="row") == 1
    assert value(found, "outcomes_total", site="acme-us", currency="USD", state="completed", source="poll") == 1
    assert value(found, "recovered_minor_units_total", site="acme-us", currency="USD") == 1999
    assert value(found, "time_to_recovery_seconds_bucket", site="acme-us", le="3600.0") == 0
    assert value(found, "time_to_recovery_seconds_bucket", site="acme-us", le="21600.0") == 1
    assert value(found, "time_to_recovery_seconds_sum", site="acme-us") == 7200
    assert value(found, "files_total", kind="evaluate", result="delivered") == 1
    assert value(found, "files_total", kind="acknowledgement", result="delivered") == 2
    assert value(found, "transmissions_total", site="acme-us", result="success") == 1
    assert value(found, "api_requests_total", operation="token", code="2xx") == 3
    assert value(found, "orders", site="acme-us", currency="USD", state="pending") == 1
    assert value(found, "pending_orders", site="acme-us", age="0-1d") == 1
    assert value(found, "oldest_order_age_seconds", state="pending") == 7200
    assert value(found, "review_open_orders", kind="row_refused") == 1
    assert value(found, "balance_ok", currency="USD") == 1
    assert value(found, "run_last_success_timestamp_seconds", job="transmit") == house.clock.now().timestamp()
    assert value(found, "runs_total", job="nightly", exit_code="10") == 1


def test_going_through_a_night_again_counts_nothing_again(house: House) -> None:
    """A rerun adds one run and its calls, and no order, file or amount."""
    house.add(*EVERYTHING)
    house.run()
    before = shown(house)
    house.run("rerun", DAY)
    after = shown(house)
    changed = {name for name, labels in {*before, *after} if before.get((name, labels)) != after.get((name, labels))}

    assert {name for name in changed if not name.startswith(("mitbatch_run", "mitbatch_api_"))} == set()


@pytest.mark.parametrize("seed", range(3))
def test_no_count_ever_falls(make_house: MakeHouse, seed: int) -> None:
    """Whatever nights, polls, reruns, corrections and changes come one after the other, every counter only grows."""
    house, dice = make_house(), random.Random(seed)  # noqa: S311 - a seed decides
    tokens = [CANCELLED, ONHOLD, REFUSED, UNANSWERED, OTHER_AMOUNT, order()["payment_token"]]
    before: Shown = {}
    for step in range(6):
        at = (house.clock.now() - timedelta(hours=dice.randrange(1, 40))).strftime("%Y-%m-%dT%H:%M:%SZ")
        house.add(*(order(f"{step}-{n}", charged_at=at, payment_token=dice.choice(tokens)) for n in range(3)))
        if dice.random() < 0.5:
            house.sql("UPDATE orders SET status = 'declined' WHERE status = 'not_recovered'")
        if dice.random() < 0.4:
            house.set_site("acme-us", enabled=dice.random() < 0.5)
        for job in dice.choice([("nightly", "poll"), ("rerun", "poll"), ("poll", "nightly"), ("nightly", "nightly")]):
            house.run(job, DAY if dice.random() < 0.3 else "")
            found = shown(house)
            counters = {key: number for key, number in found.items() if key[0].endswith(("_total", "_bucket", "_count", "_sum"))}
            assert {key: number for key, number in before.items() if counters.get(key, -1) < number} == {}
            before = {**counters}
            house.clock.advance(timedelta(hours=dice.choice([1, 6, 24])))
    assert Counter(key[0] for key in before)["mitbatch_outcomes_total"] >= 1


def test_a_file_that_cannot_be_written_changes_nothing(house: House) -> None:
    """Where the metrics' folder cannot be made, the run ends as it would, and says so in one line."""
    house.add(order())
    house._have_ledger()
    (house.folder / "var" / "metrics").write_text("in the way")
    report = house.run()

    assert report.code == 0
    assert report.metrics_problem == "the metrics' file could not be written (File exists)"
    assert house.state() == "pending"


def test_a_run_that_was_cut_off_counts_as_such(house: House) -> None:
    """A run without an end counts once a later one has begun; what it did is counted by the one that writes its date's files."""
    house.add(order())
    house.run()
    with closing(sqlite3.connect(house.ledger_path)) as connection, connection:
        connection.execute("UPDATE run SET exit_code = NULL, finished_at = NULL")
        connection.execute("DELETE FROM figure")
    house.run("poll")
    found = shown(house)

    assert value(found, "runs_total", job="nightly", exit_code="cut_off") == 1
    assert total(found, "handed_over_total") == 1


def test_what_verifying_found_is_shown(house: House) -> None:
    """There is no word about the audit before `audit verify`; afterwards it is 1, and 0 once a file was changed."""
    house.add(order())
    house.run()
    assert not any(name == "mitbatch_audit_chain_ok" for name, _ in shown(house))
    house.cli("audit", "verify")
    house.run("poll")
    assert value(shown(house), "audit_chain_ok") == 1
    (house.folder / "var" / "audit" / DAY / "declines.csv").write_text("nothing")
    house.cli("audit", "verify")
    house.run("poll")
    assert value(shown(house), "audit_chain_ok") == 0


@pytest.mark.parametrize(
    ("request_line", "operation"),
    [
        ("POST oauth2/token", "token"),
        ("GET orders/0b0d6a44", "read"),
        ("GET orders", "list"),
        ("POST orders/0b0d6a44/refund", "refund"),
        ("POST orders/a%2Fb/external-cancel", "external-cancel"),
        ("POST evaluate", "evaluate"),
        ("POST capture", "capture"),
        ("DELETE orders", "other"),
        ("GET x/y/z", "other"),
    ],
)
def test_an_operation_is_one_of_a_few_words(request_line: str, operation: str) -> None:
    """No id and no path of the provider's becomes a label."""
    method, path = request_line.split()

    assert operation_of(method, path) == operation


def test_switches_by_hand_and_differences_are_shown(house: House) -> None:
    """What somebody has paused shows in the switches, and what the last comparison found shows by kind and currency."""
    house.add(order("a", payment_token=ONHOLD), order("b", payment_token=ONHOLD))
    house.run()
    assert value(shown(house), "switch_enabled", switch="sending", site="") == 1
    assert house.cli("pause", "--reason", "a test", "--yes").returncode == 0
    house.sql("UPDATE orders SET amount_minor = 1 WHERE order_id = 'a'")
    house.cli("reconcile")
    house.run("poll")
    found = shown(house)

    assert value(found, "switch_enabled", switch="sending", site="") == 0
    assert value(found, "switch_enabled", switch="mit", site="") == 0
    assert value(found, "switch_enabled", switch="site", site="acme-us") == 1
    assert total(found, "reconciliation_differences") >= 1


def test_counting_open_orders_reads_no_row(house: House) -> None:
    """What is open is counted from an index that has all of it, so that a scrape costs what is open and not what ever was."""
    house.add(order())
    house.run()
    said = str(gauges._STANDING.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": False}))
    plan = house.ledger(f"EXPLAIN QUERY PLAN {said}", ["", "2026-11-23T00:00:00Z", "mid"])

    assert "COVERING INDEX submission_standing" in " ".join(row["detail"] for row in plan)


def test_the_index_of_open_orders_is_of_the_open_states() -> None:
    """Every open state is in the condition of the index, and no other."""
    assert sorted(re.findall(r"'([a-z_]+)'", str(STANDING))) == sorted(state.value for state in OPEN)
