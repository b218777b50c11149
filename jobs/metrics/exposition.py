"""The metrics as Prometheus reads them, and the file that node_exporter's textfile collector picks up."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from batch.disk import Disk
from batch.ledger import Ledger
from batch.ledger.comparison_past import differences_of, last_comparison
from batch.ledger.figures import figures_of
from batch.ledger.gauges import read_gauges
from batch.ledger.switches import switched_off
from batch.switching import Switches, switch_names
from jobs.metrics.samples import Seen, histograms, overdue_before, samples
from schemas.metrics import BASE_LABEL, CALL_BUCKETS_MS, FILE_BUCKETS, METRICS, RECOVERY_BUCKETS, Metric
from schemas.settings import Settings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FILE_NAME = "mitbatch.prom"
FOLDER = "metrics"
_VERIFIED = "audit_verified"
_DRAFT = ".new"

_BOUNDS = {
    "mitbatch_time_to_recovery_seconds": RECOVERY_BUCKETS,
    "mitbatch_file_upload_duration_seconds": FILE_BUCKETS,
    "mitbatch_acknowledgement_delay_seconds": FILE_BUCKETS,
    "mitbatch_api_request_duration_seconds": CALL_BUCKETS_MS,
}


class LedgerCollector(Collector):
    """What was read from the ledger at one moment, as families of Prometheus."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def collect(self) -> Iterable[Family]:
        """Every metric of the list, also one that has no sample yet: its name and its definition are there from the start."""
        flat = {metric.name: _family(metric) for metric in METRICS.values() if metric.kind != "histogram"}
        base = self._seen.settings.provider.mid[:8]
        for name, labels, value in samples(self._seen):
            flat[name].add_metric((base, *labels), value)
        return [*flat.values(), *self._histograms(base)]

    def _histograms(self, base: str) -> Iterator[HistogramMetricFamily]:
        found = histograms(self._seen)
        for name, bounds in _BOUNDS.items():
            metric = METRICS[name]
            family = HistogramMetricFamily(name, metric.help, labels=(BASE_LABEL, *metric.labels))
            scale = 1000 if bounds is CALL_BUCKETS_MS else 1
            for labels, counted in sorted(found.get(name, {}).items()):
                family.add_metric((base, *labels), list(_buckets(bounds, counted, scale)), counted.get("sum", 0) / scale)
            yield family


def exposition(seen: Seen) -> bytes:
    """The metrics in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(LedgerCollector(seen))
    return generate_latest(registry)


def look(ledger: Ledger, settings: Settings, now: datetime, *, audit_ok: bool | None = None) -> Seen:
    """Read everything that metrics are made from, in one picture of the ledger."""
    with ledger.reading() as connection:
        gauges = read_gauges(connection, ledger.mid, overdue_before=overdue_before(settings, now))
        totals = figures_of(connection, ledger.mid)
        switches = Switches(settings, switched_off(connection, ledger.mid, switch_names(settings)))
        last = last_comparison(connection, ledger.mid)
        differences = differences_of(connection, ledger.mid, last.comparison_id) if last is not None else {}
    return Seen(settings, now, gauges, totals, switches, differences, audit_ok)


def write_textfile(disk: Disk, ledger: Ledger, settings: Settings, now: datetime, *, writer: str) -> None:
    """Write `<data_dir>/metrics/mitbatch.prom`: whole, then renamed, readable by everybody. Raises OSError.

    `writer` names the draft: two runs may end at the same moment. Drafts of runs that were cut off are removed.
    """
    shown = exposition(look(ledger, settings, now, audit_ok=read_audit_ok(disk, settings)))
    _put(disk, settings, FILE_NAME, shown, writer, mode=0o644)
    folder = settings.data_dir / FOLDER
    for name in disk.names(folder):
        if name.endswith(_DRAFT):
            disk.remove(folder / name)


def read_audit_ok(disk: Disk, settings: Settings) -> bool | None:
    """What the last `mitbatch audit verify` found; None before the first."""
    found = disk.read(settings.data_dir / FOLDER / _VERIFIED)
    return None if found is None else found.strip() == b"1"


def note_audit_ok(disk: Disk, settings: Settings, *, is_ok: bool, writer: str) -> None:
    """Leave a note for the metrics of what `mitbatch audit verify` found. Raises OSError."""
    _put(disk, settings, _VERIFIED, b"1\n" if is_ok else b"0\n", writer, mode=0o600)


def _put(disk: Disk, settings: Settings, name: str, content: bytes, writer: str, *, mode: int) -> None:
    folder = settings.data_dir / FOLDER
    disk.make_folder(folder, 0o755)
    draft = folder / f"{name}.{writer}{_DRAFT}"
    file = disk.create(draft, mode)
    try:
        file.write(content)
        file.close()
    finally:
        file.abandon()
    disk.replace(draft, folder / name)


def _family(metric: Metric) -> GaugeMetricFamily | CounterMetricFamily:
    kind = GaugeMetricFamily if metric.kind == "gauge" else CounterMetricFamily
    return kind(metric.name, metric.help, labels=(BASE_LABEL, *metric.labels))


def _buckets(bounds: Iterable[int], counted: dict[str, int], scale: int) -> Iterator[tuple[str, float]]:
    names = [*(str(bound) for bound in bounds), "+Inf"]
    for name, total in zip(names, accumulate(counted.get(name, 0) for name in names), strict=True):
        yield (name if name == "+Inf" else str(int(name) / scale)), total
