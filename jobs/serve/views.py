"""What each page of the dashboard shows, read from the ledger and the order system as they are now."""

from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from batch.disk import Disk
from batch.equipment import Clock
from batch.fitting import fitting
from batch.ledger import Ledger
from batch.ledger.calls import kinds_of_groups
from batch.ledger.figures import figures_since
from batch.ledger.gauges import runs_since
from batch.ledger.items import Item, open_items
from batch.ledger.open_orders import page_of_orders
from batch.ledger.order_story import story_of
from batch.ledger.webhook_inbox import backlog
from batch.order_rows import is_storable
from batch.pace import business_date, utc_text
from batch.source import OrderSource
from jobs.metrics.exposition import exposition, look, read_audit_ok
from jobs.metrics.samples import Seen
from jobs.order_page import NEXT, verdict_of, views_of
from jobs.order_timeline import timeline
from jobs.serve.finance_files import FinanceFiles
from jobs.serve.overview import Recent, first_day, overview
from jobs.serve.recent_days import FIGURES, View
from schemas.money import people_text
from schemas.reasons import ITEM_TEXTS
from schemas.settings import Settings
from schemas.states import OPEN, STATE_TEXTS

ROWS = 50
MOST_PAGES = 200
"""Further than this nobody leafs: a page costs as much as those before it."""

_FIRST_LOOK = ("review", "in_doubt", "capture_required", "pending", "sending", "held", "claimed")
"""Which state is shown where none is asked for: the first that has orders."""

MOST_ITEMS = 100
"""So many items are on the page of review; the command lists all."""

_ABOUT_ORDERS = ("order", "overdue", "hint")
_ORDERS = "/orders/"


class NotThere(Exception):
    """What was asked for does not exist: what it is, and what to do next."""

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(what)
        self.what, self.next_step = what, next_step


@dataclass(frozen=True, slots=True)
class Views:
    """Reads what pages show. Nothing here can write."""

    ledger: Ledger
    source: OrderSource
    settings: Settings
    clock: Clock
    disk: Disk
    files: FinanceFiles

    def frame(self) -> View:
        """What stands on every page."""
        now = self.clock.now()
        return {
            "environment": self.settings.environment,
            "mid": self.settings.provider.mid[:8],
            "now": utc_text(now).replace("T", " ").replace("Z", " UTC"),
            "today": business_date(now, self.settings.schedule.timezone),
            "timezone": self.settings.schedule.timezone,
            "order_path": order_path,
            "order_of": order_of,
        }

    def metrics(self) -> bytes:
        """The metrics as Prometheus reads them."""
        return exposition(self._seen())

    def overview(self) -> View:
        """The first page."""
        seen = self._seen()
        since = first_day(seen)
        with self.ledger.reading() as connection:
            recent = Recent(
                figures=figures_since(connection, self.ledger.mid, since, FIGURES),
                runs=runs_since(connection, self.ledger.mid, f"{since}T00:00:00Z"),
                items=open_items(connection, self.ledger.mid),
                backlog=backlog(connection, self.ledger.mid),
            )
        return {"title": "Overview", "here": "/", **overview(seen, recent)}

    def orders(self, query: dict[str, str]) -> View:
        """Open orders of one state, fifty on a page."""
        seen = self._seen()
        counts = {state.value: sum(row["orders"] for row in seen.gauges.of_state[state]) for state in OPEN}
        usual = next((state for state in _FIRST_LOOK if counts[state]), "pending")
        state = query.get("state", "") if query.get("state", "") in counts else usual
        sites = [site.name for site in self.settings.sites]
        site = query.get("site", "") if query.get("site", "") in sites else ""
        page = _page_number(query.get("page", "1"))
        with self.ledger.reading() as connection:
            offset = (page - 1) * ROWS
            found = page_of_orders(connection, self.ledger.mid, state, site, offset=offset, limit=ROWS + 1)
        total = sum(row["orders"] for row in seen.gauges.standing if row["state"] == state and site in {"", row["site"]})
        return {
            "title": "Open orders",
            "here": "/orders",
            "states": list(counts.items()),
            "state": state,
            "meaning": STATE_TEXTS[next(each for each in OPEN if each == state)],
            "sites": sites,
            "site": site,
            "page": page,
            "pages": min(MOST_PAGES, max(1, -(-total // ROWS))),
            "is_cut": total > ROWS * MOST_PAGES,
            "total": total,
            "has_next": len(found) > ROWS and page < MOST_PAGES,
            "orders": [{"order": each, "amount": people_text(each.amount_minor, each.currency)} for each in found[:ROWS]],
        }

    def order(self, raw_path: bytes) -> View:
        """The story of one order, as `mitbatch explain ORDER` tells it."""
        order_id = _order_id(raw_path)
        row = self.source.written([order_id]).get(order_id)
        with self.ledger.reading() as connection:
            story = story_of(connection, self.ledger.mid, order_id)
        if not (story.is_known or row):
            raise NotThere(f"Order {order_id!r} is neither in the ledger nor in the order system.", "Look at its id again.")
        latest = story.attempts[-1] if story.attempts else None
        return {
            "title": f"Order {order_id}",
            "here": "/orders",
            "order_id": order_id,
            "verdict": verdict_of(story, row),
            "state": latest.state.value if latest else "",
            "amount": people_text(latest.amount_minor, latest.currency) if latest else "",
            "next": NEXT[latest.state] if latest else "",
            "views": views_of(story, row),
            "timeline": timeline(story),
        }

    def review(self) -> View:
        """What waits for a person, with the command for each."""
        today = business_date(self.clock.now(), self.settings.schedule.timezone)
        with self.ledger.reading() as connection:
            items = open_items(connection, self.ledger.mid)
            calls = {f"batch:{batch_id}": kind for batch_id, kind in kinds_of_groups(connection, self.ledger.mid).items()}
        rows = [
            {
                "item": item,
                "order_id": order_of(item),
                "is_overdue": item.due_date < today,
                "meaning": ITEM_TEXTS[item.kind],
                "decisions": [each.value for each in fitting(item.kind, item.subject, calls)],
            }
            for item in items[:MOST_ITEMS]
        ]
        overdue = sum(item.due_date < today for item in items)
        return {"title": "Review", "here": "/review", "rows": rows, "total": len(items), "overdue": overdue}

    def dates(self) -> View:
        """The dates that finance has files of."""
        rows = [{"date": date, "has_report": self.files.has_report(date)} for date in self.files.dates()]
        return {"title": "Files", "here": "/files", "rows": rows}

    def day(self, date: str) -> View:
        """One date's files."""
        found = self.files.files_of(date)
        if not found:
            raise NotThere("There are no files of that date.", "The page of files lists every date that has some.")
        return {
            "title": f"Files of {date}",
            "here": "/files",
            "date": date,
            "files": found,
            "has_report": self.files.has_report(date),
        }

    def _seen(self) -> Seen:
        return look(self.ledger, self.settings, self.clock.now(), audit_ok=read_audit_ok(self.disk, self.settings))


def order_path(order_id: str) -> str:
    """Where an order's page is."""
    return f"{_ORDERS}{quote(order_id, safe='')}"


def order_of(item: Item) -> str:
    """The order that an item is about; empty for one that is about something else."""
    kind, _, order_id = item.subject.partition(":")
    return order_id if kind in _ABOUT_ORDERS else ""


def _order_id(raw_path: bytes) -> str:
    try:
        order_id = unquote_to_bytes(raw_path.removeprefix(_ORDERS.encode())).decode("utf-8")
    except ValueError:
        order_id = ""
    if not order_id or not is_storable(order_id):
        raise NotThere("This is no order id.", "An order id is percent-encoded in the address.")
    return order_id


def _page_number(text: str) -> int:
    return min(MOST_PAGES, max(1, int(text))) if text.isascii() and text.isdigit() and len(text) < 7 else 1
