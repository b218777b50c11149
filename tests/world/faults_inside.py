"""Part of the catalogue of `tests.world.faults`: what goes wrong on the merchant's own side."""

from tests.world.known import Known

INSIDE = {
    "P-01": Known("killed while selecting", world="crash, power cut", tests=("tests/crash/test_every_point.py",)),
    "P-02": Known("killed while claiming and holding", world="crash, power cut", tests=("tests/crash/test_every_point.py",)),
    "P-03": Known("killed while rendering", world="crash, power cut", tests=("tests/crash/test_every_point.py",)),
    "P-04": Known("killed while recording the intent", world="crash, power cut", tests=("tests/crash/test_every_point.py",)),
    "P-05": Known("killed while uploading", world="crash, power cut", tests=("tests/crash/test_every_point.py",)),
    "P-06": Known("killed at the rename", world="crash, power cut", tests=("tests/crash/test_every_point.py",)),
    "P-07": Known("killed before it is recorded as sent", world="crash, power cut", tests=("tests/crash/test_every_point.py",)),
    "P-08": Known(
        "killed while answers are collected and applied", world="crash, power cut", tests=("tests/crash/test_every_point.py",)
    ),
    "P-09": Known(
        "killed while writing back or writing finance's files",
        world="crash, power cut",
        tests=("tests/crash/test_every_point.py",),
    ),
    "P-10": Known("killed again during the recovery", world="crash after crash", tests=("tests/crash/test_every_point.py",)),
    "P-11": Known("the power fails: what was not synced is gone", world="power cut", tests=("tests/power/test_power_loss.py",)),
    "P-12": Known("two runs at once", world="second run", tests=("tests/crash/test_two_runs.py",)),
    "P-13": Known("a runner that stood still for longer than its lease", world="paused"),
    "P-14": Known("the local disk is full", world="disk full"),
    "P-15": Known(
        "the ledger's database is locked, or the answer to a COMMIT is lost",
        world="commit, locked",
        tests=("tests/postgres/test_ledger.py",),
    ),
    "P-16": Known("the clock jumps, goes back, or changes to daylight saving time", world="leap, start"),
    "P-17": Known(
        "asked to stop, once or twice; out of memory; out of file descriptors",
        world="stop",
        tests=("tests/crash/test_every_point.py",),
    ),
    "P-18": Known("the ledger is restored from an old copy", world="restore"),
    "P-19": Known("the ledger is damaged, or of another version", world="ledger", tests=("tests/ledger/test_file.py",)),
    "P-20": Known(
        "the order system is down, slow, or refuses a row", world="orders, commit, locked", tests=("tests/night/test_hold.py",)
    ),
    "D-01": Known(
        "an order id twice: in one selection, or on another day",
        world="merchant 'set back', 'set back held'",
        tests=("tests/night/test_awkward_text.py",),
    ),
    "D-02": Known("an order id again for a new billing cycle", world="merchant 'set back'"),
    "D-03": Known("paid by other means while the provider works on it", world="merchant 'paid'"),
    "D-04": Known("cancelled while the provider works on it", world="merchant 'cancelled'"),
    "D-05": Known("a cancellation at the provider races with an approval", world="job cancel; merchant 'paid'"),
    "D-06": Known("an amount that is zero, negative, huge, a fraction, or of a currency with other decimals", world="row"),
    "D-07": Known("a currency that is unknown or in lower case, or another one later", world="row; merchant 'currency'"),
    "D-08": Known("awkward ids: zeros, 1E10, spaces, composed and decomposed, emoji, twins", world="row; order"),
    "D-09": Known("NaN, Infinity, null, empty, the word None", world="row"),
    "D-10": Known("texts that a spreadsheet would take for formulas", world="row"),
    "D-11": Known("many times the volume; more rows than a file may have", world="settings channels.max_rows_per_file"),
    "D-12": Known("a token that is missing, foreign or refused", world="row"),
    "D-13": Known("a card that has expired", world="row"),
    "D-14": Known("an expiry that is too near", world="settings provider.expiry_days"),
    "D-15": Known("a hard decline", world="row"),
    "D-16": Known("a card number in a field", world="row"),
    "D-17": Known("line ends, SQL, templates and HTML in names", world="row"),
    "D-18": Known("the row disappears, or its amount changes, after the claim", world="merchant 'amount', 'currency', 'gone'"),
    "D-19": Known(
        "refunded or charged back at the provider after it was recovered",
        world="row 'charged back', 'returned'; job reconcile",
        tests=("tests/night/test_reconcile.py",),
    ),
    "D-20": Known("completed for another amount", world="row 'completed for less'"),
    "O-01": Known("the same date again: after success, after a crash, during a run", world="job rerun; second run"),
    "O-02": Known("a part again: one batch, an overlapping date", world="job batch, yesterday"),
    "O-03": Known(
        "a file in doubt is forced out again",
        world="job 'resolve support-confirmed-never-arrived'",
        tests=("tests/night/test_review.py",),
    ),
    "O-04": Known(
        "format or channel is switched while orders are pending",
        world="settings channels.evaluate_format",
        tests=("tests/night/test_channels_change.py",),
    ),
    "O-05": Known(
        "other keys, another merchant id, another address",
        world="settings provider.mid, provider.api_url",
        tests=("tests/settings/test_identity_lock.py",),
    ),
    "O-06": Known(
        "sync and managed mode are switched while orders are pending",
        world="mode",
        tests=("tests/night/test_channels_change.py",),
    ),
    "O-07": Known("an empty or a copied ledger", world="restore empty, copy"),
    "O-08": Known("the time zone of the business date is changed", world="settings schedule.timezone"),
    "O-09": Known(
        "finance's files are edited", world="files 'audit edited'", tests=("tests/table/test_tamper.py",), door="import"
    ),
    "O-10": Known("an operator deletes files on the server or in the archive", world="files"),
    "O-11": Known("an old version is started after a migration", world="ledger 'newer'", tests=("tests/ledger/test_file.py",)),
    "O-12": Known(
        "a secret is rotated, a file can be read by others",
        world="secret; ledger 'readable'",
        tests=("tests/settings/test_sources.py",),
    ),
}
