"""Choosing what is handed over: every candidate gets its reason, and what may go is claimed and held."""

from collections.abc import Iterator
from dataclasses import replace

from batch.equipment import Equipment
from batch.gate import Gate, Verdict
from batch.holding import claim, hold
from batch.ledger import Run
from batch.ledger.decisions import record_decisions
from batch.ledger.items import close_items, open_item, open_items, refused_holds
from batch.ledger.past import Past, past_of
from batch.order_rows import is_storable
from batch.pace import end_of_business_date
from batch.permission import switches_in
from batch.second_attempts import SecondAttempts
from schemas.order import Origin
from schemas.reasons import ItemKind, Reason
from schemas.states import State

PAGE = 2000


def verdicts(equipment: Equipment, business_date: str) -> Iterator[list[tuple[Verdict, Past | None]]]:
    """The gate's verdict on every candidate, page by page, with what the ledger knows of each order; writes nothing.

    An order id that the order system shows twice is judged once: rows come in the order of their ids.
    """
    settings = equipment.settings
    gate = Gate(
        settings,
        equipment.network_rules,
        equipment.decline_codes,
        now=equipment.clock.now(),
        business_date_end=end_of_business_date(business_date, settings.schedule.timezone),
        scrub_key=equipment.scrub_key,
    )
    previous = None
    for page in equipment.source.declined(PAGE):
        with equipment.ledger.reading() as connection:
            refused = refused_holds(connection, equipment.ledger.mid, business_date)
            gate.switches = switches_in(connection, equipment)
            known = past_of(connection, equipment.ledger.mid, [row.order_id for row in page if is_storable(row.order_id)])
        judged = []
        for row in page:
            if row.order_id == previous:
                continue
            previous = row.order_id
            past = known.get(row.order_id)
            verdict = gate.judge(row, _standing(past))
            if verdict is not None and verdict.selected and verdict.order_id in refused:
                words = "the order system refused its hold today; correct the row"
                verdict = replace(verdict, selected=False, reason=Reason.INVALID_ROW, reason_text=words)
            if verdict is not None:
                judged.append((verdict, past))
        yield judged


def _standing(past: Past | None) -> State | None:
    """The state of an order's latest claim, as the gate must see it: open, until the order row shows how it ended."""
    if past is None:
        return None
    return past.state if past.is_settled else State.CLAIMED


def choose(equipment: Equipment, run: Run) -> None:
    """Decide on every candidate with its reason, and claim and hold those that may go, a file's worth at a time.

    MIT and CIT are claimed apart: the first go by their channel, the others by calls always. What the provider refused once
    is claimed only after it was asked (`batch.second_attempts`); what it gave no answer about is raised once all is chosen.
    """
    equipment.progress.stage("choose")
    most = equipment.settings.channels.max_rows_per_file
    chosen: dict[bool, list[tuple[Verdict, Past | None]]] = {False: [], True: []}
    bearing: set[str] = set()
    again = SecondAttempts(equipment, run)
    for judged in verdicts(equipment, run.business_date):
        page = again.asked_first(judged)
        bearing |= {f"order:{verdict.order_id}" for verdict, _ in page if verdict.reason is Reason.PAN_FOUND}
        _record_skipped(equipment, run, [verdict for verdict, _ in page if not verdict.selected])
        for is_cit, due in chosen.items():
            due += [(verdict, past) for verdict, past in page if verdict.selected and is_of_cit(verdict) is is_cit]
            while len(due) >= most:
                hold(equipment, run, claim(equipment, run, due[:most], is_cit=is_cit))
                del due[:most]
        equipment.progress.advance(len(page))
    for is_cit, due in chosen.items():
        if due:
            hold(equipment, run, claim(equipment, run, due, is_cit=is_cit))
    with equipment.ledger.writing(run) as writing:
        for found in open_items(writing.connection, writing.mid):
            if found.kind is ItemKind.PAN_FOUND and found.subject.startswith("order:") and found.subject not in bearing:
                close_items(writing, ItemKind.PAN_FOUND, found.subject, "no row with a card number is left there")
    again.tell()


def is_of_cit(verdict: Verdict) -> bool:
    """Whether a customer was present: such an order never travels in a file (CONTRACT 6.1)."""
    return verdict.order is not None and verdict.order.origin is not Origin.RECURRING


def _record_skipped(equipment: Equipment, run: Run, skipped: list[Verdict]) -> None:
    if not skipped:
        return
    with equipment.ledger.writing(run) as writing:
        record_decisions(writing, skipped)
        for verdict in skipped:
            if verdict.reason is Reason.PAN_FOUND:
                open_item(
                    writing,
                    ItemKind.PAN_FOUND,
                    f"order:{verdict.order_id}",
                    verdict.reason_text,
                    due_business_days=equipment.settings.review.due_business_days,
                )
