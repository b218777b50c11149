"""Copies of good charges for the provider's risk model: once each, within 24 hours of the charge (CONTRACT 5)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from batch.api_delivery import deliver_calls
from batch.build import file_name, transmit_record
from batch.card_numbers import offending_columns, scrubbed_id
from batch.delivery import Delivery
from batch.equipment import Equipment
from batch.files_in_use import refuse_missing_server
from batch.findings import Findings
from batch.ledger import Batch, Run
from batch.ledger.batches import unsent_batches
from batch.ledger.claim import NewBatch
from batch.ledger.copies import claim_transmissions, transmitted_before
from batch.ledger.items import open_item
from batch.left_over_copies import WITHIN, too_old
from batch.order_rows import Malformed, charged_time, is_storable, read_order, storable_id
from batch.permission import switches_in
from batch.switching import Switches
from schemas.order import Order, OrderRow
from schemas.reasons import ITEM_TEXTS, ItemKind
from schemas.states import API_FORMAT

PAGE = 2000


@dataclass(slots=True)
class Copies:
    """What became of the paid charges of the last 24 hours: how many were claimed, and why others were not."""

    claimed: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, why: str, order_id: str) -> None:
        """Count a charge that is not copied, and remember the first three of its kind."""
        self.left_out[why] += 1
        if len(self.examples.setdefault(why, [])) < 3:
            self.examples[why].append(order_id)


def transmit(equipment: Equipment, run: Run, findings: Findings) -> Copies:
    """Finish what an earlier run left, then claim, build and deliver the copies that are due. Each goes out once, ever.

    Raises SftpNotSet when files wait for a server that is not set.
    """
    refuse_missing_server(equipment)
    mid = equipment.ledger.mid
    with equipment.ledger.reading() as connection:
        unsent = unsent_batches(connection, mid, "transmit")
    copies, due = Copies(), list[Order]()
    for order_id in (order_id for batch in unsent for order_id in too_old(equipment, batch)):
        copies.leave_out("too_old", order_id)
    _deliver(equipment, run, findings, unsent)
    batches: list[Batch] = []
    for found in equipment.source.paid(PAGE):
        page = [row for row in found if is_storable(row.order_id)]
        for row in found:
            if row not in page:
                copies.leave_out("invalid_row", storable_id(row.order_id))
        with equipment.ledger.reading() as connection:
            switches = switches_in(connection, equipment)
            before = transmitted_before(connection, mid, [row.order_id for row in page])
        due += [order for row in page if row.order_id not in before and (order := _order(equipment, run, row, copies, switches))]
        most = equipment.settings.channels.max_rows_per_file
        while len(due) >= most:
            batches.append(_claim(equipment, run, due[:most]))
            due = due[most:]
    if due:
        batches.append(_claim(equipment, run, due))
    copies.claimed = sum(batch.row_count for batch in batches)
    _deliver(equipment, run, findings, batches)
    return copies


def _deliver(equipment: Equipment, run: Run, findings: Findings, batches: Sequence[Batch]) -> None:
    """Each by the way that it was claimed for, whatever is set now."""
    Delivery(equipment, run, findings).deliver([batch for batch in batches if not batch.is_of_calls])
    deliver_calls(equipment, run, findings, [batch for batch in batches if batch.is_of_calls])


def _order(equipment: Equipment, run: Run, row: OrderRow, copies: Copies, switches: Switches) -> Order | None:
    if offending_columns(row.cells, equipment.settings.gate.pan_exempt):
        shown = scrubbed_id(row.order_id, equipment.scrub_key)
        with equipment.ledger.writing(run) as writing:
            open_item(
                writing,
                ItemKind.PAN_FOUND,
                f"paid:{shown}",
                ITEM_TEXTS[ItemKind.PAN_FOUND],
                due_business_days=equipment.settings.review.due_business_days,
            )
        copies.leave_out("pan_found", shown)
        return None
    order = read_order(row, kind="transmit")
    if isinstance(order, Malformed):
        copies.leave_out("invalid_row", row.order_id)
        return None
    age = equipment.clock.now() - charged_time(order)
    if not timedelta(0) <= age <= WITHIN:
        return None
    site = next((site for site in equipment.settings.sites if site.name == order.site), None)
    if site is None:
        copies.leave_out("site_unknown", order.order_id)
        return None
    if off := switches.of_copy(order.site):
        copies.leave_out(off.reason.value, order.order_id)
        return None
    return order


def _claim(equipment: Equipment, run: Run, orders: list[Order]) -> Batch:
    mid, settings = equipment.ledger.mid, equipment.settings
    sites = {site.name: site for site in settings.sites}
    batch_id = equipment.new_batch_id()
    extension = API_FORMAT if settings.channels.transmit == "api" else settings.channels.transmit_format
    name = file_name(
        "transmit", mid=mid, business_date=run.business_date, batch_id=batch_id, extension=extension, profile=equipment.profile
    )
    records = [(order, transmit_record(order, mid=mid, site=sites[order.site], profile=equipment.profile)) for order in orders]
    with equipment.ledger.writing(run) as writing:
        return claim_transmissions(writing, NewBatch(batch_id, "transmit", name, extension, ""), records)
