"""The night: settle what is open, choose, claim, hold, send, collect, ask, write back. Every step resumes from the ledger.

Each step commits before the next begins, and finds by itself what an earlier run left: killed anywhere, the next run
goes on (I9). A problem with one file, one answer or one server is remembered and the rest goes on (I15); what changes
states without a lease, or contradicts the ledger, stops the run.
"""

from batch.acknowledgements import collect
from batch.api_delivery import deliver_calls
from batch.capturing import flag_captures
from batch.choosing import choose
from batch.delivery import Delivery
from batch.equipment import Equipment
from batch.files_in_use import refuse_missing_server
from batch.findings import Findings, attempt
from batch.forgetting import forget_answers, forget_sent
from batch.held_rows import look_at_holds
from batch.hinted_refusals import tell_of_hinted_refusals
from batch.holding import hold
from batch.ledger import Batch, Run
from batch.ledger.batches import delivered_on, unsent_batches
from batch.ledger.reading import has_refused
from batch.modes import refuse_changed_mode
from batch.outstanding import note_outstanding
from batch.paging import page_for_night, page_for_silence
from batch.poll import flag_overdue, poll
from batch.purposes import close_reached
from batch.results import write_back
from batch.search import look_for_unanswered, search_some
from batch.second_attempts import look_again
from batch.settling import settle_operations
from batch.sync_repeats import repeat_evaluates
from batch.waiting import tell_of_waiting
from batch.webhook_news import apply_webhooks, forget_old_webhooks
from schemas.states import BatchStep

SEARCHED = 20
"""Of so many orders of a file that may have arrived the provider is asked, one call each, before the file is renamed."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 2.0, 16.0
"""Between two looks for an acknowledgement: each pause is twice the one before."""

RESUMED = (BatchStep.PART_VERIFIED, BatchStep.IN_DOUBT)
"""Steps at which an earlier run may have asked for the rename."""


def nightly(equipment: Equipment, run: Run, findings: Findings, *, only_batch: str = "") -> None:
    """Take the day's declined charges to the provider and bring the answers back.

    With `only_batch`, nothing new is chosen and only that batch is brought on its way (`rerun --batch`).
    Raises ModeChanged before anything else when open orders are of another mode than the one that is set, and SftpNotSet when
    files wait for a server that is not set.
    """
    refuse_changed_mode(equipment)
    refuse_missing_server(equipment)
    with equipment.ledger.reading() as connection:
        findings.not_repeated.extend(delivered_on(connection, equipment.ledger.mid, run.business_date))
        unsent = unsent_batches(connection, equipment.ledger.mid)
        refused = has_refused(connection, equipment.ledger.mid)
    if only_batch:
        unsent = [batch for batch in unsent if batch.batch_id == only_batch]
    attempt(findings, lambda: write_back(equipment, run))
    attempt(findings, lambda: look_at_holds(equipment, run))
    attempt(findings, lambda: look_again(equipment, run, unsent))
    resumed = [batch for batch in unsent if batch.step in RESUMED]
    heard = not (resumed or refused) or _heard(equipment, run, findings, resumed)
    attempt(findings, lambda: _hold_and_choose(equipment, run, unsent, chooses=not only_batch))
    with equipment.ledger.reading() as connection:
        due = [b for b in unsent_batches(connection, equipment.ledger.mid) if not only_batch or b.batch_id == only_batch]
    due = [batch for batch in due if heard or batch.step not in RESUMED]
    attempt(findings, lambda: Delivery(equipment, run, findings).deliver([batch for batch in due if not batch.is_of_calls]))
    attempt(findings, lambda: deliver_calls(equipment, run, findings, [batch for batch in due if batch.is_of_calls]))
    await_acknowledgements(equipment, run, findings)
    gather(equipment, run, findings)
    if run.job == "nightly" and not only_batch:
        attempt(findings, lambda: page_for_night(equipment, run))
    attempt(findings, lambda: forget_old_webhooks(equipment, run))
    attempt(findings, lambda: forget_sent(equipment, run))
    attempt(findings, lambda: forget_answers(equipment, run))


def _heard(equipment: Equipment, run: Run, findings: Findings, resumed: list[Batch]) -> bool:
    """Read the provider's answers and search for orders before any rename is asked for again: the file may have arrived.

    When it cannot be heard, no rename is asked for again in this run.
    """
    before = len(findings.problems)
    attempt(findings, lambda: collect(equipment, run))
    for batch in resumed:
        if batch.kind == "evaluate":
            attempt(findings, lambda batch=batch: search_some(equipment, run, batch, SEARCHED))  # type: ignore[misc]
    return len(findings.problems) == before


def gather(equipment: Equipment, run: Run, findings: Findings, *, everything: bool = False) -> None:
    """Take in what webhooks told, ask for what is due, look for what was never answered, and write the results to the rows."""
    attempt(findings, lambda: apply_webhooks(equipment, run))
    attempt(findings, lambda: look_for_unanswered(equipment, run))
    attempt(findings, lambda: tell_of_hinted_refusals(equipment, run))
    attempt(findings, lambda: tell_of_waiting(equipment, run, findings))
    attempt(findings, lambda: settle_operations(equipment, run))
    attempt(findings, lambda: poll(equipment, run, everything=everything))
    attempt(findings, lambda: flag_overdue(equipment, run))
    attempt(findings, lambda: flag_captures(equipment, run))
    attempt(findings, lambda: close_reached(equipment, run))
    attempt(findings, lambda: page_for_silence(equipment, run))
    attempt(findings, lambda: write_back(equipment, run))
    attempt(findings, lambda: note_outstanding(equipment, run, findings))


def poll_only(equipment: Equipment, run: Run, findings: Findings, *, everything: bool = False) -> None:
    """Collect every kind of answer and write it back; nothing new is sent. In sync mode what is due is evaluated again."""
    attempt(findings, lambda: write_back(equipment, run))
    attempt(findings, lambda: look_at_holds(equipment, run))
    attempt(findings, lambda: collect(equipment, run))
    gather(equipment, run, findings, everything=everything)
    attempt(findings, lambda: repeat_evaluates(equipment, run))


def _hold_and_choose(equipment: Equipment, run: Run, unsent: list[Batch], *, chooses: bool) -> None:
    """Hold what an earlier run only claimed, then choose: nothing is judged while one of ours still looks free."""
    for batch in unsent:
        if batch.kind == "evaluate" and batch.step is BatchStep.CLAIMED:
            hold(equipment, run, batch)
    if chooses:
        choose(equipment, run)


def await_acknowledgements(equipment: Equipment, run: Run, findings: Findings) -> None:
    """Read the answers to our files, again and again until none is missing or the wait is over; the rest is the next poll's."""
    attempt(findings, lambda: _await(equipment, run))


def _await(equipment: Equipment, run: Run) -> None:
    equipment.progress.stage("acknowledgements")
    start, most = equipment.clock.monotonic(), equipment.settings.outcomes.acknowledgement_wait_seconds
    pause = FIRST_PAUSE_SECONDS
    while collect(equipment, run):
        with equipment.ledger.writing(run):
            pass  # still our turn, and nobody asked us to stop
        left = most - (equipment.clock.monotonic() - start)
        if left <= 0:
            return
        equipment.clock.sleep(min(pause, left))
        equipment.progress.advance(0)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
